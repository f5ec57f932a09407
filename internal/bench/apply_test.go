package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/waldur/terraform-provider-waldur-usage/internal/cli"
	"github.com/waldur/terraform-provider-waldur-usage/internal/cli/clitest"
	"github.com/waldur/terraform-provider-waldur-usage/internal/waldur/waldurtest"
)

// httpProvider is the source address of the provider for comparison.
const httpProvider = "terraform-providers/http"

// scene is what both providers read. A scene without runs is a heading.
type scene struct {
	what     string
	projects int
	list     list // of each project
	server   serverKind
	runs     int
	share    float64 // to reach, of the time with the http provider
}

// BenchmarkApply measures how long an apply from an empty state to one output
// takes with the provider and with the http provider, and how much memory the
// provider needs. It prints a table and is meant to run once.
func BenchmarkApply(b *testing.B) {
	sandbox, err := cli.NewSandbox(b.Context(), cli.Any, b.TempDir(), os.Stderr)
	if err != nil {
		b.Fatal(err)
	}
	build := exec.CommandContext(b.Context(), "go", "tool", "-modfile=../../tools/http/go.mod", "-n", "terraform-provider-http")
	build.Stderr = os.Stderr
	binary, err := build.Output()
	if err := errors.Join(err, sandbox.Add(httpProvider, strings.TrimSpace(string(binary)))); err != nil {
		b.Fatal(err)
	}
	largest := list{10000, 168, even}
	var rows []row
	for _, s := range []scene{
		{what: "`apply` of one list and the sum of its usage, server from October 2024, one request at a time; reference: the http provider, pages of 300"},
		{"24 records, 24 months of 1", 1, list{24, 1, even}, old, 15, 1.10},
		{"288 records, 24 months of 12", 1, list{288, 12, even}, old, 5, 0.80},
		{"2,016 records, 24 months of 84", 1, list{2016, 84, even}, old, 5, 0.75},
		{"2,016 records, 12 months of 168", 1, list{2016, 168, even}, old, 5, 0.75},
		{what: "`apply` of many lists; reference: the http provider, one page for each"},
		{"100 lists of 60 records, current server with 4 workers", 100, list{60, 12, even}, current, 3, 1.00},
		{"200 lists of 24 records, server from October 2024, one request at a time", 200, list{24, 12, even}, old, 3, 1.00},
		{what: "`apply` of one list, server that responds immediately: the time of the CLI, the providers and the fake"},
		{"10 records", 1, list{10, 12, even}, immediate, 15, 1.20},
		{"1,000 records", 1, list{1000, 168, even}, immediate, 15, 1.40},
		{"10,000 records", 1, largest, immediate, 15, 2.10},
	} {
		if s.runs == 0 {
			rows = append(rows, row{what: s.what})
		} else {
			rows = append(rows, s.compare(b, sandbox)...)
		}
	}
	rows = append(rows,
		row{what: "The most memory that a process of the provider had at any time in three runs, its program included"},
		scene{"10,000 records", 1, largest, immediate, 3, 0}.memory(b, sandbox))
	fmt.Print(table(fmt.Sprintf("Time of an apply, with %s %s", sandbox.CLI.Kind, sandbox.CLI.Version), rows))
}

// apply is a configuration that is applied repeatedly.
type apply struct {
	dir    cli.WorkingDir
	server *waldurtest.Waldur
	prints string
}

