package storage_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/ward"
)

func blindPeriod(id ward.BlindID, cam ward.CameraID, cause ward.BlindCause, from time.Time) ward.BlindPeriod {
	return ward.BlindPeriod{
		ID: id, CameraID: cam, PlaceID: "p1", InstitutionID: "h1", Cause: cause, From: from,
		Before: ward.BlindPicture{Sighting: "v1", SHA256: [32]byte{1}}, At: ward.BlindPicture{Sighting: "v2", SHA256: [32]byte{2}},
	}
}

func TestBlindPeriods(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		ctx := t.Context()
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		counter(t, s)
		now := time.Now().UTC().Truncate(time.Second)
		from := now.Add(-time.Minute)
		first := blindPeriod("b1", "c1", ward.Covered, from)
		must(s.OpenBlind(ctx, first))
		must(s.OpenBlind(ctx, first))                                          // tried again
		must(s.OpenBlind(ctx, blindPeriod("b1x", "c1", ward.Covered, now)))    // lasts already
		must(s.OpenBlind(ctx, blindPeriod("b2", "c1", ward.WrongClock, from))) // another cause
		must(s.OpenBlind(ctx, blindPeriod("b3", "c2", ward.SignalLost, from)))
		if err := s.OpenBlind(ctx, ward.BlindPeriod{}); err == nil {
			t.Error("a period of nothing")
		}
		ids := func(list []ward.BlindPeriod, err error) (ids []ward.BlindID) {
			t.Helper()
			must(err)
			for _, b := range list {
				ids = append(ids, b.ID)
			}
			return ids
		}
		if got := ids(s.LastingBlind(ctx, "")); !slices.Equal(got, []ward.BlindID{"b1", "b2", "b3"}) {
			t.Errorf("lasting: %v", got)
		}
		if lasts, err := s.SeenBlind(ctx, now, "b1", "b0"); err != nil || !slices.Equal(lasts, []ward.BlindID{"b1"}) {
			t.Errorf("seen: %v, %v", lasts, err)
		}
		to := from.Add(30 * time.Second)
		after := ward.BlindPicture{Sighting: "v3", SHA256: [32]byte{3}}
		must(s.CloseBlind(ctx, "b1", to, after, ""))
		must(s.CloseBlind(ctx, "b1", now, ward.BlindPicture{}, "u1")) // closed already
		got, err := s.BlindPeriod(ctx, "b1")
		must(err)
		first.To, first.After = to, after
		first.Found, first.Seen, first.Leaf = got.Found, now, got.Leaf
		if got != first || got.Found.Sub(now).Abs() > time.Minute {
			t.Errorf("got %+v, want %+v", got, first)
		}
		if lasts, err := s.SeenBlind(ctx, now, "b1"); err != nil || len(lasts) > 0 {
			t.Errorf("a closed one lasts: %v, %v", lasts, err)
		}
		sealed, err := s.SealedOf(ctx, storage.KindBlind, "b1")
		must(err)
		if len(sealed) != 2 {
			t.Errorf("%d sealed records", len(sealed))
		}

		at, err := s.BlindAt(ctx, []ward.PlaceID{"p1", "p2"}, from.Add(40*time.Second), now)
		if got := ids(at["p1"], err); !slices.Equal(got, []ward.BlindID{"b2", "b3"}) {
			t.Errorf("after the first: %v", got)
		}
		at, err = s.BlindAt(ctx, []ward.PlaceID{"p1"}, from.Add(-time.Hour), from.Add(-time.Second))
		if got := ids(at["p1"], err); got != nil {
			t.Errorf("before all: %v", got)
		}
		list, next, err := s.BlindPeriods(ctx, storage.BlindFilter{Institutions: []ward.InstitutionID{"h1"}, Limit: 2})
		if got := ids(list, err); !slices.Equal(got, []ward.BlindID{"b3", "b2"}) || next != "b2" {
			t.Errorf("first page: %v, %q", got, next)
		}
		list, next, err = s.BlindPeriods(ctx, storage.BlindFilter{Before: next})
		if got := ids(list, err); !slices.Equal(got, []ward.BlindID{"b1"}) || next != "" {
			t.Errorf("second page: %v, %q", got, next)
		}
		list, _, err = s.BlindPeriods(ctx, storage.BlindFilter{Camera: "c1", Cause: ward.WrongClock, Lasting: true})
		if got := ids(list, err); !slices.Equal(got, []ward.BlindID{"b2"}) {
			t.Errorf("filtered: %v", got)
		}
		list, _, err = s.BlindPeriods(ctx, storage.BlindFilter{Institutions: []ward.InstitutionID{}})
		if got := ids(list, err); got != nil {
			t.Errorf("of no institution: %v", got)
		}
		if _, err := s.BlindPeriod(ctx, "none"); !errors.Is(err, &ward.Error{Kind: ward.NotFound, Code: "blind.unknown"}) {
			t.Errorf("unknown: %v", err)
		}
	})
}

