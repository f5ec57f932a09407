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

// answer writes the bytes of an answer to a request whose head was read. The
// connection is closed when it returns.
type answer func(connection *net.TCPConn)

// serve answers each request, one a connection, with what answers[n] writes;
// the last of them serves all further ones. It gives its URL and the number of
// requests that came.
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
				defer context.AfterFunc(tb.Context(), func() { _ = connection.Close() })() // a client that hangs fails its test and ends
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

// vacant is an address where nothing listens.
func vacant(tb testing.TB) string {
	tb.Helper()
	listener := listen(tb)
	_ = listener.Close()
	return listener.Addr().String()
}

// reply reads the head of the request and writes the text.
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

// then does something after the answer.
func (a answer) then(next answer) answer {
	return func(connection *net.TCPConn) {
		a(connection)
		next(connection)
	}
}

// reset breaks the connection off with a TCP reset instead of an orderly end.
func reset(connection *net.TCPConn) { _ = connection.SetLinger(0) }

// hang waits until the client gives up.
func hang(connection *net.TCPConn) { _, _ = io.Copy(io.Discard, connection) }

// endless writes the text until the client gives up.
func endless(text string) answer {
	chunk := []byte(strings.Repeat(text, 1+64<<10/len(text)))
	return func(connection *net.TCPConn) {
		for {
			if _, err := connection.Write(chunk); err != nil {
				return
			}
		}
	}
}

// status is a whole answer with a JSON body.
func status(code int, body string, headers ...string) answer {
	return reply(head(code, append(headers, "Content-Type: application/json", fmt.Sprint("Content-Length: ", len(body)))...) + body)
}

func head(code int, headers ...string) string {
	return fmt.Sprintf("HTTP/1.1 %d Text\r\n%s\r\n\r\n", code, strings.Join(append(headers, "Connection: close"), "\r\n"))
}

// good is a record as fields ask for it: its date alone.
const good = `{"date":"2024-09-01"}`

func goodAnswer() answer { return status(http.StatusOK, good) }

func packed(text string) string {
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	_, _ = io.WriteString(writer, text)
	_ = writer.Close()
	return packed.String()
}

// bomb is half a megabyte of gzip that unfolds into 512 MiB.
func bomb() string { return strings.Repeat(packed(strings.Repeat(" ", 1<<20)), 512) }

func patience(d time.Duration) func(*waldur.Config) {
	return func(config *waldur.Config) { config.RequestTimeout = d }
}

// is tells whether an error is of the type.
func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

const (
	never  = 1 // requests: the fault is not repeated
	once   = 2
	always = 4 // the request and MaxRetries = 3 repeats
)

// fault is what a server does, and what must come of it.
type fault struct {
	answer   answer
	kind     func(error) bool
	says     string // part of the error
	requests int    // when it never ends
	timeout  time.Duration
}

