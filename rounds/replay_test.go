package rounds_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"wardwatch/ingest"
	"wardwatch/rounds"
	"wardwatch/ward"
)

// replays checks that the visit's verdict follows again from what is stored,
// and that it is noticed when a byte of the recording has changed.
func (r *rig) replays(v ward.Visit) {
	r.t.Helper()
	again := &rounds.Replayer{
		Store: r.store, Library: &ingest.Library{Store: r.store, Objects: r.obj, Spool: r.spool, Log: slog.New(slog.DiscardHandler)},
		NewEye: r.engine.NewEye, ReadCodes: readCodes,
	}
	got, err := again.Replay(r.t.Context(), v.ID)
	if err != nil {
		r.t.Fatal(err)
	}
	if got.Guessed || got.Otherwise > 0 || len(got.Differ) > 0 || got.Verdict != v.Verdict && v.DecideBy.IsZero() || got.Pictures < 20 {
		r.t.Errorf("replayed %s as %s from %d pictures, %d otherwise: %q\n%s", v.Verdict, got.Verdict, got.Pictures, got.Otherwise, got.Differ, r.story(v.ID))
	}
	for _, c := range got.Now {
		if slices.Contains(ward.PlaceChecks(), c.Kind) && c.Outcome != r.check(v.ID, c.Kind) {
			r.t.Errorf("%s was %s, is %s", c.Kind, r.check(v.ID, c.Kind), c.Outcome)
		}
	}
	files, err := filepath.Glob(filepath.Join(r.media, "*", "*", "*.mp4"))
	if err != nil || len(files) == 0 {
		r.t.Fatalf("%d files, %v", len(files), err)
	}
	path := files[0]
	b, err := os.ReadFile(path)
	if err != nil {
		r.t.Fatal(err)
	}
	b[len(b)/2] ^= 0xff
	if err := os.WriteFile(path, b, 0o600); err != nil {
		r.t.Fatal(err)
	}
	got, err = again.Replay(r.t.Context(), v.ID)
	if err != nil || !strings.Contains(strings.Join(got.Differ, "\n"), "not the one that was sealed") {
		r.t.Errorf("a changed recording: %q, %v", got.Differ, err)
	}
}
