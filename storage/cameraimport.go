package storage

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"wardwatch/ward"
)

const (
	// lookUpBatch is how many ids one statement looks up.
	lookUpBatch = 200
	// writeBatch is how many rows one statement writes: PostgreSQL wants few
	// round trips, SQLite's driver few values, whose number it pays squared.
	writeBatch = 16
)

// CameraImport is what a table of cameras does to the catalogue.
type CameraImport struct {
	Places []ward.Place // to be added
	Add    []ward.Camera
	Change []CameraChange
}

// CameraChange is a camera before and after.
type CameraChange struct{ Was, To ward.Camera }

var errImportStale = &ward.Error{
	Kind: ward.Conflict, Code: "import.stale",
	ZH: "核对期间有摄像头或地点被他人改动，未做任何更改，请重新核对后再导入。", EN: "Cameras or places were changed by others meanwhile; nothing was changed. Check the file again, then import it.",
}

// ImportCameras does all of it in one transaction, or nothing. ward.Conflict
// "import.stale" means that the catalogue is no longer as the import was
// planned from it.
func (s *Store) ImportCameras(ctx context.Context, im CameraImport) error {
	rows := make([]ward.Camera, 0, len(im.Add)+len(im.Change))
	rows = append(rows, im.Add...)
	for _, c := range im.Change {
		if c.Was.ID != c.To.ID || c.Was.InstitutionID != c.To.InstitutionID {
			return fmt.Errorf("import cameras: %s would become %s of %s", c.Was.ID, c.To.ID, c.To.InstitutionID)
		}
		rows = append(rows, c.To)
	}
	for i, c := range rows {
		var err error
		if rows[i], err = checkCamera(c); err != nil {
			return fmt.Errorf("import camera %s: %w", c.ID, err)
		}
	}
	add, change := rows[:len(im.Add)], rows[len(im.Add):]
	return s.change(ctx, fmt.Sprintf("import %d cameras", len(rows)), func(t *tx) error {
		if err := t.importPlaces(ctx, im.Places); err != nil {
			return err
		}
		if err := t.checkPlan(ctx, im, rows); err != nil {
			return err
		}
		for i := range add {
			if add[i].Created.IsZero() {
				add[i].Created = t.now
			}
		}
		if err := t.writeCameras(ctx, add, ``); err != nil {
			if s.dialect.unique(err) {
				return errImportStale
			}
			return err
		}
		return t.writeCameras(ctx, change, changeOnConflict)
	})
}

const changeOnConflict = ` ON CONFLICT (id) DO UPDATE SET place_id = excluded.place_id, name = excluded.name, url = excluded.url, login = excluded.login,
	password_sealed = excluded.password_sealed, transport = excluded.transport, segment_seconds = excluded.segment_seconds,
	retention_days = excluded.retention_days, enabled = excluded.enabled, sub_url = excluded.sub_url, tls_fingerprint = excluded.tls_fingerprint,
	record = excluded.record, record_from = excluded.record_from, record_to = excluded.record_to, replay_url = excluded.replay_url WHERE camera.institution_id = excluded.institution_id`

func (t *tx) importPlaces(ctx context.Context, places []ward.Place) error {
	for batch := range slices.Chunk(places, writeBatch) {
		var args []any
		for _, p := range batch {
			args = append(args, p.ID, p.InstitutionID, p.Name, p.Kind)
		}
		if _, err := t.ExecContext(ctx, `INSERT INTO place (id, institution_id, name, kind) VALUES `+rowMarks(len(batch), 4), args...); err != nil {
			if t.s.dialect.unique(err) {
				return errImportStale
			}
			return fmt.Errorf("add places: %w", err)
		}
	}
	return nil
}

// checkPlan compares the catalogue with what the import was planned from.
func (t *tx) checkPlan(ctx context.Context, im CameraImport, rows []ward.Camera) error {
	ids := make([]ward.CameraID, len(rows))
	places := map[ward.PlaceID]ward.InstitutionID{}
	for i, c := range rows {
		ids[i], places[c.PlaceID] = c.ID, c.InstitutionID
	}
	known := 0
	err := eachOf(ctx, t, `SELECT id, institution_id FROM place WHERE id IN `, slices.Collect(maps.Keys(places)), nil, func(r row) error {
		var id ward.PlaceID
		var inst ward.InstitutionID
		if err := r.Scan(&id, &inst); err != nil {
			return err
		}
		if places[id] == inst {
			known++
		}
		return nil
	})
	if err != nil {
		return err
	}
	is, err := t.s.camerasByID(ctx, t, ids)
	if err != nil {
		return err
	}
	taken, err := cameraIDsTaken(ctx, t, ids)
	if err != nil {
		return err
	}
	stale := known != len(places) || len(is) != len(im.Change)
	for _, c := range im.Change {
		stale = stale || is[c.Was.ID] != c.Was
	}
	for _, c := range im.Add {
		stale = stale || takenByOther(taken, c.ID, c.InstitutionID)
	}
	if stale {
		return errImportStale
	}
	return nil
}