func faults() map[string]fault {
	var (
		refused     = is[*waldur.StatusError]
		unreachable = is[*waldur.UnreachableError]
		redirected  = is[*waldur.RedirectError]
		malformed   = is[*waldur.FormatError]
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
		"closed at once":                     {func(*net.TCPConn) {}, unreachable, "the connection was", always, 0},
		"closed before an answer":            {reply(""), unreachable, "closed before an answer", always, 0},
		"closed in the status line":          {reply("HTTP/1.1 20"), unreachable, "malformed HTTP", always, 0},
		"closed in the headers":              {reply("HTTP/1.1 200 OK\r\nContent-"), unreachable, "malformed MIME header", always, 0},
		"closed before the body":             {reply(length), unreachable, "cut short", always, 0},
		"closed in the body":                 {reply(length + good[:9]), unreachable, "cut short", always, 0},
		"closed in a chunk":                  {reply(chunked + "15\r\n" + good[:9]), unreachable, "cut short", always, 0},
		"closed after a chunk":               {reply(chunked + "9\r\n" + good[:9] + "\r\n"), unreachable, "cut short", always, 0},
		"closed before the last chunk":       {reply(chunked + "15\r\n" + good + "\r\n"), unreachable, "cut short", always, 0},
		"closed in a body without a length":  {reply(head(200) + good[:9]), unreachable, "cut short", always, 0},
		"closed before one without a length": {reply(head(200)), unreachable, "cut short", always, 0},
		"closed in a compressed body":        {reply(head(200, "Content-Encoding: gzip") + packed(good)[:20]), unreachable, "cut short", always, 0},
		"reset before an answer":             {reply("").then(reset), unreachable, "reset", always, 0},
		"reset in the headers":               {reply("HTTP/1.1 200 OK\r\nContent-").then(reset), unreachable, "", always, 0},
		"reset in the body":                  {reply(length + good[:9]).then(reset), unreachable, "", always, 0},
		// Time.
		"no answer":           {reply("").then(hang), unreachable, "no complete answer within 100ms", always, short},
		"half a header":       {reply("HTTP/1.1 200 OK\r\nContent-").then(hang), unreachable, "no complete answer within 100ms", always, short},
		"no body":             {reply(length).then(hang), unreachable, "no complete answer within 100ms", always, short},
		"half a body":         {reply(length + good[:9]).then(hang), unreachable, "no complete answer within 100ms", always, short},
		"request never read":  {hang, unreachable, "no complete answer within 100ms", always, short},
		"error never told":    {reply(head(503, "Content-Length: 21")).then(hang), refused, "503", always, short},
		"refusal never told":  {reply(head(404, "Content-Length: 21")).then(hang), refused, "404", never, short},
		"switched and silent": {reply("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n").then(hang), refused, "101", never, 0},
		// Size.
		"endless status line":      {reply("HTTP/1.1 ").then(endless("2")), unreachable, "", never, 0},
		"endless header":           {reply("HTTP/1.1 200 OK\r\nX-Many: ").then(endless("x")), unreachable, "headers exceeded 65536 bytes", never, 0},
		"endless headers":          {reply("HTTP/1.1 200 OK\r\n").then(endless("X-Many: x\r\n")), unreachable, "headers exceeded 65536 bytes", never, 0},
		"endless early hints":      {reply("").then(endless("HTTP/1.1 103 Early Hints\r\n\r\n")), unreachable, "", never, 0},
		"endless body":             {reply(head(200)).then(endless(" ")), malformed, "larger than 72 KiB", never, 0},
		"endless chunks":           {reply(chunked).then(endless("1\r\n \r\n")), malformed, "larger than 72 KiB", never, 0},
		"endless unread members":   {reply(head(200) + "{").then(endless(`"x":[1,2,3],`)), malformed, "larger than 72 KiB", never, 0},
		"endless error":            {reply(head(400)).then(endless("x")), refused, "400", never, 0},
		"bomb":                     {reply(zipped(bomb())), malformed, "larger than 72 KiB", never, 0},
		"bomb in an error":         {reply(strings.Replace(zipped(bomb()), "200", "400", 1)), refused, "400", never, 0},
		"length of all the world":  {reply(head(200, "Content-Length: 9223372036854775807")).then(endless(" ")), malformed, "larger than 72 KiB", never, 0},
		"more chunk than can be":   {reply(chunked + "7fffffffffffffff\r\n").then(endless(" ")), malformed, "larger than 72 KiB", never, 0},
		"endless trailing headers": {reply(chunked + "15\r\n" + good + "\r\n0\r\n").then(endless("X-Many: x\r\n")), unreachable, "", never, 0},
		// Framing.
		"length too small":             {reply(head(200, "Content-Length: 9") + good), malformed, "ends in the middle", never, 0},
		"length that is none":          {reply(head(200, "Content-Length: many") + good), unreachable, "Content-Length", never, 0},
		"length below zero":            {reply(head(200, "Content-Length: -1") + good), unreachable, "Content-Length", never, 0},
		"two lengths":                  {reply(head(200, "Content-Length: 21", "Content-Length: 9") + good), unreachable, "Content-Length", never, 0},
		"chunk size that is none":      {reply(chunked + "zz\r\n" + good), unreachable, "chunk", never, 0},
		"chunk without its end":        {reply(chunked + "9\r\n" + good), unreachable, "chunk", never, 0},
		"chunk size of 17 digits":      {reply(chunked + "10000000000000000\r\n" + good), unreachable, "chunk", never, 0},
		"unknown transfer encoding":    {reply(head(200, "Transfer-Encoding: rot13") + good), unreachable, "transfer encoding", never, 0},
		"not HTTP":                     {reply("SSH-2.0-OpenSSH_9.7\r\n"), unreachable, "malformed HTTP", always, 0},
		"status that is none":          {reply("HTTP/1.1 many OK\r\n\r\n"), unreachable, "malformed HTTP", always, 0},
		"header without a colon":       {reply("HTTP/1.1 200 OK\r\nnonsense\r\n\r\n" + good), unreachable, "malformed", always, 0},
		"TLS":                          {reply("\x15\x03\x01\x00\x02\x02\x16"), unreachable, "expects https", never, 0},
		"not compressed as it says":    {reply(zipped(good)), malformed, "compression is damaged", never, 0},
		"compressed with a wrong sum":  {reply(zipped(strings.Replace(packed(good), packed(good)[len(packed(good))-8:], "12345678", 1))), malformed, "compression is damaged", never, 0},
		"compressed, then overwritten": {reply(zipped(packed(good)[:12] + "\xff\xff\xff\xff\xff\xff" + packed(good)[18:])), malformed, "compression is damaged", never, 0},
		"compressed as not asked for":  {reply(head(200, "Content-Encoding: br", "Content-Length: 21") + "\x0b\x0a\x80" + good[3:]), malformed, "not valid JSON", never, 0},
		// What is answered.
		"nothing":                  {status(200, ""), malformed, "the answer is empty", never, 0},
		"HTML":                     {reply(head(200, "Content-Type: Text/HTML; charset=utf-8") + "<html>"), malformed, "an HTML page", never, 0},
		"endless HTML":             {reply(head(200, "Content-Type: text/html")).then(endless("<p>")), malformed, "an HTML page", never, 0},
		"HTML of 100 KiB":          {status(200, strings.Repeat("<br>", 25<<10), "Content-Type: text/html"), malformed, "an HTML page", never, 0},
		"HTML that does not say":   {status(200, "<html>"), malformed, "not valid JSON", never, 0},
		"half a record":            {status(200, good[:9]), malformed, "ends in the middle", never, 0},
		"a record and a half":      {status(200, good+good[:9]), malformed, "continues after its end", never, 0},
		"a list":                   {status(200, "["+good+"]"), malformed, "is not an object", never, 0},
		"an error with status 200": {status(200, `{"detail":"Internal"}`), malformed, "attribute date is missing", never, 0},
		"no content":               {reply(head(204)), refused, "204", never, 0},
		"part of it":               {status(206, good), refused, "206", never, 0},
		"accepted":                 {status(202, good), refused, "202", never, 0},
		"not modified":             {reply(head(304)), refused, "304", never, 0},
		"redirect to nowhere":      {status(302, "{}"), refused, "302", never, 0},
		"redirect to https":        {redirect(301, "https://waldur.example.com/api/x/?secret=1"), redirected, "https://waldur.example.com/api/x/", never, 0},
		"redirect to a path":       {redirect(302, "/login/?next=/api/"), redirected, "/login/", never, 0},
		"redirect, see other":      {redirect(303, "https://waldur.example.com/"), redirected, "https://waldur.example.com/", never, 0},
		"redirect, temporary":      {redirect(307, "//other.example.com/api/"), redirected, "http://other.example.com/api/", never, 0},
		"redirect, permanent":      {redirect(308, "https://user:password@other.example.com"), redirected, "https://other.example.com", never, 0},
		"redirect, malformed":      {redirect(301, "https://other.example.com:port/?secret=1"), redirected, "not a URL", never, 0},
		"redirect to a script":     {redirect(301, "javascript:alert(1)"), redirected, "javascript:", never, 0},
	}
	for code, requests := range map[int]int{
		400: never, 401: never, 402: never, 403: never, 404: never, 405: never, 406: never, 407: never, 408: never, 409: never,
		410: never, 411: never, 413: never, 414: never, 418: never, 421: never, 422: never, 425: never, 426: never, 428: never, 431: never, 451: never,
		429: always, 500: once, 501: never, 502: always, 503: always, 504: always, 505: never, 507: never, 511: never, 520: never, 599: never, 999: never,
	} {
		faults[fmt.Sprint("status ", code)] = fault{status(code, `{"detail":"The reason."}`), refused, strconv.Itoa(code), requests, 0}
	}
	return faults
}

