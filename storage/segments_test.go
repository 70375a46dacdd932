package storage_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/ward"
)

var (
	cam1 = ward.Source{Kind: ward.FromCamera, ID: "cam-1"}
	t0   = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
)

func segment(n int) ward.Segment {
	start := t0.Add(time.Duration(n) * time.Minute)
	return ward.Segment{
		ID: ward.SegmentID(fmt.Sprintf("seg-%03d", n)), Source: cam1, InstitutionID: "h-1", Start: start, End: start.Add(time.Minute), Media: 59900 * time.Millisecond,
		Clock: ward.CameraClock, CameraOffset: -1500 * time.Millisecond, Codec: ward.H265, Bytes: 12345, SHA256: sha256.Sum256([]byte{byte(n)}),
		Audio: ward.PCMA, Life: "life-1", Mono: time.Duration(n) * time.Minute, KeepUntil: start.AddDate(0, 0, 90),
		Chunks: []ward.Chunk{{Offset: 1200}, {At: 2 * time.Second, Offset: 520_000}, {At: 3960 * time.Millisecond, Offset: 1 << 33}},
	}
}

func TestSegments(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		ctx := t.Context()
		if _, err := s.LastSegment(ctx, cam1); ward.KindOf(err) != ward.NotFound {
			t.Errorf("got %v, want not found", err)
		}
		var stored []ward.Segment
		for n := range 3 {
			g, err := s.CommitSegment(ctx, segment(n))
			if err != nil {
				t.Fatal(err)
			}
			if g.Seq != int64(n+1) || g.Leaf != int64(n) || g.State != ward.Spooled || g.Key != ward.SegmentKey("h-1", cam1, g.Start, g.Seq) {
				t.Errorf("got %+v", g)
			}
			stored = append(stored, g)
		}
		again, err := s.CommitSegment(ctx, segment(1))
		if err != nil || !reflect.DeepEqual(again, stored[1]) {
			t.Errorf("committed again: got %+v, %v, want %+v", again, err, stored[1])
		}
		holey := segment(9)
		holey.Seq = 9
		if _, err = s.CommitSegment(ctx, holey); !errors.Is(err, &ward.Error{Code: "segment.seq"}) {
			t.Errorf("got %v, want segment.seq", err)
		}
		if g, err := s.Segment(ctx, "seg-001"); err != nil || !reflect.DeepEqual(g, stored[1]) {
			t.Errorf("got %+v, %v, want %+v", g, err, stored[1])
		}
		if g, err := s.SegmentStarting(ctx, cam1, stored[2].Start); err != nil || !reflect.DeepEqual(g, stored[2]) {
			t.Errorf("got %+v, %v, want %+v", g, err, stored[2])
		}
		if g, err := s.LastSegment(ctx, cam1); err != nil || !reflect.DeepEqual(g, stored[2]) {
			t.Errorf("got %+v, %v, want %+v", g, err, stored[2])
		}
		between, err := s.SegmentsBetween(ctx, cam1, t0.Add(time.Minute), t0.Add(2*time.Minute))
		if err != nil || len(between) != 1 || !reflect.DeepEqual(between[0], stored[1]) {
			t.Errorf("got %v, %v, want the second only: stretches are half open", between, err)
		}
		for range 2 {
			if err := s.MarkArchived(ctx, "seg-000"); err != nil {
				t.Fatal(err)
			}
		}
		spooled, err := s.SpooledSegments(ctx, 10)
		if err != nil || len(spooled) != 2 || !reflect.DeepEqual(spooled[0], stored[1]) {
			t.Errorf("got %v, %v, want the two others, oldest first", spooled, err)
		}
		all, err := s.AllSegments(ctx, "seg-000", 1)
		if err != nil || len(all) != 1 || all[0].ID != "seg-001" {
			t.Errorf("got %v, %v", all, err)
		}
	})
}

// A long stretch is looked up in parts: none is lost or twice at their bounds.
func TestSegmentsOfALongStretch(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		var stored []ward.Segment
		for n := range 40 {
			g := segment(n)
			g.Start = t0.Add(time.Duration(n) * time.Hour)
			g.End = g.Start.Add(time.Hour + time.Duration(n%3)*20*time.Minute) // some overlap the next
			g, err := s.CommitSegment(t.Context(), g)
			if err != nil {
				t.Fatal(err)
			}
			stored = append(stored, g)
		}
		for _, from := range []time.Duration{-50 * time.Hour, 0, 4 * time.Hour, 4*time.Hour + time.Microsecond, 30 * time.Hour} {
			for _, length := range []time.Duration{0, time.Hour, 8 * time.Hour, 24*time.Hour - time.Microsecond, 24 * time.Hour, 168 * time.Hour} {
				a, b := t0.Add(from), t0.Add(from+length)
				want := slices.DeleteFunc(slices.Clone(stored), func(g ward.Segment) bool { return !g.Start.Before(b) || !g.End.After(a) })
				got, err := s.SegmentsBetween(t.Context(), cam1, a, b)
				if length == 0 {
					want = slices.DeleteFunc(want, func(g ward.Segment) bool { return !g.Start.Before(a) })
				}
				if err != nil || len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
					t.Errorf("from %v for %v: got %d, %v, want %d", from, length, len(got), err, len(want))
				}
			}
		}
	})
}

