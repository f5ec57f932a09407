package provider

import (
	"cmp"
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

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

// readTarget is what a read was for.
type readTarget struct {
	what     string    // "usages", "usage record": part of the summary
	name     string    // "project 2b57…", "7"
	argument path.Path // the argument that names it
	timeout  time.Duration
}

// readError converts the error of a read to a diagnostic: what failed, what
// Waldur returned, which request it was, what to do next. The errors of package
// waldur contain no token, and of a response only what is safe to show.
func (p *providerData) readError(err error, target readTarget) diag.Diagnostic {
	shown := p.explain(err, target)
	summary := "Unable to read " + target.what + ": " + shown.failure.name
	detail := shown.problem + "\n\n" + shown.failure.advice
	refused, ok := errors.AsType[*waldur.StatusError](err)
	if ok && (refused.Reason == waldur.ReasonScopeNotVisible || refused.Reason == waldur.ReasonRecordNotFound) {
		return diag.NewAttributeErrorDiagnostic(target.argument, summary, detail)
	}
	return diag.NewErrorDiagnostic(summary, detail)
}

// explanation is what a diagnostic says about an error.
type explanation struct {
	problem string // what happened, with the request
	failure failure
}

// failure is the name of a kind of failure, and what to do about it.
type failure struct{ name, advice string }

// explain covers each error type of package waldur.
func (p *providerData) explain(err error, target readTarget) explanation {
	switch err := err.(type) { //nolint:errorlint // package waldur does not wrap its errors
	case *waldur.StatusError:
		return explanation{
			statusProblem(err) + requestsLine(err.Request, err.Attempts, err.RequestID) + retriesEnded(err.BudgetUsedUp),
			statusFailure(err, target),
		}
	case *waldur.UnreachableError:
		return explanation{
			err.Origin + ": " + err.Problem + "." + requestsLine(err.Request, err.Attempts, "") + retriesEnded(err.BudgetUsedUp),
			cmp.Or(knownFailures(target)[err.Reason], failure{
				notReachable,
				"Check endpoint, the network and the proxy variables, and that Waldur is running.",
			}),
		}
	case *waldur.TLSError:
		return explanation{
			err.Origin + ": " + err.Problem + "." + requestLine(err.Request),
			cmp.Or(knownFailures(target)[err.Reason], failure{notTrusted, "Check the host of endpoint. " +
				"If the certificate of Waldur is issued by your own authority, set ca_certificate to the certificate of that authority."}),
		}
	case *waldur.RedirectError:
		return explanation{
			fmt.Sprintf("The response was %d, a redirect to %s. Redirects are not followed, so the token is sent only to endpoint.%s",
				err.Status, err.Target, requestLine(err.Request)),
			failure{"redirected", "Set endpoint to an address that does not redirect: with https instead of http, the other name of the host, " +
				"or the missing path prefix. A redirect to a login page means that something in front of Waldur requires a login."},
		}
	case *waldur.FormatError:
		return explanation{
			formatProblem(err) + requestLine(err.Request),
			failure{"response not as documented", "Check that endpoint is the URL of a Waldur server, with its path prefix if it has one. " +
				"If it is, and the response is an HTML page, something in front of Waldur may require a login. " +
				"Otherwise, this version of Waldur differs from those that the provider supports: please report it."},
		}
	case *waldur.FilterError:
		return explanation{
			fmt.Sprintf("Waldur was asked for %s and returned a record of %s.%s", err.Asked, err.Got, requestLine(err.Request)),
			failure{"filter not applied", "None of the records is used. Report this to the Waldur administrator."},
		}
	case *waldur.IncompleteError:
		return explanation{
			fmt.Sprintf("The responses do not fit together, as happens when records change during the read: %s. Attempts: %d.%s",
				err.Problem, err.Attempts, requestLine(err.Request)),
			failure{"list not verified to be complete", "None of the records is used. Run this again in a few minutes. " +
				"If the problem persists, contact the Waldur administrator."},
		}
	case *waldur.UnverifiableError:
		return explanation{
			fmt.Sprintf("The responses do not show whether the list is complete: %s.%s", err.Problem, requestLine(err.Request)),
			failure{"list cannot be verified to be complete", "None of the records is used, and another run will not help. " +
				"Report this to the Waldur administrator. If it concerns one month, read the months before and after it with two data sources, " +
				"using date_before and date_after."},
		}
	case *waldur.DeadlineError:
		return explanation{
			fmt.Sprintf("The read was not finished within %s, the limit of timeouts.read.%s", target.timeout, p.lastFailure(err.LastFailure, target)),
			failure{"not finished in time", "Raise timeouts.read, or read less in one run. If requests of this or of another read failed, resolve that failure first."},
		}
	case *waldur.OutageError:
		return explanation{
			err.Request.String() + " was not sent, since too many requests of this run have failed.\nOne of them: " +
				p.explain(err.Timeout, target).problem,
			failure{"too many failed requests", "Resolve that failure, then run this again."},
		}
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return explanation{"The read was interrupted before it was finished.", failure{"interrupted", "Run this again."}}
	}
	return explanation{
		sentence(p.client.SafeText(err.Error())),
		failure{"unexpected error", "This is a bug in the provider: please report it."},
	}
}

const (
	tokenRefused = "token refused"
	notReachable = "Waldur not reachable"
	notTrusted   = "no trusted TLS connection"
)

// knownFailures returns the failure for each reason that identifies one.
// ReasonUnknown and ReasonTokenInvalid are explained by the status or by the type of
// the error.
func knownFailures(target readTarget) map[waldur.Reason]failure {
	return map[waldur.Reason]failure{
		waldur.ReasonNotProvided: {tokenRefused,
			"Waldur found no token of a kind that it accepts. If the token begins with w_ or is a JWT, this Waldur may be too old for it: " +
				"use the API token of a user. A proxy in front of Waldur may also have removed the Authorization header."},
		waldur.ReasonTokenExpired: {tokenRefused,
			"By default, Waldur's API tokens expire 3,600 seconds after their last use, and JWTs are valid for minutes. For a pipeline, " +
				"use a personal access token (w_…), or the API token of a user whose token lifetime is longer or unlimited. " +
				"Otherwise, get a new token and run this again."},
		waldur.ReasonUserInactive: {tokenRefused, "The user of the token has been deactivated or deleted. Use the token of another user."},
		waldur.ReasonPersonalTokenInvalid: {tokenRefused,
			"Waldur does not say why it refuses a personal access token. It may be incomplete, revoked, rotated or of another Waldur; " +
				"its user may be deactivated or no longer permitted to use such tokens; or this machine is not in a network that the token allows. " +
				"See Profile > Credentials > Personal access tokens in Waldur."},
		waldur.ReasonPersonalTokensDisabled: {tokenRefused,
			"This Waldur does not accept personal access tokens. Its staff can enable them under " +
				"Administration > Configuration > Personal access tokens. Otherwise, use the API token of a user."},
		waldur.ReasonJWTMalformed: {tokenRefused, "Waldur cannot decode the JWT. Check that the token is complete."},
		waldur.ReasonJWTInactive: {tokenRefused,
			"The OIDC provider of this Waldur does not accept the JWT: it is of another provider, revoked or expired. " +
				"Get a new one from that provider, or use a personal access token (w_…)."},
		waldur.ReasonOIDCNotConfigured: {tokenRefused,
			"This Waldur has no OIDC provider with which it could verify a JWT. Use a personal access token (w_…) or the API token of a user, " +
				"or ask the Waldur administrator to set OIDC_INTROSPECTION_URL, OIDC_CLIENT_ID and OIDC_CLIENT_SECRET."},
		waldur.ReasonOIDCProviderFailed: {tokenRefused,
			"Waldur could not verify the JWT, since its OIDC provider could not be reached or returned an error. Run this again later. " +
				"If the problem persists, contact the Waldur administrator."},
		waldur.ReasonUserIdentifierMissing: {tokenRefused,
			"The OIDC provider of this Waldur does not return the field that identifies the user of the JWT. " +
				"Contact the Waldur administrator: the setting OIDC_USER_FIELD names that field."},
		waldur.ReasonScopeNotVisible: {"scope not found or not visible",
			"There is no " + target.name + ", or the user of the token is not allowed to see it: Waldur returns the same error in both cases. " +
				"Check the UUID, whether it is that of a project or of a customer, and that the user has a role there."},
		waldur.ReasonRecordNotFound: {"record not found",
			"There is no usage record with the id " + target.name + ". Records in lists have no id, so it cannot be looked up there; " +
				"to read the records of a project or a customer, use waldur_category_component_usages."},
		waldur.ReasonTimeout: {notReachable,
			"If Waldur takes long to respond, raise request_timeout. Otherwise, check endpoint, the network and the proxy variables."},
		waldur.ReasonConnectionRefused: {notReachable,
			"Check the host and the port of endpoint, and that Waldur is running. To outlast a longer restart of Waldur, raise max_retries."},
		waldur.ReasonHostUnknown: {notReachable, "Check the host of endpoint, and the name servers of this machine."},
		waldur.ReasonProxy:       {notReachable, "Check the HTTPS_PROXY, HTTP_PROXY and NO_PROXY environment variables, and that the proxy is running."},
		waldur.ReasonProxyCredentials: {"proxy requires credentials",
			"Set the user name and the password of the proxy in its URL, in the environment variable " +
				"HTTPS_PROXY for an https endpoint or HTTP_PROXY for an http endpoint: http://user:password@proxy.example.com:3128. " +
				"If they are set, the proxy does not accept them."},
		waldur.ReasonHTTPSExpected: {"https required", "Use https:// in endpoint."},
		waldur.ReasonHTTPExpected:  {notTrusted, "Set endpoint to the port that speaks https. If this Waldur has none, use http:// in endpoint."},
		waldur.ReasonNotHTTPS:      {notTrusted, "Check the port of endpoint."},
	}
}

// statusFailure classifies a response with an error status.
func statusFailure(refused *waldur.StatusError, target readTarget) failure {
	if known, ok := knownFailures(target)[refused.Reason]; ok {
		return known
	}
	switch {
	case refused.Status == http.StatusUnauthorized:
		return failure{tokenRefused,
			"Check token, or the WALDUR_ACCESS_TOKEN environment variable: the token must be complete, issued by this Waldur, and still valid. " +
				"By default, Waldur's API tokens expire 3,600 seconds after their last use. " +
				"This response may also come from something in front of Waldur that requires a login."}
	case refused.Status == http.StatusForbidden:
		return failure{"not allowed",
			"The user of the token is not allowed to do this. Use the token of a user who has a role in the project or the customer. " +
				"This response may also come from a firewall in front of Waldur."}
	case refused.Status == http.StatusNotFound:
		return failure{"no Waldur at the endpoint",
			"Check that endpoint is the URL of a Waldur server, with its path prefix if it has one."}
	case refused.Status == http.StatusTooManyRequests:
		return failure{"rate limited",
			retryAdvice(refused.RetryAfter) + " To send fewer requests at once, lower max_concurrent_requests."}
	case refused.Status >= http.StatusInternalServerError:
		return failure{"server error", retryAdvice(refused.RetryAfter) +
			" If the problem persists, contact the Waldur administrator with the time of this error."}
	default:
		return failure{"request refused", "Check endpoint and the arguments. " +
			"If they are right, this Waldur differs from those that the provider supports: please report it."}
	}
}

// lastFailure describes the last failure of a request, or of a step of a list,
// before the one that ended the read.
func (p *providerData) lastFailure(err error, target readTarget) string {
	if err == nil {
		return ""
	}
	return "\nLast failure: " + p.explain(err, target).problem
}

func statusProblem(refused *waldur.StatusError) string {
	status := strings.TrimSpace(fmt.Sprintf("%d %s", refused.Status, http.StatusText(refused.Status)))
	if refused.Detail == "" { // it may be a proxy's response
		return "The server returned " + status + ", without an explanation."
	}
	if refused.Reason == waldur.ReasonHTTPSExpected {
		return "The server returned " + status + ": " + refused.Detail + "."
	}
	return "Waldur returned " + status + `: "` + refused.Detail + `"`
}

func formatProblem(malformed *waldur.FormatError) string {
	where := "The response"
	switch {
	case malformed.Record > 0 && malformed.Attribute != "":
		where = fmt.Sprintf("Record %d of the response, attribute %s,", malformed.Record, malformed.Attribute)
	case malformed.Record > 0:
		where = fmt.Sprintf("Record %d of the response", malformed.Record)
	case malformed.Attribute != "":
		where = "The response's attribute " + malformed.Attribute
	}
	return where + " " + malformed.Problem + "."
}

// requestLine names one request, on a separate line.
func requestLine(request waldur.Request) string {
	return requestsLine(request, 1, "")
}

// requestsLine names a request, its number of attempts and the request id of
// the last one, if Waldur returned it.
func requestsLine(request waldur.Request, attempts int, id string) string {
	text := "\nRequest: " + request.String()
	named := ", request id "
	if attempts > 1 {
		text += fmt.Sprintf(", %d times", attempts)
		named = ", the last with the request id "
	}
	if id != "" {
		text += named + id
	}
	return text + "."
}

func retryAdvice(wait time.Duration) string {
	advice := "Run this again later."
	if wait > 0 {
		advice += fmt.Sprintf(" The server asked to retry after %s.", wait.Round(time.Second))
	}
	return advice
}

func retriesEnded(yes bool) string {
	if !yes {
		return ""
	}
	return "\nToo many requests of this run have failed, so the provider no longer retries."
}

// sentence adds a capital letter and a full stop to the text of an error.
func sentence(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	text = string(unicode.ToUpper(first)) + text[size:]
	if !strings.HasSuffix(text, ".") {
		text += "."
	}
	return text
}

// invalidArgument returns an error on an argument whose value, from the argument or
// from an environment variable, is invalid, with a valid form to use instead.
func invalidArgument(argument path.Path, source string, err error) diag.Diagnostic {
	name := argument.String()
	detail := sentence(err.Error()) + map[string]string{
		"endpoint": " Use the URL of your Waldur, such as https://waldur.example.com.",
		"token":    " Use the token alone, without Token or Bearer in front of it.",
		"ca_certificate": " Use the certificates themselves, each from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----; " +
			`file("ca.pem") reads them from a file.`,
		"scope":         " Use a URL such as https://waldur.example.com/api/projects/<uuid>/, or set project_uuid or customer_uuid instead.",
		"project_uuid":  " An example is 2b5719686db84f24bf64c3dfec58fbeb.",
		"customer_uuid": " An example is 2b5719686db84f24bf64c3dfec58fbeb.",
	}[name]
	if errors.Is(err, waldur.ErrWhitespace) {
		detail += " If the value is read from a file, trimspace() removes the line break at its end."
	}
	if source != name {
		detail = "The value is that of the environment variable " + source + ". " + detail
	}
	return diag.NewAttributeErrorDiagnostic(argument, "Invalid "+source, detail)
}

const maxNamedDuplicates = 10 // in one warning

// duplicateWarning warns of several records of the same component and month.
func (p *providerData) duplicateWarning(usages []waldur.Usage) (diagnostics diag.Diagnostics) {
	type component struct{ date, componentType, category string }
	var components []component
	records := map[component]int{}
	for usage := range waldur.Duplicates(usages) {
		duplicate := component{usage.Date.Value, usage.Type.Value, usage.CategoryUUID.Value}
		if records[duplicate] == 0 {
			components = append(components, duplicate)
			records[duplicate] = 1 // the first, which Duplicates does not yield
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
