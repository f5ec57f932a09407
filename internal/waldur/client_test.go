package waldur

import (
	"context"
	"errors"
	"testing"
	"time"
)

// Ctrl-C must end a wait of 20 seconds at once.
func TestSleepEndsWithTheContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := (systemClock{}).Sleep(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestSleepWaits(t *testing.T) {
	t.Parallel()
	clock := systemClock{}
	began := clock.Now()
	if err := clock.Sleep(t.Context(), time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if slept := clock.Now().Sub(began); slept < time.Millisecond {
		t.Errorf("slept %s", slept)
	}
}
