package provider

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

// subject is what was to be read when something failed.
type subject struct {
	what     string    // "usages", "usage record": stands in the summary
	name     string    // "project 2b57…", "7": which of them
	argument path.Path // what names it in the configuration
	byID     bool
}

// readError turns the error of a read into a diagnostic: what failed, what
// Waldur said, which request it was, what to do. The errors of package waldur
// hold no token, no query and no body.
func readError(err error, reading subject) diag.Diagnostic {
	if refused, ok := errors.AsType[*waldur.StatusError](err); ok {
		return refusal(refused, reading)
	}
	if unreachable, ok := errors.AsType[*waldur.UnreachableError](err); ok {
		return reading.unable("Waldur not reachable",
			fmt.Sprintf("%s: %s.", unreachable.Origin, unreachable.Problem), request(unreachable.Request, unreachable.Attempts, ""),
			"Check endpoint, the network and the proxy variables, and whether Waldur is up. "+
				"Where answers take long, raise request_timeout."+throttled(unreachable.Throttled))
	}
	if untrusted, ok := errors.AsType[*waldur.TLSError](err); ok {
		return reading.unable("TLS not trusted",
			fmt.Sprintf("%s: %s.", untrusted.Origin, untrusted.Problem), request(untrusted.Request, 1, ""),
			"Check that endpoint names the right host, and https only where the server speaks it (http:// otherwise). If its certificate is issued by your own authority, write that authority's certificate into ca_certificate.")
	}
	if redirect, ok := errors.AsType[*waldur.RedirectError](err); ok {
		return reading.unable("redirected",
			fmt.Sprintf("The answer was %d, a redirect to %s. None is followed, so that the token goes nowhere but to endpoint.", redirect.Status, redirect.Target),
			request(redirect.Request, 1, ""),
			"Write the address that answers into endpoint: https instead of http, the host's other name, or the path prefix that is missing. "+
				"A redirect to a login page says that something in front of Waldur wants a login.")
	}
	if malformed, ok := errors.AsType[*waldur.FormatError](err); ok {
		return reading.unable("answer not as documented", formatProblem(malformed), request(malformed.Request, 1, ""),
			"Check that endpoint is a Waldur, with its path prefix if it has one. If it is one, its version answers otherwise than this provider knows: please report it.")
	}
	if unfiltered, ok := errors.AsType[*waldur.FilterError](err); ok {
		return reading.unable("filter not applied",
			fmt.Sprintf("Waldur was asked for %s and answered with a record of %s.", unfiltered.Asked, unfiltered.Got), request(unfiltered.Request, 1, ""),
			"None of the records is used. Report this to the administrator of that Waldur.")
	}
	if incomplete, ok := errors.AsType[*waldur.IncompleteError](err); ok {
		return reading.unable("list not proved complete",
			fmt.Sprintf("%s, in each of %d readings.", sentence(incomplete.Problem), incomplete.Reads), request(incomplete.Request, 1, ""),
			"None of the records is used. Records that change while they are read cause this: run it again in a few minutes.")
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return reading.unable("interrupted", "The read was ended before Waldur had answered.", "", "Run it again.")
	}
	return reading.unable("unexpected error", err.Error(), "", "Please report this as a bug of the provider.")
}

// refusal is the part of readError for answers with an error status.
func refusal(refused *waldur.StatusError, reading subject) diag.Diagnostic {
	answer := answered(refused)
	asked := request(refused.Request, refused.Attempts, refused.RequestID)
	switch {
	case refused.Status == http.StatusUnauthorized:
		return reading.unable("token refused", answer, asked, tokenAdvice(refused.Detail))
	case refused.Status == http.StatusForbidden:
		return reading.unable("not allowed", answer, asked,
			"The user of the token may not do this. Use the token of a user that has a role in the project or the customer. "+
				"A firewall in front of Waldur may also answer so.")
	case refused.Status == http.StatusBadRequest && strings.Contains(refused.Detail, "restore object from url"):
		return reading.unableAt("scope not found or not visible", answer, asked,
			fmt.Sprintf("There is no %s, or the user of the token may not see it: Waldur answers the same to both. "+
				"Check the UUID, whether it is that of a project or of a customer, and that the user has a role there.", reading.name))
	case refused.Status == http.StatusNotFound && reading.byID && refused.Detail != "":
		return reading.unableAt("record not found", answer, asked,
			fmt.Sprintf("There is no usage record with the id %s. Records in lists carry no id, so none can be found there; "+
				"to read the records of a project or a customer, use waldur_category_component_usages.", reading.name))
	case refused.Status == http.StatusNotFound:
		return reading.unable("no Waldur at the endpoint", answer, asked,
			"Check that endpoint is the address of a Waldur, with its path prefix if it has one.")
	case refused.Status == http.StatusTooManyRequests:
		return reading.unable("rate limited", answer, asked, comeBack(refused.RetryAfter)+
			" Fewer data sources, or a lower max_concurrent_requests, ask for less at once."+throttled(refused.Throttled))
	case refused.Status >= http.StatusInternalServerError:
		return reading.unable("server error", answer, asked, comeBack(refused.RetryAfter)+
			" If it goes on, ask the administrator of that Waldur, with the time of this error."+throttled(refused.Throttled))
	default:
		return reading.unable("request refused", answer, asked,
			"Check endpoint and the arguments. If they are right, this Waldur differs from what the provider knows: please report it.")
	}
}

