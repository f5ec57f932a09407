package main

import (
	"fmt"
	"net/url"
	"strconv"

	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// site is a fake Waldur that serves until it is closed. It is the
// waldurtest.TB of its server.
type site struct {
	*waldurtest.Waldur
	url      string
	cleanups []func()
}

// serve starts a Waldur whose projects all have the same history.
func serve(history lengths, projects int, set func(*waldurtest.Waldur)) *site {
	s := &site{Waldur: waldurtest.New()}
	set(s.Waldur)
	for project := range projects {
		s.AddScope("/api/projects/" + projectUUID(project) + "/")
		s.Add(history.records(project)...)
	}
	s.url = s.Start(s)
	return s
}

// Helper implements waldurtest.TB.
func (s *site) Helper() {}

// Cleanup implements waldurtest.TB.
func (s *site) Cleanup(f func()) { s.cleanups = append(s.cleanups, f) }

// Fatalf implements waldurtest.TB. A loopback that cannot be listened on
// leaves nothing to measure.
func (s *site) Fatalf(format string, values ...any) { panic(fmt.Sprintf(format, values...)) }

func (s *site) close() {
	for _, f := range s.cleanups {
		f()
	}
}

// plainURL is a page of 300 as a client asks for it that knows no better.
func (s *site) plainURL(project, page int) string {
	query := url.Values{
		"scope":     {s.url + "/api/projects/" + projectUUID(project) + "/"},
		"page":      {strconv.Itoa(page)},
		"page_size": {strconv.Itoa(waldurtest.DefaultPageCap)},
	}
	return s.url + "/api/marketplace-category-component-usages/?" + query.Encode()
}

func pages(records int) int {
	return max(1, (records+waldurtest.DefaultPageCap-1)/waldurtest.DefaultPageCap)
}
