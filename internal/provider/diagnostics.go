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
// waldur contain no token, no query and no body.
func (p *providerData) readError(err error, target readTarget) diag.Diagnostic {
	failed := p.explain(err, target)
	summary := "Unable to read " + target.what + ": " + failed.remedy.summary
	detail := failed.problem + "\n\n" + failed.remedy.advice
	refused, ok := errors.AsType[*waldur.StatusError](err)
	if ok && (refused.Reason == waldur.ReasonScopeNotVisible || refused.Reason == waldur.ReasonRecordNotFound) {
		return diag.NewAttributeErrorDiagnostic(target.argument, summary, detail)
	}
	return diag.NewErrorDiagnostic(summary, detail)
}

// explanation is what a diagnostic says about an error.
type explanation struct {
	problem string // what happened, with the request
	remedy  remedy
}

// remedy is the name of a kind of failure, and what to do about it.
type remedy struct{ summary, advice string }

// explain covers each error type of package waldur.
func (p *providerData) explain(err error, target readTarget) explanation {
	switch err := err.(type) { //nolint:errorlint // package waldur does not wrap its errors
	case *waldur.StatusError:
		return explanation{
			refusal(err) + requestsLine(err.Request, err.Attempts, err.RequestID),
			statusRemedy(err, target),
		}
	case *waldur.UnreachableError:
		known := cmp.Or(remedies(target)[err.Reason],
			remedy{notReachable, "Check endpoint, the network and the proxy variables, and that Waldur is running."})
		return explanation{
			err.Origin + ": " + err.Problem + "." + requestsLine(err.Request, err.Attempts, ""),
			remedy{known.summary, known.advice + throttled(err.Throttled)},
		}
	case *waldur.TLSError:
		return explanation{
			err.Origin + ": " + err.Problem + "." + requestLine(err.Request),
			cmp.Or(remedies(target)[err.Reason], remedy{notTrusted, "Check the host of endpoint. " +
				"If the certificate of Waldur is issued by your own authority, set ca_certificate to the certificate of that authority."}),
		}
	case *waldur.RedirectError:
		return explanation{
			fmt.Sprintf("The response was %d, a redirect to %s. Redirects are not followed, so the token is sent only to endpoint.%s",
				err.Status, err.Target, requestLine(err.Request)),
			remedy{"redirected", "Set endpoint to an address that does not redirect: with https instead of http, the other name of the host, " +
				"or the missing path prefix. A redirect to a login page means that something in front of Waldur requires a login."},
		}
	case *waldur.FormatError:
		return explanation{
			formatProblem(err) + requestLine(err.Request),
			remedy{"response not as documented", "Check that endpoint is the URL of a Waldur server, with its path prefix if it has one. " +
				"If it is, this version of Waldur differs from those that the provider supports: please report it."},
		}
	case *waldur.FilterError:
		return explanation{
			fmt.Sprintf("Waldur was asked for %s and returned a record of %s.%s", err.Asked, err.Got, requestLine(err.Request)),
			remedy{"filter not applied", "None of the records is used. Report this to the Waldur administrator."},
		}
	case *waldur.IncompleteError:
		return explanation{
			fmt.Sprintf("Records changed during each of %d attempts to read them: %s.%s", err.Reads, err.Problem, requestLine(err.Request)),
			remedy{"list not verified to be complete", "None of the records is used. Run this again in a few minutes. " +
				"If the problem persists, contact the Waldur administrator."},
		}
	case *waldur.UnverifiableError:
		return explanation{
			fmt.Sprintf("The server's responses do not allow it: %s.%s", err.Problem, requestLine(err.Request)),
			remedy{"list cannot be verified to be complete", "None of the records is used, and another run will not help. " +
				"Report this to the Waldur administrator. If it concerns one month, date_after and date_before can exclude that month."},
		}
	case *waldur.DeadlineError:
		return explanation{
			fmt.Sprintf("The read was not finished within %s, the limit of timeouts.read.%s", target.timeout, p.lastFailure(err.LastFailure, target)),
			remedy{"not finished in time", "Raise timeouts.read, or read fewer months. If requests failed, resolve the last failure first."},
		}
	case *waldur.OutageError:
		return explanation{
			"No request was made, since too many requests of this run have failed." +
				p.lastFailure(err.LastFailure, target) + requestLine(err.Request),
			remedy{"too many failed requests", "Resolve the last failure, then run this again."},
		}
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return explanation{"The read was interrupted before Waldur had responded.", remedy{"interrupted", "Run this again."}}
	}
	return explanation{
		sentence(p.client.SafeText(err.Error())),
		remedy{"unexpected error", "This is a bug of the provider: please report it."},
	}
}

