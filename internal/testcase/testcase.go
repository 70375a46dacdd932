// Package testcase puts a small hospital with one fraud and one sealed
// bedside visit into a fresh catalogue, with their recordings, through the
// store's own methods: what tests of cases, packages and fsck begin with.
package testcase

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"wardwatch/internal/testserver"
	"wardwatch/storage"
	"wardwatch/storage/objects"
	"wardwatch/storage/spool"
	"wardwatch/ward"
)

// World is the hospital.
type World struct {
	T     testing.TB
	Store *storage.Store
	// DB reaches the same database past the store, as an insider would.
	DB         *sql.DB
	Media      storage.Media
	ObjectDir  string
	SpoolDir   string
	Start      time.Time // of the first segment
	Camera     ward.Source
	Alert      ward.AlertID
	Settlement ward.SettlementID
	Visit      ward.VisitID
	By         ward.User
	// Keep is how long what is recorded from now on is to be kept; zero: until
	// somebody decides.
	Keep time.Duration
	// Origin is that of what is recorded from now on.
	Origin ward.Origin
	// Options are what Store was opened with.
	Options storage.Options
	seq     int
	refused []string // tables
}

// Each runs f on SQLite and on a real PostgreSQL.
func Each(t *testing.T, f func(t *testing.T, w *World)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { f(t, build(t, testserver.Postgres(t), "pgx", "")) })
}

// SQLite builds a World in a temporary folder.
func SQLite(t testing.TB) *World {
	t.Helper()
	p := filepath.Join(t.TempDir(), "catalogue.db")
	return build(t, p, "sqlite", "file:"+p+"?_pragma=busy_timeout(10000)")
}

func build(t testing.TB, database, driver, raw string) *World {
	t.Helper()
	if raw == "" {
		raw = database
	}
	w := &World{T: t, ObjectDir: t.TempDir(), SpoolDir: t.TempDir(), By: ward.User{ID: "u-chen", Role: ward.Inspector}}
	var err error
	w.Options = storage.Options{Database: database, Keys: t.TempDir()}
	w.Store, err = storage.Migrate(t.Context(), w.Options)
	w.must(err)
	t.Cleanup(func() { w.must(w.Store.Close()) })
	w.DB, err = sql.Open(driver, raw)
	w.must(err)
	t.Cleanup(func() { w.must(w.DB.Close()) })
	dir, err := objects.OpenDir(w.ObjectDir)
	w.must(err)
	t.Cleanup(func() { w.must(dir.Close()) })
	sp, err := spool.Open(w.SpoolDir, spool.Options{Reserve: -1})
	w.must(err)
	t.Cleanup(func() { w.must(sp.Close()) })
	w.Media = storage.Media{Objects: dir, Spool: sp}
	w.Start = time.Now().Add(-10 * time.Minute).UTC().Truncate(time.Second)
	w.places()
	w.fraud()
	w.visit()
	_, err = w.Store.SetCameraDevice(t.Context(), ward.CameraDevice{CameraID: "cam-1", Manufacturer: "示例厂商", Model: "X-200", Firmware: "1.4.2", Serial: "SN-0001", Source: ward.DeviceByHand, By: w.By.ID})
	w.must(err)
	return w
}

// Reopen ends the process's use of the store and begins another.
func (w *World) Reopen() {
	w.T.Helper()
	w.must(w.Store.Close())
	var err error
	w.Store, err = storage.Open(w.T.Context(), w.Options)
	w.must(err)
}

func (w *World) must(err error) {
	w.T.Helper()
	if err != nil {
		w.T.Fatal(err)
	}
}

func (w *World) places() {
	ctx := w.T.Context()
	w.must(w.Store.PutInstitution(ctx, ward.Institution{ID: "h1", Name: "第一医院"}))
	w.must(w.Store.PutPlace(ctx, ward.Place{ID: "counter", InstitutionID: "h1", Name: "收费窗口 1", Kind: ward.Charge}))
	w.Camera = ward.Source{Kind: ward.FromCamera, ID: "cam-1"}
	w.must(w.Store.AddCamera(ctx, ward.Camera{
		ID: "cam-1", InstitutionID: "h1", PlaceID: "counter", Name: "窗口", URL: "rtsp://127.0.0.1/1?key=hidden", Transport: ward.TransportTCP,
		SegmentSeconds: 10, RetentionDays: 30, Enabled: true, Created: w.Start,
	}))
}

