package storage_test

import (
	"bytes"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"wardwatch/internal/testcase"
	"wardwatch/storage"
	"wardwatch/storage/ledger"
	"wardwatch/storage/ledger/ledgerdb"
	"wardwatch/storage/spool"
	"wardwatch/ward"
)

// withCase opens a case from the world's alert through the store alone.
func withCase(t *testing.T, w *testcase.World) ward.Case {
	t.Helper()
	lead, err := w.Store.AlertLead(t.Context(), w.Alert)
	if err != nil {
		t.Fatal(err)
	}
	c, err := w.Store.OpenCase(t.Context(), ward.Case{InstitutionID: lead.InstitutionID, Title: "空刷"}, lead.Items, w.By)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func check(t *testing.T, w *testcase.World) storage.FsckReport {
	t.Helper()
	r, err := w.Store.Fsck(t.Context(), w.Media, storage.FsckOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func where(r storage.FsckReport) []string {
	var all []string
	for _, p := range r.Problems {
		all = append(all, p.Where)
	}
	return all
}

func TestFsckOfACleanStore(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		withCase(t, w)
		if err := w.Store.Record(t.Context(), ward.Custody{Actor: "u", Role: ward.Inspector, Action: ward.ActionView, Object: "segment/x"}); err != nil {
			t.Fatal(err)
		}
		_, size, err := w.Store.Checkpoint(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		r := check(t, w)
		if !r.OK() || r.Leaves != size || r.Signed != size || r.Segments != 4 || r.Rows < 12 || r.Objects != 5 {
			t.Errorf("got %+v", r)
		}
	})
}

// cell changes one value behind the store's back, says what Fsck named, and
// changes it back.
func cell(t *testing.T, w *testcase.World, table, column, row string, change func(any) any) []string {
	t.Helper()
	var old any
	if err := w.DB.QueryRowContext(t.Context(), `SELECT `+column+` FROM `+table+` WHERE `+row).Scan(&old); err != nil {
		t.Fatalf("%s.%s: %v", table, column, err)
	}
	set := `UPDATE ` + table + ` SET ` + column + ` = $1 WHERE ` + row
	if n := w.Exec(set, change(old)); n != 1 {
		t.Fatalf("%s.%s: changed %d rows", table, column, n)
	}
	named := where(check(t, w))
	w.Exec(set, old)
	return named
}

func plus(v any) any { return v.(int64) + 1 }

func to(v any) func(any) any { return func(any) any { return v } }

func flip(v any) any {
	b := bytes.Clone(v.([]byte))
	b[len(b)/2] ^= 1
	return b
}

// Every change of a sealed value is found, and what was changed is named.
func TestFsckNamesEveryChangedValue(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		c := withCase(t, w)
		segs, err := w.Store.SegmentsBetween(t.Context(), w.Camera, w.Start, w.Start.Add(40e9))
		if err != nil || len(segs) != 3 {
			t.Fatal(segs, err)
		}
		settings(t, w)
		_, size, err := w.Store.Checkpoint(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		seg, alert, visit := "segment/"+string(segs[0].ID), "alert/"+string(w.Alert), "visit/"+string(w.Visit)
		one := "id = '" + string(segs[0].ID) + "'"
		for _, k := range []struct {
			table, column, row string
			change             func(any) any
			named              string
		}{
			{"segment", "start_us", one, plus, seg},
			{"segment", "end_us", one, plus, seg},
			{"segment", "media_us", one, plus, seg},
			{"segment", "clock", one, to("camera"), seg},
			{"segment", "codec", one, to("h265"), seg},
			{"segment", "bytes", one, plus, seg},
			{"segment", "sha256", one, flip, seg},
			{"segment", "source_id", one, to("cam-2"), seg},
			{"segment", "object_key", one, to("v1/x.mp4"), seg},
			{"segment", "repaired", one, to(1), seg},
			{"segment", "leaf", one, plus, seg},
			{"alert", "clip_to_us", "1 = 1", plus, alert},
			{"alert", "rule", "1 = 1", to("face_mismatch"), alert},
			{"alert", "state", "1 = 1", to("dismissed"), alert},
			{"alert", "decision_note", "1 = 1", to("x"), alert},
			{"alert", "assignee", "1 = 1", to("u-other"), alert},
			{"alert", "deadline_us", "1 = 1", plus, alert},
			{"alert", "version", "1 = 1", plus, alert},
			{"alert", "decided_us", "1 = 1", plus, alert},
			{"alert_event", "note", "action = 'confirm'", to("x"), "alert_event/" + string(w.Alert) + "/2"},
			{"alert_event", "by_user", "action = 'confirm'", to("x"), "alert_event/" + string(w.Alert) + "/2"},
			{"alert_event", "at_us", "action = 'file'", plus, "alert_event/" + string(w.Alert) + "/3"},
			{"alert", "snapshot_sha", "1 = 1", flip, alert},
			{"visit", "verdict", "1 = 1", to("absent"), visit},
			{"visit", "state", "1 = 1", to("deciding"), visit},
			{"visit", "decided_by", "1 = 1", to("u-li"), visit},
			{"visit_check", "outcome", "kind = 'face'", to("fail"), visit},
			{"visit_event", "at_us", "seq = 1", plus, visit},
			{"round", "deadline_us", "1 = 1", plus, "round/" + roundOf(t, w)},
			{"settlement", "amount_fen", "1 = 1", plus, "settlement/" + string(w.Settlement)},
			{"settlement", "state", "1 = 1", to("clear"), "settlement/" + string(w.Settlement)},
			{"case_file", "title", "1 = 1", to("x"), "case_file/" + string(c.ID)},
			{"case_file", "number", "1 = 1", to("x"), "case_file/" + string(c.ID)},
			{"custody", "actor", "seq = 2", to("u-li"), "custody/" + string(c.ID) + "/2"},
			{"custody", "seq", "object LIKE 'snapshot/%'", to(300), "custody/" + string(c.ID) + "/300"},
			{"evidence", "sha256", "kind = 'snapshot'", flip, "evidence/" + snapshotOf(t, w, c)},
			{"camera_device", "serial", "version = 1", to("SN-0002"), "camera_device/cam-1/1"},
			{"camera_device", "source", "version = 1", to("camera"), "camera_device/cam-1/1"},
			{"camera_device", "set_us", "version = 1", plus, "camera_device/cam-1/1"},
			{"camera_zones", "zones", "version = 1", to("[]"), "camera_zones/cam-1/1"},
			{"camera_zones", "staff", "version = 1", to(0), "camera_zones/cam-1/1"},
			{"camera_zones", "set_by", "version = 1", to("x"), "camera_zones/cam-1/1"},
			{"camera_zones", "set_us", "version = 2", plus, "camera_zones/cam-1/2"},
			{"camera_zones", "version", "version > 1", plus, "camera_zones/cam-1/3"},
			{"rule_setting", "params", "1 = 1", to("{}"), "rule_setting/nobody_at_counter/2"},
			{"rule_setting", "mode", "1 = 1", to("on"), "rule_setting/nobody_at_counter/2"},
			{"rule_setting", "set_us", "1 = 1", plus, "rule_setting/nobody_at_counter/2"},
			{"alert_policy", "params", "1 = 1", func(v any) any { return strings.Replace(v.(string), `"appeal_days":60`, `"appeal_days":6`, 1) }, "alert_policy/1"},
			{"alert_policy", "set_by", "1 = 1", to("x"), "alert_policy/1"},
			{"alert_policy", "version", "1 = 1", plus, "alert_policy/2"},
			{"site", "params", "version = 1", func(v any) any { return strings.Replace(v.(string), `"radius_m":300`, `"radius_m":9000`, 1) }, "site/1"},
			{"site", "params", "version = 1", to("{"), "site/1"},
			{"site", "institution_id", "version = 1", to("h2"), "site/1"},
			{"site", "set_by", "version = 1", to("x"), "site/1"},
			{"site", "set_us", "version = 1", plus, "site/1"},
			{"site", "version", "1 = 1", plus, "site/2"},
			{"site", "leaf", "version = 1", plus, "site/1"},
			{"site", "secret_sealed", "version = 1", flip, "site/1"},
			{"site", "secret_sealed", "version = 1", to(nil), "site/1"},
			{"log_entry", "leaf", "idx = 3", flip, "leaf/3"},
			{"log_hash", "h", "pos = 0", flip, "leaf/0"},
			{"log_hash", "h", "pos = 2", flip, "log_hash/2"},
			{"sealed_record", "body", "leaf = 4", flip, "sealed_record/4"},
			{"sealed_record", "ref", "leaf = 4", to("x"), "sealed_record/4"},
			{"log_checkpoint", "note", "1 = 1", func(v any) any { return strings.Replace(v.(string), "\n", "\n1", 1) }, "checkpoint/" + itoa(size)},
		} {
			if got := cell(t, w, k.table, k.column, k.row, k.change); !slices.Contains(got, k.named) {
				t.Errorf("%s.%s where %s: want %s, named %v", k.table, k.column, k.row, k.named, got)
			}
		}
		if r := check(t, w); !r.OK() {
			t.Errorf("everything was put back: %+v", r.Problems)
		}
	})
}

// settings draws zones twice, sets a rule, the alerts' policy and a site.
func settings(t *testing.T, w *testcase.World) {
	t.Helper()
	for i, kind := range []ward.ZoneKind{ward.StaffZone, ward.QueueZone} {
		if _, err := w.Store.SetZones(t.Context(), ward.Zoning{CameraID: "cam-1", Zones: []ward.Zone{triangle(kind)}, By: "u-li"}, i); err != nil {
			t.Fatal(err)
		}
	}
	rule := ward.Rules()[slices.IndexFunc(ward.Rules(), func(r ward.RuleInfo) bool { return r.Rule == ward.NobodyAtCounter })].BuiltIn()
	rule.Mode, rule.By = ward.RuleShadow, "u-li"
	_, err := w.Store.SetRule(t.Context(), rule, 1)
	p := ward.DefaultAlertPolicy()
	p.By = "u-li"
	if _, e := w.Store.SetAlertPolicy(t.Context(), p); e != nil || err != nil {
		t.Fatal(e, err)
	}
	if _, err := w.Store.SetSite(t.Context(), ward.Site{InstitutionID: "h1", Fence: &ward.Fence{Datum: ward.WGS84, Center: ward.GeoPoint{Lat: 31.2, Lon: 121.5}, Radius: 300}, WardCode: true, Reason: "新院区", By: "u-li"}, false); err != nil {
		t.Fatal(err)
	}
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

func roundOf(t *testing.T, w *testcase.World) string {
	t.Helper()
	all, err := w.Store.Rounds(t.Context(), nil, nil, "", 1)
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	return string(all[0].ID)
}

func snapshotOf(t *testing.T, w *testcase.World, c ward.Case) string {
	t.Helper()
	items, err := w.Store.Evidence(t.Context(), c.ID)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(items, func(e ward.Evidence) bool { return e.Kind == ward.EvidenceSnapshot })
	return string(items[i].ID)
}

// What is removed or added is found too; each time in a hospital of its own.
func TestFsckNamesWhatIsRemovedOrAdded(t *testing.T) {
	for what, do := range map[string]func(t *testing.T, w *testcase.World, c ward.Case, segs []ward.Segment) string{
		"object removed": func(_ *testing.T, w *testcase.World, _ ward.Case, segs []ward.Segment) string {
			w.Tamper(segs[0].Key, func([]byte) []byte { return nil })
			return "segment/" + string(segs[0].ID)
		},
		"byte of an object": func(_ *testing.T, w *testcase.World, _ ward.Case, segs []ward.Segment) string {
			w.Tamper(segs[1].Key, func(b []byte) []byte { b[len(b)-1] ^= 1; return b })
			return "segment/" + string(segs[1].ID)
		},
		"object cut": func(_ *testing.T, w *testcase.World, _ ward.Case, segs []ward.Segment) string {
			w.Tamper(segs[1].Key, func(b []byte) []byte { return b[:len(b)-1] })
			return "segment/" + string(segs[1].ID)
		},
		"spooled file removed": func(t *testing.T, w *testcase.World, _ ward.Case, segs []ward.Segment) string {
			if err := w.Media.Spool.Remove(spool.Of(segs[2])); err != nil {
				t.Fatal(err)
			}
			return "segment/" + string(segs[2].ID)
		},
		"orphan": func(t *testing.T, w *testcase.World, _ ward.Case, _ []ward.Segment) string {
			if err := w.Media.Objects.Put(t.Context(), "v1/h1/cam-1/2026/orphan.mp4", strings.NewReader("x"), 1); err != nil {
				t.Fatal(err)
			}
			return "object/v1/h1/cam-1/2026/orphan.mp4"
		},
		"picture of an alert": func(_ *testing.T, w *testcase.World, _ ward.Case, _ []ward.Segment) string {
			w.Tamper("v1/h1/snapshots/alert-1.jpg", func(b []byte) []byte { b[4] ^= 1; return b })
			return "alert/" + string(w.Alert)
		},
		"picture of a visit": func(_ *testing.T, w *testcase.World, _ ward.Case, _ []ward.Segment) string {
			w.Tamper("v1/h1/snapshots/visit-1.jpg", func([]byte) []byte { return nil })
			return "visit/" + string(w.Visit)
		},
		"segment row": func(_ *testing.T, w *testcase.World, _ ward.Case, segs []ward.Segment) string {
			w.Exec(`DELETE FROM segment WHERE id = $1`, string(segs[0].ID))
			return "segment/" + string(segs[0].ID)
		},
		"step of an alert": func(_ *testing.T, w *testcase.World, _ ward.Case, _ []ward.Segment) string {
			w.Exec(`DELETE FROM alert_event WHERE seq = 3`)
			w.Exec(`UPDATE alert SET version = 2`)
			return "alert/" + string(w.Alert)
		},
		"alert row": func(_ *testing.T, w *testcase.World, _ ward.Case, _ []ward.Segment) string {
			w.Exec(`DELETE FROM alert`)
			return "alert/" + string(w.Alert)
		},
		"alert policy": func(t *testing.T, w *testcase.World, _ ward.Case, _ []ward.Segment) string {
			settings(t, w)
			w.Exec(`DELETE FROM alert_policy`)
			return "alert_policy/1"
		},
		"evidence row": func(_ *testing.T, w *testcase.World, c ward.Case, _ []ward.Segment) string {
			w.Exec(`DELETE FROM evidence WHERE kind = 'snapshot'`)
			return "case_file/" + string(c.ID)
		},
		"last custody event": func(_ *testing.T, w *testcase.World, c ward.Case, _ []ward.Segment) string {
			w.Exec(`DELETE FROM custody WHERE seq = 7`)
			return "custody/" + string(c.ID) + "/7"
		},
		"last leaf": func(t *testing.T, w *testcase.World, _ ward.Case, _ []ward.Segment) string {
			_, size, err := w.Store.Checkpoint(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			w.Exec(`DELETE FROM log_entry WHERE idx = $1`, size-1)
			return "checkpoint/" + itoa(size)
		},
		"leaf in the middle": func(_ *testing.T, w *testcase.World, _ ward.Case, _ []ward.Segment) string {
			w.Exec(`DELETE FROM log_entry WHERE idx = 5`)
			return "leaf/5"
		},
		"stored hash": func(_ *testing.T, w *testcase.World, _ ward.Case, _ []ward.Segment) string {
			w.Exec(`DELETE FROM log_hash WHERE pos = 6`)
			return "log_hash/6"
		},
		"sealed record": func(_ *testing.T, w *testcase.World, _ ward.Case, _ []ward.Segment) string {
			w.Exec(`DELETE FROM sealed_record WHERE leaf = 1`)
			return "leaf/1"
		},
	} {
		t.Run(what, func(t *testing.T) {
			w := testcase.SQLite(t)
			c := withCase(t, w)
			segs, err := w.Store.SegmentsBetween(t.Context(), w.Camera, w.Start, w.Start.Add(40e9))
			if err != nil || len(segs) != 3 {
				t.Fatal(segs, err)
			}
			if named := do(t, w, c, segs); !slices.Contains(where(check(t, w)), named) {
				t.Errorf("want %s, named %v", named, where(check(t, w)))
			}
		})
	}
}

// An insider who knows the whole design rewrites a row, its record, its leaf
// and every hash above it. The signature is what he cannot write.
func TestFsckFindsARewrittenLedger(t *testing.T) {
	w := testcase.SQLite(t)
	ctx := t.Context()
	_, size, err := w.Store.Checkpoint(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var body []byte
	var ref string
	if err := w.DB.QueryRowContext(ctx, `SELECT ref, body FROM sealed_record WHERE leaf = 0`).Scan(&ref, &body); err != nil {
		t.Fatal(err)
	}
	body = bytes.Replace(body, []byte(`"codec":"h264"`), []byte(`"codec":"h265"`), 1)
	leaf, err := ledger.LeafOf("segment", ref, body)
	if err != nil {
		t.Fatal(err)
	}
	relog(t, w, leaf)
	w.Exec(`UPDATE sealed_record SET body = $1 WHERE leaf = 0`, body)
	w.Exec(`UPDATE segment SET codec = 'h265' WHERE leaf = 0`)
	if got := where(check(t, w)); !slices.Equal(got, []string{"checkpoint/" + itoa(size)}) {
		t.Errorf("named %v", got)
	}
	// And nothing more is signed.
	if err := w.Store.Record(ctx, ward.Custody{Action: ward.ActionView, Object: "x"}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.Store.Checkpoint(ctx); !errors.Is(err, &ward.Error{Code: "ledger.rewritten"}) {
		t.Errorf("signed: %v", err)
	}
}

// relog makes the whole ledger anew, with another first leaf.
func relog(t *testing.T, w *testcase.World, first []byte) {
	t.Helper()
	rows, err := w.DB.QueryContext(t.Context(), `SELECT leaf FROM log_entry ORDER BY idx`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var leaves [][]byte
	for rows.Next() {
		var l []byte
		if err := rows.Scan(&l); err != nil {
			t.Fatal(err)
		}
		leaves = append(leaves, l)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	leaves[0] = first
	w.Exec(`DELETE FROM log_entry`)
	w.Exec(`DELETE FROM log_hash`)
	for _, l := range leaves {
		if _, err := ledgerdb.Append(t.Context(), w.DB, l); err != nil {
			t.Fatal(err)
		}
	}
}