func TestGaps(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		ctx := t.Context()
		gap := func(from, to int, cause ward.Cause) ward.Gap {
			return ward.Gap{Source: cam1, InstitutionID: "h-1", From: t0.Add(time.Duration(from) * time.Second), To: t0.Add(time.Duration(to) * time.Second), Cause: cause}
		}
		list := func() string {
			all, err := s.GapsBetween(ctx, cam1, t0, t0.Add(time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			text := ""
			for _, g := range all {
				to := "…"
				if !g.To.IsZero() {
					to = fmt.Sprint(g.To.Sub(t0).Seconds())
				}
				text += fmt.Sprintf("%v-%s %s;", g.From.Sub(t0).Seconds(), to, g.Cause)
			}
			return text
		}
		id, err := s.OpenGap(ctx, gap(0, 0, ward.CauseConnecting))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := list(), "0-… connecting;"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		next := gap(2, 0, ward.CauseAuth)
		next.ID = "gap-2"
		for _, old := range []ward.GapID{id, id} { // again is no error
			if _, err = s.TurnGap(ctx, old, next); err != nil {
				t.Fatal(err)
			}
		}
		if err = s.AddGap(ctx, gap(3, 3, ward.CauseLoss)); err != nil { // of no length
			t.Fatal(err)
		}
		if err = s.AddGap(ctx, gap(30, 31, ward.CauseLoss)); err != nil {
			t.Fatal(err)
		}
		last, err := s.LastGap(ctx, cam1)
		if err != nil || last.ID != "gap-2" {
			t.Errorf("got %+v, %v: a loss inside a segment does not count", last, err)
		}
		for _, to := range []int{5, 9} { // the first end stays
			if err = s.CloseGap(ctx, "gap-2", t0.Add(time.Duration(to)*time.Second)); err != nil {
				t.Fatal(err)
			}
		}
		void, err := s.OpenGap(ctx, gap(5, 0, ward.CauseDisk))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.CloseGap(ctx, void, t0.Add(5*time.Second)); err != nil {
			t.Fatal(err)
		}
		if got, want := list(), "0-2 connecting;2-5 auth;30-31 loss;"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestCameras(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		ctx := t.Context()
		for _, id := range []ward.InstitutionID{"h-1", "h-2"} {
			if err := s.PutInstitution(ctx, ward.Institution{ID: id, Name: "医院"}); err != nil {
				t.Fatal(err)
			}
			if err := s.PutPlace(ctx, ward.Place{ID: ward.PlaceID("p-" + id), InstitutionID: id, Name: "窗口", Kind: ward.Charge}); err != nil {
				t.Fatal(err)
			}
		}
		c := ward.Camera{
			ID: "cam-1", InstitutionID: "h-1", PlaceID: "p-h-1", Name: "一号", URL: "rtsp://10.0.0.1/Streaming/Channels/101",
			User: "admin", Password: "p@ss:w/rd", Transport: ward.TransportTCP, Record: ward.RecordAlways, SegmentSeconds: 60, RetentionDays: 30, Enabled: true, Created: t0,
		}
		if err := s.AddCamera(ctx, c); err != nil {
			t.Fatal(err)
		}
		if err := s.AddCamera(ctx, c); !errors.Is(err, &ward.Error{Code: "camera.exists"}) {
			t.Errorf("got %v, want camera.exists", err)
		}
		if got, err := s.Camera(ctx, "cam-1"); err != nil || got != c {
			t.Errorf("got %+v, %v, want %+v", got, err, c)
		}
		c.Name, c.Password, c.Enabled = "二号", "other", false
		if err := s.UpdateCamera(ctx, c); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Camera(ctx, "cam-1"); err != nil || got != c {
			t.Errorf("got %+v, %v, want %+v", got, err, c)
		}
		for n, insts := range map[int][]ward.InstitutionID{1: {"h-1"}, 0: {"h-2"}} {
			if all, err := s.Cameras(ctx, insts); err != nil || len(all) != n {
				t.Errorf("cameras of %v: got %v, %v, want %d", insts, all, err, n)
			}
		}
		for code, spoil := range map[string]func(*ward.Camera){
			"camera.id":              func(c *ward.Camera) { c.ID = "Kamera 1" },
			"camera.name":            func(c *ward.Camera) { c.Name = "" },
			"camera.url":             func(c *ward.Camera) { c.URL = "http://10.0.0.1/" },
			"camera.url_credentials": func(c *ward.Camera) { c.URL = "rtsp://a:b@10.0.0.1/" },
			"camera.transport":       func(c *ward.Camera) { c.Transport = "quic" },
			"camera.segment_seconds": func(c *ward.Camera) { c.SegmentSeconds = 1 },
			"camera.retention_days":  func(c *ward.Camera) { c.RetentionDays = -1 },
			"camera.unknown_place":   func(c *ward.Camera) { c.PlaceID = "p-h-2" },
		} {
			bad := c
			spoil(&bad)
			if err := s.UpdateCamera(ctx, bad); !errors.Is(err, &ward.Error{Kind: ward.Invalid, Code: code}) {
				t.Errorf("got %v, want %s", err, code)
			}
		}
		for _, want := range []ward.Kind{"", ward.NotFound} {
			if err := s.DeleteCamera(ctx, "cam-1"); ward.KindOf(err) != want {
				t.Errorf("got %v, want %q", err, want)
			}
		}
		if _, err := s.Camera(ctx, "cam-1"); ward.KindOf(err) != ward.NotFound {
			t.Errorf("got %v, want not found", err)
		}
	})
}