func (t *tx) writeCameras(ctx context.Context, cameras []ward.Camera, conflict string) error {
	for batch := range slices.Chunk(cameras, writeBatch) {
		var args []any
		for _, c := range batch {
			args = append(args, c.ID, c.InstitutionID, c.PlaceID, c.Name, c.URL, c.User, t.s.sealPassword(c), c.Transport, c.SegmentSeconds, c.RetentionDays, flag(c.Enabled), us(c.Created),
				c.SubURL, c.TLSFingerprint, c.Record, c.RecordFrom, c.RecordTo, c.ReplayURL)
		}
		if _, err := t.ExecContext(ctx, `INSERT INTO camera (`+cameraColumns+`) VALUES `+rowMarks(len(batch), len(args)/len(batch))+conflict, args...); err != nil {
			return err
		}
	}
	return nil
}

// CamerasByID returns those of ids that exist, with their passwords.
func (s *Store) CamerasByID(ctx context.Context, ids []ward.CameraID) (map[ward.CameraID]ward.Camera, error) {
	all, err := s.camerasByID(ctx, s.read, ids)
	if err != nil {
		return nil, fmt.Errorf("read %d cameras: %w", len(ids), err)
	}
	return all, nil
}

func (s *Store) camerasByID(ctx context.Context, q querier, ids []ward.CameraID) (map[ward.CameraID]ward.Camera, error) {
	all := map[ward.CameraID]ward.Camera{}
	return all, eachOf(ctx, q, `SELECT `+cameraColumns+` FROM camera WHERE id IN `, ids, nil, func(r row) error {
		c, err := s.scanCamera(r)
		all[c.ID] = c
		return err
	})
}

// CameraIDsTaken says which institutions have recordings or gaps under which
// of ids: another one may not take such an id.
func (s *Store) CameraIDsTaken(ctx context.Context, ids []ward.CameraID) (map[ward.CameraID][]ward.InstitutionID, error) {
	taken, err := cameraIDsTaken(ctx, s.read, ids)
	if err != nil {
		return nil, fmt.Errorf("read whose recordings bear %d ids: %w", len(ids), err)
	}
	return taken, nil
}

func cameraIDsTaken(ctx context.Context, q querier, ids []ward.CameraID) (map[ward.CameraID][]ward.InstitutionID, error) {
	taken := map[ward.CameraID][]ward.InstitutionID{}
	for _, table := range []string{"segment", "gap"} {
		query := `SELECT DISTINCT source_id, institution_id FROM ` + table + ` WHERE source_kind = $1 AND source_id IN ` //nolint:gosec // one of two constants
		err := eachOf(ctx, q, query, ids, []any{ward.FromCamera}, func(r row) error {
			var id ward.CameraID
			var inst ward.InstitutionID
			err := r.Scan(&id, &inst)
			taken[id] = append(taken[id], inst)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return taken, nil
}

func takenByOther(taken map[ward.CameraID][]ward.InstitutionID, id ward.CameraID, inst ward.InstitutionID) bool {
	return slices.ContainsFunc(taken[id], func(i ward.InstitutionID) bool { return i != inst })
}

// eachOf runs "query (ids…)" in batches; the ids' placeholders follow args.
func eachOf[T ~string](ctx context.Context, q querier, query string, ids []T, args []any, scan func(row) error) error {
	for batch := range slices.Chunk(ids, lookUpBatch) {
		all := slices.Clone(args)
		marks := make([]string, len(batch))
		for i, id := range batch {
			all = append(all, id)
			marks[i] = fmt.Sprintf("$%d", len(all))
		}
		rows, err := q.QueryContext(ctx, query+`(`+strings.Join(marks, ", ")+`)`, all...)
		if err != nil {
			return err
		}
		if _, err := collect(rows, func(r row) (struct{}, error) { return struct{}{}, scan(r) }); err != nil {
			return err
		}
	}
	return nil
}

// rowMarks is "($1, $2), ($3, $4)" for rows of columns values each.
func rowMarks(rows, columns int) string {
	var b strings.Builder
	for i := range rows * columns {
		switch {
		case i == 0:
			b.WriteString("(")
		case i%columns == 0:
			b.WriteString("), (")
		default:
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "$%d", i+1)
	}
	b.WriteString(")")
	return b.String()
}
