package waldur_test

import (
	"bufio"
	"bytes"
	"cmp"
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
	"time"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

// answer serves one connection, which is closed when it returns.
type answer func(connection *net.TCPConn)

// serve serves one request per connection: the first with answers[0], and so on;
// the last of them serves all further requests. It returns its URL and a function
// that returns the number of requests.
func serve(tb testing.TB, answers ...answer) (url string, requests func() int) {
	tb.Helper()
	listener := listen(tb)
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
				answers[min(n, len(answers))-1](connection.(*net.TCPConn))
			})
		}
	})
	tb.Cleanup(func() {
		_ = listener.Close()
		handlers.Wait()
	})
	return "http://" + listener.Addr().String(), func() int { return int(count.Load()) }
}

func listen(tb testing.TB) net.Listener {
	tb.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	return listener
}

// unusedAddress returns an address where nothing listens.
func unusedAddress(tb testing.TB) string {
	tb.Helper()
	listener := listen(tb)
	_ = listener.Close()
	return listener.Addr().String()
}

// reply reads the request and writes the text.
func reply(text string) answer {
	return func(connection *net.TCPConn) {
		readHead(connection)
		_, _ = io.WriteString(connection, text)
	}
}

func readHead(connection net.Conn) {
	if request, err := http.ReadRequest(bufio.NewReader(connection)); err == nil {
		_ = request.Body.Close()
	}
}

// then returns an answer that is followed by another.
func (a answer) then(next answer) answer {
	return func(connection *net.TCPConn) {
		a(connection)
		next(connection)
	}
}

// reset ends the connection with a TCP reset.
func reset(connection *net.TCPConn) { _ = connection.SetLinger(0) }

// hang waits until the client closes the connection.
func hang(connection *net.TCPConn) { _, _ = io.Copy(io.Discard, connection) }

// endless writes the text until the client closes the connection.
func endless(text string) answer {
	return func(connection *net.TCPConn) { writeEndlessly(connection, text) }
}

