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

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// hook is an incoming webhook, and what was posted to it.
type hook struct {
	url, secret string // the secret is a part of the URL
	cleartext   string // URL without TLS
	trust       string // environment variable with which curl trusts it
	posts       chan []byte
}

// newHook starts a webhook that answers with a status.
func newHook(t *testing.T, status int) hook {
	t.Helper()
	h := hook{secret: "T0/B0/s3cretPath", posts: make(chan []byte, 10)}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil && r.Method == http.MethodPost && r.URL.Path == "/"+h.secret && r.Header.Get("Content-Type") == "application/json" {
			h.posts <- body
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
	h.url, h.cleartext, h.trust = server.URL+"/"+h.secret, cleartext.URL+"/"+h.secret, "CURL_CA_BUNDLE="+certificate
	return h
}

// message returns what was posted last, "" if nothing was.
func (h hook) message(t *testing.T) (message struct {
	Text        string
	Attachments []struct {
		Content struct {
			Body []struct {
				Text    string
				Inlines []struct{ Text string }
			}
			Actions []struct{ URL string }
		}
	}
}) {
	t.Helper()
	select {
	case body := <-h.posts:
		if err := json.Unmarshal(body, &message); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
	default:
	}
	return message
}

func TestAccWorkflowPostsTheOutcome(t *testing.T) {
	t.Parallel()
	s := sandbox(t)
	for name, test := range map[string]struct {
		used, policy int64
		token        string
		exits        bool // with an error
		text         []string
	}{
		"within":  {used: 500, policy: 1000, token: waldurtest.Token, text: []string{"Budget check passed: https://github.example.com/climate/model/actions/runs/9\n```\n", "| CPU   |  500 | 1,000 |"}},
		"over":    {used: 1001, policy: 1000, token: waldurtest.Token, exits: true, text: []string{"Budget check failed: ", "| over by 1 |"}},
		"denied":  {used: 500, policy: 499, token: waldurtest.Token, exits: true, text: []string{"The budget check passed, but the job failed: "}},
		"no read": {used: 500, policy: 1000, token: "wrong", exits: true, text: []string{"Budget check failed: ", "token refused"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, c := newHook(t, http.StatusOK), checkOut(t, s)
			c.env = append(c.env, h.trust)
			c.setPolicy(t, test.policy)
			job, summary := c.runWorkflow(t, map[string]string{
				"WALDUR_API_URL": used(test.used).Start(t), "WALDUR_ACCESS_TOKEN": test.token, "WALDUR_PROJECT_UUID": climate,
				"BUDGET_WEBHOOK_URL": h.url + "\n", // as a secret that was pasted
			})
			if (job.ExitCode != 0) != test.exits || strings.Contains(job.Output+summary, h.secret) {
				t.Errorf("exit code %d, or the secret is in the log:\n%s\n%s", job.ExitCode, job.Output, summary)
			}
			text := h.message(t).Text
			for _, part := range test.text {
				if !strings.Contains(text, part) {
					t.Errorf("%q is not in the message %q\n%s", part, text, job.Output)
				}
			}
			if name := c.leak(t, h.secret); name != "" {
				t.Errorf("the secret is in %s", name)
			}
		})
	}
}

// outcome makes ci/check.sh's result without running it.
func (c checkout) outcome(t *testing.T, report string) {
	t.Helper()
	check, err := json.Marshal(map[string]any{"passed": false, "limits": nil, "report": report})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(c.dir, "budget-out"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(c.dir, "budget-out/check.json"), check, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAccWebhookKeepsItsSecretAndTheJobsResult(t *testing.T) {
	t.Parallel()
	s := sandbox(t)
	for name, test := range map[string]struct {
		status  int
		url     string // "": that of the webhook
		harm    func(checkout) error
		posted  bool
		warning bool
	}{
		"accepted":      {status: http.StatusOK, posted: true},
		"refused":       {status: http.StatusForbidden, posted: true, warning: true},
		"moved":         {status: http.StatusFound, posted: true, warning: true},
		"not reachable": {url: "https://127.0.0.1:1/T0/B0/s3cretPath", warning: true},
		"not a host":    {url: "https://s3cretPath.invalid/", warning: true},
		"cleartext":     {url: "cleartext", warning: true},
		"a file":        {url: "file:///s3cretPath", warning: true},
		"not a URL":     {url: "s3cretPath\"\ntrace-ascii = \"stolen\"", warning: true},
		"no outcome":    {status: http.StatusOK, harm: func(c checkout) error { return os.Remove(filepath.Join(c.dir, "budget-out/check.json")) }, warning: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, c := newHook(t, max(test.status, http.StatusOK)), checkOut(t, s)
			c.outcome(t, "Budget: 1 over.\n")
			if test.harm != nil {
				if err := test.harm(c); err != nil {
					t.Fatal(err)
				}
			}
			url := h.url
			switch test.url {
			case "":
			case "cleartext":
				url = h.cleartext
			default:
				url = test.url
			}
			// -x and -v print each command; a ~/.curlrc can make curl log its requests.
			home := t.TempDir()
			if err := os.WriteFile(filepath.Join(home, ".curlrc"), []byte("verbose\ntrace-ascii = \"trace\"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			r := c.sh(t, "sh -xv ci/webhook.sh", h.trust, "HOME="+home, "BUDGET_WEBHOOK_URL="+url, "CI_PIPELINE_URL=https://gitlab.example.com/pipelines/9")
			if r.ExitCode != 0 {
				t.Errorf("exit code %d:\n%s", r.ExitCode, r.Output)
			}
			if strings.Contains(r.Output, "s3cretPath") || c.leak(t, "s3cretPath") != "" {
				t.Errorf("the secret is in the log or a file:\n%s", r.Output)
			}
			if warned := strings.Contains(r.Output, "\nwarning: the outcome was not posted"); warned != test.warning {
				t.Errorf("warned: %v, want %v:\n%s", warned, test.warning, r.Output)
			}
			if text := h.message(t).Text; (text != "") != test.posted {
				t.Errorf("posted %q:\n%s", text, r.Output)
			}
			if _, err := os.Stat(filepath.Join(c.dir, "stolen")); err == nil {
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
	const report = "Budget: 1 over.\n\n| <!channel> & \"x\" ``` <https://evil.example|click> | \\u0000 $(id) \\ |\n"
	for style, want := range map[string]string{
		"slack": "| &lt;!channel&gt; &amp; \"x\" ''' &lt;https://evil.example|click&gt; | \\u0000 $(id) \\ |\n```",
		"teams": "| <!channel> & \"x\" ``` <https://evil.example|click> | \\u0000 $(id) \\ |",
	} {
		t.Run(style, func(t *testing.T) {
			t.Parallel()
			h, c := newHook(t, http.StatusAccepted), checkOut(t, s)
			c.outcome(t, report)
			r := c.sh(t, "ci/webhook.sh", h.trust, "BUDGET_WEBHOOK_URL="+h.url, "BUDGET_WEBHOOK_STYLE="+style, "CI_PIPELINE_URL=https://gitlab.example.com/pipelines/9")
			message := h.message(t)
			if style == "slack" {
				if !strings.HasPrefix(message.Text, "Budget check failed: https://gitlab.example.com/pipelines/9\n```\n") || !strings.HasSuffix(message.Text, want) {
					t.Errorf("posted %q:\n%s", message.Text, r.Output)
				}
				return
			}
			if len(message.Attachments) != 1 {
				t.Fatalf("posted %+v:\n%s", message, r.Output)
			}
			card := message.Attachments[0].Content
			found := false
			for i, block := range card.Body {
				// Only the title is a block whose text is Markdown.
				if (block.Text != "") != (i == 0) {
					t.Errorf("block %d is %+v", i, block)
				}
				found = found || len(block.Inlines) == 1 && block.Inlines[0].Text == want
			}
			if !found || len(card.Actions) != 1 || card.Actions[0].URL != "https://gitlab.example.com/pipelines/9" {
				t.Errorf("posted %+v", card)
			}
		})
	}
}
