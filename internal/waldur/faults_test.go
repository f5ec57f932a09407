package waldur_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

// response serves one connection, which is closed when it returns.
type response func(connection net.Conn)

// serve serves one request per connection: the first with responses[0], and so on,
// and all further ones with the last of them. It returns its URL and a function that
// returns the number of requests.
func serve(tb testing.TB, responses ...response) (url string, requests func() int) {
	tb.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	var count atomic.Int32
	var handlers sync.WaitGroup
	handlers.Go(func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			n := int(count.Add(1))
			handlers.Go(func() {
				defer func() { _ = connection.Close() }()
				defer context.AfterFunc(tb.Context(), func() { _ = connection.Close() })() // ends a client that hangs when its test fails
				responses[min(n, len(responses))-1](connection)
			})
		}
	})
	tb.Cleanup(func() {
		_ = listener.Close()
		handlers.Wait()
	})
	return "http://" + listener.Addr().String(), func() int { return int(count.Load()) }
}

// reply reads the request and writes the text.
func reply(text string) response {
	raw := []byte(text)
	return func(connection net.Conn) {
		if request, err := http.ReadRequest(bufio.NewReader(connection)); err == nil {
			_ = request.Body.Close()
		}
		_, _ = connection.Write(raw)
	}
}

// then returns a response that continues with another.
func (r response) then(next response) response {
	return func(connection net.Conn) {
		r(connection)
		next(connection)
	}
}

// reset ends the connection with a TCP reset.
func reset(connection net.Conn) { _ = connection.(*net.TCPConn).SetLinger(0) }

// hang waits until the client closes the connection.
func hang(connection net.Conn) { _, _ = io.Copy(io.Discard, connection) }

// endless writes the text until the client closes the connection.
func endless(text string) response {
	return func(connection net.Conn) {
		chunk := []byte(strings.Repeat(text, 1+64<<10/len(text)))
		for err := error(nil); err == nil; {
			_, err = connection.Write(chunk)
		}
	}
}

// status is a complete response with a JSON body.
func status(code int, body string, headers ...string) response {
	return reply(head(code, append(headers, "Content-Type: application/json", fmt.Sprint("Content-Length: ", len(body)))...) + body)
}

func head(code int, headers ...string) string {
	return fmt.Sprintf("HTTP/1.1 %d Text\r\n%s\r\n\r\n", code, strings.Join(append(headers, "Connection: close"), "\r\n"))
}

// validRecord is a record with the requested attribute, its date.
const validRecord = `{"date":"2024-09-01"}`

func validResponse() response { return status(http.StatusOK, validRecord) }

func packed(text string) string {
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	_, _ = io.WriteString(writer, text)
	_ = writer.Close()
	return packed.String()
}

// bomb is half a megabyte of gzip that decompresses to 512 MiB.
func bomb() string { return strings.Repeat(packed(strings.Repeat(" ", 1<<20)), 512) }

// The number of requests if a fault persists.
const (
	noRetry    = 1
	oneRetry   = 2
	allRetries = 4 // with MaxRetries = 3
)

// fault is a fault of a server and the expected result.
type fault struct {
	response response
	kind     func(error) bool // nil: no error, as the response is valid
	message  string           // part of the error
	requests int              // if it persists
	timeout  time.Duration
}

