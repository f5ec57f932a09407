package provider

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

// readTarget is what was to be read when something failed.
type readTarget struct {
	what     string    // "usages", "usage record": part of the summary
	name     string    // "project 2b57…", "7"
	argument path.Path // that names it in the configuration
}

// readError turns the error of a read into a diagnostic: what failed, what
// Waldur answered, which request it was, what to do. The errors of package
// waldur contain no token, no query and no body.
func (p *providerData) readError(err error, target readTarget) diag.Diagnostic {
	if refused, ok := errors.AsType[*waldur.StatusError](err); ok {
		return refusal(refused, target)
	}
	if unreachable, ok := errors.AsType[*waldur.UnreachableError](err); ok {
		return unreachability(unreachable, target)
	}
	if untrusted, ok := errors.AsType[*waldur.TLSError](err); ok {
		return target.unable("no trusted TLS connection",
			fmt.Sprintf("%s: %s.", untrusted.Origin, untrusted.Problem), requestLine(untrusted.Request, 1, ""), tlsAdvice(untrusted.Reason))
	}
	if redirect, ok := errors.AsType[*waldur.RedirectError](err); ok {
		return target.unable("redirected",
			fmt.Sprintf("The answer was %d, a redirect to %s. Redirects are not followed, so the token is sent only to endpoint.", redirect.Status, redirect.Target),
			requestLine(redirect.Request, 1, ""),
			"Set endpoint to the address that answers: with https instead of http, the other name of the host, or the missing path prefix. "+
				"A redirect to a login page means that something in front of Waldur requires a login.")
	}
	if malformed, ok := errors.AsType[*waldur.FormatError](err); ok {
		return target.unable("answer not as documented", formatProblem(malformed), requestLine(malformed.Request, 1, ""),
			"Check that endpoint is the address of a Waldur, with its path prefix if it has one. If it is, this version of Waldur differs from "+
				"those that the provider supports: please report it.")
	}
	if unfiltered, ok := errors.AsType[*waldur.FilterError](err); ok {
		return target.unable("filter not applied",
			fmt.Sprintf("Waldur was asked for %s and answered with a record of %s.", unfiltered.Asked, unfiltered.Got), requestLine(unfiltered.Request, 1, ""),
			"None of the records is used. Report this to the Waldur administrator.")
	}
	return p.listError(err, target)
}

// listError is the part of readError for errors that concern the complete read.
func (p *providerData) listError(err error, target readTarget) diag.Diagnostic {
	if incomplete, ok := errors.AsType[*waldur.IncompleteError](err); ok {
		return target.unable("list not verified to be complete",
			fmt.Sprintf("In each of %d attempts, records changed while they were read: %s.", incomplete.Reads, incomplete.Problem),
			requestLine(incomplete.Request, 1, ""),
			"None of the records is used. Run this again in a few minutes. If the problem persists, contact the Waldur administrator.")
	}
	if unverifiable, ok := errors.AsType[*waldur.UnverifiableError](err); ok {
		return target.unable("list cannot be verified to be complete",
			fmt.Sprintf("The server's answers do not allow it: %s.", unverifiable.Problem), requestLine(unverifiable.Request, 1, ""),
			"None of the records is used, and another run will not help. Report this to the Waldur administrator. "+
				"If it concerns one month, date_after and date_before can leave that out.")
	}
	if late, ok := errors.AsType[*waldur.DeadlineError](err); ok {
		return target.unable("not finished in time",
			fmt.Sprintf("The read was not finished within %s, the limit of timeouts.read.%s", late.Limit, p.lastFailure(late.LastFailure, target)),
			"", "Raise timeouts.read, or read less at once. If requests failed, see the last failure first.")
	}
	if outage, ok := errors.AsType[*waldur.OutageError](err); ok {
		return target.unable("too many failed requests",
			"No request was made, since too many requests of this run have failed."+p.lastFailure(outage.LastFailure, target),
			requestLine(outage.Request, 1, ""), "Resolve the last failure, then run this again.")
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return target.unable("interrupted", "The read was interrupted before Waldur had answered.", "", "Run this again.")
	}
	return target.unable("unexpected error", sentence(p.client.SafeText(err.Error())), "", "This is a bug of the provider: please report it.")
}

