package rounds_test

import (
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"wardwatch/internal/simbed"
	"wardwatch/ward"
)

// TestReplaysUnderLoad conducts visits beside six busy loops, so that few
// pictures are looked at, late, and replays each.
func TestReplaysUnderLoad(t *testing.T) {
	visits, _ := strconv.Atoi(os.Getenv("WARDWATCH_REPLAYS"))
	if visits == 0 {
		t.Skip("make replays: minutes; that genuine and failing visits replay alike is part of other tests")
	}
	for range 6 {
		busy := exec.CommandContext(t.Context(), "sh", "-c", "while :; do :; done")
		if err := busy.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() {
			_ = busy.Process.Kill()
			_ = busy.Wait() // killed
		}()
	}
	t.Run("visits", func(t *testing.T) {
		for n := range visits {
			t.Run(strconv.Itoa(n), func(t *testing.T) { // as many at once as -parallel says
				t.Parallel()
				replayed(t, n)
			})
		}
	})
}

// replayed conducts a visit of a kind and replays it.
func replayed(t *testing.T, n int) {
	t.Helper()
	b, name := simbed.Genuine, "franck"
	switch n % 6 {
	case 2:
		b, name = simbed.Impostor, impostor
	case 4:
		b = simbed.Loop
	case 5:
		b = simbed.Frozen
	}
	r := newRig(t, nil)
	r.admit("franck", 125)
	if b == simbed.Genuine || b == simbed.Impostor { // the others hold nothing before the camera
		r.settle()
	}
	link := r.order(time.Hour)
	if _, err := r.answer(link.Token, b, name); err != nil {
		t.Fatalf("%v\n%s", err, r.story(link.Visit.ID))
	}
	v := r.until(link.Visit.ID, 2*sessionMax, func(v ward.Visit) bool { return v.State == ward.VisitDeciding || v.State == ward.VisitSealed })
	if v.State == ward.VisitDeciding { // a busy machine may leave a check unsure
		var err error
		if v, err = r.engine.Decide(t.Context(), v.ID, inspector, ward.Unable, "核对"); err != nil {
			t.Fatal(err)
		}
	}
	r.replays(v)
	t.Logf("%s bedside: %s", b, v.Verdict)
}
