package storage_test

import (
	"testing"
	"time"
	_ "time/tzdata"

	"wardwatch/internal/testcase"
	"wardwatch/ward"
)

// A day is one in Asia/Shanghai, of 24 hours, wherever the server is: in New
// York clocks go back on 2026-11-01 and forward on 2026-03-08.
func TestCoverageOfADayInAnotherZone(t *testing.T) {
	ny, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	was := time.Local
	time.Local = ny //nolint:gosmopolitan // what the server's zone is
	t.Cleanup(func() { time.Local = was })
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		ctx := t.Context()
		china := time.FixedZone("", 8*3600)
		src := ward.Source{Kind: ward.FromCamera, ID: "cam-2"}
		first := time.Date(2026, 3, 7, 0, 0, 0, 0, china)
		if err := w.Store.AddCamera(ctx, ward.Camera{
			ID: "cam-2", InstitutionID: "h1", PlaceID: "counter", Name: "x", URL: "rtsp://127.0.0.1/2", SegmentSeconds: 60, RetentionDays: 30, Enabled: true, Created: first,
		}); err != nil {
			t.Fatal(err)
		}
		for _, day := range []time.Time{first, time.Date(2026, 10, 31, 0, 0, 0, 0, china)} {
			for at := day; at.Before(day.AddDate(0, 0, 3)); at = at.Add(6 * time.Hour) {
				w.Record(src, at.In(ny), 6*time.Hour-time.Minute, true)
				if err := w.Store.AddGap(ctx, ward.Gap{Source: src, InstitutionID: "h1", From: at.Add(6*time.Hour - time.Minute).In(ny), To: at.Add(6 * time.Hour).In(ny), Cause: ward.CauseDisk}); err != nil {
					t.Fatal(err)
				}
			}
			got, err := w.Store.Coverage(ctx, nil, []ward.CameraID{"cam-2"}, day.In(ny), day.AddDate(0, 0, 3).In(ny), day.AddDate(0, 0, 10).In(ny))
			if err != nil || len(got) != 3 {
				t.Fatalf("%d days, %v", len(got), err)
			}
			for i, c := range got {
				if !c.Day.Equal(day.AddDate(0, 0, i)) || c.Expected != 24*time.Hour || c.Recorded != 24*time.Hour-4*time.Minute || c.Gap != 4*time.Minute {
					t.Errorf("%s: %+v", day.AddDate(0, 0, i), c)
				}
			}
		}
	})
}