const (
	tokenRefused = "token refused"
	notReachable = "Waldur not reachable"
	notTrusted   = "no trusted TLS connection"
)

// remedies returns the remedies for failures whose reason is known.
func remedies(target readTarget) map[waldur.Reason]remedy {
	return map[waldur.Reason]remedy{
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
			"Waldur could not verify the JWT, since its OIDC provider did not respond. Run this again later. " +
				"If the problem persists, contact the Waldur administrator."},
		waldur.ReasonUserIdentifierMissing: {tokenRefused,
			"The OIDC provider of this Waldur does not return the field that identifies the user of the JWT. " +
				"Contact the Waldur administrator: the setting OIDC_USER_FIELD names that field."},
		waldur.ReasonScopeNotVisible: {"scope not found or not visible",
			"There is no " + target.name + ", or the user of the token may not see it: Waldur returns the same error in both cases. " +
				"Check the UUID, whether it is that of a project or of a customer, and that the user has a role there."},
		waldur.ReasonRecordNotFound: {"record not found",
			"There is no usage record with the id " + target.name + ". Records in lists have no id, so it cannot be looked up there; " +
				"to read the records of a project or a customer, use waldur_category_component_usages."},
		waldur.ReasonTimeout: {notReachable,
			"If Waldur takes long to respond, raise request_timeout. Otherwise, check endpoint, the network and the proxy variables."},
		waldur.ReasonRefused: {notReachable,
			"Check the host and the port of endpoint, and that Waldur is running. To outlast a longer restart of it, raise max_retries."},
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

// statusRemedy returns the remedy for a response with an error status.
func statusRemedy(refused *waldur.StatusError, target readTarget) remedy {
	if known, ok := remedies(target)[refused.Reason]; ok {
		return known
	}
	switch {
	case refused.Status == http.StatusUnauthorized:
		return remedy{tokenRefused,
			"Check token, or the WALDUR_ACCESS_TOKEN environment variable: the token must be complete, issued by this Waldur, and still valid. " +
				"By default, Waldur's API tokens expire 3,600 seconds after their last use."}
	case refused.Status == http.StatusForbidden:
		return remedy{"not allowed",
			"The user of the token is not allowed to do this. Use the token of a user who has a role in the project or the customer. " +
				"This response may also come from a firewall in front of Waldur."}
	case refused.Status == http.StatusNotFound:
		return remedy{"no Waldur at the endpoint",
			"Check that endpoint is the URL of a Waldur server, with its path prefix if it has one."}
	case refused.Status == http.StatusTooManyRequests:
		return remedy{"rate limited",
			retryAfter(refused.RetryAfter) + " To send fewer requests at once, use fewer data sources or lower max_concurrent_requests." + throttled(refused.Throttled)}
	case refused.Status >= http.StatusInternalServerError:
		return remedy{"server error", retryAfter(refused.RetryAfter) +
			" If the problem persists, contact the Waldur administrator with the time of this error." + throttled(refused.Throttled)}
	default:
		return remedy{"request refused", "Check endpoint and the arguments. " +
			"If they are right, this Waldur differs from those that the provider supports: please report it."}
	}
}

// lastFailure describes the failure before the one that ended the read.
func (p *providerData) lastFailure(err error, target readTarget) string {
	if err == nil {
		return ""
	}
	return "\nLast failure: " + p.explain(err, target).problem
}

func refusal(refused *waldur.StatusError) string {
	status := strings.TrimSpace(fmt.Sprintf("%d %s", refused.Status, http.StatusText(refused.Status)))
	if refused.Detail == "" {
		return "Waldur returned " + status + ", without an explanation."
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