// lastFailure says what failed before the read was ended for another reason.
func (p *providerData) lastFailure(err error, target readTarget) string {
	if err == nil {
		return ""
	}
	problem, _, _ := strings.Cut(p.readError(err, target).Detail(), "\n\n")
	return "\nLast failure: " + problem
}

// refusal is the part of readError for answers with an error status.
func refusal(refused *waldur.StatusError, target readTarget) diag.Diagnostic {
	answer := answered(refused)
	request := requestLine(refused.Request, refused.Attempts, refused.RequestID)
	switch {
	case refused.Reason == waldur.ReasonProxyCredentials:
		return target.unable("proxy requires credentials", answer, request, proxyCredentialsAdvice)
	case refused.Reason == waldur.ReasonHTTPSExpected:
		return target.unable("https required", answer, request, "Use https:// in endpoint.")
	case refused.Reason == waldur.ReasonScopeNotVisible:
		return target.unableAt("scope not found or not visible", answer, request,
			fmt.Sprintf("There is no %s, or the user of the token may not see it: Waldur answers the same in both cases. "+
				"Check the UUID, whether it is that of a project or of a customer, and that the user has a role there.", target.name))
	case refused.Reason == waldur.ReasonRecordNotFound:
		return target.unableAt("record not found", answer, request,
			fmt.Sprintf("There is no usage record with the id %s. Records in lists have no id, so it cannot be looked up there; "+
				"to read the records of a project or a customer, use waldur_category_component_usages.", target.name))
	case refused.Status == http.StatusUnauthorized:
		return target.unable("token refused", answer, request, tokenAdvice(refused.Reason))
	case refused.Status == http.StatusForbidden:
		return target.unable("not allowed", answer, request,
			"The user of the token is not allowed to do this. Use the token of a user who has a role in the project or the customer. "+
				"This answer may also come from a firewall in front of Waldur.")
	case refused.Status == http.StatusNotFound:
		return target.unable("no Waldur at the endpoint", answer, request,
			"Check that endpoint is the address of a Waldur, with its path prefix if it has one.")
	case refused.Status == http.StatusTooManyRequests:
		return target.unable("rate limited", answer, request, retryAfter(refused.RetryAfter)+
			" Fewer data sources, or a lower max_concurrent_requests, request less at once."+throttled(refused.Throttled))
	case refused.Status >= http.StatusInternalServerError:
		return target.unable("server error", answer, request, retryAfter(refused.RetryAfter)+
			" If the problem persists, contact the Waldur administrator with the time of this error."+throttled(refused.Throttled))
	default:
		return target.unable("request refused", answer, request,
			"Check endpoint and the arguments. If they are right, this Waldur differs from those that the provider supports: please report it.")
	}
}

// unreachability is the part of readError for requests without a complete
// answer.
func unreachability(unreachable *waldur.UnreachableError, target readTarget) diag.Diagnostic {
	problem := fmt.Sprintf("%s: %s.", unreachable.Origin, unreachable.Problem)
	request := requestLine(unreachable.Request, unreachable.Attempts, "")
	note := throttled(unreachable.Throttled)
	switch unreachable.Reason {
	case waldur.ReasonProxyCredentials:
		return target.unable("proxy requires credentials", problem, request, proxyCredentialsAdvice)
	case waldur.ReasonHTTPSExpected:
		return target.unable("https required", problem, request, "Use https:// in endpoint.")
	case waldur.ReasonTimeout:
		return target.unable("Waldur not reachable", problem, request,
			"If Waldur takes long to answer, raise request_timeout. Otherwise, check endpoint, the network and the proxy variables."+note)
	case waldur.ReasonRefused:
		return target.unable("Waldur not reachable", problem, request,
			"Check the host and the port of endpoint, and that Waldur is running. To outlast a longer restart of it, raise max_retries."+note)
	case waldur.ReasonHostUnknown:
		return target.unable("Waldur not reachable", problem, request,
			"Check the host of endpoint, and the name servers of this machine."+note)
	case waldur.ReasonProxy:
		return target.unable("Waldur not reachable", problem, request,
			"Check the HTTPS_PROXY, HTTP_PROXY and NO_PROXY environment variables, and that the proxy is running."+note)
	default:
		return target.unable("Waldur not reachable", problem, request,
			"Check endpoint, the network and the proxy variables, and that Waldur is running."+note)
	}
}

