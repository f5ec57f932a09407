package provider

import (
	"context"
	"math/rand/v2"
	"os"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

var _ provider.ProviderWithFunctions = (*usageProvider)(nil)

// surroundings is what the provider takes from the machine and the process
// that it runs in.
type surroundings struct {
	lookupEnv func(name string) (string, bool)
	clock     waldur.Clock
	random    func() float64 // in [0, 1)
	log       waldur.Log
}

// New gives a constructor of the provider. NewServer serves it.
func New(version string) func() provider.Provider {
	return newIn(version, surroundings{lookupEnv: os.LookupEnv, clock: systemClock{}, random: rand.Float64, log: debug})
}

func newIn(version string, around surroundings) func() provider.Provider {
	return func() provider.Provider { return &usageProvider{version: version, around: around} }
}

type usageProvider struct {
	version string
	around  surroundings
}

// Metadata implements provider.Provider.
func (p *usageProvider) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "waldur"
	resp.Version = p.version
}

// Schema implements provider.Provider.
func (p *usageProvider) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Reads [Waldur](https://waldur.com)'s usage records: how much of a component, such as CPU hours or " +
			"gigabytes of storage, a project or a customer used in a month, over all resources of a marketplace category. " +
			"It only reads, and configuring it makes no request.",
		Attributes: map[string]schema.Attribute{
			"endpoint": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "URL of your Waldur, http or https: `https://waldur.example.com`. A path prefix is kept " +
					"(`https://portal.example.com/waldur/`); a trailing `/`, `/api` or `/api/` makes no difference. " +
					"Without it, the environment variable `WALDUR_API_URL` is read. One of the two is needed.",
				Validators: []validator.String{parsed("Invalid endpoint", waldur.ParseEndpoint)},
			},
			"token": schema.StringAttribute{
				Optional:  true,
				Sensitive: true,
				MarkdownDescription: "API token of a user, or a personal access token (`w_…`). A user sees the projects and customers that the " +
					"user has a role in. By default, Waldur's API tokens end 3,600 seconds after their last use. " +
					"Without it, the environment variable `WALDUR_ACCESS_TOKEN` is read, which keeps the token out of files. One of the two is needed.",
				Validators: []validator.String{parsed("Invalid token", waldur.ParseToken)},
			},
			"request_timeout": schema.NumberAttribute{
				Optional: true,
				MarkdownDescription: "Seconds that one HTTP request may take, from its sending to the last byte of its answer; 1 or more. " +
					"Without it, the environment variable `WALDUR_HTTP_TIMEOUT` is read; without that, it is 60.",
				Validators: []validator.Number{wholeNumberValidator{"Invalid request_timeout", leastTimeout}},
			},
			"max_retries": schema.NumberAttribute{
				Optional: true,
				MarkdownDescription: "How often one HTTP request is repeated when it fails in a way that may pass: " +
					"a broken connection, a timeout, status 429, 502, 503 or 504, and once for 500; 0 or more. " +
					"Without it, the environment variable `WALDUR_MAX_RETRIES` is read; without that, it is 3.",
				Validators: []validator.Number{wholeNumberValidator{"Invalid max_retries", leastRetries}},
			},
			"max_concurrent_requests": schema.NumberAttribute{
				Optional: true,
				MarkdownDescription: "How many requests may be in flight at once, over all data sources; 1 or more, 2 by default. " +
					"More are of use only if your Waldur answers requests with the same token side by side: " +
					"where it does not, they wait inside the server and occupy workers that others need.",
				Validators: []validator.Number{wholeNumberValidator{"Invalid max_concurrent_requests", leastConcurrency}},
			},
			"ca_certificate": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "PEM certificates to trust beside the system's, for a Waldur whose certificate is issued by your own authority: " +
					"`file(\"ca.pem\")`.",
				Validators: []validator.String{parsed("Invalid ca_certificate", waldur.CertPoolWith)},
			},
		},
	}
}

// Configure implements provider.Provider. It makes no request.
func (p *usageProvider) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	var written arguments
	resp.Diagnostics.Append(req.Config.Get(ctx, &written)...)
	if resp.Diagnostics.HasError() {
		return
	}
	settings := settle(written, p.around.lookupEnv)
	resp.Diagnostics.Append(settings.diagnostics...)
	if resp.Diagnostics.HasError() {
		return
	}
	if len(settings.unknown) > 0 {
		if req.ClientCapabilities.DeferralAllowed {
			resp.Deferred = &provider.Deferred{Reason: provider.DeferredReasonProviderConfigUnknown}
		}
		resp.DataSourceData = &connection{unknown: settings.unknown}
		return
	}
	config := settings.config
	if config.Endpoint.Cleartext() {
		resp.Diagnostics.Append(cleartextWarning(config.Endpoint))
	}
	config.UserAgent = p.userAgent(req.TerraformVersion)
	config.Clock = p.around.clock
	config.Random = p.around.random
	config.Log = masked(p.around.log, settings.secret)
	resp.DataSourceData = &connection{client: waldur.NewClient(config), endpoint: config.Endpoint}
}

// userAgent names the provider, the version that the CLI gives and what the
// environment adds. OpenTofu gives the version of Terraform that it keeps to
// (1.12.6 says 1.13.0), and nothing tells the two apart.
func (p *usageProvider) userAgent(cliVersion string) string {
	agent := "terraform-provider-waldur-usage/" + p.version
	if cliVersion != "" {
		agent += " Terraform/" + cliVersion
	}
	added, _ := p.around.lookupEnv("TF_APPEND_USER_AGENT")
	return strings.Join(append(strings.Fields(agent), strings.FieldsFunc(added, notInHeader)...), " ")
}

// notInHeader tells whether a character would make a header line invalid, or
// separates its words.
func notInHeader(r rune) bool { return r <= ' ' || r == '\x7f' }

// DataSources implements provider.Provider.
func (p *usageProvider) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{newUsagesDataSource, newUsageDataSource}
}

// Functions implements provider.ProviderWithFunctions.
func (p *usageProvider) Functions(context.Context) []func() function.Function {
	return []func() function.Function{newBudgetCheck, newUsageReport, newUsageChart}
}

// Resources implements provider.Provider: there are none.
func (p *usageProvider) Resources(context.Context) []func() resource.Resource { return nil }
