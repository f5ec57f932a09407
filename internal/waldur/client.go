package waldur

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"time"

	"golang.org/x/sync/semaphore"
)

// Config says how a Waldur is reached. Every field but RootCAs is needed.
type Config struct {
	Endpoint              Endpoint
	Token                 Token
	UserAgent             string
	RequestTimeout        time.Duration  // of one HTTP request, from its turn to its last byte
	MaxRetries            int            // repeats of one HTTP request, 0 or more
	MaxConcurrentRequests int            // in flight at once over the whole client, 1 or more
	RootCAs               *x509.CertPool // nil: the system's
	Clock                 Clock
	Random                func() float64 // in [0, 1), for the waits between repeats
	Log                   Log
}

// Log takes a line about a request or a read. Nothing in it is secret.
type Log func(ctx context.Context, message string, fields map[string]any)

// Clock is what time does, so that tests need not wait.
type Clock interface {
	Now() time.Time
	// Sleep waits for d, or until the context ends, whose error it then gives.
	Sleep(ctx context.Context, d time.Duration) error
}

// Client reads usage records of one Waldur. It may be used from many
// goroutines at once.
type Client struct {
	config    Config
	transport *http.Transport
	// turns admits requests in the order in which they ask. Requests with one
	// token wait for each other inside Waldur, each of them occupying a worker.
	turns  *semaphore.Weighted
	budget *retryBudget
}

// NewClient prepares a client. It makes no request.
func NewClient(config Config) *Client {
	// HTTP/1.1 alone: a few requests at once need no more of a connection, and
	// what interrupts an HTTP/2 stream has no type by which to tell it apart.
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &Client{
		config: config,
		transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			OnProxyConnectResponse: refusedByProxy,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: config.RootCAs},
			Protocols:              &protocols,
			MaxIdleConnsPerHost:    config.MaxConcurrentRequests,
			IdleConnTimeout:        90 * time.Second,
			// Waldur's headers are below 16 KiB (Link repeats a query of 4 KiB
			// at most four times); Go's default would take 10 MB.
			MaxResponseHeaderBytes: 64 << 10,
		},
		turns:  semaphore.NewWeighted(int64(config.MaxConcurrentRequests)),
		budget: newRetryBudget(),
	}
}

// Close ends the connections that are kept for reuse.
func (c *Client) Close() { c.transport.CloseIdleConnections() }