const proxyCredentialsAdvice = "Set the user name and the password of the proxy in its URL, in the environment variable " +
	"HTTPS_PROXY for an https endpoint or HTTP_PROXY for an http endpoint: http://user:password@proxy.example.com:3128. " +
	"If they are set, the proxy does not accept them."

func tlsAdvice(reason waldur.Reason) string {
	switch reason {
	case waldur.ReasonHTTPExpected:
		return "Set endpoint to the port that speaks https. If this Waldur has none, use http:// in endpoint."
	case waldur.ReasonNotHTTPS:
		return "Check the port of endpoint."
	default:
		return "Check the host of endpoint. If the certificate of Waldur is issued by your own authority, set ca_certificate to the certificate of that authority."
	}
}

// unable is an error about the complete read.
func (t readTarget) unable(why, problem, request, advice string) diag.Diagnostic {
	return diag.NewErrorDiagnostic(t.summary(why), paragraphs(problem, request, advice))
}

// unableAt is an error about the argument that names what was to be read.
func (t readTarget) unableAt(why, problem, request, advice string) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(t.argument, t.summary(why), paragraphs(problem, request, advice))
}

func (t readTarget) summary(why string) string { return "Unable to read " + t.what + ": " + why }

func paragraphs(problem, request, advice string) string {
	if request != "" {
		problem += "\n" + request
	}
	return problem + "\n\n" + advice
}

func answered(refused *waldur.StatusError) string {
	status := strings.TrimSpace(fmt.Sprintf("%d %s", refused.Status, http.StatusText(refused.Status)))
	if refused.Detail == "" {
		return "Waldur answered " + status + ", without an explanation."
	}
	return "Waldur answered " + status + `: "` + refused.Detail + `"`
}

func requestLine(request waldur.Request, attempts int, id string) string {
	text := "Request: " + request.String()
	if attempts > 1 {
		text += fmt.Sprintf(", %d times", attempts)
	}
	if id != "" {
		text += ", the last with the request id " + id
	}
	return text + "."
}

