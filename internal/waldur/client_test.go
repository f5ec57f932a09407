package waldur_test

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

// refused is a [waldur.Dial] of a host on which nothing listens.
func refused(context.Context, string, string) (net.Conn, error) { return nil, syscall.ECONNREFUSED }

const pathBelowAPI = "marketplace-category-component-usages/7/"

// requestURL returns the URL of a request for record 7.
func requestURL(t *testing.T, endpoint string) string {
	t.Helper()
	_, err := readDate(t, endpoint, waldur.Config{Dial: refused})
	unreachable, ok := errors.AsType[*waldur.UnreachableError](err)
	if !ok {
		t.Fatalf("got error %v, want an UnreachableError", err)
	}
	return unreachable.Origin + unreachable.Request.Path
}

func TestEndpointIsParsedWithOrWithoutPrefixAndAPI(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]struct{ origin, prefix string }{
		"https://waldur.example.com":            {"https://waldur.example.com", ""},
		"https://waldur.example.com/api//":      {"https://waldur.example.com", ""},
		"https://waldur.example.com/waldur/":    {"https://waldur.example.com", "/waldur"},
		"https://waldur.example.com/a/b/api/":   {"https://waldur.example.com", "/a/b"},
		"https://waldur.example.com/myapi":      {"https://waldur.example.com", "/myapi"},
		"https://waldur.example.com/a%2Fb/":     {"https://waldur.example.com", "/a%2Fb"},
		"HTTPS://Waldur.Example.COM":            {"https://waldur.example.com", ""},
		"http://localhost:8000":                 {"http://localhost:8000", ""},
		"http://[fe80::1%25eth0]:8000":          {"http://[fe80::1%25eth0]:8000", ""},
		"https://waldur.example.com:443/waldur": {"https://waldur.example.com:443", "/waldur"},
	} {
		endpoint, err := waldur.ParseEndpoint(raw)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := requestURL(t, raw), want.origin+want.prefix+"/api/"+pathBelowAPI; got != want {
			t.Errorf("%s: got requests to %s, want %s", raw, got, want)
		}
		if got, want := endpoint.ScopeURL(project()), want.origin+projectPath; got != want {
			t.Errorf("%s: got scope %s, want %s, without the prefix", raw, got, want)
		}
	}
}

func TestInvalidEndpointIsRejected(t *testing.T) {
	t.Parallel()
	wantRejected(t, waldur.ParseEndpoint, map[string]struct{ value, message string }{
		"empty":                          {"", "is empty"},
		"blank":                          {" \t", "is empty"},
		"no scheme":                      {"waldur.example.com", "must begin with https:// or http://"},
		"no scheme, a port":              {"localhost:8000", "must begin with https:// or http://"},
		"no slashes":                     {"https:waldur.example.com", "must begin with https:// or http://"},
		"no scheme, a password":          {"user:" + secret + "@waldur.example.com", "must begin with https:// or http://"},
		"no scheme, only slashes":        {"//waldur.example.com", "must be https or http"},
		"another scheme":                 {"ftp://user:" + secret + "@waldur.example.com", "must be https or http"},
		"no host":                        {"https:///api/", "host or port"},
		"no port after the colon":        {"https://waldur.example.com:", "host or port"},
		"port 0":                         {"https://waldur.example.com:0", "host or port"},
		"port too large":                 {"https://waldur.example.com:65536", "host or port"},
		"user and password":              {"https://user:" + secret + "@waldur.example.com", "user name or a password"},
		"password that does not parse":   {"https://user:" + secret + "%zz@waldur.example.com", "not a URL"},
		"password and a wrong port":      {"https://user:" + secret + "@waldur.example.com:port", "not a URL"},
		"password and control character": {"https://user:" + secret + "\x7f@waldur.example.com", "not a URL"},
		"query":                          {"https://waldur.example.com/?token=" + secret, "query"},
		"empty query":                    {"https://waldur.example.com/?", "query"},
		"fragment":                       {"https://waldur.example.com/#" + secret, "fragment"},
		"empty fragment":                 {"https://waldur.example.com/#", "fragment"},
		"space at the start":             {" https://waldur.example.com/", "contains whitespace"},
		"line break at the end":          {"https://waldur.example.com\n", "contains whitespace"},
		"backslash":                      {`https://waldur.example.com\@example.org`, "not a URL"},
		"zone that is not UTF-8":         {"http://[::%25\xff]", "host or port"},
	})
}

