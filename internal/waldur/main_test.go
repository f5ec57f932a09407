package waldur_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// project is the scope of most tests.
const (
	projectUUID = "2b5719686db84f24bf64c3dfec58fbeb"
	projectPath = "/api/projects/" + projectUUID + "/"
)

func project() waldur.Scope { return waldur.Scope{Kind: waldur.Project, UUID: projectUUID} }

// everything is the query for all records of the project with all attributes.
func everything() waldur.Query {
	return waldur.Query{Scope: project(), Fields: waldur.AllFields()}
}

// newServer returns a Waldur with the project and records.
func newServer(records ...waldurtest.Record) *waldurtest.Waldur {
	server := waldurtest.New()
	server.AddScope(projectPath)
	server.Add(records...)
	return server
}

// months returns records of the project: lengths[i] of them i months before
// October 2024. Each type is in five categories, so there are ties.
func months(lengths ...int) []waldurtest.Record { return monthsWithTies(5, lengths...) }

func monthsWithTies(ties int, lengths ...int) []waldurtest.Record {
	var records []waldurtest.Record
	for i, length := range lengths {
		date := fmt.Sprintf("%04d-%02d-01", 2024-(i+2)/12, 12-(i+2)%12)
		for n := range length {
			usage := int64(1000*i + n)
			records = append(records, waldurtest.Record{
				Name: fmt.Sprintf("%s #%d", date, n), Type: fmt.Sprintf("type-%03d", n/ties), MeasuredUnit: "h",
				CategoryTitle: fmt.Sprintf("Category %d", n%ties), CategoryUUID: fmt.Sprintf("%032x", n%ties),
				Date: date, ReportedUsage: &usage, Scope: projectPath,
			})
		}
	}
	return records
}

// even returns the lengths of months with n records in total, perMonth in each.
func even(n, perMonth int) []int {
	var lengths []int
	for ; n > 0; n -= perMonth {
		lengths = append(lengths, min(n, perMonth))
	}
	return lengths
}

// clock does not wait. It records the waits.
type clock struct {
	mu     sync.Mutex
	waited []time.Duration
}

func (*clock) Now() time.Time { return time.Date(2024, 10, 15, 12, 0, 0, 0, time.UTC) }

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waited = append(c.waited, d)
	return ctx.Err()
}

func (c *clock) waits() []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.waited)
}

// connect returns a client of the Waldur at the URL. change modifies the
// configuration.
func connect(t waldurtest.TB, url string, change ...func(*waldur.Config)) *waldur.Client {
	t.Helper()
	endpoint, err := waldur.ParseEndpoint(url)
	if err != nil {
		t.Fatalf("%v", err)
	}
	token, err := waldur.ParseToken(waldurtest.Token)
	if err != nil {
		t.Fatalf("%v", err)
	}
	config := waldur.Config{
		Endpoint:              endpoint,
		Token:                 token,
		MaxRetries:            3,
		MaxConcurrentRequests: 2,
		Clock:                 new(clock),
		Random:                func() float64 { return 0.5 },
	}
	for _, c := range change {
		c(&config)
	}
	client := waldur.NewClient(config)
	t.Cleanup(client.Close)
	return client
}

func requestTimeout(d time.Duration) func(*waldur.Config) {
	return func(config *waldur.Config) { config.RequestTimeout = d }
}

func atOnce(requests int) func(*waldur.Config) {
	return func(config *waldur.Config) { config.MaxConcurrentRequests = requests }
}

// line is a line of a log.
type line struct {
	message string
	fields  map[string]any
}

// logInto appends the log to lines.
func logInto(lines *[]line) func(*waldur.Config) {
	var mu sync.Mutex
	return func(config *waldur.Config) {
		config.Log = func(_ context.Context, message string, fields map[string]any) {
			mu.Lock()
			defer mu.Unlock()
			*lines = append(*lines, line{message, fields})
		}
	}
}

// isType reports whether err is an error of the type or wraps one.
func isType[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// inProcess runs the test once more in a process of its own, with the environment,
// and returns its output.
func inProcess(t *testing.T, environment ...string) (output string, err error) {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), executable, "-test.v", "-test.run=^"+t.Name()+"$")
	command.Env = append(environment, "GORACE=atexit_sleep_ms=0")
	printed, err := command.CombinedOutput()
	return string(printed), err
}
