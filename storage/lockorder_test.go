package storage_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"wardwatch/internal/testserver"
	"wardwatch/storage"
	"wardwatch/ward"
)

// lines is a log that goroutines share.
type lines struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// Whatever is judged, corrected, postponed, decided, made a case, blind and reported as an outage at
// the same time, no two transactions wait for each other: PostgreSQL would end one after a second, and it runs again.
func TestTransactionsLockInOneOrder(t *testing.T) {
	var log lines
	s, err := storage.Migrate(t.Context(), storage.Options{
		Database: testserver.Postgres(t), Keys: t.TempDir(), Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	b := newBlinded(t, s)
	const bills, turns = 8, 25
	at := time.Now().Add(-time.Hour)
	for i := range bills {
		if _, _, err := s.AddSettlement(t.Context(), bill(fmt.Sprint(i), at)); err != nil {
			t.Fatal(err)
		}
	}
	var all sync.WaitGroup
	beside := func(what string, f func(turn int) error) {
		all.Go(func() {
			for turn := range turns {
				if err := f(turn); err != nil && ward.KindOf(err) != ward.Conflict {
					t.Errorf("%s: %v", what, err)
				}
			}
		})
	}
	for range 2 {
		beside("judge", func(turn int) error { return judgeAll(t, s, turn) })
	}
	beside("correct", func(turn int) error {
		v := bill(fmt.Sprint(turn%bills), at)
		v.Revision, v.AmountFen = 1+turn/bills, int64(turn)
		_, _, err := s.AddSettlement(t.Context(), v)
		return err
	})
	beside("postpone", func(turn int) error {
		due, err := s.DueSettlements(t.Context(), time.Now().Add(time.Hour), bills)
		var ids []ward.SettlementID
		for i := range due {
			ids = append(ids, due[(i*5+turn)%len(due)].ID)
		}
		if err != nil {
			return err
		}
		return s.PostponeSettlements(t.Context(), ids, at)
	})
	for range 2 {
		beside("decide", func(turn int) error { return decideAll(t, s, turn) })
	}
	beside("make a case", func(turn int) error { return caseOf(t, s, turn) })
	for _, cam := range []ward.CameraID{"c1", "c2"} {
		beside("blind", func(turn int) error { return b.blindFor(ward.BlindID(fmt.Sprint(cam, "-", turn)), cam, turn) })
	}
	beside("report an outage", func(turn int) error {
		o, err := s.ReportOutage(t.Context(), ward.Outage{InstitutionID: "h1", Places: []ward.PlaceID{"p1"}, From: b.at(-4000 + turn), To: b.at(3600), Reason: "检修", By: "u1"})
		if err != nil {
			return err
		}
		_, err = s.StepOutage(t.Context(), o.ID, o.Version, []ward.OutageAction{ward.OutageAccept, ward.OutageRefuse}[turn%2], "u2", "看过单据")
		return err
	})
	all.Wait()
	if got := log.text.String(); strings.Contains(got, "runs again") {
		t.Error(got)
	}
}

// blindFor lets a camera be blind for two minutes around the bills.
func (b blinded) blindFor(id ward.BlindID, cam ward.CameraID, turn int) error {
	from := -3660 + turn
	if err := b.OpenBlind(b.t.Context(), blindPeriod(id, cam, ward.Covered, b.at(from))); err != nil {
		return err
	}
	if _, err := b.SeenBlind(b.t.Context(), b.at(from+90), id); err != nil {
		return err
	}
	return b.CloseBlind(b.t.Context(), id, b.at(from+120), ward.BlindPicture{}, "")
}

func judgeAll(t *testing.T, s *storage.Store, turn int) error {
	due, err := s.DueSettlements(t.Context(), time.Now().Add(time.Hour), 500)
	var js []storage.Judgement
	for i, v := range due {
		j := storage.Judgement{Settlement: v, State: ward.Clear, Stage: ward.JudgedFully}
		if (i+turn)%3 > 0 {
			j.State, j.Alerts = ward.Suspicious, []ward.Alert{alertOn(v, ward.NobodyAtCounter)}
		}
		js = append(js, j)
	}
	if err != nil || len(js) == 0 {
		return err
	}
	_, _, err = s.Judge(t.Context(), js...)
	return err
}

func decideAll(t *testing.T, s *storage.Store, turn int) error {
	as, _, err := s.Alerts(t.Context(), storage.AlertFilter{})
	for _, a := range as {
		next := ward.AlertTake
		if a.State == ward.AlertTaken {
			next = ward.AlertRelease
		}
		if _, err := s.StepAlert(t.Context(), a.ID, a.Version, step(next, "u1", fmt.Sprint(turn))); err != nil && ward.KindOf(err) != ward.Conflict {
			return err
		}
	}
	return err
}

// caseOf makes a case of two alerts and the settlement of one.
func caseOf(t *testing.T, s *storage.Store, turn int) error {
	as, _, err := s.Alerts(t.Context(), storage.AlertFilter{})
	if err != nil || len(as) < 2 {
		return err
	}
	a, b := as[turn%len(as)], as[(turn*3+1)%len(as)]
	if a.ID == b.ID {
		return nil
	}
	items := []ward.Evidence{{Kind: ward.EvidenceAlert, Ref: string(a.ID)}, {Kind: ward.EvidenceAlert, Ref: string(b.ID)}}
	if a.SettlementID != "" { // an alert about a blind camera has none
		items = append(items, ward.Evidence{Kind: ward.EvidenceSettlement, Ref: string(a.SettlementID)})
	}
	_, err = s.OpenCase(t.Context(), ward.Case{InstitutionID: "h1", Title: "x"}, items, ward.User{ID: "u1", Role: ward.Inspector})
	return err
}