func TestCleartextIsPlainHTTPToAnotherMachine(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]bool{
		"http://waldur.example.com:8000":    true,
		"http://10.0.0.1":                   true,
		"http://[2001:db8::1]":              true,
		"http://localhost.example.com":      true,
		"http://127.0.0.1.example.com:8000": true,
		"https://waldur.example.com":        false,
		"http://LOCALHOST:8000":             false,
		"http://waldur.localhost":           true, // a proxy may be used
		"http://127.1.2.3":                  false,
		"http://[::1]:8000":                 false,
		"http://[::ffff:127.0.0.1]":         false,
	} {
		if endpoint, err := waldur.ParseEndpoint(raw); err != nil || endpoint.Cleartext() != want {
			t.Errorf("%s: got cleartext %t, error %v, want %t", raw, endpoint.Cleartext(), err, want)
		}
	}
}

// newCertificate returns a certificate with its key, valid for 127.0.0.1 unless
// change modifies that. It is signed by its issuer, or by itself if that is nil.
func newCertificate(t *testing.T, issuer *tls.Certificate, change ...func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		BasicConstraintsValid: true, IsCA: issuer == nil,
	}
	for _, c := range change {
		c(template)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if issuer == nil {
		issuer = &tls.Certificate{Leaf: template, PrivateKey: key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer.Leaf, &key.PublicKey, issuer.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func inPEM(blockType string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: blockType, Bytes: der}))
}

func TestOnlyAServerWithATrustedCertificateIsAccepted(t *testing.T) {
	t.Parallel()
	authority, other, selfSigned := newCertificate(t, nil), newCertificate(t, nil), newCertificate(t, nil)
	ours, others := inPEM("CERTIFICATE", authority.Leaf.Raw), inPEM("CERTIFICATE", other.Leaf.Raw)
	issued := newCertificate(t, &authority)
	except := func(change func(*x509.Certificate)) tls.Certificate { return newCertificate(t, &authority, change) }
	for name, row := range map[string]struct {
		certificate tls.Certificate
		config      *tls.Config // of the server
		trusted     string      // in PEM; empty: the system's
		message     string      // of the error; empty: none
	}{
		"of one of two trusted authorities":              {issued, nil, others + ours, ""},
		"self-signed and trusted":                        {selfSigned, nil, inPEM("CERTIFICATE", selfSigned.Leaf.Raw), ""},
		"over TLS 1.2":                                   {issued, &tls.Config{MaxVersion: tls.VersionTLS12}, ours, ""},
		"of an authority that the system does not trust": {issued, nil, "", "unknown authority"},
		"of another authority":                           {issued, nil, others, "certificate"},
		"self-signed":                                    {selfSigned, nil, ours, "certificate"},
		"expired":                                        {except(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Hour) }), nil, ours, "expired"},
		"not yet valid":                                  {except(func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Hour) }), nil, ours, "not yet valid"},
		"for another address":                            {except(func(c *x509.Certificate) { c.IPAddresses[0] = net.IPv4(127, 0, 0, 2) }), nil, ours, "127.0.0.1"},
		"for a name":                                     {except(func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"waldur.example.com"} }), nil, ours, "127.0.0.1"},
		"for clients":                                    {except(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }), nil, ours, "key usage"},
		"over TLS 1.1":                                   {issued, &tls.Config{MinVersion: tls.VersionTLS11, MaxVersion: tls.VersionTLS11}, ours, "protocol version"},
		"with client certificates required":              {issued, &tls.Config{MaxVersion: tls.VersionTLS12, ClientAuth: tls.RequireAnyClientCert}, ours, "tls:"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var connections atomic.Int32
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, validRecord) }))
			server.TLS = cmp.Or(row.config, &tls.Config{})
			server.TLS.Certificates = []tls.Certificate{row.certificate}
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
				if state == http.StateNew {
					connections.Add(1)
				}
			}
			server.StartTLS()
			defer server.Close()
			var config waldur.Config
			if row.trusted != "" {
				config.RootCAs, _ = waldur.CertPoolWith(row.trusted)
			}
			_, err := readDate(t, server.URL, config)
			if (err == nil) != (row.message == "") || err != nil && (!isType[*waldur.TLSError](err) || !strings.Contains(err.Error(), row.message)) {
				t.Errorf("got error %T: %v\nwant %q in it", err, err, row.message)
			}
			if got := connections.Load(); got != 1 {
				t.Errorf("got %d connections, want 1", got)
			}
		})
	}
}

