package main

import (
	"context"
	"time"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// readList reads the records of the first project without any Terraform.
func (s *site) readList(ctx context.Context, fields waldur.FieldSet) (records int, err error) {
	endpoint, err := waldur.ParseEndpoint(s.url)
	if err != nil {
		return 0, err
	}
	token, err := waldur.ParseToken(waldurtest.Token)
	if err != nil {
		return 0, err
	}
	client := waldur.NewClient(waldur.Config{
		Endpoint:              endpoint,
		Token:                 token,
		UserAgent:             "bench",
		RequestTimeout:        time.Minute,
		MaxConcurrentRequests: 4,
		Clock:                 noRepeats{},
		Random:                func() float64 { return 0 },
		Log:                   func(context.Context, string, map[string]any) {},
	})
	defer client.Close()
	usages, err := client.Usages(ctx, waldur.Query{Scope: waldur.Scope{Kind: waldur.Project, UUID: projectUUID(0)}, Fields: fields})
	return len(usages), err
}

// noRepeats is a clock for a client that makes each request once.
type noRepeats struct{}

func (noRepeats) Now() time.Time { return time.Now() }

func (noRepeats) Sleep(ctx context.Context, _ time.Duration) error { return ctx.Err() }