// fraud records three segments around a settlement, with a gap between the
// second and the third, which is still in the spool, and raises the alert.
func (w *World) fraud() {
	ctx := w.T.Context()
	w.Record(w.Camera, w.Start, 10*time.Second, true)
	w.Record(w.Camera, w.Start.Add(10*time.Second), 10*time.Second, true)
	w.must(w.Store.AddGap(ctx, ward.Gap{Source: w.Camera, InstitutionID: "h1", From: w.Start.Add(20 * time.Second), To: w.Start.Add(25 * time.Second), Cause: ward.CauseStalled}))
	w.Record(w.Camera, w.Start.Add(25*time.Second), 10*time.Second, false)
	swiped := w.Start.Add(20 * time.Second)
	v, _, err := w.Store.AddSettlement(ctx, ward.Settlement{InstitutionID: "h1", PlaceID: "counter", ExternalNo: "S-1", InsuredID: "p-1", Kind: ward.Outpatient, At: swiped, AmountFen: 12345})
	w.must(err)
	w.Settlement = v.ID
	key, sum := w.Picture("v1/h1/snapshots/alert-1.jpg")
	w.Alert = ward.NewID[ward.AlertID](w.Start)
	_, _, err = w.Store.Judge(ctx, storage.Judgement{Settlement: v, State: ward.Suspicious, Stage: ward.JudgedFully, Alerts: []ward.Alert{{
		ID: w.Alert, InstitutionID: "h1", PlaceID: "counter", CameraID: "cam-1", Rule: ward.NobodyAtCounter, RuleVersion: 1, SettlementID: v.ID,
		At: swiped, Raised: swiped.Add(time.Second), Severity: 2, ExplainZH: "窗口无人", ExplainEN: "Nobody at the counter",
		SnapshotKey: key, SnapshotSHA: sum, ClipFrom: swiped.Add(-ward.ClipBefore), ClipTo: swiped.Add(ward.ClipAfter),
	}}})
	w.must(err)
	_, err = w.Store.StepAlert(ctx, w.Alert, 1, ward.AlertStep{Action: ward.AlertConfirm, By: w.By.ID, Note: "画面中无人"})
	w.must(err)
}

func (w *World) visit() {
	ctx := w.T.Context()
	w.must(w.Store.AddAdmission(ctx, ward.Admission{ID: "a-1", InstitutionID: "h1", InsuredID: "p-1", Ward: "内一", Bed: "12", From: w.Start}))
	w.Visit = ward.NewID[ward.VisitID](w.Start)
	r := ward.Round{ID: ward.NewID[ward.RoundID](w.Start), InstitutionID: "h1", OrderedBy: w.By.ID, Reason: "抽查", Ward: "内一", Ordered: w.Start, Deadline: w.Start.Add(time.Hour)}
	token, device := sha256.Sum256([]byte("token")), sha256.Sum256([]byte("device"))
	_, err := w.Store.OrderRound(ctx, r, []ward.Visit{{
		ID: w.Visit, RoundID: r.ID, InstitutionID: "h1", AdmissionID: "a-1", InsuredID: "p-1", Ward: "内一", Bed: "12", LinkExpires: w.Start.Add(time.Hour),
	}}, [][]byte{token[:]})
	w.must(err)
	_, err = w.Store.OpenVisit(ctx, token[:], device[:], w.Start.Add(time.Second))
	w.must(err)
	_, err = w.Store.Consent(ctx, w.Visit, w.Start.Add(2*time.Second))
	w.must(err)
	_, err = w.Store.BeginChecking(ctx, w.Visit)
	w.must(err)
	for _, m := range []ward.VisitMessage{{By: w.By.ID, Text: "请看镜头"}, {Text: "听不见 <b>"}} {
		m.VisitID, m.Ref = w.Visit, "1"
		_, err = w.Store.AddVisitMessage(ctx, m, w.Start.AddDate(0, 0, 90))
		w.must(err)
	}
	w.Record(ward.Source{Kind: ward.FromVisit, ID: string(w.Visit)}, w.Start.Add(2*time.Second), 20*time.Second, true)
	policy := ward.DefaultCheckPolicy()
	policy.InstitutionID, policy.Ward, policy.Reason, policy.By = "h1", "内一", "内科", w.By.ID
	policy, err = w.Store.SetCheckPolicy(ctx, policy)
	w.must(err)
	key, sum := w.Picture("v1/h1/snapshots/visit-1.jpg")
	_, err = w.Store.SealVisit(ctx, ward.Visit{ID: w.Visit, Policy: policy.Version, Verdict: ward.Present, ReasonZH: "核验通过", ReasonEN: "All checks passed", SnapshotKey: key, SnapshotSHA: sum}, []ward.Check{
		{VisitID: w.Visit, Kind: ward.CheckLive, Outcome: ward.Pass, Score: 1, At: w.Start.Add(12 * time.Second)},
		{VisitID: w.Visit, Kind: ward.CheckFace, Outcome: ward.Pass, Score: .7, At: w.Start.Add(14 * time.Second)},
	})
	w.must(err)
}

