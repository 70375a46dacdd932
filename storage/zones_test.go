package storage_test

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/storage/objects"
	"wardwatch/ward"
)

func triangle(kind ward.ZoneKind) ward.Zone {
	return ward.Zone{Kind: kind, Polygon: []ward.Point{{X: .125}, {X: .75, Y: .25}, {X: .5, Y: 1}}}
}

// Zones are versions, sealed each; the newest counts, for its own camera only.
func TestZones(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		ctx := t.Context()
		counter(t, s)
		cam := ward.Camera{ID: "c1", InstitutionID: "h1", PlaceID: "p1", Name: "一号", URL: "rtsp://192.0.2.1/1", Enabled: true, Created: time.Now().Add(-time.Hour)}
		other := cam
		other.ID = "c2"
		if err := errors.Join(s.AddCamera(ctx, cam), s.AddCamera(ctx, other)); err != nil {
			t.Fatal(err)
		}
		none, err := s.Zones(ctx, "c1")
		if err != nil || none.Version != 0 || none.Zones == nil || len(none.Zones) != 0 {
			t.Errorf("before: %+v, %v", none, err)
		}
		set := func(based int, zones ...ward.Zone) (ward.Zoning, error) {
			return s.SetZones(ctx, ward.Zoning{CameraID: "c1", Zones: zones, By: "u1"}, based)
		}
		first, err := set(0, triangle(ward.StaffZone), triangle(ward.QueueZone))
		if err != nil || first.Version != 1 {
			t.Fatalf("first: %+v, %v", first, err)
		}
		if got, err := s.Zones(ctx, "c1"); err != nil || !reflect.DeepEqual(got, first) {
			t.Errorf("got %+v, %v, want %+v", got, err, first)
		}
		if staff := counterCamera(t, s, "c1").Staff; !staff.Equal(first.At) {
			t.Errorf("staff's zone since %s, want %s", staff, first.At)
		}
		if _, err := set(0, triangle(ward.StaffZone)); !errors.Is(err, &ward.Error{Kind: ward.Conflict, Code: "zone.changed"}) {
			t.Errorf("stale: %v", err)
		}
		if _, err := set(1, ward.Zone{Kind: ward.StaffZone}); ward.KindOf(err) != ward.Invalid {
			t.Errorf("without points: %v", err)
		}
		if _, err := s.SetZones(ctx, ward.Zoning{CameraID: "c9"}, 0); ward.KindOf(err) != ward.NotFound {
			t.Errorf("unknown camera: %v", err)
		}
		second, err := set(1, triangle(ward.CustomerZone))
		if err != nil || second.Version != 2 {
			t.Fatalf("second: %+v, %v", second, err)
		}
		if all, err := s.AllZones(ctx); err != nil || !reflect.DeepEqual(all, []ward.Zoning{second}) {
			t.Errorf("all: %+v, %v", all, err)
		}
		if c := counterCamera(t, s, "c1"); !c.Staff.IsZero() {
			t.Errorf("a zone of the staff after it was removed: %+v", c)
		}
		var sealed struct {
			Version int         `json:"version"`
			Zones   []ward.Zone `json:"zones"`
			By      ward.UserID `json:"by"`
		}
		r, err := s.LatestSealed(ctx, storage.KindZones, "c1/2")
		if err == nil {
			err = r.Into(&sealed)
		}
		if err != nil || sealed.Version != 2 || sealed.By != "u1" || !reflect.DeepEqual(sealed.Zones, second.Zones) {
			t.Errorf("sealed %+v, %v", sealed, err)
		}

		// Another camera of the same id begins without, and counts on.
		cam.Created = time.Time{}
		if err := errors.Join(s.DeleteCamera(ctx, "c1"), s.AddCamera(ctx, cam)); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Zones(ctx, "c1"); err != nil || got.Version != 0 || len(got.Zones) != 0 {
			t.Errorf("inherited %+v, %v", got, err)
		}
		if third, err := set(0, triangle(ward.CustomerZone)); err != nil || third.Version != 3 {
			t.Errorf("third: %+v, %v", third, err)
		}
		objs, err := objects.OpenDir(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		defer objs.Close()
		if report, err := s.Fsck(ctx, storage.Media{Objects: objs}, storage.FsckOptions{}); err != nil || !report.OK() {
			t.Errorf("fsck: %+v, %v", report, err)
		}
	})
}

func counterCamera(t *testing.T, s *storage.Store, id ward.CameraID) storage.CounterCamera {
	t.Helper()
	all, err := s.Counters(t.Context(), []ward.PlaceID{"p1"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all["p1"].Cameras {
		if c.ID == id {
			return c
		}
	}
	t.Fatalf("camera %s is not at its counter: %+v", id, all)
	return storage.CounterCamera{}
}