func faults() map[string]fault {
	var (
		refused     = isType[*waldur.StatusError]
		unreachable = isType[*waldur.UnreachableError]
		redirected  = isType[*waldur.RedirectError]
		malformed   = isType[*waldur.FormatError]
	)
	const short = 250 * time.Millisecond
	redirect := func(code int, location string) response { return status(code, "{}", "Location: "+location) }
	chunked := head(200, "Transfer-Encoding: chunked")
	length := head(200, "Content-Length: 21")
	zipped := func(body string) string {
		return head(200, "Content-Encoding: gzip", fmt.Sprint("Content-Length: ", len(body))) + body
	}
	faults := map[string]fault{
		// Connections.
		"closed at once":                     {func(net.Conn) {}, unreachable, "the connection was", allRetries, 0},
		"closed before a response":           {reply(""), unreachable, "closed before a response", allRetries, 0},
		"closed in the status line":          {reply("HTTP/1.1 20"), unreachable, "malformed HTTP", allRetries, 0},
		"closed in the headers":              {reply("HTTP/1.1 200 OK\r\nContent-"), unreachable, "malformed MIME header", allRetries, 0},
		"closed before the body":             {reply(length), unreachable, "cut short", allRetries, 0},
		"closed in the body":                 {reply(length + validRecord[:9]), unreachable, "cut short", allRetries, 0},
		"closed in a chunk":                  {reply(chunked + "15\r\n" + validRecord[:9]), unreachable, "cut short", allRetries, 0},
		"closed after a chunk":               {reply(chunked + "9\r\n" + validRecord[:9] + "\r\n"), unreachable, "cut short", allRetries, 0},
		"closed before the last chunk":       {reply(chunked + "15\r\n" + validRecord + "\r\n"), unreachable, "cut short", allRetries, 0},
		"closed in a body without a length":  {reply(head(200) + validRecord[:9]), unreachable, "cut short", allRetries, 0},
		"closed before one without a length": {reply(head(200)), unreachable, "cut short", allRetries, 0},
		"closed in a compressed body":        {reply(head(200, "Content-Encoding: gzip") + packed(validRecord)[:20]), unreachable, "cut short", allRetries, 0},
		"reset before a response":            {reply("").then(reset), unreachable, "reset", allRetries, 0},
		"reset in the headers":               {reply("HTTP/1.1 200 OK\r\nContent-").then(reset), unreachable, "", allRetries, 0},
		"reset in the body":                  {reply(length + validRecord[:9]).then(reset), unreachable, "", allRetries, 0},
		// Time.
		"no response":      {reply("").then(hang), unreachable, "no complete response within 250ms", allRetries, short},
		"half a header":    {reply("HTTP/1.1 200 OK\r\nContent-").then(hang), unreachable, "no complete response within 250ms", allRetries, short},
		"no body":          {reply(length).then(hang), unreachable, "no complete response within 250ms", allRetries, short},
		"half a body":      {reply(length + validRecord[:9]).then(hang), unreachable, "no complete response within 250ms", allRetries, short},
		"request not read": {hang, unreachable, "no complete response within 250ms", allRetries, short},
		"hanging error":    {reply(head(503, "Content-Length: 21")).then(hang), refused, "503", allRetries, short},
		"hanging refusal":  {reply(head(404, "Content-Length: 21")).then(hang), refused, "404", noRetry, short},
		"hanging switch":   {reply("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n").then(hang), refused, "101", noRetry, 0},
		// Size.
		"endless status line":      {reply("HTTP/1.1 ").then(endless("2")), unreachable, "", noRetry, 0},
		"endless header":           {reply("HTTP/1.1 200 OK\r\nX-Many: ").then(endless("x")), unreachable, "headers exceeded 65536 bytes", noRetry, 0},
		"endless headers":          {reply("HTTP/1.1 200 OK\r\n").then(endless("X-Many: x\r\n")), unreachable, "headers exceeded 65536 bytes", noRetry, 0},
		"endless early hints":      {reply("").then(endless("HTTP/1.1 103 Early Hints\r\n\r\n")), unreachable, "", noRetry, 0},
		"endless body":             {reply(head(200)).then(endless(" ")), malformed, "larger than 72 KiB", noRetry, 0},
		"endless chunks":           {reply(chunked).then(endless("1\r\n \r\n")), malformed, "larger than 72 KiB", noRetry, 0},
		"endless unread members":   {reply(head(200) + "{").then(endless(`"x":[1,2,3],`)), malformed, "larger than 72 KiB", noRetry, 0},
		"endless error":            {reply(head(400)).then(endless("x")), refused, "400", noRetry, 0},
		"bomb":                     {reply(zipped(bomb())), malformed, "larger than 72 KiB", noRetry, 0},
		"bomb in an error":         {reply(strings.Replace(zipped(bomb()), "200", "400", 1)), refused, "400", noRetry, 0},
		"length of 2^63-1":         {reply(head(200, "Content-Length: 9223372036854775807")).then(endless(" ")), malformed, "larger than 72 KiB", noRetry, 0},
		"chunk of 2^63-1":          {reply(chunked + "7fffffffffffffff\r\n").then(endless(" ")), malformed, "larger than 72 KiB", noRetry, 0},
		"endless trailing headers": {reply(chunked + "15\r\n" + validRecord + "\r\n0\r\n").then(endless("X-Many: x\r\n")), unreachable, "", noRetry, 0},
		// Framing.
		"length too small":          {reply(head(200, "Content-Length: 9") + validRecord), malformed, "ends in the middle", noRetry, 0},
		"malformed length":          {reply(head(200, "Content-Length: many") + validRecord), unreachable, "Content-Length", noRetry, 0},
		"negative length":           {reply(head(200, "Content-Length: -1") + validRecord), unreachable, "Content-Length", noRetry, 0},
		"two lengths":               {reply(head(200, "Content-Length: 21", "Content-Length: 9") + validRecord), unreachable, "Content-Length", noRetry, 0},
		"malformed chunk size":      {reply(chunked + "zz\r\n" + validRecord), unreachable, "chunk", noRetry, 0},
		"unterminated chunk":        {reply(chunked + "9\r\n" + validRecord), unreachable, "chunk", noRetry, 0},
		"chunk size of 17 digits":   {reply(chunked + "10000000000000000\r\n" + validRecord), unreachable, "chunk", noRetry, 0},
		"unknown transfer encoding": {reply(head(200, "Transfer-Encoding: rot13") + validRecord), unreachable, "transfer encoding", noRetry, 0},
		"not HTTP":                  {reply("SSH-2.0-OpenSSH_9.7\r\n"), unreachable, "malformed HTTP", allRetries, 0},
		"malformed status":          {reply("HTTP/1.1 many OK\r\n\r\n"), unreachable, "malformed HTTP", allRetries, 0},
		"header without a colon":    {reply("HTTP/1.1 200 OK\r\nnonsense\r\n\r\n" + validRecord), unreachable, "malformed", allRetries, 0},
		"TLS":                       {reply("\x15\x03\x01\x00\x02\x02\x16"), unreachable, "expects https", noRetry, 0},
		"not compressed":            {reply(zipped(validRecord)), malformed, "compression is damaged", noRetry, 0},
		"wrong checksum":            {reply(zipped(strings.Replace(packed(validRecord), packed(validRecord)[len(packed(validRecord))-8:], "12345678", 1))), malformed, "compression is damaged", noRetry, 0},
		"damaged compression":       {reply(zipped(packed(validRecord)[:12] + "\xff\xff\xff\xff\xff\xff" + packed(validRecord)[18:])), malformed, "compression is damaged", noRetry, 0},
		"unrequested compression":   {reply(head(200, "Content-Encoding: br", "Content-Length: 21") + "\x0b\x0a\x80" + validRecord[3:]), malformed, "not valid JSON", noRetry, 0},
		// Content.
		"empty":                    {status(200, ""), malformed, "the response is empty", noRetry, 0},
		"HTML":                     {reply(head(200, "Content-Type: Text/HTML; charset=utf-8") + "<html>"), malformed, "an HTML page", noRetry, 0},
		"endless HTML":             {reply(head(200, "Content-Type: text/html")).then(endless("<p>")), malformed, "an HTML page", noRetry, 0},
		"a record and a half":      {status(200, validRecord+validRecord[:9]), malformed, "continues after its end", noRetry, 0},
		"a list":                   {status(200, "["+validRecord+"]"), malformed, "is not an object", noRetry, 0},
		"an error with status 200": {status(200, `{"detail":"Internal"}`), malformed, "attribute date is missing", noRetry, 0},
		"no content":               {reply(head(204)), refused, "204", noRetry, 0},
		"partial":                  {status(206, validRecord), refused, "206", noRetry, 0},
		"accepted":                 {status(202, validRecord), refused, "202", noRetry, 0},
		"not modified":             {reply(head(304)), refused, "304", noRetry, 0},
		"redirect to nowhere":      {status(302, "{}"), refused, "302", noRetry, 0},
		"redirect to https":        {redirect(301, "https://waldur.example.com/api/x/?secret=1"), redirected, "https://waldur.example.com/api/x/", noRetry, 0},
		"redirect to a path":       {redirect(302, "/login/?next=/api/"), redirected, "/login/", noRetry, 0},
		"redirect, see other":      {redirect(303, "https://waldur.example.com/"), redirected, "https://waldur.example.com/", noRetry, 0},
		"redirect, temporary":      {redirect(307, "//other.example.com/api/"), redirected, "http://other.example.com/api/", noRetry, 0},
		"redirect, permanent":      {redirect(308, "https://user:password@other.example.com"), redirected, "https://other.example.com", noRetry, 0},
		"redirect, malformed":      {redirect(301, "https://other.example.com:port/?secret=1"), redirected, "not a URL", noRetry, 0},
		"redirect to a script":     {redirect(301, "javascript:alert(1)"), redirected, "javascript:", noRetry, 0},
		// No faults: valid responses of every framing.
		"valid, with a length":                 {validResponse(), nil, "", noRetry, 0},
		"valid, without a length":              {reply(head(200) + validRecord), nil, "", noRetry, 0},
		"valid, in one chunk":                  {reply(head(200, "Transfer-Encoding: chunked") + "15\r\n" + validRecord + "\r\n0\r\n\r\n"), nil, "", noRetry, 0},
		"valid, in many chunks":                {reply(head(200, "Transfer-Encoding: chunked") + "9;x=y\r\n" + validRecord[:9] + "\r\nc\r\n" + validRecord[9:] + "\r\n0\r\nX-Trailer: x\r\n\r\n"), nil, "", noRetry, 0},
		"valid, of HTTP/1.0":                   {reply("HTTP/1.0 200 OK\r\n\r\n" + validRecord), nil, "", noRetry, 0},
		"valid, compressed":                    {reply(head(200, "Content-Encoding: gzip", fmt.Sprint("Content-Length: ", len(packed(validRecord)))) + packed(validRecord)), nil, "", noRetry, 0},
		"valid, compressed, no length":         {reply(head(200, "Content-Encoding: gzip") + packed(validRecord)), nil, "", noRetry, 0},
		"valid, after an early hint":           {reply("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + head(200) + validRecord), nil, "", noRetry, 0},
		"valid, with a link to another server": {status(200, validRecord, "Link: <http://other.example.com/>; rel=next"), nil, "", noRetry, 0},
		"valid, with a cookie":                 {status(200, validRecord, "Set-Cookie: session=1"), nil, "", noRetry, 0},
		"valid, with Retry-After":              {status(200, validRecord, "Retry-After: 3600"), nil, "", noRetry, 0},
		"valid, of another content type":       {reply(head(200, "Content-Type: text/plain") + validRecord), nil, "", noRetry, 0},
	}
	for code, requests := range map[int]int{
		400: noRetry, 401: noRetry, 402: noRetry, 403: noRetry, 404: noRetry, 405: noRetry, 406: noRetry, 407: noRetry, 408: noRetry, 409: noRetry,
		410: noRetry, 411: noRetry, 413: noRetry, 414: noRetry, 418: noRetry, 421: noRetry, 422: noRetry, 425: noRetry, 426: noRetry, 428: noRetry, 431: noRetry, 451: noRetry,
		429: allRetries, 500: oneRetry, 501: noRetry, 502: allRetries, 503: allRetries, 504: allRetries, 505: noRetry, 507: noRetry, 511: noRetry, 520: noRetry, 599: noRetry, 999: noRetry,
	} {
		faults[fmt.Sprint("status ", code)] = fault{status(code, `{"detail":"The reason."}`), refused, strconv.Itoa(code), requests, 0}
	}
	return faults
}

// A persistent fault causes an error that names it, after the retries that may help.
// A fault that occurs once is retried with success if it is transient, and is an
// error at once if it is permanent.
func TestFaultIsRetriedOnlyIfTransient(t *testing.T) {
	t.Parallel()
	for name, fault := range faults() {
		for _, persistent := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, persistent %t", name, persistent), func(t *testing.T) {
				t.Parallel()
				responses, timeout, wanted := []response{fault.response}, fault.timeout, fault.requests
				if !persistent {
					responses, timeout, wanted = append(responses, validResponse()), 5*timeout, min(wanted, oneRetry)
				}
				url, requests := serve(t, responses...)
				usage, err := readDate(t, url, waldur.Config{RequestTimeout: timeout})
				if succeeds := fault.kind == nil || !persistent && wanted > noRetry; succeeds {
					if want := (waldur.Usage{Date: waldur.Of("2024-09-01")}); err != nil || usage != want {
						t.Errorf("got %+v, error %v, want %+v", usage, err, want)
					}
				} else if err == nil || !fault.kind(err) || persistent && !strings.Contains(err.Error(), fault.message) {
					t.Errorf("got error %T: %v\nwant %q in it", err, err, fault.message)
				}
				if requests() != wanted {
					t.Errorf("got %d requests, want %d", requests(), wanted)
				}
			})
		}
	}
}

