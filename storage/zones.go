package storage

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"wardwatch/ward"
)

// zonesRecord is what the ledger commits to when zones are drawn: by them it
// is told who was at the counter.
type zonesRecord struct {
	Camera  ward.CameraID `json:"camera"`
	Version int           `json:"version"`
	Zones   []ward.Zone   `json:"zones"`
	By      ward.UserID   `json:"by"`
}

// SetZones stores the next version of a camera's zones and seals it (kind
// "zones"). basedOn is the version that the setter saw: when another has been
// drawn since it is a ward.Conflict "zone.changed". Bad zones are a
// ward.Invalid, an unknown camera a ward.NotFound.
func (s *Store) SetZones(ctx context.Context, set ward.Zoning, basedOn int) (ward.Zoning, error) {
	if err := ward.CheckZones(set.Zones); err != nil {
		return set, err
	}
	if set.Zones == nil {
		set.Zones = []ward.Zone{}
	}
	zones, err := json.Marshal(set.Zones)
	if err != nil {
		return set, fmt.Errorf("set zones of camera %s: %w", set.CameraID, err)
	}
	err = s.change(ctx, "set zones of camera "+string(set.CameraID), func(t *tx) error {
		if err := t.lockLedger(ctx); err != nil { // also makes versions one at a time
			return err
		}
		var newest, seen int
		err := t.QueryRowContext(ctx, `SELECT COALESCE(MAX(z.version), 0), COALESCE(MAX(CASE WHEN z.set_us >= c.created_us THEN z.version END), 0)
			FROM camera c LEFT JOIN camera_zones z ON z.camera_id = c.id WHERE c.id = $1 GROUP BY c.id`, set.CameraID).Scan(&newest, &seen)
		if err != nil {
			return noCamera(err)
		}
		if seen != basedOn {
			return &ward.Error{Kind: ward.Conflict, Code: "zone.changed", ZH: "区域刚被他人修改，请刷新后重试。", EN: "Somebody else has just changed the zones; reload and try again."}
		}
		set.Version, set.At = newest+1, at(us(t.now))
		leaf, err := t.sealRecord(ctx, KindZones, fmt.Sprintf("%s/%d", set.CameraID, set.Version), zonesRecord{set.CameraID, set.Version, set.Zones, set.By})
		if err != nil {
			return err
		}
		_, err = t.ExecContext(ctx, `INSERT INTO camera_zones (camera_id, version, zones, staff, set_by, set_us, leaf) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			set.CameraID, set.Version, string(zones), flag(set.Has(ward.StaffZone)), set.By, us(set.At), leaf)
		return err
	})
	return set, err
}

// newestZones joins a camera c with its newest zones z; those of an earlier
// camera of the same id do not count.
const newestZones = `z.camera_id = c.id AND z.set_us >= c.created_us AND z.version = (SELECT MAX(x.version) FROM camera_zones x WHERE x.camera_id = c.id)`

const zoneColumns = `SELECT c.id, z.version, z.zones, z.set_by, z.set_us FROM camera c JOIN camera_zones z ON ` + newestZones

// Zones returns what is drawn in a camera's picture now.
func (s *Store) Zones(ctx context.Context, id ward.CameraID) (ward.Zoning, error) {
	z, err := scanZoning(s.read.QueryRowContext(ctx, zoneColumns+` WHERE c.id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return ward.Zoning{CameraID: id, Zones: []ward.Zone{}}, nil
	}
	if err != nil {
		return z, fmt.Errorf("read zones of camera %s: %w", id, err)
	}
	return z, nil
}

// AllZones returns what is drawn now in the picture of every camera that is on.
func (s *Store) AllZones(ctx context.Context) ([]ward.Zoning, error) {
	return listed(ctx, s, "read the zones of all cameras", scanZoning, zoneColumns+` WHERE c.enabled = 1 ORDER BY c.id`)
}

func scanZoning(r row) (ward.Zoning, error) {
	var z ward.Zoning
	var zones string
	var set int64
	if err := r.Scan(&z.CameraID, &z.Version, &zones, &z.By, &set); err != nil {
		return z, err
	}
	z.At = at(set)
	if err := json.Unmarshal([]byte(zones), &z.Zones); err != nil {
		return z, fmt.Errorf("zones of camera %s version %d: %w", z.CameraID, z.Version, err)
	}
	return z, nil
}