func TestASceneIsLearnedAnew(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		ctx, now := t.Context(), time.Now()
		for _, b := range []ward.BlindPeriod{blindPeriod("b1", "c1", ward.Moved, now), blindPeriod("b2", "c1", ward.SignalLost, now), blindPeriod("b3", "c2", ward.Moved, now)} {
			if err := s.OpenBlind(ctx, b); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			if err := s.SetScene(ctx, "c1", []byte(`{"views":[]}`)); err != nil {
				t.Fatal(err)
			}
		}
		if scene, err := s.Scene(ctx, "c1"); err != nil || string(scene) != `{"views":[]}` {
			t.Errorf("scene %s, %v", scene, err)
		}
		if n, err := s.LearnAnew(ctx, "c1", "u1"); err != nil || n != 1 {
			t.Errorf("ended %d, %v", n, err)
		}
		if scene, err := s.Scene(ctx, "c1"); err != nil || scene != nil {
			t.Errorf("scene %s, %v", scene, err)
		}
		b, err := s.BlindPeriod(ctx, "b1")
		if err != nil || b.To.IsZero() || b.EndedBy != "u1" {
			t.Errorf("got %+v, %v", b, err)
		}
		if list, err := s.LastingBlind(ctx, ""); err != nil || len(list) != 2 {
			t.Errorf("lasting %v, %v", list, err)
		}
	})
}

// TestBlindnessFoundLateIsJudgedAgain: what was judged by pictures that turn
// out to show nothing is judged once more.
func TestBlindnessFoundLateIsJudgedAgain(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		ctx, now := t.Context(), time.Now().UTC().Truncate(time.Millisecond)
		counter(t, s)
		v, _, err := s.AddSettlement(ctx, bill("a", now))
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.Judge(ctx, storage.Judgement{Settlement: v, State: ward.Clear, Stage: ward.JudgedFully}); err != nil {
			t.Fatal(err)
		}
		before, err := s.Settlement(ctx, v.ID)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.OpenBlind(ctx, blindPeriod("b1", "c1", ward.Covered, now.Add(-2*time.Second))); err != nil {
			t.Fatal(err)
		}
		after, err := s.Settlement(ctx, v.ID)
		if err != nil || after.Version == before.Version {
			t.Errorf("it does not wait: %+v, %v", after, err)
		}
	})
}

func TestSilentCameras(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		ctx, now := t.Context(), time.Now().UTC().Truncate(time.Second)
		counter(t, s)
		for _, c := range []struct {
			id      ward.CameraID
			enabled bool
			cause   ward.Cause
			age     time.Duration
		}{{"lost", true, ward.CauseUnreachable, 10 * time.Second}, {"young", true, ward.CauseUnreachable, time.Second}, {"ours", true, ward.CauseDisk, time.Minute}, {"off", false, ward.CauseStalled, time.Minute}} {
			cam := ward.Camera{ID: c.id, InstitutionID: "h1", PlaceID: "p1", Name: string(c.id), URL: "rtsp://127.0.0.1:1/" + string(c.id), Enabled: c.enabled}
			if err := s.AddCamera(ctx, cam); err != nil {
				t.Fatal(err)
			}
			gap := ward.Gap{Source: ward.Source{Kind: ward.FromCamera, ID: string(c.id)}, InstitutionID: "h1", From: now.Add(-c.age), Cause: c.cause}
			if _, err := s.OpenGap(ctx, gap); err != nil {
				t.Fatal(err)
			}
		}
		got, err := s.SilentCameras(ctx, now.Add(-5*time.Second))
		if err != nil || len(got) != 1 || got[0].Camera.ID != "lost" || got[0].Camera.PlaceID != "p1" || !got[0].From.Equal(now.Add(-10*time.Second)) {
			t.Errorf("got %+v, %v", got, err)
		}
	})
}
