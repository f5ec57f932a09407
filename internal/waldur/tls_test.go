package waldur_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

// newCertificate returns a certificate with its key, valid for 127.0.0.1 unless
// change modifies that. Its issuer signs it; nil: itself.
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

// serveTLS returns validRecord over TLS and counts the connections.
func serveTLS(t *testing.T, config *tls.Config) (url string, connections *atomic.Int32) {
	t.Helper()
	connections = new(atomic.Int32)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, validRecord) }))
	server.TLS = config
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL, connections
}

func TestServerIsTrustedOnlyByItsCertificate(t *testing.T) {
	t.Parallel()
	authority, other, selfSigned := newCertificate(t, nil), newCertificate(t, nil), newCertificate(t, nil)
	ours, others := inPEM("CERTIFICATE", authority.Leaf.Raw), inPEM("CERTIFICATE", other.Leaf.Raw)
	of := func(certificate tls.Certificate, change ...func(*tls.Config)) *tls.Config {
		config := &tls.Config{Certificates: []tls.Certificate{certificate}}
		for _, c := range change {
			c(config)
		}
		return config
	}
	issued := func(change ...func(*x509.Certificate)) tls.Certificate {
		return newCertificate(t, &authority, change...)
	}
	version := func(version uint16) func(*tls.Config) {
		return func(c *tls.Config) { c.MinVersion, c.MaxVersion = version, version }
	}
	for name, server := range map[string]struct {
		config  *tls.Config
		trusted string // in PEM; empty: the system's
		message string // of the error; empty: none
	}{
		"of one of two trusted authorities": {of(issued()), others + ours, ""},
		"self-signed and trusted":           {of(selfSigned), inPEM("CERTIFICATE", selfSigned.Leaf.Raw), ""},
		"over TLS 1.2":                      {of(issued(), version(tls.VersionTLS12)), ours, ""},
		"of an authority, none is trusted":  {of(issued()), "", "unknown authority"},
		"of another authority":              {of(issued()), others, "certificate"},
		"self-signed":                       {of(selfSigned), ours, "certificate"},
		"expired":                           {of(issued(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Hour) })), ours, "expired"},
		"not yet valid":                     {of(issued(func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Hour) })), ours, "not yet valid"},
		"for another address":               {of(issued(func(c *x509.Certificate) { c.IPAddresses[0] = net.IPv4(127, 0, 0, 2) })), ours, "127.0.0.1"},
		"for a name":                        {of(issued(func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"waldur.example.com"} })), ours, "127.0.0.1"},
		"for clients":                       {of(issued(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })), ours, "key usage"},
		"over TLS 1.1":                      {of(issued(), version(tls.VersionTLS11)), ours, "protocol version"},
		"with client certificates required": {of(issued(), version(tls.VersionTLS12), func(c *tls.Config) { c.ClientAuth = tls.RequireAnyClientCert }), ours, "tls:"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, connections := serveTLS(t, server.config)
			client := connect(t, url, func(config *waldur.Config) {
				if server.trusted != "" {
					config.RootCAs, _ = waldur.CertPoolWith(server.trusted)
				}
			})
			_, err := client.Usage(t.Context(), 7, waldur.Fields(waldur.FieldDate))
			if (err == nil) != (server.message == "") || err != nil && (!isType[*waldur.TLSError](err) || !strings.Contains(err.Error(), server.message)) {
				t.Errorf("error %T: %v\nwant %q in it", err, err, server.message)
			}
			if n := connections.Load(); n != 1 {
				t.Errorf("%d connections, want 1", n)
			}
		})
	}
}

