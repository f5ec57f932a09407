package waldur_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

// bombs returns responses to a request for 300 records that take a lot of memory
// if they are read completely.
func bombs() map[string]response {
	const readable = 2 << 20 // the client reads and decodes about this much of a response
	start := head(200, "Content-Type: application/json", "X-Result-Count: 1000")
	members := func(length int) response {
		var body strings.Builder
		body.WriteString(start + `[{"date":"2024-09-01"`)
		for i := 0; body.Len() < readable; i++ {
			fmt.Fprintf(&body, `,"%0*x":0`, length, i)
		}
		return reply(body.String() + "}]")
	}
	filled := func(before, opening, middle, closing, after string) response {
		n := readable / len(opening+closing)
		return reply(start + before + strings.Repeat(opening, n) + middle + strings.Repeat(closing, n) + after)
	}
	compressed := func(code int) response { // a thousandth of what comes out of it
		return reply(head(code, "Content-Encoding: gzip")).then(endless(packed(strings.Repeat("[", 1<<20))))
	}
	return map[string]response{
		"endless blanks":                   reply(start).then(endless(" ")),
		"endless text":                     reply(start + `[{"date":"`).then(endless("x")),
		"endless brackets":                 reply(start).then(endless("[")),
		"endless records":                  reply(start + "[").then(endless(`{"date":"2024-09-01"},`)),
		"endless nothing":                  reply(start + "[").then(endless(`{},`)),
		"many short members":               members(1),
		"many long members":                members(100),
		"many small records":               filled("[", `{"date":"2024-09-01"},`, "", "", `{"date":"2024-09-01"}]`),
		"one long text":                    filled(`[{"date":"`, "x", "", "", `"}]`),
		"text of escapes":                  filled(`[{"date":"`, `\u0041`, "", "", `"}]`),
		"a number of digits":               filled(`[{"date":"2024-09-01","reported_usage":`, "9", "", "", `}]`),
		"nested brackets":                  filled(`[{"x":`, "[", "", "]", `}]`),
		"nested objects":                   filled(`[{"x":`, `{"y":`, "1", "}", `}]`),
		"endless, compressed":              compressed(200),
		"endless, compressed, in an error": compressed(400),
	}
}

// A broken or hostile server must not exhaust the memory of the pipeline's
// machine. The test measures all memory that Go takes from the system, of 100 MB,
// in a separate process with two reads at a time; the rest is for the code. Without
// the race detector, which multiplies it, the resident peak (VmHWM) was within 5 MB
// of that.
func TestBombTakesLessThan100MB(t *testing.T) {
	const memoryCap = 80 << 20
	const bombedURL = "WALDUR_TEST_BOMBED_URL" // set in the process whose memory is measured
	if url := os.Getenv(bombedURL); url != "" {
		client := connect(t, url, waldur.Config{})
		query := everything()
		query.Fields = waldur.Fields(waldur.FieldReportedUsage, waldur.FieldScope)
		var group sync.WaitGroup
		for range 2 {
			group.Go(func() {
				_, err := client.Usages(t.Context(), query)
				if !isType[*waldur.FormatError](err) && !isType[*waldur.StatusError](err) {
					t.Errorf("error %v, want that of the bomb", err)
				}
			})
		}
		group.Wait()
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		if memory.Sys > memoryCap {
			t.Errorf("the reads took %d kB, want at most %d", memory.Sys>>10, memoryCap>>10)
		}
		return
	}
	t.Parallel()
	for name, bomb := range bombs() {
		url, _ := serve(t, bomb)
		if output, err := inProcess(t, bombedURL+"="+url); err != nil {
			t.Errorf("%s: %v\n%s", name, err, output)
		}
	}
}
