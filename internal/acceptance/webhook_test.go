package acceptance

import (
	"cmp"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/cli"
	"github.com/waldur/terraform-provider-waldur-usage/internal/cli/clitest"
)

// hookSecret is part of the URL of each webhook.
const hookSecret = "s3cretPath"

// hook is an incoming webhook.
type hook struct {
	url       string
	cleartext string // URL without TLS
	trust     string // environment variable with which curl trusts it
	posts     chan string
}

// newHook starts a webhook that responds with a status, and writes its certificate
// to the checkout.
func newHook(t *testing.T, c cli.WorkingDir, status int) hook {
	t.Helper()
	h := hook{posts: make(chan string, 10)}
	const path = "/T0/B0/" + hookSecret
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil && r.Method == http.MethodPost && r.URL.Path == path && r.Header.Get("Content-Type") == "application/json" {
			h.posts <- string(body)
		}
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "no such hook: "+r.URL.String())
	})
	server, cleartext := httptest.NewTLSServer(handler), httptest.NewServer(handler)
	t.Cleanup(server.Close)
	t.Cleanup(cleartext.Close)
	clitest.Write(t, c, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
	h.url, h.cleartext, h.trust = server.URL+path, cleartext.URL+path, "CURL_CA_BUNDLE="+c.Dir+"/ca.pem"
	return h
}

// posted returns the next message, or "" if there is none.
func (h hook) posted() string {
	select {
	case body := <-h.posts:
		return body
	default:
		return ""
	}
}

// The report contains texts of records, which must not become mentions or links in
// a message. A message that cannot be posted is a warning and does not change the
// exit code. The secret is in no log and no file.
func TestAccWebhookPostsTextAndKeepsItsSecret(t *testing.T) {
	t.Parallel()
	s := clitest.SandboxWithFunctions(t)
	const (
		job = "https://gitlab.example.com/pipelines/9"
		// \u0060 is a backquote.
		text = `| <!channel> & \"x\" \u0060\u0060\u0060 <https://evil.example|click> | \\u0000 $(id) \\ |`

		check = `{"passed": false, "limits": null, "report": "Budget: 1 over.\n` + text + `"}`
		slack = `{"text": "Budget check failed: ` + job + `\n\u0060\u0060\u0060\nBudget: 1 over.\n` +
			`| &lt;!channel&gt; &amp; \"x\" ''' &lt;https://evil.example|click&gt; | \\u0000 $(id) \\ |\u0060\u0060\u0060"}`
		teams = `{"type": "message", "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": {
			"type": "AdaptiveCard", "version": "1.4", "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
			"body": [
				{"type": "TextBlock", "weight": "Bolder", "text": "Budget check failed"},
				{"type": "RichTextBlock", "spacing": "None", "inlines": [{"type": "TextRun", "fontType": "Monospace", "text": "Budget: 1 over."}]},
				{"type": "RichTextBlock", "spacing": "None", "inlines": [{"type": "TextRun", "fontType": "Monospace", "text": "` + text + `"}]}
			],
			"actions": [{"type": "Action.OpenUrl", "title": "Job", "url": "` + job + `"}]
		}}]}`
	)
	for name, test := range map[string]struct {
		status int    // defaults to 200
		url    string // defaults to that of the webhook
		style  string
		before string // command
		posts  string // "" if there is none
		warns  bool
	}{
		"accepted":      {posts: slack},
		"Teams":         {status: http.StatusAccepted, style: "teams", posts: teams},
		"refused":       {status: http.StatusForbidden, posts: slack, warns: true},
		"moved":         {status: http.StatusFound, posts: slack, warns: true},
		"not reachable": {url: "https://127.0.0.1:1/T0/B0/" + hookSecret, warns: true},
		"not a host":    {url: "https://" + hookSecret + ".invalid/", warns: true},
		"cleartext":     {url: "cleartext", warns: true},
		"a file":        {url: "file:///" + hookSecret, warns: true},
		"not a URL":     {url: hookSecret + "\"\ntrace-ascii = \"stolen\"", warns: true},
		"no outcome":    {before: "rm budget-out/check.json", warns: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := checkOut(t, s)
			h := newHook(t, c, max(test.status, http.StatusOK))
			url := strings.Replace(cmp.Or(test.url, h.url), "cleartext", h.cleartext, 1)
			clitest.Write(t, c, "budget-out/check.json", check)
			// -x and -v print each command; a ~/.curlrc can make curl log its requests.
			clitest.Write(t, c, ".curlrc", "verbose\ntrace-ascii = \"trace\"\n")
			r := sh(t, c, test.before+"\nsh -xv ci/webhook.sh", h.trust, "HOME="+c.Dir,
				"BUDGET_WEBHOOK_URL="+url, "BUDGET_WEBHOOK_STYLE="+test.style, "CI_PIPELINE_URL="+job)
			if warns := strings.Contains(r.Output, "\nwarning: the outcome was not posted"); r.ExitCode != 0 || warns != test.warns {
				t.Errorf("got exit code %d and a warning: %v, want 0 and %v:\n%s", r.ExitCode, warns, test.warns, r.Output)
			}
			requireNoLeak(t, c, r.Output, hookSecret)
			if sh(t, c, "test ! -e stolen").ExitCode != 0 {
				t.Error("the address set a curl option")
			}
			if got := h.posted(); !reflect.DeepEqual(parse(t, got), parse(t, test.posts)) {
				t.Errorf("got message %s, want %s:\n%s", got, test.posts, r.Output)
			}
		})
	}
}

// parse returns the value of a JSON text, or nil for "".
func parse(t *testing.T, text string) (value any) {
	t.Helper()
	if err := json.Unmarshal([]byte(cmp.Or(text, "null")), &value); err != nil {
		t.Errorf("%v: %s", err, text)
	}
	return value
}
