// Package waldur reads the usage records of a Waldur and verifies its responses.
//
// A read returns the complete, exact list, or it fails. The package knows
// nothing of Terraform: package provider turns its records into state, and its
// errors into diagnostics.
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
	"strings"
	"time"

	"golang.org/x/sync/semaphore"
)

// Config describes how to reach a Waldur. Endpoint and Token are required; a zero
// value of another field means its default.
type Config struct {
	Endpoint              Endpoint
	Token                 Token
	UserAgent             string
	RequestTimeout        time.Duration  // of one HTTP request, from its admission to its last byte; 0: one minute
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
	// Only HTTP/1.1: a few requests at once need no more, and the errors of HTTP/2
	// streams have no types to tell them apart.
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
		retries: newRetryBudget(config.MaxConcurrentRequests),
	}
}

// Close ends the connections that are kept for reuse.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// CertPoolWith returns the system's certificates and those in the PEM text. Text
// without a certificate, a damaged certificate, and any other PEM block are
// errors. Text between the certificates is ignored: bundles contain comments.
func CertPoolWith(pemText string) (*x509.CertPool, error) {
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
	// pem.Decode skips blocks that it cannot read.
	damaged := strings.Count(pemText, "-----BEGIN ") != found || strings.Count(pemText, "-----END ") != found
	if found == 0 || damaged || len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("the value contains text that is not a PEM certificate, or a damaged certificate")
	}
	return pool, nil
}
