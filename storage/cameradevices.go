package storage

import (
	"context"
	"fmt"

	"wardwatch/ward"
)

const deviceColumns = `camera_id, version, manufacturer, model, firmware, serial, source, set_by, set_us, leaf`

// SetCameraDevice stores the next version of what a camera is, and seals it
// (kind "camera_device"). CameraID, the texts, Source and By are the caller's;
// the rest is filled in. What says the same as the newest version is returned
// as that is. Errors: ward.Invalid by ward.CameraDevice.Check, ward.NotFound
// for an unknown camera.
func (s *Store) SetCameraDevice(ctx context.Context, d ward.CameraDevice) (ward.CameraDevice, error) {
	if err := d.Check(); err != nil {
		return d, err
	}
	err := s.change(ctx, "say what camera "+string(d.CameraID)+" is", func(t *tx) error {
		if err := t.lockLedger(ctx); err != nil { // also makes versions one at a time
			return err
		}
		var one int
		if err := t.QueryRowContext(ctx, `SELECT 1 FROM camera WHERE id = $1`, d.CameraID).Scan(&one); err != nil {
			return noCamera(err)
		}
		all, err := devices(ctx, t.Tx, d.CameraID)
		if err != nil {
			return err
		}
		d.Version, d.At, d.Leaf = len(all)+1, at(us(t.now)), 0
		if n := len(all); n > 0 && all[n-1].Says(d) {
			d = all[n-1]
			return nil
		}
		if d.Leaf, err = t.sealRecord(ctx, KindCameraDevice, refOfDevice(d), recordOfDevice(d)); err != nil {
			return err
		}
		_, err = t.ExecContext(ctx, `INSERT INTO camera_device (`+deviceColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
			d.CameraID, d.Version, d.Manufacturer, d.Model, d.Firmware, d.Serial, d.Source, d.By, us(d.At), d.Leaf)
		return err
	})
	return d, err
}

// CameraDevices returns every version of what a camera is, the oldest first;
// also of one that was removed.
func (s *Store) CameraDevices(ctx context.Context, id ward.CameraID) ([]ward.CameraDevice, error) {
	return devices(ctx, s.read, id)
}

func devices(ctx context.Context, q querier, id ward.CameraID) ([]ward.CameraDevice, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+deviceColumns+` FROM camera_device WHERE camera_id = $1 ORDER BY version`, id)
	if err != nil {
		return nil, fmt.Errorf("read what camera %s is: %w", id, err)
	}
	all, err := collect(rows, scanDevice)
	if err != nil {
		return nil, fmt.Errorf("read what camera %s is: %w", id, err)
	}
	return all, nil
}

func scanDevice(r row) (d ward.CameraDevice, err error) {
	var set int64
	err = r.Scan(&d.CameraID, &d.Version, &d.Manufacturer, &d.Model, &d.Firmware, &d.Serial, &d.Source, &d.By, &set, &d.Leaf)
	d.At = at(set)
	return d, err
}

func refOfDevice(d ward.CameraDevice) string { return fmt.Sprintf("%s/%d", d.CameraID, d.Version) }

func recordOfDevice(d ward.CameraDevice) ward.CameraDevice {
	d.Leaf = 0
	return d
}

// deviceRows compares every version of what a camera is with what was sealed.
func (f *fsck) deviceRows(ctx context.Context) error {
	return each(ctx, f, "list camera devices", `SELECT key, leaf, `+deviceColumns+` FROM
			(SELECT camera_id || '/' || CAST(version AS TEXT) AS key, d.* FROM camera_device d) AS k WHERE key > $1 ORDER BY key LIMIT $2`, keyed(scanDevice), keyOf, func(r setRow[ward.CameraDevice]) error {
		return f.agree(ctx, "camera_device", r.key, KindCameraDevice, r.key, r.leaf, recordOfDevice(r.v))
	})
}
