package waldur_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
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

// authority issues certificates.
type authority struct {
	key         *ecdsa.PrivateKey
	certificate *x509.Certificate
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "An authority"},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(48 * time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	own := authority{certificate: root}
	issued := own.issue(t, root)
	certificate, err := x509.ParseCertificate(issued.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	return authority{key: issued.PrivateKey.(*ecdsa.PrivateKey), certificate: certificate}
}

// issue signs a certificate. An authority without a key makes it self-signed.
func (a authority) issue(t *testing.T, template *x509.Certificate) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer := a.key
	if signer == nil {
		signer = key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func (a authority) pem() string { return inPEM("CERTIFICATE", a.certificate.Raw) }

func inPEM(blockType string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: blockType, Bytes: der}))
}

// loopback returns a certificate for 127.0.0.1, modified by change.
func loopback(change ...func(*x509.Certificate)) *x509.Certificate {
	certificate := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "A server"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	for _, c := range change {
		c(certificate)
	}
	return certificate
}

// serveTLS answers with validRecord over TLS and counts the connections.
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

func trusting(t *testing.T, pemText string) func(*waldur.Config) {
	t.Helper()
	pool, err := waldur.CertPoolWith(pemText)
	if err != nil {
		t.Fatal(err)
	}
	return func(config *waldur.Config) { config.RootCAs = pool }
}

func TestServerIsTrustedOnlyByItsCertificate(t *testing.T) {
	t.Parallel()
	ours, other := newAuthority(t), newAuthority(t)
	selfSigned := authority{certificate: loopback()}
	self := selfSigned.issue(t, loopback())
	of := func(change ...func(*x509.Certificate)) *tls.Config {
		return &tls.Config{Certificates: []tls.Certificate{ours.issue(t, loopback(change...))}}
	}
	for name, server := range map[string]struct {
		config  *tls.Config
		trusted string // in PEM; empty: the system's
		message string // of the error; empty: none
	}{
		"of the trusted authority":          {of(), ours.pem(), ""},
		"of one of two trusted authorities": {of(), other.pem() + ours.pem(), ""},
		"self-signed and trusted":           {&tls.Config{Certificates: []tls.Certificate{self}}, inPEM("CERTIFICATE", self.Certificate[0]), ""},
		"over TLS 1.2":                      {withVersion(of(), tls.VersionTLS12), ours.pem(), ""},
		"of an authority, none is trusted":  {of(), "", "unknown authority"},
		"of another authority":              {of(), other.pem(), "certificate"},
		"self-signed":                       {&tls.Config{Certificates: []tls.Certificate{self}}, ours.pem(), "certificate"},
		"expired":                           {of(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Hour) }), ours.pem(), "expired"},
		"not yet valid":                     {of(func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Hour) }), ours.pem(), "not yet valid"},
		"for another address":               {of(func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 2)} }), ours.pem(), "127.0.0.1"},
		"for a name":                        {of(func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"waldur.example.com"} }), ours.pem(), "127.0.0.1"},
		"for clients":                       {of(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }), ours.pem(), "key usage"},
		"over TLS 1.1":                      {withVersion(of(), tls.VersionTLS11), ours.pem(), "protocol version"},
		"with client certificates required": {clientsOnly(withVersion(of(), tls.VersionTLS12)), ours.pem(), "tls:"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, connections := serveTLS(t, server.config)
			var trust []func(*waldur.Config)
			if server.trusted != "" {
				trust = append(trust, trusting(t, server.trusted))
			}
			_, err := connect(t, url, trust...).Usage(t.Context(), 7, waldur.Fields(waldur.FieldDate))
			if server.message == "" {
				if err != nil {
					t.Error(err)
				}
			} else if !isType[*waldur.TLSError](err) || !strings.Contains(err.Error(), server.message) {
				t.Errorf("error %T: %v\nwant %q in it", err, err, server.message)
			}
			if n := connections.Load(); n != 1 {
				t.Errorf("%d connections, want 1", n)
			}
		})
	}
}

func withVersion(config *tls.Config, version uint16) *tls.Config {
	config.MinVersion, config.MaxVersion = version, version
	return config
}

func clientsOnly(config *tls.Config) *tls.Config {
	config.ClientAuth = tls.RequireAnyClientCert
	return config
}

func TestMixedUpHTTPAndHTTPSAreDistinguished(t *testing.T) {
	t.Parallel()
	tlsURL, _ := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{newAuthority(t).issue(t, loopback())}})
	secure := func(answers ...answer) string {
		url, _ := serve(t, answers...)
		return strings.Replace(url, "http://", "https://", 1)
	}
	insecure := func(body string) string {
		url, _ := serve(t, reply(head(400)+body))
		return url
	}
	for name, server := range map[string]struct {
		url     string
		kind    func(error) bool
		message string
	}{
		"http to Go's https port":     {strings.Replace(tlsURL, "https://", "http://", 1), isType[*waldur.StatusError], "expects https"},
		"http to nginx's https port":  {insecure("<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head>"), isType[*waldur.StatusError], "expects https"},
		"http to Apache's https port": {insecure("<p>Reason: You're speaking plain HTTP to an SSL-enabled server port.</p>"), isType[*waldur.StatusError], "expects https"},
		"https to an http port":       {secure(reply(head(400))), isType[*waldur.TLSError], "speaks http, not https"},
		"https to another port":       {secure(reply("SSH-2.0-OpenSSH_9.7\r\n")), isType[*waldur.TLSError], "does not speak TLS"},
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
	for name, answer := range map[string]answer{
		"closed": readHello,
		"reset":  answer(readHello).then(reset),
		"silent": hang,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, requests := serve(t, answer)
			_, err := connect(t, strings.Replace(url, "http://", "https://", 1), requestTimeout(100*time.Millisecond)).Usage(t.Context(), 7, waldur.AllFields())
			if !isType[*waldur.UnreachableError](err) || requests() != allRetries {
				t.Errorf("error %T after %d requests: %v", err, requests(), err)
			}
		})
	}
}

// readHello reads the start of a ClientHello, which is longer than 64 bytes.
func readHello(connection *net.TCPConn) { _, _ = io.CopyN(io.Discard, connection, 64) }
