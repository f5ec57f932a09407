package waldur

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

// proxyFromEnvironment hides the value of a malformed proxy variable, which
// may hold a password and which net/http would show.
func proxyFromEnvironment(r *http.Request) (*url.URL, error) {
	proxy, err := http.ProxyFromEnvironment(r)
	if err != nil {
		return nil, errors.New("the proxy address in HTTP_PROXY or HTTPS_PROXY is not a URL")
	}
	return proxy, nil
}

// proxyError is the status with which a proxy refused to connect. Without it,
// net/http would show the proxy's own words for it.
type proxyError int

func (e proxyError) Error() string {
	return fmt.Sprintf("the proxy answered %d %s", int(e), http.StatusText(int(e)))
}

func refusedByProxy(_ context.Context, _ *url.URL, _ *http.Request, answer *http.Response) error {
	if answer.StatusCode != http.StatusOK {
		return proxyError(answer.StatusCode)
	}
	return nil
}
