package notify_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"wardwatch/storage"
	"wardwatch/ward"
	"wardwatch/web/notify"
)

// childEnv makes this test binary the process that is killed: the folder of its catalogue.
const childEnv = "WARDWATCH_TEST_NOTIFY_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		if err := child(context.Background(), dir); err != nil {
			_, _ = fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(tests(m))
}

func tests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "wardwatch-notify-")
	if err == nil {
		defer os.RemoveAll(dir)
		err = trust(dir)
	}
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

func options(dir string) storage.Options {
	return storage.Options{Database: dir + "/catalogue.db", Keys: dir + "/keys"}
}

// child raises alerts, says which are committed, and sends what is to be sent, until it is killed.
func child(ctx context.Context, dir string) error {
	s, err := storage.Open(ctx, options(dir))
	if err != nil {
		return err
	}
	sent := make(chan error, 1)
	go func() {
		sent <- (&notify.Dispatcher{Store: s, Guard: local(), Unencrypted: true, Log: slog.New(slog.DiscardHandler)}).Run(ctx)
	}()
	for range 20 {
		id, err := raise(ctx, s)
		if err != nil {
			return err
		}
		if _, err := fmt.Println(id); err != nil {
			return err
		}
	}
	return <-sent
}

// raise commits one settlement and one alert on it.
func raise(ctx context.Context, s *storage.Store) (ward.AlertID, error) {
	now := time.Now()
	v, _, err := s.AddSettlement(ctx, ward.Settlement{
		InstitutionID: "h1", PlaceID: "p1", ExternalNo: ward.NewID[string](now), InsuredID: "i1", Kind: ward.Outpatient, At: now, AmountFen: 1,
	})
	if err != nil {
		return "", err
	}
	all, _, err := s.Judge(ctx, storage.Judgement{Settlement: v, State: ward.Suspicious, Stage: ward.JudgedFully, Alerts: []ward.Alert{{
		ID: ward.NewID[ward.AlertID](now), InstitutionID: "h1", PlaceID: "p1", Rule: ward.NobodyAtCounter, SettlementID: v.ID, At: now, Raised: now,
		Severity: 2, ClipFrom: now, ClipTo: now, ExplainZH: "无人", ExplainEN: "nobody",
	}}})
	if err != nil {
		return "", err
	}
	return all[0].ID, nil
}

// TestKilledBetweenCommitAndDelivery kills a process while a delivery is under
// way, again and again: every alert that was committed arrives, at least once,
// and for the first time in order.
func TestKilledBetweenCommitAndDelivery(t *testing.T) {
	dir := t.TempDir()
	s, err := storage.Migrate(t.Context(), options(dir))
	must(t, err)
	defer s.Close()
	must(t, s.PutInstitution(t.Context(), ward.Institution{ID: "h1", Name: "第一医院"}))
	must(t, s.PutPlace(t.Context(), ward.Place{ID: "p1", InstitutionID: "h1", Name: "收费窗口", Kind: ward.Charge}))
	const kills = 5
	fatal := make(chan struct{}, kills) // a request came at which the child is to be killed
	r := receive(t, func(n int) int {
		if n%7 != 3 || n >= 7*kills {
			return http.StatusNoContent
		}
		fatal <- struct{}{}
		return 0
	})
	r.endpoint(s, "hook")
	var committed []ward.AlertID
	for range kills {
		cmd := exec.CommandContext(t.Context(), os.Args[0]) //nolint:gosec // this very binary
		cmd.Env = append(os.Environ(), childEnv+"="+dir)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		lines := make(chan ward.AlertID, 100)
		go func() {
			defer close(lines)
			for in := bufio.NewScanner(out); in.Scan(); {
				lines <- ward.AlertID(strings.TrimSpace(in.Text()))
			}
		}()
		select {
		case <-fatal:
		case <-time.After(60 * time.Second):
			t.Fatal("no request came")
		}
		must(t, cmd.Process.Kill())
		for id := range lines {
			committed = append(committed, id)
		}
		_ = cmd.Wait() // it was killed
	}
	arrived(t, s, r, committed)
}

// arrived lets what is left be sent, and compares.
func arrived(t *testing.T, s *storage.Store, r *receiver, committed []ward.AlertID) {
	t.Helper()
	run(t, &notify.Dispatcher{Store: s, Guard: local(), Unencrypted: true})
	until(t, "nothing waits", func() bool {
		left, err := s.Deliveries(t.Context(), "hook", storage.DeliveryFilter{State: ward.DeliveryPending})
		must(t, err)
		return len(left) == 0
	})
	ids, alerts, next := map[string]string{}, map[ward.AlertID]bool{}, 1
	for _, g := range r.seen() {
		if body, again := ids[g.id]; again {
			if body != g.body {
				t.Errorf("event %s came with two bodies", g.id)
			}
			continue // the receiver knows it by its id
		}
		ids[g.id] = g.body
		var e struct {
			Sequence string
			Data     struct{ Alert ward.AlertID }
		}
		must(t, json.Unmarshal([]byte(g.body), &e))
		if e.Sequence != strconv.Itoa(next) {
			t.Errorf("got number %s, want %d", e.Sequence, next)
		}
		next++
		alerts[e.Data.Alert] = true
	}
	for _, id := range committed {
		if !alerts[id] {
			t.Errorf("alert %s was committed and never arrived", id)
		}
	}
	all, _, err := s.Alerts(t.Context(), storage.AlertFilter{Limit: 500})
	must(t, err)
	if len(all) != len(alerts) || len(committed) == 0 {
		t.Errorf("%d alerts stored, %d arrived, %d said to be committed", len(all), len(alerts), len(committed))
	}
	t.Logf("%d alerts, %d requests", len(alerts), len(r.seen()))
}
