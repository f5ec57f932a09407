package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/waldur/terraform-provider-waldur-usage/internal/cli"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// workshop is a temporary folder from which a CLI installs both providers, ours
// and the one for comparison, without a network.
type workshop struct {
	sandbox   cli.Sandbox
	dir       string
	ours      string // source addresses
	reference string
}

func newWorkshop(ctx context.Context) (*workshop, error) {
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return nil, err
	}
	w := &workshop{dir: dir, ours: "waldur/waldur-usage"}
	if err := w.install(ctx); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

func (w *workshop) close() { _ = os.RemoveAll(w.dir) }

func (w *workshop) install(ctx context.Context) (err error) {
	if w.sandbox, err = cli.NewSandbox(ctx, cli.Any, w.dir, os.Stderr); err != nil {
		return err
	}
	reference, err := w.buildReference(ctx)
	if err != nil {
		return err
	}
	if w.reference, err = cli.Source(reference); err != nil {
		return err
	}
	return w.sandbox.Add(reference, "1.2.0")
}

// buildReference builds the http provider, with the dependencies of its own
// release, from a module of its own.
func (w *workshop) buildReference(ctx context.Context) (string, error) {
	const module = "github.com/terraform-providers/terraform-provider-http"
	binary := filepath.Join(w.dir, filepath.Base(module))
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-o", binary, module)
	build.Dir = filepath.Join("tools", "http")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the http provider: %w\n%s", err, out)
	}
	return binary, nil
}

// scene is what both providers are to read.
type scene struct {
	history  lengths // of each project
	projects int
	server   func(*waldurtest.Waldur)
}

// pair is what both providers took for the same scene.
type pair struct{ ours, reference trip }

// trip is one run of the CLI.
type trip struct {
	took                  time.Duration
	connections, inFlight int
}

// worse keeps the least time, and the most of everything else, of two runs.
func (t trip) worse(other trip) trip {
	return trip{min(t.took, other.took), max(t.connections, other.connections), max(t.inFlight, other.inFlight)}
}

// race lets both providers do the same in turn, so that what else the machine
// does meets both, and keeps the fastest run of each.
func (w *workshop) race(ctx context.Context, command string, of scene, runs int) (pair, error) {
	s := serve(of.history, of.projects, of.server)
	defer s.close()
	ours, err := w.prepare(ctx, "ours", of.configuration(s, w.ours))
	if err != nil {
		return pair{}, err
	}
	reference, err := w.prepare(ctx, "reference", of.referenceConfiguration(s, w.reference))
	if err != nil {
		return pair{}, err
	}
	var fastest pair
	for run := range runs {
		var one pair
		if one.ours, err = w.time(ctx, s, ours, command, of.sum()); err != nil {
			return pair{}, err
		}
		// Its sum is not looked at: by pages of 300, it may well be wrong.
		if one.reference, err = w.time(ctx, s, reference, command, "sum = "); err != nil {
			return pair{}, err
		}
		if run == 0 {
			fastest = one
		}
		fastest = pair{fastest.ours.worse(one.ours), fastest.reference.worse(one.reference)}
	}
	return fastest, nil
}

// prepare makes a working folder and installs the provider into it, as people
// do once.
func (w *workshop) prepare(ctx context.Context, name, configuration string) (cli.WorkingDir, error) {
	dir := w.sandbox.WorkingDir(filepath.Join(w.dir, name))
	if err := errors.Join(os.RemoveAll(dir.Dir), dir.Write("main.tf", configuration)); err != nil {
		return dir, err
	}
	_, err := dir.MustRun(ctx, "init", "-no-color")
	return dir, err
}

// time runs the CLI from an empty state and wants to see the sum.
func (w *workshop) time(ctx context.Context, s *site, dir cli.WorkingDir, command, sum string) (trip, error) {
	state := filepath.Join(dir.Dir, "terraform.tfstate")
	if err := errors.Join(os.RemoveAll(state), os.RemoveAll(state+".backup")); err != nil {
		return trip{}, err
	}
	s.Reset()
	start := time.Now()
	out, err := dir.MustRun(ctx, arguments(command)...)
	took := time.Since(start)
	if err == nil && !strings.Contains(out, sum) {
		err = fmt.Errorf("%s shows no %q:\n%s", command, sum, out)
	}
	return trip{took, s.Connections(), s.InFlight()}, err
}

func arguments(command string) []string {
	if command == "apply" {
		return []string{command, "-auto-approve", "-no-color"}
	}
	return []string{command, "-no-color"}
}

// sum is how the CLI shows the sum of all records.
func (of scene) sum() string {
	return fmt.Sprintf("sum = %d", int64(of.projects)*of.history.sum())
}

// configuration sums what our data source reads.
func (of scene) configuration(s *site, source string) string {
	var uuids []string
	for project := range of.projects {
		uuids = append(uuids, projectUUID(project))
	}
	return fmt.Sprintf(`terraform {
  required_providers {
    waldur = {
      source = %q
    }
  }
}

provider "waldur" {
  endpoint = %q
  token    = %q
}

data "waldur_category_component_usages" "project" {
  for_each     = toset(%s)
  project_uuid = each.key
}

output "sum" {
  value = sum(flatten([for project in data.waldur_category_component_usages.project : project.usages[*].reported_usage]))
}
`, source, s.url, waldurtest.Token, list(uuids))
}

// referenceConfiguration sums what pages of 300 hold.
func (of scene) referenceConfiguration(s *site, source string) string {
	var urls []string
	for project := range of.projects {
		for page := range pages(of.history.total()) {
			urls = append(urls, s.plainURL(project, page+1))
		}
	}
	return fmt.Sprintf(`terraform {
  required_providers {
    http = {
      source = %q
    }
  }
}

data "http" "page" {
  for_each = toset(%s)
  url      = each.key
  request_headers = {
    Authorization = "Token %s"
  }
}

output "sum" {
  value = sum(flatten([for page in data.http.page : jsondecode(page.body)[*].reported_usage]))
}
`, source, list(urls), waldurtest.Token)
}

func list(texts []string) string {
	var quoted []string
	for _, text := range texts {
		quoted = append(quoted, fmt.Sprintf("%q", text))
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