func TestRedirectsAndLinksAreNotFollowed(t *testing.T) {
	t.Parallel()
	other, requestsToOther := serve(t, validResponse())
	responses := map[string]response{
		"200":     status(200, "[]", "X-Result-Count: 0", "Location: "+other, "Content-Location: "+other),
		"Link":    status(200, "[]", "X-Result-Count: 0", `Link: <`+other+`/api/>; rel="next", <`+other+`/api/>; rel="first"`),
		"refresh": status(200, "[]", "X-Result-Count: 0", "Refresh: 0; url="+other, `Alt-Svc: h2="`+strings.TrimPrefix(other, "http://")+`"`),
	}
	for _, code := range []int{300, 301, 302, 303, 307, 308} {
		responses[strconv.Itoa(code)] = status(code, "", "Location: "+other+"/api/")
	}
	for name, response := range responses {
		url, requests := serve(t, response)
		_, _ = readAll(t, url, waldur.Config{})
		if requests() != 1 || requestsToOther() != 0 {
			t.Errorf("%s: got %d requests, and %d to another server, want 1 and 0", name, requests(), requestsToOther())
		}
	}
}

// Of two reads, one is interrupted while it is queued, and the other one while it
// waits for the server or for a retry. No time passes in between.
func TestInterruptedReadEndsWithinASecond(t *testing.T) {
	t.Parallel()
	for name, sent := range map[string]string{
		"without a response":         "",
		"in a header":                "HTTP/1.1 200 OK\r\nContent-",
		"in a body":                  head(200, "Content-Length: 1000") + "[",
		"in a compressed body":       head(200, "Content-Encoding: gzip") + packed(validRecord)[:5],
		"in the body of an error":    head(503, "Content-Length: 1000") + "[",
		"while it waits for a retry": head(503, "Content-Length: 0"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				requests := 0
				client := connectInTime(t, "http://waldur.example.com", waldur.Config{MaxRetries: 3, Dial: func(context.Context, string, string) (net.Conn, error) {
					requests++
					client, server := net.Pipe()
					go reply(sent).then(hang)(server)
					return client, nil
				}})
				ended := make(chan error, 2)
				read := func() (interrupt context.CancelFunc) {
					ctx, interrupt := context.WithCancel(t.Context())
					go func() { _, err := client.Usages(ctx, everything()); ended <- err }()
					synctest.Wait()
					return interrupt
				}
				interruptFirst, interruptQueued := read(), read()
				for i, interrupt := range []context.CancelFunc{interruptQueued, interruptFirst} {
					interrupt()
					synctest.Wait()
					if len(ended) != 1 {
						t.Fatalf("got %d reads that ended after interruption %d, want 1", len(ended), i+1)
					}
					if err := <-ended; !errors.Is(err, context.Canceled) {
						t.Errorf("got error %v, want context.Canceled", err)
					}
				}
				ctx, interrupt := context.WithCancel(t.Context())
				interrupt()
				if _, err := client.Usage(ctx, 7, waldur.AllFields()); !errors.Is(err, context.Canceled) {
					t.Errorf("got error %v, want context.Canceled", err)
				}
				if requests != 1 {
					t.Errorf("got %d requests, want 1", requests)
				}
			})
		})
	}
}