// prepare installs each provider in a separate folder, as users do once. One
// configuration sums what the data source reads, with the number of concurrent
// requests that the guide recommends for the server. The reference follows pages of
// 300, as a naive client does.
func (s scene) prepare(b *testing.B, sandbox cli.Sandbox) (ours, reference apply) {
	b.Helper()
	server := s.list.serve(s.projects, s.server)
	address := server.Start(b)
	prepare := func(configuration, prints string) apply {
		w := sandbox.WorkingDir(b.TempDir(), "WALDUR_API_URL="+address, "WALDUR_ACCESS_TOKEN="+waldurtest.Token)
		clitest.Write(b, w, "main.tf", configuration)
		clitest.MustRun(b, w, "init", "-no-color")
		return apply{w, server, prints}
	}
	var sum int64
	for _, record := range s.list.records(0) {
		sum += int64(s.projects) * *record.ReportedUsage
	}
	concurrent := 4
	if s.server == old {
		concurrent = 1
	}
	ours = prepare(cli.Required+fmt.Sprintf(`
		provider "waldur" {
		  max_concurrent_requests = %d
		}
		data "waldur_category_component_usages" "project" {
		  for_each     = toset([for project in range(%d) : format("%%032x", project)])
		  project_uuid = each.key
		}
		output "sum" {
		  value = sum(flatten([for project in data.waldur_category_component_usages.project : project.usages[*].reported_usage]))
		}`, concurrent, s.projects), fmt.Sprintf("sum = %d\n", sum))
	reference = prepare(fmt.Sprintf(`
		terraform {
		  required_providers {
		    http = { source = %q }
		  }
		}
		locals {
		  list = "%[2]s/api/marketplace-category-component-usages/?scope=%[2]s/api/projects/%%032x/&page=%%d&page_size=300"
		}
		data "http" "page" {
		  for_each        = toset(flatten([for project in range(%d) : [for page in range(%d) : format(local.list, project, page + 1)]]))
		  url             = each.key
		  request_headers = { Authorization = "Token %s" }
		}
		output "sum" {
		  value = sum(flatten([for page in data.http.page : jsondecode(page.body)[*].reported_usage]))
		}`, httpProvider, address, s.projects, s.list.pages(), waldurtest.Token), "sum = ") // which may be wrong
	return ours, reference
}

// run applies the configuration from an empty state.
func (a apply) run(b *testing.B) (seconds, inFlight float64) {
	b.Helper()
	if err := os.RemoveAll(filepath.Join(a.dir.Dir, "terraform.tfstate")); err != nil {
		b.Fatal(err)
	}
	a.server.Reset()
	start := time.Now()
	printed := clitest.MustRun(b, a.dir, "apply", "-auto-approve", "-no-color")
	seconds = time.Since(start).Seconds()
	if !strings.Contains(printed, a.prints) {
		b.Fatalf("got %q, want %q in it", printed, a.prints)
	}
	return seconds, float64(a.server.InFlight())
}

// compare runs both providers in turn, so that other load on the machine
// affects both. It keeps the fastest run of each, and the most requests at once.
func (s scene) compare(b *testing.B, sandbox cli.Sandbox) []row {
	b.Helper()
	ours, reference := s.prepare(b, sandbox)
	seconds := figures{measured: math.Inf(1), reference: math.Inf(1)}
	inFlight := figures{most: 4}
	for range s.runs {
		took, requests := ours.run(b)
		seconds.measured, inFlight.measured = min(seconds.measured, took), max(inFlight.measured, requests)
		took, requests = reference.run(b)
		seconds.reference, inFlight.reference = min(seconds.reference, took), max(inFlight.reference, requests)
	}
	seconds.most = s.share * seconds.reference
	rows := []row{{s.what, "s", fmt.Sprintf("≤ %.2f ×", s.share), []figures{seconds}}}
	if s.projects > 1 {
		rows = append(rows, row{"– most requests in flight at once", "", "≤ 4", []figures{inFlight}})
	}
	return rows
}

// memory measures the largest resident set of a process of the provider, its
// program included.
func (s scene) memory(b *testing.B, sandbox cli.Sandbox) row {
	b.Helper()
	ours, _ := s.prepare(b, sandbox)
	megabytes := figures{most: 150}
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	// The kernel keeps the peak as long as the process lives, and the CLI ends the
	// provider only after it has processed the list itself.
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	var watch sync.WaitGroup
	watch.Go(func() {
		for ; ctx.Err() == nil; <-look.C {
			megabytes.measured = max(megabytes.measured, residentPeak(filepath.Dir(sandbox.Config)))
		}
	})
	for range s.runs {
		ours.run(b)
	}
	cancel()
	watch.Wait()
	if megabytes.measured == 0 {
		b.Fatal("found no process of the provider in /proc: its memory can be measured on Linux only")
	}
	return row{s.what, "MB", "≤ 150 MB", []figures{megabytes}}
}

// residentPeak returns the megabytes of the largest process whose program is
// below dir.
func residentPeak(dir string) (megabytes float64) {
	programs, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, link := range programs {
		if program, _ := os.Readlink(link); !strings.HasPrefix(program, dir) {
			continue
		}
		status, _ := os.ReadFile(filepath.Join(filepath.Dir(link), "status"))
		if peak := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status); peak != nil {
			kib, _ := strconv.ParseFloat(string(peak[1]), 64)
			megabytes = max(megabytes, kib*1024/1e6)
		}
	}
	return megabytes
}
