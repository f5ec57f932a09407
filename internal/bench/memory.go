package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// peakMemory runs an apply and returns the most bytes of memory that one process
// of our provider had at any time, as Linux counts it: its program and
// everything else that was resident.
func (w *workshop) peakMemory(ctx context.Context, of scene) (int64, error) {
	s := serve(of.history, of.projects, of.server)
	defer s.close()
	dir, err := w.prepare(ctx, "ours", of.configuration(s, w.ours))
	if err != nil {
		return 0, err
	}
	done := make(chan error, 1)
	go func() {
		_, err := w.time(ctx, s, dir, "apply", of.sum())
		done <- err
	}()
	// The kernel remembers the peak as long as the process lives. The CLI ends
	// the provider only after it has worked through the list itself.
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	var peak int64
	for {
		select {
		case err := <-done:
			if err == nil && peak == 0 {
				err = errors.New("the provider's process was not found below /proc: its memory is measured on Linux only")
			}
			return peak, err
		case <-look.C:
			peak = max(peak, w.residentPeak())
		}
	}
}

// residentPeak looks at the processes that run a program of the workshop.
func (w *workshop) residentPeak() (bytes int64) {
	links, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, link := range links {
		program, err := os.Readlink(link)
		if err != nil || !strings.HasPrefix(program, w.dir) {
			continue
		}
		if peak, err := highWaterMark(filepath.Join(filepath.Dir(link), "status")); err == nil {
			bytes = max(bytes, peak)
		}
	}
	return bytes
}

func highWaterMark(status string) (int64, error) {
	text, err := os.ReadFile(status)
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(text) {
		if value, found := bytes.CutPrefix(line, []byte("VmHWM:")); found {
			kib, err := strconv.ParseInt(string(bytes.TrimSpace(bytes.TrimSuffix(bytes.TrimSpace(value), []byte("kB")))), 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("%s has no VmHWM", status)
}
