package waldur_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
)

const (
	bombedURL = "WALDUR_TEST_BOMBED_URL" // set in the process whose memory is measured
	// memoryCap is what the Go runtime may take from the system, of 100 MB. The rest
	// is for the code.
	memoryCap = 80 << 20
)

// bombs returns answers to a request for 300 records that take a lot of memory if
// they are read completely.
func bombs() map[string]func(w http.ResponseWriter) {
	endless := func(text string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) { writeEndlessly(w, text) }
	}
	after := func(start string, rest func(http.ResponseWriter)) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			_, _ = io.WriteString(w, start)
			rest(w)
		}
	}
	// The client reads and decodes about this much of an answer.
	const readable = 2 << 20
	members := func(n int) string {
		var body strings.Builder
		body.WriteString(`[{"date":"2024-09-01"`)
		for i := 0; body.Len() < readable; i++ {
			fmt.Fprintf(&body, `,"%0*x":0`, n, i)
		}
		return body.String() + "}]"
	}
	body := func(text string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) { _, _ = io.WriteString(w, text) }
	}
	zipped := []byte(packed(strings.Repeat("[", 1<<20)))
	return map[string]func(http.ResponseWriter){
		"endless blanks":     endless(" "),
		"endless text":       after(`[{"date":"`, endless("x")),
		"endless brackets":   endless("["),
		"endless records":    after("[", endless(`{"date":"2024-09-01"},`)),
		"endless nothing":    after("[", endless(`{},`)),
		"many short members": body(members(1)),
		"many long members":  body(members(100)),
		"many small records": body("[" + strings.Repeat(`{"date":"2024-09-01"},`, readable/22) + `{"date":"2024-09-01"}]`),
		"one long text":      body(`[{"date":"` + strings.Repeat("x", readable) + `"}]`),
		"text of escapes":    body(`[{"date":"` + strings.Repeat(`\u0041`, readable/6) + `"}]`),
		"a number of digits": body(`[{"date":"2024-09-01","reported_usage":` + strings.Repeat("9", readable) + `}]`),
		"nested brackets":    body(`[{"x":` + strings.Repeat("[", readable/2) + strings.Repeat("]", readable/2) + `}]`),
		"nested objects":     body(`[{"x":` + strings.Repeat(`{"y":`, readable/6) + "1" + strings.Repeat("}", readable/6) + `}]`),
		"10 GiB, compressed": func(w http.ResponseWriter) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bytes.Repeat(zipped, 10<<10))
		},
		"10 GiB, compressed, in an error": func(w http.ResponseWriter) {
			w.Header().Set("Content-Encoding", "gzip")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write(bytes.Repeat(zipped, 10<<10))
		},
	}
}

// A broken or hostile server must not exhaust the memory of the pipeline's
// machine. The test measures all memory that Go takes from the system, in a
// separate process with two reads at a time. Without the race detector, which
// multiplies it, the resident peak (VmHWM) was within 5 MB of that.
func TestBombTakesLessThan100MB(t *testing.T) {
	if url := os.Getenv(bombedURL); url != "" {
		readBombs(t, url)
		return
	}
	t.Parallel()
	bombs := bombs()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Result-Count", "1000")
		if r.URL.Query().Get("page_size") != "300" {
			_, _ = fmt.Fprintf(w, `[{"date":"2024-09-01","reported_usage":1,"scope":"http://%s%s"}]`, r.Host, projectPath)
			return
		}
		name, _, _ := strings.Cut(r.URL.Path[1:], "/")
		bombs[name](w)
	}))
	defer server.Close()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name := range bombs {
		t.Run(name, func(t *testing.T) {
			bombed := exec.CommandContext(t.Context(), executable, "-test.run=^TestBombTakesLessThan100MB$")
			bombed.Env = append(os.Environ(), bombedURL+"="+server.URL+"/"+name, "GORACE=atexit_sleep_ms=0")
			output, err := bombed.CombinedOutput()
			if err != nil {
				t.Errorf("%v\n%s", err, output)
			}
		})
	}
}

func readBombs(t *testing.T, url string) {
	t.Helper()
	client := connect(t, strings.ReplaceAll(url, " ", "%20"))
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
	t.Logf("%d kB", memory.Sys>>10)
	if memory.Sys > memoryCap {
		t.Errorf("the reads took %d kB, want at most %d", memory.Sys>>10, memoryCap>>10)
	}
}
