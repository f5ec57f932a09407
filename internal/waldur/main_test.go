package waldur_test

import (
	"context"
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

// clock does not wait. It records the waits.
type clock struct {
	now    time.Time
	waited chan time.Duration
}

func newClock() clock {
	return clock{now: time.Date(2024, 10, 15, 12, 0, 0, 0, time.UTC), waited: make(chan time.Duration, 1<<16)}
}

func (c clock) Now() time.Time { return c.now }

func (c clock) Sleep(ctx context.Context, d time.Duration) error {
	c.waited <- d
	return ctx.Err()
}

func (c clock) waits() []time.Duration {
	var waits []time.Duration
	for {
		select {
		case d := <-c.waited:
			waits = append(waits, d)
		default:
			return waits
		}
	}
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
		UserAgent:             "test",
		RequestTimeout:        time.Minute,
		MaxRetries:            3,
		MaxConcurrentRequests: 2,
		Clock:                 newClock(),
		Random:                func() float64 { return 0.5 },
		Log:                   func(context.Context, string, map[string]any) {},
	}
	for _, c := range change {
		c(&config)
	}
	client := waldur.NewClient(config)
	t.Cleanup(client.Close)
	return client
}
