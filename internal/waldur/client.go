package waldur

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"math/rand/v2"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/semaphore"
)

// Config says how a Waldur is reached. Endpoint and Token are required; a zero
// value of another field means its default.
type Config struct {
	Endpoint              Endpoint
	Token                 Token
	UserAgent             string
	RequestTimeout        time.Duration  // of one HTTP request, from its turn to its last byte; 0: one minute
	MaxRetries            int            // of one HTTP request; 0: none
	MaxConcurrentRequests int            // over the complete client; 0: 1
	RootCAs               *x509.CertPool // nil: those of the system
	Dial                  Dial           // nil: the real one
	Clock                 Clock          // nil: the real one
	Random                func() float64 // in [0, 1), for the waits between retries; nil: a real one
	Log                   Log            // nil: nothing is logged
}

// Dial opens a connection, as (*net.Dialer).DialContext does.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// Log takes a line about a request or a read. Nothing in it is secret.
type Log func(ctx context.Context, message string, fields map[string]any)

// Clock is the time and the passing of it, so that tests need not wait.
type Clock interface {
	Now() time.Time
	// Sleep waits for d. It returns the context's error when that ends first.
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
	if c.RequestTimeout == 0 {
		c.RequestTimeout = time.Minute
	}
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

// Client reads usage records of one Waldur. It may be used from many
// goroutines at once.
type Client struct {
	config    Config
	transport *http.Transport
	// sem admits requests in the order in which they ask.
	sem     *semaphore.Weighted
	retries *retryBudget
}

// NewClient prepares a client. It makes no request.
func NewClient(config Config) *Client {
	config = config.withDefaults()
	// HTTP/1.1 alone: a few requests at once need no more of a connection, and
	// what interrupts an HTTP/2 stream has no type by which to tell it apart.
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
			// Waldur's headers are below 16 KiB (Link repeats a query of 4 KiB
			// at most four times); Go's default would take 10 MB.
			MaxResponseHeaderBytes: 64 << 10,
		},
		sem:     semaphore.NewWeighted(int64(config.MaxConcurrentRequests)),
		retries: newRetryBudget(),
	}
}

// Close ends the connections that are kept for reuse.
func (c *Client) Close() { c.transport.CloseIdleConnections() }
