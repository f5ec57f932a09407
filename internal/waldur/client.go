// Package waldur reads the usage records of a Waldur and verifies its responses.
//
// A read returns the complete, exact list, or it fails. Errors are types with the
// reasons of failures, so callers need not match text.
package waldur

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/sync/semaphore"
)

// Config describes how to reach a Waldur. Endpoint and Token are required; the zero
// value of any other field selects its default.
type Config struct {
	Endpoint              Endpoint
	Token                 Token
	UserAgent             string
	RequestTimeout        time.Duration  // of one HTTP request, including its body; 0: one minute
	MaxRetries            int            // of one HTTP request; 0: none
	MaxConcurrentRequests int            // across all reads of the client; 0: 1
	RootCAs               *x509.CertPool // nil: those of the system
	Dial                  Dial           // nil: the real one
	Clock                 Clock          // nil: the real one
	Random                func() float64 // in [0, 1), for the waits between retries; nil: a real one
	Log                   Log            // nil: nothing is logged
}

// Dial opens a connection, as (*net.Dialer).DialContext does.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// Log writes a line about a request or a read. It contains no secrets.
type Log func(ctx context.Context, message string, fields map[string]any)

// Clock is the source of time. Tests replace it, so they need not wait.
type Clock interface {
	Now() time.Time
	// Sleep waits for d, or until the context ends, and then returns its error.
	Sleep(ctx context.Context, d time.Duration) error
}

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func (c Config) withDefaults() Config {
	c.RequestTimeout = cmp.Or(c.RequestTimeout, time.Minute)
	c.MaxConcurrentRequests = max(1, c.MaxConcurrentRequests)
	if c.Clock == nil {
		c.Clock = systemClock{}
	}
	if c.Random == nil {
		c.Random = rand.Float64
	}
	if c.Log == nil {
		c.Log = func(context.Context, string, map[string]any) {}
	}
	return c
}

// Client reads usage records of one Waldur. It is safe for concurrent use by
// multiple goroutines.
type Client struct {
	config    Config
	transport *http.Transport
	// sem admits requests in the order in which they ask.
	sem     *semaphore.Weighted
	retries *retryBudget
}

// NewClient returns a client. It makes no request.
func NewClient(config Config) *Client {
	config = config.withDefaults()
	// HTTP/1.1 only: a few concurrent requests need no more, and the errors of
	// HTTP/2 streams have no types that distinguish them.
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &Client{
		config: config,
		transport: &http.Transport{
			DialContext:            config.Dial,
			Proxy:                  http.ProxyFromEnvironment,
			OnProxyConnectResponse: refusedByProxy,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: config.RootCAs},
			Protocols:              &protocols,
			MaxIdleConnsPerHost:    config.MaxConcurrentRequests,
			IdleConnTimeout:        90 * time.Second,
			// A handshake goes on after the timeout of its request.
			TLSHandshakeTimeout: max(config.RequestTimeout, config.RequestTimeout+time.Second), // which may overflow
			// Waldur's headers have less than 16 KiB: Link repeats the query, of at
			// most 4 KiB, up to four times. Go's default allows 10 MB.
			MaxResponseHeaderBytes: 64 << 10,
		},
		sem:     semaphore.NewWeighted(int64(config.MaxConcurrentRequests)),
		retries: newRetryBudget(config.MaxConcurrentRequests),
	}
}

// Close closes idle connections.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// CertPoolWith returns the system's certificates and those in the PEM text. It
// returns an error if the text has no certificate, a damaged one, or another PEM
// block. Text between certificates is ignored, since bundles contain comments.
func CertPoolWith(pemText string) (*x509.CertPool, error) {
	if strings.TrimSpace(pemText) == "" {
		return nil, errEmpty
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("the system's certificates cannot be read: %w", err)
	}
	found := 0
	rest := []byte(pemText)
	for {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		if block == nil {
			break
		}
		found++
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("PEM block %d is of type %q, not CERTIFICATE", found, block.Type)
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("PEM block %d is not a valid certificate", found)
		}
		pool.AddCert(certificate)
	}
	// pem.Decode skips blocks that it cannot decode.
	damaged := strings.Count(pemText, "-----BEGIN ") != found || strings.Count(pemText, "-----END ") != found
	if found == 0 || damaged || len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("the value contains text that is not a PEM certificate, or a damaged certificate")
	}
	return pool, nil
}

// Endpoint is the URL of a Waldur server: scheme, host and an optional path prefix.
type Endpoint struct {
	scheme, host, prefix string
}

// ParseEndpoint parses the http or https URL of a Waldur, with or without a path
// prefix and a trailing "/", "/api" or "/api/". Its errors, such as ErrWhitespace,
// do not contain the value, which may contain a password.
func ParseEndpoint(raw string) (Endpoint, error) {
	if strings.TrimSpace(raw) == "" {
		return Endpoint{}, errEmpty
	}
	u, err := url.Parse(raw)
	switch {
	case strings.ContainsFunc(raw, unicode.IsSpace):
		return Endpoint{}, ErrWhitespace
	case !strings.Contains(raw, "://") && (err != nil || u.Host == ""):
		return Endpoint{}, errors.New("the value must begin with https:// or http://")
	case err != nil:
		return Endpoint{}, errors.New("the value is not a URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return Endpoint{}, errors.New("the scheme must be https or http")
	case u.User != nil:
		return Endpoint{}, errors.New("the URL contains a user name or a password; requests are authorized by the token alone")
	case !validHost(u):
		return Endpoint{}, errors.New("the host or port is missing or malformed")
	case u.RawQuery != "" || u.ForceQuery || strings.Contains(raw, "#"):
		return Endpoint{}, errors.New("the URL contains a query or a fragment")
	}
	prefix := strings.TrimRight(u.EscapedPath(), "/")
	prefix = strings.TrimRight(strings.TrimSuffix(prefix, "/api"), "/")
	return Endpoint{scheme: u.Scheme, host: strings.ToLower(u.Host), prefix: prefix}, nil
}

// validHost reports whether the URL has a host, without a port or with one from 1
// to 65535, that remains the same in the URL of a request: net/url accepts some
// hosts that it rejects in its own output.
func validHost(u *url.URL) bool {
	if port, err := strconv.ParseUint(cmp.Or(u.Port(), "1"), 10, 16); err != nil || port == 0 {
		return false
	}
	again, err := url.Parse(Endpoint{scheme: u.Scheme, host: strings.ToLower(u.Host)}.Origin())
	return u.Hostname() != "" && !strings.HasSuffix(u.Host, ":") && err == nil && strings.EqualFold(again.Host, u.Host)
}

// Origin returns scheme, host and port: "https://waldur.example.com".
func (e Endpoint) Origin() string { return (&url.URL{Scheme: e.scheme, Host: e.host}).String() }

// Cleartext reports whether the token would cross a network unencrypted: over http,
// to another machine.
func (e Endpoint) Cleartext() bool {
	return e.scheme == "http" && !isLoopback((&url.URL{Host: e.host}).Hostname())
}

// ScopeURL returns the URL of a scope in the form that Waldur accepts: without the
// endpoint's path prefix.
func (e Endpoint) ScopeURL(s Scope) string {
	return e.Origin() + "/api/" + string(s.Kind) + "/" + s.UUID + "/"
}

// path returns the path of a resource of the API. Without the trailing slash,
// Waldur redirects.
func (e Endpoint) path(name string) string { return e.prefix + "/api/" + name + "/" }

// isLoopback reports whether a host is this machine. These are the hosts to which
// net/http never connects through a proxy.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
