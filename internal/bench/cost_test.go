package main

import (
	"os"
	"strings"
	"testing"
)

// The harm otherwise: a change of the plan that makes every list dearer, and a
// document that still tells the old figures.
func TestDesignShowsWhatListsCostTheServer(t *testing.T) {
	t.Parallel()
	measured, err := serverCost(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range measured.groups {
		for _, r := range g.rows {
			if !r.reached() {
				t.Errorf("%s: %s", g.title, strings.Join(r.cells(), " | "))
			}
		}
	}
	design, err := os.ReadFile("../../DESIGN.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(design), measured.String()) {
		t.Errorf("DESIGN.md has other figures than `go run ./internal/bench -quick` prints now:\n%s", measured)
	}
}
