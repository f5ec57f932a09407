package waldur

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
)

// proxyError is the status with which a proxy refused to connect to an https
// server. It replaces the proxy's own words, which net/http would show.
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
