package acceptance

import (
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
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

// newHook starts a webhook that answers with a status.
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

// outcome makes ci/check.sh's result without running it.
func (c checkout) outcome(t *testing.T, report string) {
	t.Helper()
	check, err := json.Marshal(object{"passed": false, "limits": nil, "report": report})
	if err != nil {
		t.Fatal(err)
	}
	c.sh(t, "mkdir budget-out")
	c.write(t, "budget-out/check.json", string(check))
}

func TestAccWebhookKeepsItsSecretAndTheJobsResult(t *testing.T) {
	t.Parallel()
	s := sandbox(t)
	for name, test := range map[string]struct {
		status  int    // default: 200
		url     string // "": that of the webhook
		before  string // command
		posted  bool
		warning bool
	}{
		"accepted":      {posted: true},
		"refused":       {status: http.StatusForbidden, posted: true, warning: true},
		"moved":         {status: http.StatusFound, posted: true, warning: true},
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
			c.outcome(t, "Budget: 1 over.\n")
			url := map[string]string{"": h.url, "cleartext": h.cleartext}[test.url]
			if url == "" {
				url = test.url
			}
			// -x and -v print each command; a ~/.curlrc can make curl log its requests.
			c.write(t, ".curlrc", "verbose\ntrace-ascii = \"trace\"\n")
			r := c.sh(t, test.before+"\nsh -xv ci/webhook.sh", h.trust, "HOME="+c.dir, "BUDGET_WEBHOOK_URL="+url, "CI_PIPELINE_URL=https://gitlab.example.com/pipelines/9")
			if r.ExitCode != 0 {
				t.Errorf("exit code %d:\n%s", r.ExitCode, r.Output)
			}
			if strings.Contains(r.Output, hookSecret) || c.leak(t, hookSecret) != "" {
				t.Errorf("the secret is in the log or a file:\n%s", r.Output)
			}
			if warned := strings.Contains(r.Output, "\nwarning: the outcome was not posted"); warned != test.warning {
				t.Errorf("warned: %v, want %v:\n%s", warned, test.warning, r.Output)
			}
			if body := h.posted(); (body != "") != test.posted {
				t.Errorf("posted %q:\n%s", body, r.Output)
			}
			if c.sh(t, "test ! -e stolen").ExitCode != 0 {
				t.Error("the address set an option of curl")
			}
		})
	}
}

// Texts of records are in the report. In a message, they are no mention and no
// link.
func TestAccWebhookPostsTextsOfRecordsAsText(t *testing.T) {
	t.Parallel()
	s := sandbox(t)
	const report = "Budget: 1 over.\n| <!channel> & \"x\" ``` <https://evil.example|click> | \\u0000 $(id) \\ |"
	line := func(text string) object {
		return object{"type": "RichTextBlock", "spacing": "None", "inlines": []object{{"type": "TextRun", "fontType": "Monospace", "text": text}}}
	}
	for style, want := range map[string]object{
		"slack": {"text": "Budget check failed: https://gitlab.example.com/pipelines/9\n```\nBudget: 1 over.\n" +
			"| &lt;!channel&gt; &amp; \"x\" ''' &lt;https://evil.example|click&gt; | \\u0000 $(id) \\ |```"},
		"teams": {"type": "message", "attachments": []object{{
			"contentType": "application/vnd.microsoft.card.adaptive", "content": object{
				"type": "AdaptiveCard", "version": "1.4", "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
				"body": []object{
					{"type": "TextBlock", "weight": "Bolder", "text": "Budget check failed"},
					line("Budget: 1 over."),
					line("| <!channel> & \"x\" ``` <https://evil.example|click> | \\u0000 $(id) \\ |"),
				},
				"actions": []object{{"type": "Action.OpenUrl", "title": "Job", "url": "https://gitlab.example.com/pipelines/9"}},
			},
		}}},
	} {
		t.Run(style, func(t *testing.T) {
			t.Parallel()
			h, c := newHook(t, http.StatusAccepted), checkOut(t, s)
			c.outcome(t, report)
			r := c.sh(t, "ci/webhook.sh", h.trust, "BUDGET_WEBHOOK_URL="+h.url, "BUDGET_WEBHOOK_STYLE="+style, "CI_PIPELINE_URL=https://gitlab.example.com/pipelines/9")
			encoded, err := json.Marshal(want)
			if err != nil {
				t.Fatal(err)
			}
			var wanted, got any
			posted := h.posted()
			if err := json.Unmarshal(encoded, &wanted); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(posted), &got); err != nil || !reflect.DeepEqual(got, wanted) {
				t.Errorf("%v, want %s, got %s\n%s", err, encoded, posted, r.Output)
			}
		})
	}
}
