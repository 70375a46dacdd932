package storage_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/ward"
)

// TestCameraKeepsItsInstitution: recordings are found by the camera's id, so
// neither a move nor a deleted camera's id may bring it to another institution.
func TestCameraKeepsItsInstitution(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		ctx := t.Context()
		camera := func(id ward.CameraID, inst ward.InstitutionID) ward.Camera {
			return ward.Camera{ID: id, InstitutionID: inst, PlaceID: ward.PlaceID("p-" + inst), Name: "一号", URL: "rtsp://192.0.2.1/1"}
		}
		var errs []error
		for _, id := range []ward.InstitutionID{"h-1", "h-2"} {
			errs = append(errs,
				s.PutInstitution(ctx, ward.Institution{ID: id, Name: "医院"}),
				s.PutPlace(ctx, ward.Place{ID: ward.PlaceID("p-" + id), InstitutionID: id, Name: "窗口", Kind: ward.Charge}))
		}
		errs = append(errs, s.AddCamera(ctx, camera("cam-1", "h-1")), s.AddCamera(ctx, camera("cam-2", "h-1")), s.AddCamera(ctx, camera("cam-3", "h-1")))
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		if err := s.UpdateCamera(ctx, camera("cam-1", "h-2")); !errors.Is(err, &ward.Error{Kind: ward.Conflict, Code: "camera.institution"}) {
			t.Errorf("moved: %v", err)
		}
		if err := s.UpdateCamera(ctx, camera("cam-9", "h-2")); !errors.Is(err, &ward.Error{Kind: ward.NotFound}) {
			t.Errorf("unknown: %v", err)
		}
		_, err := s.CommitSegment(ctx, segment(0)) // of cam-1
		err = errors.Join(err, s.AddGap(ctx, ward.Gap{Source: ward.Source{Kind: ward.FromCamera, ID: "cam-2"}, InstitutionID: "h-1", From: t0, To: t0.Add(time.Minute), Cause: ward.CauseDisk}))
		for _, id := range []ward.CameraID{"cam-1", "cam-2", "cam-3"} {
			err = errors.Join(err, s.DeleteCamera(ctx, id))
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range []ward.CameraID{"cam-1", "cam-2"} {
			if err := s.AddCamera(ctx, camera(id, "h-2")); !errors.Is(err, &ward.Error{Kind: ward.Conflict, Code: "camera.exists"}) {
				t.Errorf("%s taken over: %v", id, err)
			}
			if err := s.AddCamera(ctx, camera(id, "h-1")); err != nil {
				t.Errorf("%s added again: %v", id, err)
			}
		}
		if err := s.AddCamera(ctx, camera("cam-3", "h-2")); err != nil {
			t.Errorf("cam-3, which recorded nothing: %v", err)
		}
	})
}

// TestImportCameras adds and changes cameras in batches, on both engines, and
// refuses what no longer is as it was planned.
func TestImportCameras(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		ctx := t.Context()
		err := errors.Join(
			s.PutInstitution(ctx, ward.Institution{ID: "h-1", Name: "医院"}), s.PutInstitution(ctx, ward.Institution{ID: "h-2", Name: "诊所"}),
			s.PutPlace(ctx, ward.Place{ID: "p-h-1", InstitutionID: "h-1", Name: "窗口", Kind: ward.Charge}))
		if err != nil {
			t.Fatal(err)
		}
		im := storage.CameraImport{Places: []ward.Place{{ID: "p-new", InstitutionID: "h-2", Name: "药房", Kind: ward.Pharmacy}}}
		for i := range 250 {
			c := ward.Camera{ID: ward.CameraID(fmt.Sprintf("c-%03d", i)), InstitutionID: "h-1", PlaceID: "p-h-1", Name: "甲", URL: "rtsp://192.0.2.1/1", Password: "pw"}
			if i%2 == 0 {
				c.InstitutionID, c.PlaceID = "h-2", "p-new"
			}
			im.Add = append(im.Add, c)
		}
		if err := s.ImportCameras(ctx, im); err != nil {
			t.Fatal(err)
		}
		all, err := s.Cameras(ctx, nil)
		if err != nil || len(all) != 250 || all[7].Password != "pw" || all[7].Record != ward.RecordAlways || all[7].Created.IsZero() {
			t.Fatalf("%d cameras, %v: %+v", len(all), err, all[7])
		}
		var change storage.CameraImport
		for _, c := range all {
			to := c
			to.Name, to.Password, to.SubURL = "乙", "neu", "rtsp://192.0.2.1/2"
			change.Change = append(change.Change, storage.CameraChange{Was: c, To: to})
		}
		if err := s.ImportCameras(ctx, change); err != nil {
			t.Fatal(err)
		}
		got, err := s.Camera(ctx, "c-200")
		if err != nil || got != change.Change[200].To {
			t.Errorf("got %+v, want %+v, %v", got, change.Change[200].To, err)
		}
		stale := &ward.Error{Kind: ward.Conflict, Code: "import.stale"}
		if err := s.ImportCameras(ctx, change); !errors.Is(err, stale) {
			t.Errorf("the same change again: %v", err)
		}
		if err := s.ImportCameras(ctx, storage.CameraImport{Add: im.Add[:1]}); !errors.Is(err, stale) {
			t.Errorf("added again: %v", err)
		}
		elsewhere := im.Add[1]
		elsewhere.ID, elsewhere.PlaceID = "c-new", "p-new"
		if err := s.ImportCameras(ctx, storage.CameraImport{Add: []ward.Camera{elsewhere}}); !errors.Is(err, stale) {
			t.Errorf("at another institution's place: %v", err)
		}
		_, err = s.CommitSegment(ctx, segment(0)) // of cam-1, in h-1
		taken, err2 := s.CameraIDsTaken(ctx, []ward.CameraID{"cam-1", "c-1"})
		if err != nil || err2 != nil || len(taken) != 1 || len(taken["cam-1"]) != 1 {
			t.Errorf("taken: %v, %v, %v", taken, err, err2)
		}
		thief := ward.Camera{ID: "cam-1", InstitutionID: "h-2", PlaceID: "p-new", Name: "丙", URL: "rtsp://192.0.2.1/1"}
		if err := s.ImportCameras(ctx, storage.CameraImport{Add: []ward.Camera{thief}}); !errors.Is(err, stale) {
			t.Errorf("another institution's recordings: %v", err)
		}
	})
}
