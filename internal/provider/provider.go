// Package provider implements the Terraform provider: schemas, configuration, state,
// diagnostics and functions.
//
// Values flow one way: configuration → client → records → state. Package waldur
// decides what to request, and whether a response is valid; package budget computes
// the results of the functions.
package provider

import (
	"context"
	"os"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

var _ provider.ProviderWithFunctions = (*usageProvider)(nil)

// dependencies are replaced by tests. The zero value of each selects the real one.
type dependencies struct {
	lookupEnv func(name string) (string, bool)
	clock     waldur.Clock
}

// New returns a function that creates the provider, as providerserver needs it.
func New(version string) func() provider.Provider { return newWith(version, dependencies{}) }

func newWith(version string, d dependencies) func() provider.Provider {
	if d.lookupEnv == nil {
		d.lookupEnv = os.LookupEnv
	}
	return func() provider.Provider { return &usageProvider{version: version, dependencies: d} }
}

func (d dependencies) now() time.Time {
	if d.clock == nil {
		return time.Now()
	}
	return d.clock.Now()
}

type usageProvider struct {
	version      string
	dependencies dependencies
}

// Metadata implements provider.Provider.
func (p *usageProvider) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "waldur"
	resp.Version = p.version
}

// Schema implements provider.Provider.
func (p *usageProvider) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Reads the usage records of [Waldur](https://waldur.com): how much of a component (such as CPU or storage) a project or " +
			"a customer used in a month, across all resources of a marketplace category. " +
			"The provider never changes anything in Waldur.",
		Attributes: map[string]schema.Attribute{
			"endpoint": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "URL of the Waldur server, such as `https://waldur.example.com` or, with a path prefix, `https://portal.example.com/waldur/`. " +
					"A trailing `/`, `/api` or `/api/` is ignored. " +
					"Can also be set with the `WALDUR_API_URL` environment variable. One of the two is required.",
				Validators: []validator.String{parsed(waldur.ParseEndpoint)},
			},
			"token": schema.StringAttribute{
				Optional:  true,
				Sensitive: true,
				MarkdownDescription: "API token of a user, personal access token (`w_…`), or JWT from an OIDC provider that Waldur trusts. " +
					"To read the records of a project or a customer, the user of the token must be able to see it. By default, an API token expires " +
					"3,600 seconds after its last use. " +
					"Can also be set with the `WALDUR_ACCESS_TOKEN` environment variable, which keeps the token out of files. One of the two is required.",
				Validators: []validator.String{parsed(waldur.ParseToken)},
			},
			"request_timeout": schema.NumberAttribute{
				Optional: true,
				MarkdownDescription: "Timeout of each HTTP request, in seconds, including the time to read the response. Must be an integer of at least 1. " +
					"Can also be set with the `WALDUR_HTTP_TIMEOUT` environment variable. Defaults to `60`.",
				Validators: []validator.Number{parsed(integerFrom(minTimeout))},
			},
			"max_retries": schema.NumberAttribute{
				Optional: true,
				MarkdownDescription: "Maximum number of retries of an HTTP request after a failure that may be temporary: a refused or broken connection, " +
					"a timeout, or status 429, 500, 502, 503 or 504. Must be an integer of at least 0. The waits between retries grow, so the default " +
					"outlasts a 15-second restart of Waldur. Can also be set with the `WALDUR_MAX_RETRIES` environment variable. Defaults to `6`.",
				Validators: []validator.Number{parsed(integerFrom(minRetries))},
			},
			"max_concurrent_requests": schema.NumberAttribute{
				Optional: true,
				MarkdownDescription: "Maximum number of concurrent requests, across all data sources. Must be an integer of at least 1. " +
					"On a current Waldur with four free workers, reading 10,000 records with `4` takes 28 % of the time that it takes with `1`. " +
					"Use `1` for a Waldur from October 2024, which processes the requests of a token one at a time: " +
					"concurrent requests save no time there, and each occupies a worker of the server while it waits. Defaults to `4`.",
				Validators: []validator.Number{parsed(integerFrom(minConcurrency))},
			},
			"ca_certificate": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "PEM certificates to trust in addition to the system's, such as `file(\"ca.pem\")`. " +
					"Required if the certificate of Waldur is issued by a private certificate authority that the system does not trust.",
				Validators: []validator.String{parsed(waldur.CertPoolWith)},
			},
		},
	}
}

// Configure implements provider.Provider. It makes no request.
func (p *usageProvider) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	var model providerModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	resolved := newSettings(model, p.dependencies.lookupEnv, p.dependencies.now())
	resp.Diagnostics.Append(resolved.diagnostics...)
	if resp.Diagnostics.HasError() {
		return
	}
	if len(resolved.unknown) > 0 {
		if req.ClientCapabilities.DeferralAllowed {
			resp.Deferred = &provider.Deferred{Reason: provider.DeferredReasonProviderConfigUnknown}
		}
		resp.DataSourceData = &providerData{unknown: resolved.unknown}
		return
	}
	config := resolved.config
	config.UserAgent = p.userAgent(req.TerraformVersion)
	config.Clock = p.dependencies.clock
	config.Log = debugWithout(resolved.secret)
	resp.DataSourceData = &providerData{client: waldur.NewClient(config), endpoint: config.Endpoint}
}

// userAgent returns the provider, the version that the CLI reports, and the value of
// TF_APPEND_USER_AGENT. OpenTofu reports the version of Terraform that it is
// compatible with (1.12.6 reports 1.13.0), so the two cannot be distinguished.
func (p *usageProvider) userAgent(cliVersion string) string {
	agent := "terraform-provider-waldur-usage/" + p.version
	if cliVersion != "" {
		agent += " Terraform/" + cliVersion
	}
	added, _ := p.dependencies.lookupEnv("TF_APPEND_USER_AGENT")
	notInHeader := func(r rune) bool { return r <= ' ' || r == '\x7f' }
	return strings.Join(append(strings.Fields(agent), strings.FieldsFunc(added, notInHeader)...), " ")
}

// DataSources implements provider.Provider.
func (p *usageProvider) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{newUsagesDataSource, newUsageDataSource}
}

// Functions implements provider.ProviderWithFunctions.
func (p *usageProvider) Functions(context.Context) []func() function.Function {
	return []func() function.Function{newBudgetCheck, newUsageReport, newUsageChart}
}

// Resources implements provider.Provider. There are none.
func (p *usageProvider) Resources(context.Context) []func() resource.Resource { return nil }

// Masking a shorter token would reveal it, since it may be part of ordinary words.
const minMasked = 8

// debugWithout logs at level DEBUG, with the token hidden, although package waldur
// logs none. The mask is set for each line, since one that is set in Configure does
// not apply to Read.
func debugWithout(token string) waldur.Log {
	return func(ctx context.Context, message string, fields map[string]any) {
		if len(token) >= minMasked {
			ctx = tflog.MaskLogStrings(ctx, token)
		}
		tflog.Debug(ctx, message, fields)
	}
}