func TestFailedHandshakeIsRetriedOnlyAfterABrokenConnectionOrATimeout(t *testing.T) {
	t.Parallel()
	// A ClientHello is longer than 64 bytes.
	readHello := response(func(connection net.Conn) { _, _ = io.CopyN(io.Discard, connection, 64) })
	unreachable, untrusted := isType[*waldur.UnreachableError], isType[*waldur.TLSError]
	for name, row := range map[string]struct {
		response response
		kind     func(error) bool
		message  string
		requests int
	}{
		"a port that speaks http": {reply(head(400)), untrusted, "speaks http, not https", noRetry},
		"a port without TLS":      {reply("SSH-2.0-OpenSSH_9.7\r\n"), untrusted, "does not speak TLS", noRetry},
		"closed":                  {readHello, unreachable, "the connection was", allRetries},
		"reset":                   {readHello.then(reset), unreachable, "reset", allRetries},
		"silent":                  {hang, unreachable, "within 250ms", allRetries},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, requests := serve(t, row.response)
			_, err := readDate(t, strings.Replace(url, "http", "https", 1), waldur.Config{RequestTimeout: 250 * time.Millisecond})
			if !row.kind(err) || !strings.Contains(err.Error(), row.message) || requests() != row.requests {
				t.Errorf("got error %T after %d requests: %v\nwant %q in it after %d", err, requests(), err, row.message, row.requests)
			}
		})
	}
}

// net/http goes on with a handshake whose request has timed out: without an end, its
// connection would stay open.
func TestHandshakeEndsAfterItsRequestHasTimedOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start, closed := time.Now(), make(chan time.Duration)
		client := connectInTime(t, "https://waldur.example.com", waldur.Config{
			RequestTimeout: time.Minute,
			Dial: func(context.Context, string, string) (net.Conn, error) {
				own, peer := net.Pipe()
				go func() {
					_, _ = io.Copy(io.Discard, peer) // and never respond
					closed <- time.Since(start)
				}()
				return own, nil
			},
		})
		_, err := client.Usage(t.Context(), 7, waldur.Fields(waldur.FieldDate))
		if got, ok := errors.AsType[*waldur.UnreachableError](err); !ok || got.Reason != waldur.ReasonTimeout || time.Since(start) != time.Minute {
			t.Errorf("got error %v after %s, want a timeout after a minute", err, time.Since(start))
		}
		if after := <-closed; after > time.Minute+time.Second {
			t.Errorf("the connection was closed after %s", after)
		}
	})
}

func TestCertificatesAreAddedToTheSystemPool(t *testing.T) {
	t.Parallel()
	one, other := newCertificate(t, nil).Leaf, newCertificate(t, nil).Leaf
	onePEM, otherPEM := inPEM("CERTIFICATE", one.Raw), inPEM("CERTIFICATE", other.Raw)
	for name, row := range map[string]struct {
		text    string
		trusted []*x509.Certificate
	}{
		"two":                      {onePEM + otherPEM, []*x509.Certificate{one, other}},
		"without the last newline": {strings.TrimSpace(onePEM), []*x509.Certificate{one}},
		"Windows line ends":        {strings.ReplaceAll(onePEM, "\n", "\r\n"), []*x509.Certificate{one}},
		"comments between":         {"# one\n" + onePEM + "\n# other\n" + otherPEM, []*x509.Certificate{one, other}},
		"the same one twice":       {onePEM + "\n\n" + onePEM, []*x509.Certificate{one}},
	} {
		want, err := x509.SystemCertPool()
		if err != nil {
			t.Fatal(err)
		}
		for _, certificate := range row.trusted {
			want.AddCert(certificate)
		}
		if pool, err := waldur.CertPoolWith(row.text); err != nil || !pool.Equal(want) {
			t.Errorf("%s: got error %v, or another pool than the system's with these certificates", name, err)
		}
	}
}

