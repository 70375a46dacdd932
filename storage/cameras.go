package storage

import (
	"context"
	"database/sql"
	"fmt"

	"wardwatch/ward"
)

const cameraColumns = `id, institution_id, place_id, name, url, login, password_sealed, transport, segment_seconds, retention_days, enabled, created_us, sub_url, tls_fingerprint, record, record_from, record_to, replay_url`

// AddCamera stores a new camera. Zero SegmentSeconds, RetentionDays and
// Transport get their defaults. Errors: ward.Invalid for a bad setting,
// ward.Conflict "camera.exists" when the id is taken, or when recordings of
// another institution bear it: the id is what recordings are found by.
func (s *Store) AddCamera(ctx context.Context, c ward.Camera) error {
	c, err := checkCamera(c)
	if err != nil {
		return err
	}
	return s.change(ctx, fmt.Sprintf("add camera %s", c.ID), func(t *tx) error {
		if err := t.checkPlace(ctx, c); err != nil {
			return err
		}
		if err := t.checkFree(ctx, c); err != nil {
			return err
		}
		if c.Created.IsZero() {
			c.Created = t.now
		}
		_, err := t.ExecContext(ctx, `INSERT INTO camera (`+cameraColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`,
			c.ID, c.InstitutionID, c.PlaceID, c.Name, c.URL, c.User, s.sealPassword(c), c.Transport, c.SegmentSeconds, c.RetentionDays, flag(c.Enabled), us(c.Created),
			c.SubURL, c.TLSFingerprint, c.Record, c.RecordFrom, c.RecordTo, c.ReplayURL)
		if s.dialect.unique(err) {
			return errCameraExists
		}
		return err
	})
}

// Camera returns one camera, with its password.
func (s *Store) Camera(ctx context.Context, id ward.CameraID) (ward.Camera, error) {
	c, err := s.scanCamera(s.read.QueryRowContext(ctx, `SELECT `+cameraColumns+` FROM camera WHERE id = $1`, id))
	if err != nil {
		return ward.Camera{}, fmt.Errorf("read camera %s: %w", id, noCamera(err))
	}
	return c, nil
}

// Cameras returns the cameras of the given institutions, of all when insts
// is nil, ordered by id.
func (s *Store) Cameras(ctx context.Context, insts []ward.InstitutionID) ([]ward.Camera, error) {
	where, args := scope(insts, nil)
	return listed(ctx, s, "list cameras", s.scanCamera, `SELECT `+cameraColumns+` FROM camera`+where+` ORDER BY id`, args...)
}

// UpdateCamera replaces every setting of a camera, the password too, but
// not its institution: another one is ward.Conflict "camera.institution",
// since the recordings of that id would go with it.
func (s *Store) UpdateCamera(ctx context.Context, c ward.Camera) error {
	c, err := checkCamera(c)
	if err != nil {
		return err
	}
	return s.change(ctx, fmt.Sprintf("update camera %s", c.ID), func(t *tx) error {
		var inst ward.InstitutionID
		if err := t.QueryRowContext(ctx, `SELECT institution_id FROM camera WHERE id = $1`, c.ID).Scan(&inst); err != nil {
			return noCamera(err)
		}
		if inst != c.InstitutionID {
			return &ward.Error{
				Kind: ward.Conflict, Code: "camera.institution",
				ZH: "摄像头不能改到其他机构，请在那里新增一个摄像头。", EN: "A camera cannot move to another institution; add a new camera there.",
			}
		}
		if err := t.checkPlace(ctx, c); err != nil {
			return err
		}
		res, err := t.ExecContext(ctx, `UPDATE camera SET place_id = $3, name = $4, url = $5, login = $6, password_sealed = $7,
			transport = $8, segment_seconds = $9, retention_days = $10, enabled = $11,
			sub_url = $12, tls_fingerprint = $13, record = $14, record_from = $15, record_to = $16, replay_url = $17 WHERE id = $1 AND institution_id = $2`,
			c.ID, c.InstitutionID, c.PlaceID, c.Name, c.URL, c.User, s.sealPassword(c), c.Transport, c.SegmentSeconds, c.RetentionDays, flag(c.Enabled),
			c.SubURL, c.TLSFingerprint, c.Record, c.RecordFrom, c.RecordTo, c.ReplayURL)
		if err != nil {
			return err
		}
		return cameraTouched(res)
	})
}

// DeleteCamera removes a camera. Its recordings and gaps stay.
func (s *Store) DeleteCamera(ctx context.Context, id ward.CameraID) error {
	return s.change(ctx, fmt.Sprintf("delete camera %s", id), func(t *tx) error {
		res, err := t.ExecContext(ctx, `DELETE FROM camera WHERE id = $1`, id)
		if err != nil {
			return err
		}
		return cameraTouched(res)
	})
}

func cameraTouched(res sql.Result) error {
	n, err := res.RowsAffected()
	if err == nil && n == 0 {
		return errNoCamera
	}
	return err
}

func (s *Store) sealPassword(c ward.Camera) []byte {
	return s.seal.seal([]byte(c.Password), "camera.password."+string(c.ID))
}

func (s *Store) scanCamera(r row) (ward.Camera, error) {
	var c ward.Camera
	var sealed []byte
	var enabled int
	var created int64
	err := r.Scan(&c.ID, &c.InstitutionID, &c.PlaceID, &c.Name, &c.URL, &c.User, &sealed, &c.Transport, &c.SegmentSeconds, &c.RetentionDays, &enabled, &created,
		&c.SubURL, &c.TLSFingerprint, &c.Record, &c.RecordFrom, &c.RecordTo, &c.ReplayURL)
	if err != nil {
		return ward.Camera{}, err
	}
	password, err := s.seal.open(sealed, "camera.password."+string(c.ID))
	if err != nil { // one camera's trouble is not the others'
		c.PasswordLost = len(sealed) > sealedNothing
	}
	c.Password, c.Enabled, c.Created = ward.Secret(password), enabled == 1, at(created)
	return c, nil
}

var (
	errCameraExists = &ward.Error{Kind: ward.Conflict, Code: "camera.exists", ZH: "已有同名编号的摄像头，请换一个编号。", EN: "A camera with this id exists; choose another id."}
	errNoCamera     = &ward.Error{Kind: ward.NotFound, Code: "camera.unknown", ZH: "没有这个摄像头。", EN: "There is no such camera."}
)

func noCamera(err error) error { return missing(err, errNoCamera.Code, errNoCamera.ZH, errNoCamera.EN) }

// checkPlace says whether the camera's place exists in its institution.
func (t *tx) checkPlace(ctx context.Context, c ward.Camera) error {
	var n int
	err := t.QueryRowContext(ctx, `SELECT COUNT(*) FROM place WHERE id = $1 AND institution_id = $2`, c.PlaceID, c.InstitutionID).Scan(&n)
	if err == nil && n == 0 {
		return &ward.Error{Kind: ward.Invalid, Code: "camera.unknown_place", ZH: "该机构没有这个地点，请先建立地点。", EN: "The institution has no such place; add the place first."}
	}
	return err
}

// checkFree refuses an id under which another institution has recordings or
// gaps: whoever adds a deleted camera's id would see what it recorded.
func (t *tx) checkFree(ctx context.Context, c ward.Camera) error {
	var n int
	err := t.QueryRowContext(ctx, `SELECT COUNT(*) FROM (
		SELECT 1 FROM segment WHERE source_kind = $1 AND source_id = $2 AND institution_id <> $3
		UNION ALL SELECT 1 FROM gap WHERE source_kind = $1 AND source_id = $2 AND institution_id <> $3) AS taken`,
		ward.FromCamera, c.ID, c.InstitutionID).Scan(&n)
	if err == nil && n > 0 {
		return errCameraExists
	}
	return err
}

// checkCamera fills in defaults and returns the first thing that is wrong:
// also a password that could not be read and was not typed again, since what
// is stored would be replaced by nothing.
func checkCamera(c ward.Camera) (ward.Camera, error) {
	c = c.WithDefaults()
	if c.PasswordLost {
		return c, ward.ErrPasswordLost()
	}
	if f := c.Faults(); len(f) > 0 {
		return c, f[0].Err
	}
	return c, nil
}
