package analytics_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"wardwatch/analytics"
	"wardwatch/internal/testserver"
	"wardwatch/storage"
	"wardwatch/storage/objects"
	"wardwatch/ward"
)

// judgingHome is where TestJudgingProcess finds its keys and pictures, and
// judgingDatabase its catalogue.
const judgingHome, judgingDatabase = "WARDWATCH_TEST_JUDGING_HOME", "WARDWATCH_TEST_JUDGING_DATABASE"

// TestAnotherProcessJudgesWhenOneIsKilled reports settlements out of order to
// two processes on one PostgreSQL and kills the one that judges: what stands in the
// end is what one alone finds.
func TestAnotherProcessJudgesWhenOneIsKilled(t *testing.T) {
	home, database := t.TempDir(), testserver.Postgres(t)
	store, err := storage.Migrate(t.Context(), storage.Options{Database: database, Keys: filepath.Join(home, "keys")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	var reports []report
	for no := range 40 { // whoever uses the third card and more fires: late reports change who that is
		reports = append(reports, report{no: no, at: 100 + 5*float64((no*17)%40), who: ward.InsuredID(fmt.Sprintf("i%d", (no*17)%40/2))})
	}
	begin := func(s *scene) {
		s.saw(watched(0, 900), people(90, 350), face(1, 90, 350))
		s.set(ward.BatchSwiping, "", ward.RuleLive, map[string]float64{"within": 60})
	}
	alone := newScene(t)
	begin(alone)
	for _, v := range reports {
		alone.report(v)
		alone.pass(900)
	}
	want := alone.standing()
	if len(want) < 20 {
		t.Fatalf("only %v stand", want)
	}

	s := newSceneIn(t, store)
	begin(s)
	child := exec.Command(os.Args[0], "-test.run=^TestJudgingProcess$")
	child.Env = append(os.Environ(), judgingHome+"="+home, judgingDatabase+"="+database)
	out, err := child.StdoutPipe()
	s.must(err)
	s.must(child.Start())
	var once sync.Once
	kill := func() { once.Do(func() { _ = child.Process.Kill(); _ = child.Wait() }) }
	var lines atomic.Int64
	var wg sync.WaitGroup
	defer wg.Wait()
	defer kill()
	wg.Go(func() {
		for in := bufio.NewScanner(out); in.Scan(); {
			lines.Add(1)
		}
	})
	judged := func(n int) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); ; <-time.After(20 * time.Millisecond) {
			s.mu.Lock()
			told := len(s.told)
			s.mu.Unlock()
			if int(lines.Load())+told >= n {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("the other process tells of %d, this one of %d", lines.Load(), told)
			}
		}
	}
	s.report(reports[0])
	judged(1) // by the other: it holds the lease
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	wg.Go(func() { _ = s.c.Run(ctx) }) // it always ends with nil
	for _, v := range reports[1:20] {
		s.report(v)
	}
	judged(10) // and, unless the machine stands still, by the other
	kill()
	for _, v := range reports[20:] {
		s.report(v)
	}
	for deadline := time.Now().Add(time.Minute); ; <-time.After(50 * time.Millisecond) {
		list, err := store.DueSettlements(t.Context(), time.Now(), 1)
		s.must(err)
		if len(list) == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s still waits", list[0].ID)
		}
	}
	if got := s.standing(); !slices.Equal(got, want) {
		t.Errorf("two processes find %v, one alone %v", got, want)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.told) == 0 {
		t.Error("the second process judged nothing")
	}
}

// TestJudgingProcess is the process that TestAnotherProcessJudgesWhenOneIsKilled kills.
func TestJudgingProcess(t *testing.T) {
	home, database := os.Getenv(judgingHome), os.Getenv(judgingDatabase)
	if home == "" {
		return
	}
	store, err := storage.Open(t.Context(), storage.Options{Database: database, Keys: filepath.Join(home, "keys")})
	if err != nil {
		t.Fatal(err)
	}
	dir, err := objects.OpenDir(filepath.Join(home, "objects"))
	if err != nil {
		t.Fatal(err)
	}
	c := &analytics.Correlator{
		Store: store, Objects: dir, Log: newScene(t).c.Log,
		Notify: func(kind, id string, _ ward.InstitutionID) { fmt.Println(kind, id) },
	}
	_ = c.Run(context.Background()) // until it is killed
}