func tokenAdvice(reason waldur.Reason) string {
	switch reason {
	case waldur.ReasonTokenExpired:
		return "By default, Waldur's API tokens expire 3,600 seconds after their last use, and JWTs are valid for minutes. " +
			"For a pipeline, use a personal access token (w_…), or the API token of a user whose token lifetime is longer or unlimited. " +
			"Otherwise, get a new token and run this again."
	case waldur.ReasonUserInactive:
		return "The user of the token has been deactivated or deleted. Use the token of another user."
	case waldur.ReasonNotProvided:
		return "Waldur found no token of a kind that it accepts. If the token begins with w_ or is a JWT, this Waldur may be too old for it: " +
			"use the API token of a user. A proxy in front of Waldur may also have removed the Authorization header."
	case waldur.ReasonPersonalTokenInvalid:
		return "Waldur does not say why it refuses a personal access token. It may be incomplete, revoked, rotated or of another Waldur; its user may be " +
			"deactivated or no longer permitted to use such tokens; or this machine is not in a network that the token allows. " +
			"See Profile > Credentials > Personal access tokens in Waldur."
	case waldur.ReasonPersonalTokensDisabled:
		return "This Waldur does not accept personal access tokens. Its staff can enable them under " +
			"Administration > Configuration > Personal access tokens. Otherwise, use the API token of a user."
	case waldur.ReasonJWTMalformed:
		return "Waldur cannot decode the JWT. Check that the token is complete."
	case waldur.ReasonJWTInactive:
		return "The OIDC provider of this Waldur does not accept the JWT: it is of another provider, revoked or expired. " +
			"Get a new one from that provider, or use a personal access token (w_…)."
	case waldur.ReasonOIDCNotConfigured:
		return "This Waldur has no OIDC provider with which it could verify a JWT. Use a personal access token (w_…) or the API token of a user, " +
			"or ask the Waldur administrator to set OIDC_INTROSPECTION_URL, OIDC_CLIENT_ID and OIDC_CLIENT_SECRET."
	case waldur.ReasonOIDCProviderFailed:
		return "Waldur could not verify the JWT, since its OIDC provider did not answer. Run this again later. " +
			"If the problem persists, contact the Waldur administrator."
	case waldur.ReasonUserIdentifierMissing:
		return "The OIDC provider of this Waldur does not return the field that identifies the user of the JWT. " +
			"Contact the Waldur administrator: the setting OIDC_USER_FIELD names that field."
	default:
		return "Check token, or the WALDUR_ACCESS_TOKEN environment variable: the token must be complete, of this Waldur, and still valid. " +
			"By default, Waldur's API tokens expire 3,600 seconds after their last use."
	}
}

func retryAfter(wait time.Duration) string {
	if wait <= 0 {
		return "Run this again later."
	}
	return fmt.Sprintf("Waldur asked to retry after %s.", wait.Round(time.Second))
}

func throttled(yes bool) string {
	if !yes {
		return ""
	}
	return " Too many requests have failed, so the provider no longer retries."
}

func formatProblem(malformed *waldur.FormatError) string {
	where := "The answer"
	switch {
	case malformed.Record > 0 && malformed.Attribute != "":
		where = fmt.Sprintf("Record %d of the answer, attribute %s,", malformed.Record, malformed.Attribute)
	case malformed.Record > 0:
		where = fmt.Sprintf("Record %d of the answer", malformed.Record)
	case malformed.Attribute != "":
		where = "The answer's attribute " + malformed.Attribute
	}
	return where + " " + malformed.Problem + "."
}

// sentence makes a sentence of an error: with a capital letter and a full stop.
func sentence(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	text = string(unicode.ToUpper(first)) + text[size:]
	if !strings.HasSuffix(text, ".") {
		text += "."
	}
	return text
}

// invalidArgument is the error of a value that was taken from the argument or
// from an environment variable.
func invalidArgument(argument, source string, err error) diag.Diagnostic {
	detail := argumentProblem(argument, err)
	if source != argument {
		detail = "The value is that of the environment variable " + source + ". " + detail
	}
	return diag.NewAttributeErrorDiagnostic(path.Root(argument), "Invalid "+source, detail)
}

// argumentProblem says what is wrong with a value, and what to use instead.
func argumentProblem(argument string, err error) string {
	detail := sentence(err.Error())
	switch argument {
	case "endpoint":
		detail += " Use the URL of your Waldur, such as https://waldur.example.com."
	case "token":
		detail += " Use the token alone, without Token or Bearer in front of it."
	case "ca_certificate":
		detail += " Use the certificates themselves, each from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----; " +
			`file("ca.pem") reads them from a file.`
	case "scope":
		detail += " Use a URL such as https://waldur.example.com/api/projects/<uuid>/, or set project_uuid or customer_uuid instead."
	case "project_uuid", "customer_uuid":
		detail += " An example is 2b5719686db84f24bf64c3dfec58fbeb."
	}
	if errors.Is(err, waldur.ErrWhitespace) {
		detail += " If the value is read from a file, trimspace() removes the line break at its end."
	}
	return detail
}

