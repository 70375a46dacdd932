package storage_test

import (
	"errors"
	"path/filepath"
	"testing"

	"wardwatch/internal/testserver"
	"wardwatch/storage"
	"wardwatch/ward"
)

// Under another seal.key, cameras come back, with or without their password;
// none loses what is stored of it by a change of something else.
func TestPasswordsUnderAnotherKey(t *testing.T) {
	t.Parallel()
	for name, database := range map[string]string{"sqlite": filepath.Join(t.TempDir(), "catalogue.db"), "postgres": testserver.Postgres(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			open := func(keys string) *storage.Store {
				s, err := storage.Migrate(ctx, storage.Options{Database: database, Keys: keys})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() {
					if err := s.Close(); err != nil {
						t.Error(err)
					}
				})
				return s
			}
			first := t.TempDir()
			was, is := open(first), open(t.TempDir())
			camera := func(id ward.CameraID, password ward.Secret) ward.Camera {
				return ward.Camera{ID: id, InstitutionID: "h-1", PlaceID: "p-1", Name: "一号", URL: "rtsp://192.0.2.1/1", User: "u", Password: password}
			}
			err := errors.Join(was.PutInstitution(ctx, ward.Institution{ID: "h-1", Name: "医院"}),
				was.PutPlace(ctx, ward.Place{ID: "p-1", InstitutionID: "h-1", Name: "窗口", Kind: ward.Charge}),
				was.AddCamera(ctx, camera("lost", "geheim")), was.AddCamera(ctx, camera("none", "")), is.AddCamera(ctx, camera("own", "x")))
			if err != nil {
				t.Fatal(err)
			}
			all, err := is.Cameras(ctx, nil)
			if err != nil || len(all) != 3 {
				t.Fatalf("got %v, %v", all, err)
			}
			for _, c := range all {
				if c.PasswordLost != (c.ID == "lost") || (c.Password == "x") != (c.ID == "own") {
					t.Errorf("%s: lost %v", c.ID, c.PasswordLost)
				}
			}
			lost := all[0]
			lost.Name = "二号"
			for what, err := range map[string]error{
				"update": is.UpdateCamera(ctx, lost),
				"import": is.ImportCameras(ctx, storage.CameraImport{Change: []storage.CameraChange{{Was: all[0], To: lost}}}),
			} {
				if !errors.Is(err, &ward.Error{Kind: ward.Invalid, Code: "camera.password_lost"}) {
					t.Errorf("%s: %v", what, err)
				}
			}
			if c, err := open(first).Camera(ctx, "lost"); err != nil || c.Password != "geheim" {
				t.Errorf("with the old key back: %v", err)
			}
			lost.Password, lost.PasswordLost = "neu", false
			if err := is.ImportCameras(ctx, storage.CameraImport{Change: []storage.CameraChange{{Was: all[0], To: lost}}}); err != nil {
				t.Error(err)
			}
			if c, err := is.Camera(ctx, "lost"); err != nil || c.Password != "neu" || c.PasswordLost || c.Name != "二号" {
				t.Errorf("typed again: %+v, %v", c, err)
			}
		})
	}
}