func TestTextThatIsNotACertificateIsRejected(t *testing.T) {
	t.Parallel()
	valid := inPEM("CERTIFICATE", newCertificate(t, nil).Leaf.Raw)
	der, _ := base64.StdEncoding.DecodeString(secret + "000") // its PEM block shows the secret
	wantRejected(t, waldur.CertPoolWith, map[string]struct{ value, message string }{
		"empty":                              {"", "empty"},
		"blank":                              {" \n", "empty"},
		"a path":                             {"/etc/ssl/ca.pem", "PEM"},
		"base64 without its PEM lines":       {"MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A", "PEM"},
		"cut short":                          {valid[:len(valid)/2], "PEM"},
		"its end cut off":                    {strings.TrimSuffix(strings.TrimSpace(valid), "-----END CERTIFICATE-----"), "PEM"},
		"its beginning cut off":              {strings.TrimPrefix(valid, "-----BEGIN CERTIFICATE-----"), "PEM"},
		"not a certificate":                  {inPEM("CERTIFICATE", der), "PEM"},
		"a certificate and a private key":    {valid + inPEM("PRIVATE KEY", der), "PEM"},
		"a damaged one before a valid one":   {strings.Replace(valid, "M", "*", 1) + valid, "PEM"},
		"a damaged one after a valid one":    {valid + strings.Replace(valid, "M", "*", 1), "PEM"},
		"a damaged one between":              {valid + "-----BEGIN CERTIFICATE-----\nabc\n" + valid, "PEM"},
		"text after it":                      {valid + "hello", "PEM"},
		"a valid one with shorter PEM lines": {strings.ReplaceAll(valid, "-----", "----"), "PEM"},
	})
}

// FuzzParseEndpoint checks that requests to an accepted endpoint go to its host,
// and that an error does not repeat a password.
func FuzzParseEndpoint(f *testing.F) {
	for _, raw := range []string{
		"https://waldur.example.com", "http://localhost:8000/api/", "https://host/a/b/api", "https://user:password@host",
		"https://user:pass%zzword@host", "http://[::1]:80", "http://[fe80::1%25eth0]", "//host", "https:host", "https://host:99999",
		"https://host\\@other", "https://host/%2e%2e//api//", "https://w\u00e4ldur.example/", "https://%77aldur/", "https://host//other/",
	} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		endpoint, err := waldur.ParseEndpoint(raw)
		if err != nil {
			_, after, _ := strings.Cut(raw, "://")
			userinfo, _, _ := strings.Cut(after, "@")
			if _, password, _ := strings.Cut(userinfo, ":"); len(password) > 20 && strings.Contains(err.Error(), password) {
				t.Errorf("the password is in error %q", err)
			}
			return
		}
		address := requestURL(t, raw)
		target, err := url.Parse(address)
		if err != nil {
			t.Fatalf("the address of a request is not a URL: %v", err)
		}
		given, err := url.Parse(raw)
		if err != nil || !strings.EqualFold(target.Host, given.Host) || !strings.EqualFold(target.Scheme, given.Scheme) ||
			target.User != nil || target.RawQuery != "" || target.Fragment != "" {
			t.Errorf("got a request to %s, want one to the host of %s", target, raw)
		}
		api, isRecord := strings.CutSuffix(address, "/api/"+pathBelowAPI)
		if again, err := waldur.ParseEndpoint(api + "/api/"); !isRecord || err != nil || again != endpoint {
			t.Errorf("got %v, error %v, want %v when it is parsed again", again, err, endpoint)
		}
	})
}
