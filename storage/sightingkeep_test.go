package storage_test

import (
	"testing"
	"time"

	"wardwatch/internal/testcase"
	"wardwatch/ward"
)

// A picture that was seen by a clock that was behind, and is stored after it
// was set, is kept from when it is stored.
func TestAPictureIsKeptFromWhenItIsStored(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		ctx := t.Context()
		key, _ := w.Picture("v1/h1/snapshots/behind.jpg")
		seen := w.Start.AddDate(-20, 0, 0)
		err := w.Store.PutSighting(ctx, ward.Sighting{ID: "behind", CameraID: "cam-1", PlaceID: "counter", InstitutionID: "h1", Kind: ward.PeopleSeen, From: seen, To: seen, SnapshotKey: key})
		if err != nil {
			t.Fatal(err)
		}
		for after, want := range map[time.Duration]int{0: 0, 29 * day: 0, 31 * day: 1} {
			if due, err := w.Store.DuePictures(ctx, time.Now().Add(after), 10); err != nil || len(due) != want {
				t.Errorf("after %s: %+v, %v, want %d", after, due, err, want)
			}
		}
	})
}
