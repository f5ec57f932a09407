package waldur_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

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

// usagesOf returns the records as a read of all attributes from the server returns
// them.
func usagesOf(records []waldurtest.Record, server string) []waldur.Usage {
	var usages []waldur.Usage
	for _, r := range records {
		usages = append(usages, waldur.Usage{
			Name: waldur.Of(r.Name), Type: waldur.Of(r.Type), MeasuredUnit: waldur.Of(r.MeasuredUnit),
			CategoryTitle: waldur.Of(r.CategoryTitle), CategoryUUID: waldur.Of(r.CategoryUUID), Date: waldur.Of(r.Date),
			ReportedUsage: waldur.Of(*r.ReportedUsage), Scope: waldur.Of(server + r.Scope),
		})
	}
	return usages
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

// connect returns a client of the Waldur at the URL. It does not wait, and makes
// up to three retries unless config has other settings.
func connect(t waldurtest.TB, url string, config waldur.Config) *waldur.Client {
	t.Helper()
	config.MaxRetries = cmp.Or(config.MaxRetries, 3)
	config.MaxConcurrentRequests = cmp.Or(config.MaxConcurrentRequests, 2)
	if config.Clock == nil {
		config.Clock = new(clock)
	}
	if config.Random == nil {
		config.Random = func() float64 { return 0.5 }
	}
	return connectInTime(t, url, config)
}

// connectInTime returns a client that takes the time that a real one takes.
func connectInTime(t waldurtest.TB, url string, config waldur.Config) *waldur.Client {
	t.Helper()
	var err error
	if config.Endpoint, err = waldur.ParseEndpoint(url); err != nil {
		t.Fatalf("%v", err)
	}
	if config.Token == (waldur.Token{}) {
		config.Token = token(t, waldurtest.Token)
	}
	client := waldur.NewClient(config)
	t.Cleanup(client.Close)
	return client
}

func token(t interface{ Fatalf(string, ...any) }, raw string) waldur.Token {
	parsed, err := waldur.ParseToken(raw)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return parsed
}

// startSlow returns a server that takes as long as a real one, for a bubble of
// synctest, and its client with the default settings of the provider.
func startSlow(t *testing.T, records []waldurtest.Record, config waldur.Config) (*waldurtest.Waldur, *waldur.Client) {
	t.Helper()
	server := newServer(records...)
	server.Sleep, server.Workers = true, 4
	config.Dial = server.StartInMemory(t)
	config.MaxConcurrentRequests = cmp.Or(config.MaxConcurrentRequests, 4)
	config.MaxRetries = 6
	return server, connectInTime(t, "http://waldur.example.com", config)
}

// readAll reads all records of the project with all attributes.
func readAll(t *testing.T, url string, config waldur.Config) ([]waldur.Usage, error) {
	t.Helper()
	return connect(t, url, config).Usages(t.Context(), everything())
}

// readDate reads the date of a record by its ID.
func readDate(t *testing.T, url string, config waldur.Config) (waldur.Usage, error) {
	t.Helper()
	return connect(t, url, config).Usage(t.Context(), 7, waldur.Fields(waldur.FieldDate))
}

// logTo returns a log that appends each line to lines, with its message.
func logTo(lines *[]map[string]any) waldur.Log {
	var mu sync.Mutex
	return func(_ context.Context, message string, fields map[string]any) {
		mu.Lock()
		defer mu.Unlock()
		fields["message"] = message
		*lines = append(*lines, fields)
	}
}

// wantRejected fails unless parse rejects each value with the message in its row,
// and does not repeat the secret in it.
func wantRejected[T any](t *testing.T, parse func(string) (T, error), rows map[string]struct{ value, message string }) {
	t.Helper()
	for name, row := range rows {
		_, err := parse(row.value)
		if err == nil || !strings.Contains(err.Error(), row.message) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: got error %v, want %q in it without the value", name, err, row.message)
		}
		if got, want := errors.Is(err, waldur.ErrWhitespace), row.message == "contains whitespace"; got != want {
			t.Errorf("%s: got ErrWhitespace %t, want %t", name, got, want)
		}
	}
}

// secret is the part of an invalid value that its error must not repeat.
const secret = "hunter2secret"

// isType reports whether err is an error of the type or wraps one.
func isType[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
