package storage_test

import (
	"errors"
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
