package ingest_test

import (
	"database/sql"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wardwatch/ingest"
	"wardwatch/internal/simcam"
	"wardwatch/internal/testcam"
	"wardwatch/storage"
	"wardwatch/storage/spool"
	"wardwatch/ward"
)

// A camera whose stored password cannot be read says so, and the others record.
func TestALostPasswordStopsOneCameraOnly(t *testing.T) {
	t.Parallel()
	sim := testcam.Play(t, simcam.Camera{Path: "cam"})
	database := filepath.Join(t.TempDir(), "catalogue.db")
	s, err := storage.Migrate(t.Context(), storage.Options{Database: database, Keys: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	r := &rig{store: s, logs: newLog()}
	addPlace(t, s)
	lost := camera("lost", sim.URL("cam"))
	lost.User, lost.Password = "u", "geheim"
	addCamera(t, s, lost)
	addCamera(t, s, camera("well", sim.URL("cam")))
	raw, err := sql.Open("sqlite", database)
	if err == nil {
		_, err = raw.ExecContext(t.Context(), `UPDATE camera SET password_sealed = randomblob(34) WHERE id = 'lost'`)
	}
	if err != nil || raw.Close() != nil {
		t.Fatal(err)
	}
	if r.spool, err = spool.Open(t.TempDir(), spool.Options{Reserve: -1}); err != nil {
		t.Fatal(err)
	}
	r.run(t, func(f *ingest.Fleet) { f.Log = slog.New(slog.NewTextHandler(r.logs, nil)) })
	until(t, "the other is recorded", 20*time.Second, func() bool { return len(r.segments(t, "well")) > 0 })
	until(t, "its state says why", 20*time.Second, func() bool {
		st := r.fleet.State("lost")
		return st.Condition == ingest.Down && st.Cause == ward.CauseAuth && strings.Contains(r.logs.String(), "stored password cannot be read")
	})
	until(t, "so does its gap", 20*time.Second, func() bool {
		g := r.gaps(t, "lost")
		return len(g) > 0 && g[len(g)-1].Cause == ward.CauseAuth
	})
	lost.Password = "neu" // typed again; the simulator asks for none
	if err := s.UpdateCamera(t.Context(), lost); err != nil {
		t.Fatal(err)
	}
	until(t, "it is recorded", 20*time.Second, func() bool { return len(r.segments(t, "lost")) > 0 })
}