// check returns an error if there is no client to read with, or if what to read
// is not known yet: an unknown bound must not become no bound.
func (p *providerData) check(what string, config tfsdk.Config) (diagnostics diag.Diagnostics) {
	switch {
	case !config.Raw.IsFullyKnown():
		diagnostics.AddError("Unable to read "+what+": arguments not known yet",
			"The CLI requested a read before all arguments were known. This is a bug of the CLI.")
	case p == nil:
		diagnostics.AddError("Unable to read "+what+": provider not configured",
			"The CLI requested a read before it configured the provider. This is a bug of the CLI.")
	case len(p.unknown) > 0:
		diagnostics.AddError("Unable to read "+what+": provider configuration not known yet",
			fmt.Sprintf("The value of %s in the provider block depends on something that is not known before the apply. No request was made.\n\n"+
				"Apply that first (with -target), or use a value that is known.", strings.Join(p.unknown, ", ")))
	}
	return diagnostics
}

func cleartextWarning(endpoint waldur.Endpoint) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(path.Root("endpoint"), "Token sent in cleartext",
		"Requests to "+endpoint.Origin()+" are not encrypted: anyone on the network can read the token and use it. Use https.")
}

const (
	clockTolerance = time.Minute        // by which clocks may differ
	expiryNotice   = 7 * 24 * time.Hour // before a personal access token expires
)

// expiryDiagnostics returns an error if the token has expired, and a warning if
// a personal access token is about to. The source is the argument or the
// environment variable that the token was taken from.
func expiryDiagnostics(token waldur.Token, source string, now time.Time) (diagnostics diag.Diagnostics) {
	expiry, known := token.Expiry()
	if !known {
		return nil
	}
	kind, advice := "JWT", "Get a new JWT from the OIDC provider right before each run: JWTs are usually valid for minutes."
	if token.Kind() == waldur.PersonalAccessToken {
		kind, advice = "personal access token", "Create a new token in Waldur, under Profile > Credentials > Personal access tokens. "+
			"Rotating this one does not help: the new token would expire at the same time."
	}
	if source != "token" {
		kind += " in the environment variable " + source
	}
	day := expiry.UTC().Format("2 January 2006 at 15:04 UTC")
	switch {
	case now.After(expiry.Add(clockTolerance)):
		diagnostics.AddAttributeError(path.Root("token"), "Token has expired",
			fmt.Sprintf("The %s expired on %s. No request was made.\n\n%s", kind, day, advice))
	case token.Kind() == waldur.PersonalAccessToken && now.After(expiry.Add(-expiryNotice)):
		diagnostics.AddAttributeWarning(path.Root("token"), "Token expires soon",
			fmt.Sprintf("The %s expires on %s.\n\n%s", kind, day, advice))
	}
	return diagnostics
}

const maxNamedDuplicates = 10 // in one warning

// duplicateWarning names the components and months that several records of the
// list have in common.
func (p *providerData) duplicateWarning(usages []waldur.Usage) (diagnostics diag.Diagnostics) {
	type component struct{ date, componentType, category string }
	var components []component
	records := map[component]int{}
	for usage := range waldur.Duplicates(usages) {
		duplicate := component{usage.Date.Value, usage.Type.Value, usage.CategoryUUID.Value}
		if records[duplicate] == 0 {
			components = append(components, duplicate)
			records[duplicate] = 1 // Duplicates does not yield the first of them
		}
		records[duplicate]++
	}
	if len(components) == 0 {
		return nil
	}
	var list strings.Builder
	for _, c := range components[:min(len(components), maxNamedDuplicates)] {
		fmt.Fprintf(&list, "\n- %d records of %s of category %s in %s",
			records[c], p.client.SafeText(c.componentType), p.client.SafeText(c.category), strings.TrimSuffix(c.date, "-01"))
	}
	if more := len(components) - maxNamedDuplicates; more > 0 {
		fmt.Fprintf(&list, "\n- and %d more", more)
	}
	diagnostics.AddAttributeWarning(path.Root("usages"), "Several usage records of the same component and month",
		"Waldur allows this. The list contains all of them, so a sum counts each of them:"+list.String())
	return diagnostics
}
