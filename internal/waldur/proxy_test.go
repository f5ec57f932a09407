package waldur_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

const proxiedURL = "WALDUR_TEST_PROXIED_URL" // set in a process that reads through a proxy

// net/http reads the proxy variables once in a process: each case has its own.
func TestProxyVariablesAreHonoured(t *testing.T) {
	if url := os.Getenv(proxiedURL); url != "" {
		usage, err := connect(t, url).Usage(t.Context(), 7, waldur.Fields(waldur.FieldDate))
		reason := waldur.ReasonUnknown
		if unreachable, ok := errors.AsType[*waldur.UnreachableError](err); ok {
			reason = unreachable.Reason
		}
		if refused, ok := errors.AsType[*waldur.StatusError](err); ok {
			reason = refused.Reason
		}
		fmt.Printf("read %q, error %v, reason %d\n", usage.Date.Value, err, reason)
		return
	}
	t.Parallel()
	var asked atomic.Int32
	answering := func(status int) string {
		proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked.Add(1)
			if r.URL.Host != "waldur.example.com" && r.Host != "waldur.example.com:443" {
				status = http.StatusTeapot
			}
			w.WriteHeader(status)
			_, _ = w.Write([]byte(good))
		}))
		t.Cleanup(proxy.Close)
		return strings.Replace(proxy.URL, "http://", "http://user:password@", 1)
	}
	direct, _ := serve(t, goodAnswer())
	absent := "http://user:password@" + vacant(t)

	for name, proxied := range map[string]struct {
		url, variable, value string
		says                 string
		reason               waldur.Reason
		asked                int32 // how often the proxy was
	}{
		"http through it":             {"http://waldur.example.com", "HTTP_PROXY", answering(200), `read "2024-09-01", error <nil>`, waldur.ReasonUnknown, 1},
		"https, but it is busy":       {"https://waldur.example.com", "HTTPS_PROXY", answering(503), "the proxy answered 503 Service Unavailable", waldur.ReasonProxy, 4},
		"https, but it wants a login": {"https://waldur.example.com", "HTTPS_PROXY", answering(407), "the proxy answered 407 Proxy Authentication Required", waldur.ReasonProxyCredentials, 1},
		"http, but it wants a login":  {"http://waldur.example.com", "HTTP_PROXY", answering(407), "was answered 407", waldur.ReasonProxyCredentials, 1},
		"it is absent":                {"https://waldur.example.com", "HTTPS_PROXY", absent, "the proxy: the connection was refused", waldur.ReasonProxy, 0},
		"this machine needs none":     {direct, "HTTP_PROXY", absent, `read "2024-09-01", error <nil>`, waldur.ReasonUnknown, 0},
	} {
		t.Run(name, func(t *testing.T) {
			asked.Store(0)
			executable, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			child := exec.CommandContext(t.Context(), executable, "-test.run=^TestProxyVariablesAreHonoured$")
			child.Env = append(slices.DeleteFunc(os.Environ(), func(variable string) bool {
				name, _, _ := strings.Cut(variable, "=")
				return strings.HasSuffix(strings.ToUpper(name), "_PROXY")
			}), proxiedURL+"="+proxied.url, proxied.variable+"="+proxied.value, "GORACE=atexit_sleep_ms=0")
			output, err := child.CombinedOutput()
			if err != nil || !strings.Contains(string(output), proxied.says) {
				t.Errorf("error %v, %s\nwant it to say %q", err, output, proxied.says)
			}
			if reason := fmt.Sprintf(", reason %d\n", proxied.reason); !strings.Contains(string(output), reason) {
				t.Errorf("%s\nwant it to say %q", output, reason)
			}
			if strings.Contains(string(output), "password") {
				t.Errorf("the proxy's password is in %s", output)
			}
			if asked.Load() != proxied.asked {
				t.Errorf("the proxy was asked %d times, want %d", asked.Load(), proxied.asked)
			}
		})
	}
}