// Each fault, met for ever: the error says what it is, after as many requests
// as may help. Then met once, the next answer being good: what passes has
// passed, and what does not pass is not asked for again.
func TestFaultIsAnErrorAfterAsManyRequestsAsMayHelp(t *testing.T) {
	t.Parallel()
	for name, fault := range faults() {
		t.Run(name+", for ever", func(t *testing.T) {
			t.Parallel()
			url, requests := serve(t, fault.answer)
			_, err := connect(t, url, patience(cmp.Or(fault.timeout, time.Minute))).Usage(t.Context(), 7, waldur.Fields(waldur.FieldDate))
			if err == nil || !fault.kind(err) || !strings.Contains(err.Error(), fault.says) {
				t.Errorf("error %T: %v\nwant it to say %q", err, err, fault.says)
			}
			if got := requests(); got != fault.requests {
				t.Errorf("%d requests, want %d", got, fault.requests)
			}
		})
		t.Run(name+", once", func(t *testing.T) {
			t.Parallel()
			url, requests := serve(t, fault.answer, goodAnswer())
			usage, err := connect(t, url, patience(cmp.Or(5*fault.timeout, time.Minute))).Usage(t.Context(), 7, waldur.Fields(waldur.FieldDate))
			if want := min(fault.requests, once); requests() != want {
				t.Errorf("%d requests, want %d", requests(), want)
			}
			if fault.requests == never {
				if err == nil || !fault.kind(err) {
					t.Errorf("error %v", err)
				}
			} else if err != nil || usage != (waldur.Usage{Date: waldur.Of("2024-09-01")}) {
				t.Errorf("%+v, error %v", usage, err)
			}
		})
	}
}