func TestMixedUpHTTPAndHTTPSAreDistinguished(t *testing.T) {
	t.Parallel()
	tlsURL, _ := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{newCertificate(t, nil)}})
	plain := func(text string) string {
		url, _ := serve(t, reply(text))
		return url
	}
	https := func(url string) string { return strings.Replace(url, "http://", "https://", 1) }
	status, untrusted := isType[*waldur.StatusError], isType[*waldur.TLSError]
	for name, server := range map[string]struct {
		url     string
		kind    func(error) bool
		message string
	}{
		"http to Go's https port":     {strings.Replace(tlsURL, "https://", "http://", 1), status, "expects https"},
		"http to nginx's https port":  {plain(head(400) + "<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head>"), status, "expects https"},
		"http to Apache's https port": {plain(head(400) + "<p>Reason: You're speaking plain HTTP to an SSL-enabled server port.</p>"), status, "expects https"},
		"https to an http port":       {https(plain(head(400))), untrusted, "speaks http, not https"},
		"https to another port":       {https(plain("SSH-2.0-OpenSSH_9.7\r\n")), untrusted, "does not speak TLS"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := connect(t, server.url).Usage(t.Context(), 7, waldur.AllFields())
			if !server.kind(err) || !strings.Contains(err.Error(), server.message) {
				t.Errorf("error %T: %v\nwant %q in it", err, err, server.message)
			}
		})
	}
}

func TestBrokenHandshakeIsRetried(t *testing.T) {
	t.Parallel()
	// A ClientHello is longer than 64 bytes.
	readHello := func(connection *net.TCPConn) { _, _ = io.CopyN(io.Discard, connection, 64) }
	for name, response := range map[string]response{
		"closed": readHello,
		"reset":  response(readHello).then(reset),
		"silent": hang,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, requests := serve(t, response)
			_, err := connect(t, strings.Replace(url, "http://", "https://", 1), requestTimeout(250*time.Millisecond)).Usage(t.Context(), 7, waldur.AllFields())
			if !isType[*waldur.UnreachableError](err) || requests() != allRetries {
				t.Errorf("error %T after %d requests: %v", err, requests(), err)
			}
		})
	}
}

func TestCertificatesAreAddedToTheSystemPool(t *testing.T) {
	t.Parallel()
	one, other := newCertificate(t, nil).Leaf, newCertificate(t, nil).Leaf
	onePEM, otherPEM := inPEM("CERTIFICATE", one.Raw), inPEM("CERTIFICATE", other.Raw)
	for name, given := range map[string]struct {
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
		for _, certificate := range given.trusted {
			want.AddCert(certificate)
		}
		if pool, err := waldur.CertPoolWith(given.text); err != nil || !pool.Equal(want) {
			t.Errorf("%s: the pool is not the system's with these certificates, error %v", name, err)
		}
	}
}

func TestTextThatIsNotACertificateIsRejected(t *testing.T) {
	t.Parallel()
	valid := inPEM("CERTIFICATE", newCertificate(t, nil).Leaf.Raw)
	for name, text := range map[string]string{
		"empty":                              "",
		"blank":                              " \n",
		"a path":                             "/etc/ssl/ca.pem",
		"base64 without its PEM lines":       "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A",
		"cut short":                          valid[:len(valid)/2],
		"its end cut off":                    strings.TrimSuffix(strings.TrimSpace(valid), "-----END CERTIFICATE-----"),
		"its beginning cut off":              strings.TrimPrefix(valid, "-----BEGIN CERTIFICATE-----"),
		"not a certificate":                  inPEM("CERTIFICATE", []byte("hello")),
		"a certificate and a private key":    valid + inPEM("PRIVATE KEY", []byte("hello")),
		"a damaged one before a valid one":   strings.Replace(valid, "M", "*", 1) + valid,
		"a damaged one after a valid one":    valid + strings.Replace(valid, "M", "*", 1),
		"a damaged one between":              valid + "-----BEGIN CERTIFICATE-----\nabc\n" + valid,
		"text after it":                      valid + "hello",
		"a valid one with shorter PEM lines": strings.ReplaceAll(valid, "-----", "----"),
	} {
		if _, err := waldur.CertPoolWith(text); err == nil || strings.Contains(err.Error(), "aGVsbG8") {
			t.Errorf("%s: error %v, want one without the content of the PEM block", name, err)
		}
	}
}