func writeEndlessly(w io.Writer, text string) {
	chunk := []byte(strings.Repeat(text, 1+64<<10/len(text)))
	for {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

// status is a complete answer with a JSON body.
func status(code int, body string, headers ...string) answer {
	return reply(head(code, append(headers, "Content-Type: application/json", fmt.Sprint("Content-Length: ", len(body)))...) + body)
}

func head(code int, headers ...string) string {
	return fmt.Sprintf("HTTP/1.1 %d Text\r\n%s\r\n\r\n", code, strings.Join(append(headers, "Connection: close"), "\r\n"))
}

// validRecord is a record with the requested attribute, its date.
const validRecord = `{"date":"2024-09-01"}`

func validAnswer() answer { return status(http.StatusOK, validRecord) }

func packed(text string) string {
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	_, _ = io.WriteString(writer, text)
	_ = writer.Close()
	return packed.String()
}

// bomb is half a megabyte of gzip that decompresses to 512 MiB.
func bomb() string { return strings.Repeat(packed(strings.Repeat(" ", 1<<20)), 512) }

func requestTimeout(d time.Duration) func(*waldur.Config) {
	return func(config *waldur.Config) { config.RequestTimeout = d }
}

// isType reports whether err is an error of the type or wraps one.
func isType[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// The number of requests if a fault persists.
const (
	noRetry    = 1
	oneRetry   = 2
	allRetries = 4 // with MaxRetries = 3
)

// fault is a fault of a server and the expected result.
type fault struct {
	answer   answer
	kind     func(error) bool
	message  string // part of the error
	requests int    // if it persists
	timeout  time.Duration
}

func faults() map[string]fault {
	var (
		refused     = isType[*waldur.StatusError]
		unreachable = isType[*waldur.UnreachableError]
		redirected  = isType[*waldur.RedirectError]
		malformed   = isType[*waldur.FormatError]
	)
	const short = 100 * time.Millisecond
	redirect := func(code int, location string) answer { return status(code, "{}", "Location: "+location) }
	chunked := head(200, "Transfer-Encoding: chunked")
	length := head(200, "Content-Length: 21")
	zipped := func(body string) string {
		return head(200, "Content-Encoding: gzip", fmt.Sprint("Content-Length: ", len(body))) + body
	}
	faults := map[string]fault{
		// Connections.
		"closed at once":                     {func(*net.TCPConn) {}, unreachable, "the connection was", allRetries, 0},
		"closed before an answer":            {reply(""), unreachable, "closed before an answer", allRetries, 0},
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
		"reset before an answer":             {reply("").then(reset), unreachable, "reset", allRetries, 0},
		"reset in the headers":               {reply("HTTP/1.1 200 OK\r\nContent-").then(reset), unreachable, "", allRetries, 0},
		"reset in the body":                  {reply(length + validRecord[:9]).then(reset), unreachable, "", allRetries, 0},
		// Time.
		"no answer":        {reply("").then(hang), unreachable, "no complete answer within 100ms", allRetries, short},
		"half a header":    {reply("HTTP/1.1 200 OK\r\nContent-").then(hang), unreachable, "no complete answer within 100ms", allRetries, short},
		"no body":          {reply(length).then(hang), unreachable, "no complete answer within 100ms", allRetries, short},
		"half a body":      {reply(length + validRecord[:9]).then(hang), unreachable, "no complete answer within 100ms", allRetries, short},
		"request not read": {hang, unreachable, "no complete answer within 100ms", allRetries, short},
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
		"empty":                    {status(200, ""), malformed, "the answer is empty", noRetry, 0},
		"HTML":                     {reply(head(200, "Content-Type: Text/HTML; charset=utf-8") + "<html>"), malformed, "an HTML page", noRetry, 0},
		"endless HTML":             {reply(head(200, "Content-Type: text/html")).then(endless("<p>")), malformed, "an HTML page", noRetry, 0},
		"HTML of 100 KiB":          {status(200, strings.Repeat("<br>", 25<<10), "Content-Type: text/html"), malformed, "an HTML page", noRetry, 0},
		"HTML, not declared":       {status(200, "<html>"), malformed, "not valid JSON", noRetry, 0},
		"half a record":            {status(200, validRecord[:9]), malformed, "ends in the middle", noRetry, 0},
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

// A persistent fault is an error that names it, after the retries that may help.
// After a fault that occurs once, a transient one is retried with success, and a
// permanent one is an error without a retry.
func TestFaultIsRetriedOnlyIfTransient(t *testing.T) {
	t.Parallel()
	for name, fault := range faults() {
		t.Run(name+", persistent", func(t *testing.T) {
			t.Parallel()
			url, requests := serve(t, fault.answer)
			_, err := connect(t, url, requestTimeout(cmp.Or(fault.timeout, time.Minute))).Usage(t.Context(), 7, waldur.Fields(waldur.FieldDate))
			if err == nil || !fault.kind(err) || !strings.Contains(err.Error(), fault.message) {
				t.Errorf("error %T: %v\nwant %q in it", err, err, fault.message)
			}
			if got := requests(); got != fault.requests {
				t.Errorf("%d requests, want %d", got, fault.requests)
			}
		})
		t.Run(name+", once", func(t *testing.T) {
			t.Parallel()
			url, requests := serve(t, fault.answer, validAnswer())
			usage, err := connect(t, url, requestTimeout(cmp.Or(5*fault.timeout, time.Minute))).Usage(t.Context(), 7, waldur.Fields(waldur.FieldDate))
			if want := min(fault.requests, oneRetry); requests() != want {
				t.Errorf("%d requests, want %d", requests(), want)
			}
			if fault.requests == noRetry {
				if err == nil || !fault.kind(err) {
					t.Errorf("error %v", err)
				}
			} else if err != nil || usage != (waldur.Usage{Date: waldur.Of("2024-09-01")}) {
				t.Errorf("%+v, error %v", usage, err)
			}
		})
	}
}

func TestValidAnswersOfEveryFramingAreRead(t *testing.T) {
	t.Parallel()
	zipped := packed(validRecord)
	for name, answer := range map[string]answer{
		"with a length":                 validAnswer(),
		"without a length":              reply(head(200) + validRecord),
		"in one chunk":                  reply(head(200, "Transfer-Encoding: chunked") + "15\r\n" + validRecord + "\r\n0\r\n\r\n"),
		"in many chunks":                reply(head(200, "Transfer-Encoding: chunked") + "9;x=y\r\n" + validRecord[:9] + "\r\nc\r\n" + validRecord[9:] + "\r\n0\r\nX-Trailer: x\r\n\r\n"),
		"of HTTP/1.0":                   reply("HTTP/1.0 200 OK\r\n\r\n" + validRecord),
		"compressed":                    reply(head(200, "Content-Encoding: gzip", fmt.Sprint("Content-Length: ", len(zipped))) + zipped),
		"compressed, no length":         reply(head(200, "Content-Encoding: gzip") + zipped),
		"after an early hint":           reply("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + head(200) + validRecord),
		"with a link to another server": status(200, validRecord, "Link: <http://other.example.com/>; rel=next"),
		"with a cookie":                 status(200, validRecord, "Set-Cookie: session=1"),
		"with Retry-After":              status(200, validRecord, "Retry-After: 3600"),
		"of another content type":       reply(head(200, "Content-Type: text/plain") + validRecord),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, requests := serve(t, answer)
			usage, err := connect(t, url).Usage(t.Context(), 7, waldur.Fields(waldur.FieldDate))
			if err != nil || usage.Date.Value != "2024-09-01" || requests() != 1 {
				t.Errorf("%+v after %d requests, error %v", usage, requests(), err)
			}
		})
	}
}

func TestRefusedConnectionIsRetried(t *testing.T) {
	t.Parallel()
	_, err := connect(t, "http://"+unusedAddress(t)).Usage(t.Context(), 7, waldur.AllFields())
	if refused, ok := errors.AsType[*waldur.UnreachableError](err); !ok || refused.Attempts != 4 || refused.Problem != "the connection was refused" || refused.Reason != waldur.ReasonRefused {
		t.Errorf("error %v", err)
	}
}

// DNS has no label of 64 characters, so the host is unknown everywhere.
func TestUnknownHostIsNotRetried(t *testing.T) {
	t.Parallel()
	host := strings.Repeat("a", 64) + ".example.com"
	_, err := connect(t, "http://"+host).Usage(t.Context(), 7, waldur.AllFields())
	unknown, ok := errors.AsType[*waldur.UnreachableError](err)
	if !ok || unknown.Attempts != 1 || unknown.Problem != "the host "+host+" is unknown" || unknown.Reason != waldur.ReasonHostUnknown {
		t.Errorf("error %v", err)
	}
}

func TestRedirectsAndLinksAreNotFollowed(t *testing.T) {
	t.Parallel()
	other, requestsToOther := serve(t, validAnswer())
	for name, answer := range map[string]answer{
		"301":     status(301, "", "Location: "+other+"/api/"),
		"302":     status(302, "", "Location: "+other+"/api/"),
		"303":     status(303, "", "Location: "+other+"/api/"),
		"307":     status(307, "", "Location: "+other+"/api/"),
		"308":     status(308, "", "Location: "+other+"/api/"),
		"300":     status(300, "", "Location: "+other+"/api/"),
		"200":     status(200, "[]", "X-Result-Count: 0", "Location: "+other, "Content-Location: "+other),
		"Link":    status(200, "[]", "X-Result-Count: 0", `Link: <`+other+`/api/>; rel="next", <`+other+`/api/>; rel="first"`),
		"refresh": status(200, "[]", "X-Result-Count: 0", "Refresh: 0; url="+other, `Alt-Svc: h2="`+strings.TrimPrefix(other, "http://")+`"`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, requests := serve(t, answer)
			_, _ = connect(t, url).Usages(t.Context(), everything())
			if requests() != 1 || requestsToOther() != 0 {
				t.Errorf("%d requests, and %d to another server, want 1 and 0", requests(), requestsToOther())
			}
		})
	}
}

func TestRetryAfterIsHonoredUpToTheCap(t *testing.T) {
	t.Parallel()
	const backoff = 375 * time.Millisecond // three quarters of the first bound
	for name, row := range map[string]struct {
		retryAfter string
		want       time.Duration // the wait; 0: the read fails at once
		inError    time.Duration
	}{
		"seconds":                 {"7", 7 * time.Second, 0},
		"the cap":                 {"20", 20 * time.Second, 0},
		"more than the cap":       {"21", 0, 21 * time.Second},
		"an hour":                 {"3600", 0, time.Hour},
		"a date":                  {"Tue, 15 Oct 2024 12:00:07 GMT", 7 * time.Second, 0},
		"a date at the cap":       {"Tue, 15 Oct 2024 12:00:20 GMT", 20 * time.Second, 0},
		"a date an hour from now": {"Tue, 15 Oct 2024 13:00:00 GMT", 0, time.Hour},
		"a date in the past":      {"Tue, 15 Oct 2024 11:00:00 GMT", backoff, 0},
		"zero":                    {"0", backoff, 0},
		"negative":                {"-5", backoff, 0},
		"malformed":               {"soon", backoff, 0},
		"overflowing":             {"99999999999999999999", backoff, 0},
	} {
		for _, code := range []int{429, 503} {
			t.Run(fmt.Sprint(name, ", ", code), func(t *testing.T) {
				t.Parallel()
				url, requests := serve(t, status(code, "{}", "Retry-After: "+row.retryAfter), validAnswer())
				clock := newClock()
				_, err := connect(t, url, func(config *waldur.Config) { config.Clock = clock }).Usage(t.Context(), 7, waldur.Fields(waldur.FieldDate))
				waits := clock.waits()
				if row.want == 0 {
					refused, ok := errors.AsType[*waldur.StatusError](err)
					if !ok || refused.RetryAfter != row.inError || len(waits) != 0 || requests() != 1 {
						t.Errorf("error %v after %d requests and waits of %v", err, requests(), waits)
					}
					return
				}
				if err != nil || len(waits) != 1 || waits[0] != row.want || requests() != 2 {
					t.Errorf("error %v after %d requests and waits of %v, want %s", err, requests(), waits, row.want)
				}
			})
		}
	}
}

func TestRetriesAreLimitedByMaxRetries(t *testing.T) {
	t.Parallel()
	for _, retries := range []int{0, 1, 5, 12} {
		t.Run(strconv.Itoa(retries), func(t *testing.T) {
			t.Parallel()
			url, requests := serve(t, status(503, "{}"))
			clock := newClock()
			_, err := connect(t, url, func(config *waldur.Config) {
				config.MaxRetries, config.Clock, config.Random = retries, clock, func() float64 { return 0.999 }
			}).Usage(t.Context(), 7, waldur.AllFields())
			refused, ok := errors.AsType[*waldur.StatusError](err)
			if !ok || refused.Attempts != 1+retries || refused.Throttled || requests() != 1+retries {
				t.Errorf("error %v after %d requests", err, requests())
			}
			waits := clock.waits()
			if len(waits) != retries {
				t.Fatalf("waits of %v", waits)
			}
			for i, wait := range waits {
				if bound := min(20*time.Second, 500*time.Millisecond<<i); wait > bound || wait < bound*9/10 {
					t.Errorf("wait %d is %s, want just below %s", i+1, wait, bound)
				}
			}
		})
	}
}

func TestServerErrorIsRetriedOnceAmongOtherFaults(t *testing.T) {
	t.Parallel()
	url, requests := serve(t, status(500, "{}"), status(503, "{}"), status(500, `{"detail":"Again."}`), validAnswer())
	_, err := connect(t, url).Usage(t.Context(), 7, waldur.AllFields())
	if refused, ok := errors.AsType[*waldur.StatusError](err); !ok || refused.Status != 500 || requests() != 3 {
		t.Errorf("error %v after %d requests", err, requests())
	}
}

// blockedClock is a clock on which every wait lasts until its context ends.
type blockedClock struct {
	clock
	asleep chan struct{}
}

func (b blockedClock) Sleep(ctx context.Context, _ time.Duration) error {
	close(b.asleep)
	<-ctx.Done()
	return ctx.Err()
}

// observedContext closes waiting at the first call of Done.
type observedContext struct {
	context.Context //nolint:containedctx // it is a context itself
	first           *sync.Once
	waiting         chan struct{}
}

func (o observedContext) Done() <-chan struct{} {
	o.first.Do(func() { close(o.waiting) })
	return o.Context.Done()
}

// blockedRead is a read that does not end by itself.
type blockedRead struct {
	ready     <-chan struct{} // closed when it is at the point where it is to be interrupted
	interrupt func()
	ended     <-chan error
}

func startRead(t *testing.T, client *waldur.Client) blockedRead {
	t.Helper()
	ctx, interrupt := context.WithCancel(t.Context())
	observed := observedContext{ctx, new(sync.Once), make(chan struct{})}
	ended := make(chan error, 1)
	go func() { _, err := client.Usages(observed, everything()); ended <- err }()
	return blockedRead{observed.waiting, interrupt, ended}
}

// stalled starts a read from a server that hangs after the answer.
func stalled(answer answer) func(t *testing.T) blockedRead {
	return func(t *testing.T) blockedRead {
		t.Helper()
		silent := make(chan struct{})
		url, _ := serve(t, answer.then(func(connection *net.TCPConn) { close(silent); hang(connection) }))
		read := startRead(t, connect(t, url))
		read.ready = silent
		return read
	}
}

func TestInterruptedReadEndsWithinASecond(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(t *testing.T) blockedRead{
		"while it waits for a retry": func(t *testing.T) blockedRead {
			t.Helper()
			url, _ := serve(t, status(503, "{}"))
			clock := blockedClock{newClock(), make(chan struct{})}
			read := startRead(t, connect(t, url, func(config *waldur.Config) { config.Clock = clock }))
			read.ready = clock.asleep
			return read
		},
		"without an answer":       stalled(reply("")),
		"in a header":             stalled(reply("HTTP/1.1 200 OK\r\nContent-")),
		"in a body":               stalled(reply(head(200, "Content-Length: 1000") + "[")),
		"in a compressed body":    stalled(reply(head(200, "Content-Encoding: gzip") + packed(validRecord)[:5])),
		"in the body of an error": stalled(reply(head(503, "Content-Length: 1000") + "[")),
		"while others are in flight": func(t *testing.T) blockedRead {
			t.Helper()
			busy := make(chan struct{}, 2)
			url, _ := serve(t, reply("").then(func(connection *net.TCPConn) { busy <- struct{}{}; hang(connection) }))
			client := connect(t, url, func(config *waldur.Config) { config.MaxConcurrentRequests = 1 })
			first := startRead(t, client)
			t.Cleanup(func() {
				first.interrupt()
				if err := <-first.ended; err == nil {
					t.Error("the hanging read succeeded")
				}
			})
			<-busy
			return startRead(t, client)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			read := start(t)
			deadline, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			select {
			case <-read.ready:
			case err := <-read.ended:
				t.Fatalf("the read ended before it was interrupted: %v", err)
			case <-deadline.Done():
				t.Fatal("the read does not reach the point where it is to be interrupted")
			}
			second, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			read.interrupt()
			select {
			case err := <-read.ended:
				if !errors.Is(err, context.Canceled) {
					t.Errorf("error %v", err)
				}
			case <-second.Done():
				t.Error("the read did not end within a second")
			}
		})
	}
}

func TestReadInterruptedBeforeItStartsMakesNoRequest(t *testing.T) {
	t.Parallel()
	url, requests := serve(t, validAnswer())
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	_, err := connect(t, url).Usage(ctx, 7, waldur.AllFields())
	if !errors.Is(err, context.Canceled) || requests() != 0 {
		t.Errorf("error %v after %d requests", err, requests())
	}
}