func TestGoodAnswersOfEveryFramingAreRead(t *testing.T) {
	t.Parallel()
	zipped := packed(good)
	for name, answer := range map[string]answer{
		"with a length":           goodAnswer(),
		"without a length":        reply(head(200) + good),
		"in one chunk":            reply(head(200, "Transfer-Encoding: chunked") + "15\r\n" + good + "\r\n0\r\n\r\n"),
		"in many chunks":          reply(head(200, "Transfer-Encoding: chunked") + "9;x=y\r\n" + good[:9] + "\r\nc\r\n" + good[9:] + "\r\n0\r\nX-Trailer: x\r\n\r\n"),
		"of HTTP/1.0":             reply("HTTP/1.0 200 OK\r\n\r\n" + good),
		"compressed":              reply(head(200, "Content-Encoding: gzip", fmt.Sprint("Content-Length: ", len(zipped))) + zipped),
		"compressed, no length":   reply(head(200, "Content-Encoding: gzip") + zipped),
		"after an early hint":     reply("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + head(200) + good),
		"with a link elsewhere":   status(200, good, "Link: <http://other.example.com/>; rel=next"),
		"that sets a cookie":      status(200, good, "Set-Cookie: session=1"),
		"that says to come later": status(200, good, "Retry-After: 3600"),
		"of another content type": reply(head(200, "Content-Type: text/plain") + good),
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

func TestRefusedConnectionIsTriedAgain(t *testing.T) {
	t.Parallel()
	_, err := connect(t, "http://"+vacant(t)).Usage(t.Context(), 7, waldur.AllFields())
	if refused, ok := errors.AsType[*waldur.UnreachableError](err); !ok || refused.Attempts != 4 || refused.Problem != "the connection was refused" || refused.Reason != waldur.ReasonRefused {
		t.Errorf("error %v", err)
	}
}

// A label of 64 characters is in no DNS: that host is unknown everywhere.
func TestUnknownHostIsAskedForOnce(t *testing.T) {
	t.Parallel()
	host := strings.Repeat("a", 64) + ".example.com"
	_, err := connect(t, "http://"+host).Usage(t.Context(), 7, waldur.AllFields())
	unknown, ok := errors.AsType[*waldur.UnreachableError](err)
	if !ok || unknown.Attempts != 1 || unknown.Problem != "the host "+host+" is unknown" || unknown.Reason != waldur.ReasonHostUnknown {
		t.Errorf("error %v", err)
	}
}

func TestRedirectsAreNotFollowedAndLinksNotDialled(t *testing.T) {
	t.Parallel()
	elsewhere, visits := serve(t, goodAnswer())
	for name, answer := range map[string]answer{
		"301":     status(301, "", "Location: "+elsewhere+"/api/"),
		"302":     status(302, "", "Location: "+elsewhere+"/api/"),
		"303":     status(303, "", "Location: "+elsewhere+"/api/"),
		"307":     status(307, "", "Location: "+elsewhere+"/api/"),
		"308":     status(308, "", "Location: "+elsewhere+"/api/"),
		"300":     status(300, "", "Location: "+elsewhere+"/api/"),
		"200":     status(200, "[]", "X-Result-Count: 0", "Location: "+elsewhere, "Content-Location: "+elsewhere),
		"Link":    status(200, "[]", "X-Result-Count: 0", `Link: <`+elsewhere+`/api/>; rel="next", <`+elsewhere+`/api/>; rel="first"`),
		"refresh": status(200, "[]", "X-Result-Count: 0", "Refresh: 0; url="+elsewhere, `Alt-Svc: h2="`+strings.TrimPrefix(elsewhere, "http://")+`"`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, requests := serve(t, answer)
			_, _ = connect(t, url).Usages(t.Context(), everything())
			if requests() != 1 || visits() != 0 {
				t.Errorf("%d requests, and %d elsewhere", requests(), visits())
			}
		})
	}
}

func TestRetryAfterIsKeptToWithinTheCap(t *testing.T) {
	t.Parallel()
	const ordinary = 375 * time.Millisecond // three quarters of the first bound
	for name, said := range map[string]struct {
		retryAfter string
		want       time.Duration // of the wait; 0: the read stops at once
		wanted     time.Duration
	}{
		"seconds":                 {"7", 7 * time.Second, 0},
		"the cap":                 {"20", 20 * time.Second, 0},
		"more than the cap":       {"21", 0, 21 * time.Second},
		"an hour":                 {"3600", 0, time.Hour},
		"a date":                  {"Tue, 15 Oct 2024 12:00:07 GMT", 7 * time.Second, 0},
		"a date at the cap":       {"Tue, 15 Oct 2024 12:00:20 GMT", 20 * time.Second, 0},
		"a date an hour from now": {"Tue, 15 Oct 2024 13:00:00 GMT", 0, time.Hour},
		"a date that is past":     {"Tue, 15 Oct 2024 11:00:00 GMT", ordinary, 0},
		"zero":                    {"0", ordinary, 0},
		"negative":                {"-5", ordinary, 0},
		"malformed":               {"soon", ordinary, 0},
		"overflowing":             {"99999999999999999999", ordinary, 0},
	} {
		for _, code := range []int{429, 503} {
			t.Run(fmt.Sprint(name, ", ", code), func(t *testing.T) {
				t.Parallel()
				url, requests := serve(t, status(code, "{}", "Retry-After: "+said.retryAfter), goodAnswer())
				clock := newClock()
				_, err := connect(t, url, func(config *waldur.Config) { config.Clock = clock }).Usage(t.Context(), 7, waldur.Fields(waldur.FieldDate))
				waits := clock.waits()
				if said.want == 0 {
					refused, ok := errors.AsType[*waldur.StatusError](err)
					if !ok || refused.RetryAfter != said.wanted || len(waits) != 0 || requests() != 1 {
						t.Errorf("error %v after %d requests and waits of %v", err, requests(), waits)
					}
					return
				}
				if err != nil || len(waits) != 1 || waits[0] != said.want || requests() != 2 {
					t.Errorf("error %v after %d requests and waits of %v, want %s", err, requests(), waits, said.want)
				}
			})
		}
	}
}

func TestRepeatsAreNoMoreThanMaxRetries(t *testing.T) {
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

func TestServerErrorIsRepeatedOnceHoweverItIsMixed(t *testing.T) {
	t.Parallel()
	url, requests := serve(t, status(500, "{}"), status(503, "{}"), status(500, `{"detail":"Again."}`), goodAnswer())
	_, err := connect(t, url).Usage(t.Context(), 7, waldur.AllFields())
	if refused, ok := errors.AsType[*waldur.StatusError](err); !ok || refused.Status != 500 || requests() != 3 {
		t.Errorf("error %v after %d requests", err, requests())
	}
}

// blocked is a clock on which every wait lasts until its context ends.
type blocked struct {
	clock
	asleep chan struct{}
}

func (b blocked) Sleep(ctx context.Context, _ time.Duration) error {
	close(b.asleep)
	<-ctx.Done()
	return ctx.Err()
}

// asked tells when somebody waits for the end of the context.
type asked struct {
	context.Context //nolint:containedctx // it is a context itself
	first           *sync.Once
	done            chan struct{}
}

func (a asked) Done() <-chan struct{} {
	a.first.Do(func() { close(a.done) })
	return a.Context.Done()
}

// running is a read that will not end by itself.
type running struct {
	ready     <-chan struct{} // closed when it has come to where it is to be interrupted
	interrupt func()
	ended     <-chan error
}

func run(t *testing.T, client *waldur.Client) running {
	t.Helper()
	ctx, interrupt := context.WithCancel(t.Context())
	begun := asked{ctx, new(sync.Once), make(chan struct{})}
	ended := make(chan error, 1)
	go func() { _, err := client.Usages(begun, everything()); ended <- err }()
	return running{begun.done, interrupt, ended}
}

// stalled is a read from a server that goes silent after the answer.
func stalled(answer answer) func(t *testing.T) running {
	return func(t *testing.T) running {
		t.Helper()
		silent := make(chan struct{})
		url, _ := serve(t, answer.then(func(connection *net.TCPConn) { close(silent); hang(connection) }))
		read := run(t, connect(t, url))
		read.ready = silent
		return read
	}
}

func TestInterruptEndsAReadWithinASecond(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(t *testing.T) running{
		"while it waits to repeat a request": func(t *testing.T) running {
			t.Helper()
			url, _ := serve(t, status(503, "{}"))
			clock := blocked{newClock(), make(chan struct{})}
			read := run(t, connect(t, url, func(config *waldur.Config) { config.Clock = clock }))
			read.ready = clock.asleep
			return read
		},
		"while no answer comes":          stalled(reply("")),
		"while a header is not finished": stalled(reply("HTTP/1.1 200 OK\r\nContent-")),
		"while a body is not finished":   stalled(reply(head(200, "Content-Length: 1000") + "[")),
		"while a compressed body is not": stalled(reply(head(200, "Content-Encoding: gzip") + packed(good)[:5])),
		"while an error is not finished": stalled(reply(head(503, "Content-Length: 1000") + "[")),
		"while it waits for its turn": func(t *testing.T) running {
			t.Helper()
			busy := make(chan struct{}, 2)
			url, _ := serve(t, reply("").then(func(connection *net.TCPConn) { busy <- struct{}{}; hang(connection) }))
			client := connect(t, url, func(config *waldur.Config) { config.MaxConcurrentRequests = 1 })
			first := run(t, client)
			t.Cleanup(func() {
				first.interrupt()
				if err := <-first.ended; err == nil {
					t.Error("the read that hung succeeded")
				}
			})
			<-busy
			return run(t, client)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			read := start(t)
			patient, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			select {
			case <-read.ready:
			case err := <-read.ended:
				t.Fatalf("ended too early: %v", err)
			case <-patient.Done():
				t.Fatal("cannot be interrupted where it is")
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
				t.Error("the read goes on")
			}
		})
	}
}

func TestReadThatIsInterruptedBeforeItBeginsMakesNoRequest(t *testing.T) {
	t.Parallel()
	url, requests := serve(t, goodAnswer())
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	_, err := connect(t, url).Usage(ctx, 7, waldur.AllFields())
	if !errors.Is(err, context.Canceled) || requests() != 0 {
		t.Errorf("error %v after %d requests", err, requests())
	}
}
