package analytics

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"wardwatch/ward"
)

// A catalogue that hangs holds up at most the camera that asks it, and that
// not for ever: the others go on with what was known.
func TestReadingTheRulesHoldsUpNobodyElse(t *testing.T) {
	t.Parallel()
	var m settingsMap
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	known := func(context.Context) ([]ward.RuleSetting, error) { return nil, nil }
	want := m.loiter(t.Context(), known, "h1", log)
	if want != 10*time.Minute {
		t.Fatalf("built in: %v", want)
	}
	m.read = time.Time{}
	entered, gate := make(chan bool), make(chan struct{})
	first, other := make(chan time.Duration, 1), make(chan time.Duration, 1)
	go func() {
		first <- m.loiter(t.Context(), func(ctx context.Context) ([]ward.RuleSetting, error) {
			_, limited := ctx.Deadline()
			entered <- limited
			<-gate
			return nil, context.DeadlineExceeded
		}, "h1", log)
	}()
	if !<-entered {
		t.Error("the read may last for ever")
	}
	go func() { other <- m.loiter(t.Context(), known, "h2", log) }()
	select {
	case got := <-other:
		if got != want {
			t.Errorf("another camera meanwhile: %v", got)
		}
	case <-time.After(time.Minute):
		t.Error("another camera waits for the read")
	}
	close(gate)
	if got := <-first; got != want {
		t.Errorf("after a read that failed: %v", got)
	}
}