// unable is an error about the whole read.
func (s subject) unable(why string, said, asked, advice string) diag.Diagnostic {
	return diag.NewErrorDiagnostic(s.summary(why), paragraphs(said, asked, advice))
}

// unableAt is an error about the argument that names what was to be read.
func (s subject) unableAt(why string, said, asked, advice string) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(s.argument, s.summary(why), paragraphs(said, asked, advice))
}

func (s subject) summary(why string) string { return "Unable to read " + s.what + ": " + why }

func paragraphs(said, asked, advice string) string {
	if asked != "" {
		said += "\n" + asked
	}
	return said + "\n\n" + advice
}

func answered(refused *waldur.StatusError) string {
	status := strings.TrimSpace(fmt.Sprintf("%d %s", refused.Status, http.StatusText(refused.Status)))
	if refused.Detail == "" {
		return "Waldur answered " + status + ", without an explanation."
	}
	return "Waldur answered " + status + `: "` + refused.Detail + `"`
}

func request(asked waldur.Request, attempts int, id string) string {
	text := "Request: " + asked.String()
	if attempts > 1 {
		text += fmt.Sprintf(", %d times", attempts)
	}
	if id != "" {
		text += ", the last with the request id " + id
	}
	return text + "."
}

func tokenAdvice(reason string) string {
	switch {
	case strings.Contains(reason, "expired"):
		return "By default, Waldur's API tokens end 3,600 seconds after their last use. For a pipeline, use a personal access token (w_…), " +
			"or the token of a user whose token lifetime is longer or unlimited; otherwise, get a new token and run this again."
	case strings.Contains(reason, "inactive"):
		return "The user of the token has been deactivated or deleted. Use the token of another user."
	case strings.Contains(reason, "not provided"):
		return "Waldur did not see a token of a kind that it knows. If yours begins with w_, this Waldur may be too old for personal access tokens: " +
			"use the API token of a user. A proxy in front of Waldur may also have removed the header Authorization."
	default:
		return "Check token, or the environment variable WALDUR_ACCESS_TOKEN: is it whole, of this Waldur, and still valid? " +
			"Waldur's API tokens end 3,600 seconds after their last use by default."
	}
}

func comeBack(wait time.Duration) string {
	if wait <= 0 {
		return "Run it again later."
	}
	return fmt.Sprintf("Waldur asked to come back in %s.", wait.Round(time.Second))
}

func throttled(yes bool) string {
	if !yes {
		return ""
	}
	return " So many requests have failed that the provider repeats no more of them."
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

// sentence begins a text with a capital letter.
func sentence(text string) string {
	if text == "" {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// check gives an error when there is no client to read with, or when what to
// read is not known yet: a bound that is unknown must not become none.
func (c *connection) check(what string, config tfsdk.Config) (diagnostics diag.Diagnostics) {
	switch {
	case !config.Raw.IsFullyKnown():
		diagnostics.AddError("Unable to read "+what+": arguments not known yet", "The CLI asked to read before all arguments were known. This is a bug of the CLI.")
	case c == nil:
		diagnostics.AddError("Unable to read "+what+": provider not configured", "The provider was asked to read before it was configured. This is a bug of the CLI.")
	case len(c.unknown) > 0:
		diagnostics.AddError("Unable to read "+what+": provider configuration not known yet",
			fmt.Sprintf("The value of %s in the provider block depends on something that is not known before it is applied. No request was made.\n\n"+
				"Apply what it depends on first (with -target), or write a value that is known.", strings.Join(c.unknown, ", ")))
	}
	return diagnostics
}

func cleartextWarning(endpoint waldur.Endpoint) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(path.Root("endpoint"), "Token sent in the clear",
		endpoint.Origin()+" is not encrypted: anyone on the way can read the token and use it. Use https.")
}

const namedDuplicates = 10 // in one warning

// duplicateWarning names records of the same component and month, all of
// which are in the list.
func duplicateWarning(usages []waldur.Usage) (diagnostics diag.Diagnostics) {
	var named strings.Builder
	count := 0
	for usage := range waldur.Duplicates(usages) {
		if count++; count <= namedDuplicates {
			fmt.Fprintf(&named, "\n- %s of category %s in %s", usage.Type.Value, usage.CategoryUUID.Value, strings.TrimSuffix(usage.Date.Value, "-01"))
		}
	}
	if count == 0 {
		return nil
	}
	if count > namedDuplicates {
		fmt.Fprintf(&named, "\n- and %d more", count-namedDuplicates)
	}
	diagnostics.AddAttributeWarning(path.Root("usages"), "Several usage records of the same component and month",
		"Waldur allows this. All of them are in the list, so a sum counts each of them:"+named.String())
	return diagnostics
}
