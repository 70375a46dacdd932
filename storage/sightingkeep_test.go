package storage_test

import (
	"testing"
	"time"

	"wardwatch/internal/testcase"
	"wardwatch/ward"
)

// A picture lives as long as its camera's policy says, 30 days here, from when
// it was seen on: also one of a recording that is looked at later, one that
// the database could not take for hours, and one that was seen by a clock that
// was set before it was stored.
func TestAPictureIsKeptFromWhenItWasSeen(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		ctx, now := t.Context(), time.Now()
		for _, c := range []struct {
			id         ward.SightingID
			from, seen time.Time
			days       int // from now on
		}{
			{"recording", now.AddDate(0, 0, -5), time.Time{}, 25},
			{"over", now.AddDate(0, 0, -31), time.Time{}, -1},
			{"live", now, now, 30},
			{"late", now.Add(-6 * time.Hour), now.Add(-6 * time.Hour), 30},
			{"behind", now.AddDate(-20, 0, 0), now.Add(-time.Minute), 30},
			{"ahead", now.AddDate(1, 0, 0), now.Add(-time.Minute), 30},
		} {
			key, _ := w.Picture("v1/h1/snapshots/" + string(c.id) + ".jpg")
			err := w.Store.PutSighting(ctx, ward.Sighting{
				ID: c.id, CameraID: "cam-1", PlaceID: "counter", InstitutionID: "h1", Kind: ward.PeopleSeen, From: c.from, To: c.from, SnapshotKey: key, Seen: c.seen,
			})
			if err != nil {
				t.Fatal(err)
			}
			due := func(after time.Duration) bool {
				all, err := w.Store.DuePictures(ctx, now.Add(after), 100)
				if err != nil {
					t.Fatal(err)
				}
				for _, p := range all {
					if p.ID == c.id {
						return true
					}
				}
				return false
			}
			end := time.Duration(c.days) * day
			if c.id == "late" {
				end -= 6 * time.Hour
			}
			if due(end-5*time.Minute) && c.days > 0 || !due(end+5*time.Minute) {
				t.Errorf("%s: after %s it is due: %t, 10 minutes later: %t", c.id, end-5*time.Minute, due(end-5*time.Minute), due(end+5*time.Minute))
			}
		}
	})
}