// boxed is a box of MP4.
func boxed(kind string, content []byte) []byte {
	return append(append(binary.BigEndian.AppendUint32(nil, uint32(8+len(content))), kind...), content...)
}

// Record commits one segment with some bytes of its own; archived: its
// bytes are in the object store, else in the spool.
func (w *World) Record(src ward.Source, start time.Time, d time.Duration, archived bool) ward.Segment {
	w.T.Helper()
	ctx := w.T.Context()
	w.seq++
	body := boxed("ftyp", []byte("iso5"))
	for n := range 4 { // the same boxes in every recording, other samples in each
		sum := sha256.Sum256(fmt.Append(nil, "recording ", w.seq, " of ", src, ", fragment ", n))
		body = append(append(body, boxed("moof", []byte{byte(n)})...), boxed("mdat", bytes.Repeat(sum[:], 3))...)
	}
	g := ward.Segment{
		ID: ward.NewID[ward.SegmentID](start), Source: src, InstitutionID: "h1", Start: start, End: start.Add(d), Media: d,
		Clock: ward.ServerClock, Codec: ward.H264, Bytes: int64(len(body)), SHA256: sha256.Sum256(body), Origin: w.Origin,
		Sync: ward.Synced, ClockError: 12 * time.Millisecond, Signature: ward.SignatureNone,
	}
	if w.Keep > 0 {
		g.KeepUntil = start.Add(w.Keep)
	}
	g, err := w.Store.CommitSegment(ctx, g)
	w.must(err)
	if archived {
		w.must(w.Media.Objects.Put(ctx, g.Key, bytes.NewReader(body), g.Bytes))
		w.must(w.Store.MarkArchived(ctx, g.ID))
		g.State = ward.Archived
		return g
	}
	f, err := w.Media.Spool.Create(src, g.Start, g.Seq)
	w.must(err)
	_, err = f.Write(body)
	w.must(err)
	_, err = f.Finish()
	w.must(err)
	return g
}

// Picture stores a snapshot.
func (w *World) Picture(key string) (string, [32]byte) {
	w.T.Helper()
	body := []byte("\xff\xd8 picture " + key + " \xff\xd9")
	w.must(w.Media.Objects.Put(w.T.Context(), key, bytes.NewReader(body), int64(len(body))))
	return key, sha256.Sum256(body)
}

// Tamper changes an object behind the store's back: f gets its bytes and
// returns others; nil removes it.
func (w *World) Tamper(key string, f func([]byte) []byte) {
	w.T.Helper()
	tamper(w, filepath.Join(w.ObjectDir, key), f)
}

func tamper(w *World, path string, f func([]byte) []byte) {
	w.T.Helper()
	b, err := os.ReadFile(path)
	w.must(err)
	if b = f(b); b == nil {
		w.must(os.Remove(path))
		return
	}
	w.must(os.WriteFile(path, b, 0o640))
}

// Exec changes rows behind the store's back and returns how many.
func (w *World) Exec(query string, args ...any) int64 {
	w.T.Helper()
	res, err := w.DB.ExecContext(w.T.Context(), query, args...)
	w.must(err)
	n, err := res.RowsAffected()
	w.must(err)
	return n
}
