package acceptance

import (
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/cli/clitest"
)

// hookSecret is a part of the URL of each webhook.
const hookSecret = "s3cretPath"

// hook is an incoming webhook, and what was posted to it.
type hook struct {
	url       string
	cleartext string // URL without TLS
	trust     string // environment variable with which curl trusts it
	posts     chan string
}

// newHook starts a webhook that returns a status.
func newHook(t *testing.T, status int) hook {
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
	certificate := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(certificate, block, 0o600); err != nil {
		t.Fatal(err)
	}
	h.url, h.cleartext, h.trust = server.URL+path, cleartext.URL+path, "CURL_CA_BUNDLE="+certificate
	return h
}

// posted returns the next message, "" if there is none.
func (h hook) posted() string {
	select {
	case body := <-h.posts:
		return body
	default:
		return ""
	}
}

// Texts of records are in the report. In a message, they are no mention and no
// link. A message that cannot be posted is a warning, and does not change how the
// job ends. The secret is in no log and no file.
func TestAccWebhookPostsTextAndKeepsItsSecret(t *testing.T) {
	t.Parallel()
	s := clitest.SandboxWithFunctions(t)
	const (
		job  = "https://gitlab.example.com/pipelines/9"
		text = "| <!channel> & \"x\" ``` <https://evil.example|click> | \\u0000 $(id) \\ |"
	)
	line := func(text string) object {
		return object{"type": "RichTextBlock", "spacing": "None", "inlines": []object{{"type": "TextRun", "fontType": "Monospace", "text": text}}}
	}
	slack := object{"text": "Budget check failed: " + job + "\n```\nBudget: 1 over.\n" +
		"| &lt;!channel&gt; &amp; \"x\" ''' &lt;https://evil.example|click&gt; | \\u0000 $(id) \\ |```"}
	teams := object{"type": "message", "attachments": []object{{
		"contentType": "application/vnd.microsoft.card.adaptive", "content": object{
			"type": "AdaptiveCard", "version": "1.4", "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
			"body": []object{
				{"type": "TextBlock", "weight": "Bolder", "text": "Budget check failed"},
				line("Budget: 1 over."),
				line(text),
			},
			"actions": []object{{"type": "Action.OpenUrl", "title": "Job", "url": job}},
		},
	}}}
	check, err := json.Marshal(object{"passed": false, "limits": nil, "report": "Budget: 1 over.\n" + text})
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		status  int    // default: 200
		url     string // "": that of the webhook
		style   string
		before  string // command
		posts   object // nil: nothing
		warning bool
	}{
		"accepted":      {posts: slack},
		"Teams":         {status: http.StatusAccepted, style: "teams", posts: teams},
		"refused":       {status: http.StatusForbidden, posts: slack, warning: true},
		"moved":         {status: http.StatusFound, posts: slack, warning: true},
		"not reachable": {url: "https://127.0.0.1:1/T0/B0/" + hookSecret, warning: true},
		"not a host":    {url: "https://" + hookSecret + ".invalid/", warning: true},
		"cleartext":     {url: "cleartext", warning: true},
		"a file":        {url: "file:///" + hookSecret, warning: true},
		"not a URL":     {url: hookSecret + "\"\ntrace-ascii = \"stolen\"", warning: true},
		"no outcome":    {before: "rm budget-out/check.json", warning: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, c := newHook(t, max(test.status, http.StatusOK)), checkOut(t, s)
			url := test.url
			switch url {
			case "":
				url = h.url
			case "cleartext":
				url = h.cleartext
			}
			c.sh(t, "mkdir budget-out")
			c.write(t, "budget-out/check.json", string(check))
			// -x and -v print each command; a ~/.curlrc can make curl log its requests.
			c.write(t, ".curlrc", "verbose\ntrace-ascii = \"trace\"\n")
			r := c.sh(t, test.before+"\nsh -xv ci/webhook.sh", h.trust, "HOME="+c.dir,
				"BUDGET_WEBHOOK_URL="+url, "BUDGET_WEBHOOK_STYLE="+test.style, "CI_PIPELINE_URL="+job)
			if warned := strings.Contains(r.Output, "\nwarning: the outcome was not posted"); r.ExitCode != 0 || warned != test.warning {
				t.Errorf("exit code %d; warned: %v, want %v:\n%s", r.ExitCode, warned, test.warning, r.Output)
			}
			if strings.Contains(r.Output, hookSecret) || c.leak(t, hookSecret) != "" {
				t.Errorf("the secret is in the log or a file:\n%s", r.Output)
			}
			if c.sh(t, "test ! -e stolen").ExitCode != 0 {
				t.Error("the address set an option of curl")
			}
			want, err := json.Marshal(test.posts)
			if err != nil {
				t.Fatal(err)
			}
			var posted object // and encoded again, so that it is written as the other
			if got := h.posted(); got != "" {
				err = json.Unmarshal([]byte(got), &posted)
			}
			if got, _ := json.Marshal(posted); err != nil || string(got) != string(want) {
				t.Errorf("%v; posted %s, want %s:\n%s", err, got, want, r.Output)
			}
		})
	}
}
