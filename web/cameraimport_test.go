package web_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/csv"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"wardwatch/ingest"
	"wardwatch/storage"
	"wardwatch/ward"
	"wardwatch/web"
)

// sheet asks for an import; apply false is a dry run.
func (c client) sheet(table []byte, apply bool) reply {
	c.t.Helper()
	return c.with("Content-Type", "text/csv").do(http.MethodPost, fmt.Sprintf("/api/v1/cameras/import?dry_run=%v", !apply), table)
}

func (c client) imported(table string, apply bool) web.ImportReport {
	c.t.Helper()
	return into[web.ImportReport](c.sheet([]byte(table), apply).want(200, ""))
}

// problems is "line field" of everything that is wrong.
func problems(r web.ImportReport) []string {
	var all []string
	for _, row := range r.Rows {
		for _, p := range row.Problems {
			all = append(all, fmt.Sprintf("%d %s", row.Line, p.Field))
			if p.ZH == "" || p.EN == "" {
				all = append(all, "without words")
			}
		}
	}
	return all
}

const chinese = "编号,机构名称,地点,地点类型,名称,主码流地址,子码流地址,用户名,密码,传输方式,录像策略,录像开始,录像结束,保留天数,启用\r\n" +
	"win-1,Hospital h-own,收费一号,收费窗口,一号窗口,rtsp://10.1.2.3/Streaming/Channels/101,rtsp://10.1.2.3/Streaming/Channels/102,admin,geheim,TCP,按时段,8:00,18:30,180,是\r\n" +
	",Hospital h-own,收费一号,收费窗口,\"二号,窗口\",rtsp://admin:p%40ss@10.1.2.4/1,,,,,,,,,\r\n"

// TestImportReadsWhatSpreadsheetsSave: the same table in every dress.
func TestImportReadsWhatSpreadsheetsSave(t *testing.T) {
	gb, err := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(chinese))
	must(t, err)
	wide, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().Bytes([]byte(strings.ReplaceAll(strings.ReplaceAll(chinese, "\"二号,窗口\"", "二号窗口"), ",", "\t")))
	must(t, err)
	for name, table := range map[string][]byte{
		"UTF-8":      []byte(chinese),
		"mark":       []byte("\ufeff" + chinese),
		"GB18030":    gb,
		"UTF-16":     wide,
		"semicolons": []byte(strings.ReplaceAll(strings.ReplaceAll(chinese, "\"二号,窗口\"", "二号窗口"), ",", ";")),
		"hint":       []byte("sep=,\r\n" + chinese),
		"unix":       []byte(strings.ReplaceAll(chinese, "\r\n", "\n")),
		"blank rows": []byte(strings.Replace(chinese, "\r\n", "\r\n,,,,,,,,,,,,,,\r\n\r\n", 1)),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t).serve()
			c := w.as(w.user(ward.Operator, "own"))
			dry := into[web.ImportReport](c.sheet(table, false).want(200, ""))
			if dry.Add != 2 || dry.Errors != 0 || dry.Applied || len(dry.Places) != 1 || len(dry.Rows[0].Notes) != 1 || dry.Rows[1].ID != "" {
				t.Fatalf("dry run: %+v", dry)
			}
			if n := len(get(t, func(ctx context.Context, _ string) ([]ward.Camera, error) { return w.store.Cameras(ctx, nil) }, "")); n != 1 {
				t.Fatalf("the dry run made cameras: %d", n)
			}
			done := into[web.ImportReport](c.sheet(table, true).want(200, ""))
			if !done.Applied || done.Add != 2 {
				t.Fatalf("%+v", done)
			}
			one := get(t, w.store.Camera, "win-1")
			if one.Name != "一号窗口" || one.User != "admin" || one.Password != "geheim" || one.Transport != ward.TransportTCP || one.Record != ward.RecordHours ||
				one.RecordFrom != "08:00" || one.RecordTo != "18:30" || one.RetentionDays != 180 || one.SegmentSeconds != 60 || !one.Enabled || one.SubURL == "" {
				t.Errorf("%+v", one)
			}
			two := get(t, w.store.Camera, done.Rows[1].ID)
			if two.URL != "rtsp://10.1.2.4/1" || two.User != "admin" || two.Password != "p@ss" || two.PlaceID != one.PlaceID {
				t.Errorf("%+v %s", two, string(two.Password))
			}
			place := get(t, w.store.Place, one.PlaceID)
			if place.Name != "收费一号" || place.Kind != ward.Charge || place.InstitutionID != own {
				t.Errorf("%+v", place)
			}
		})
	}
}

// TestImportNamesEveryProblem: all problems of a row, at its line; then
// nothing of the file is applied.
func TestImportNamesEveryProblem(t *testing.T) {
	w := newWorld(t).serve()
	c := w.as(w.user(ward.Operator, "own"))
	must(t, w.store.PutPlace(t.Context(), ward.Place{ID: "twin-1", InstitutionID: own, Name: "双胞胎", Kind: ward.Ward}))
	must(t, w.store.PutPlace(t.Context(), ward.Place{ID: "twin-2", InstitutionID: own, Name: "双胞胎", Kind: ward.Corridor}))
	other := w.newCamera()
	table := "id,institution_id,place,place_kind,name,url,transport,record,record_from,segment_seconds,enabled,user,password\n" +
		"good,h-own,Counter of h-own,,Good,rtsp://10.0.0.1/1,,,,,,,\n" + // 2
		"Bad Id,h-own,,,,http://x,quic,hours,25:00,x,maybe,a:b,\n" + // 3
		"good,h-own,Counter of h-own,,Twice,rtsp://10.0.0.2/1,,,,,,,\n" + // 4
		"a,h-own,New place,,A,rtsp://10.0.0.3/1,,,,,,,\n" + // 5: its kind is missing
		"b,h-own,双胞胎,,B,rtsp://10.0.0.4/1,,,,,,,\n" + // 6
		"c,h-other,Counter of h-other,,C,rtsp://10.0.0.5/1,,,,,,,\n" + // 7: out of scope
		"d,,Counter of h-own,,D,rtsp://10.0.0.6/1,,,,,,,,extra\n" + // 8
		",h-own,Counter of h-own,,E," + other.URL + ",,,,,,,\n" + // 9: there already
		",h-own,Counter of h-own,,F,rtsp://10.0.0.7/1,,,,,,,\n" + // 10
		",h-own,Counter of h-own,,G,rtsp://10.0.0.7/1,,,,,,,\n" + // 11: twice
		"e,h-own,Counter of h-own,,\"quo\"te,rtsp://10.0.0.8/1,,,,,,,\n" + // 12
		"f,h-own,Counter of h-own,,H,rtsp://u:p@10.0.0.9/1,,,,,,v,\n" + // 13
		"g,h-own,Counter of h-own,,I,rtsp://admin:12/34@10.0.0.9/1,,,,,,,\n" // 14
	for _, apply := range []bool{false, true} {
		r := c.imported(table, apply)
		want := []string{
			"3 place", "3 transport", "3 segment_seconds", "3 enabled", "3 id", "3 name", "3 url", "3 user", "3 record_from", "3 record_to",
			"4 id", "5 place_kind", "6 place", "7 institution_id", "8 ", "8 institution_id", "9 url", "11 url", "12 ", "13 url", "14 url",
		}
		if got := problems(r); !slices.Equal(got, want) {
			t.Errorf("got  %v\nwant %v", got, want)
		}
		if r.Applied || r.Errors != 11 {
			t.Errorf("applied %v, %d errors", r.Applied, r.Errors)
		}
	}
	if _, err := w.store.Camera(t.Context(), "good"); err == nil {
		t.Error("a file with errors was applied in part")
	}
}

// TestImportIsAllOrNothing: when the database refuses the last row, the
// first ones and the places are not there either.
func TestImportIsAllOrNothing(t *testing.T) {
	w := newWorld(t).serve()
	c := w.as(w.user(ward.Operator, "own"))
	w.refuse("UPDATE", "camera")
	before := get(t, func(ctx context.Context, _ string) ([]ward.Place, error) { return w.store.Places(ctx, nil) }, "")
	table := "id,institution_id,place,place_kind,name,url\nnew-1,h-own,新地点,病房,甲,rtsp://10.0.0.1/1\n" + string(w.camera.ID) + ",h-own,,,另名,\n"
	c.sheet([]byte(table), true).want(500, "internal")
	if _, err := w.store.Camera(t.Context(), "new-1"); err == nil {
		t.Error("half of the import was done")
	}
	if after := get(t, func(ctx context.Context, _ string) ([]ward.Place, error) { return w.store.Places(ctx, nil) }, ""); len(after) != len(before) {
		t.Errorf("%d places, there were %d", len(after), len(before))
	}
}

// TestExportIsATemplate: what was exported, imported, changes nothing, in
// both languages; names that a spreadsheet would compute survive; nobody's
// password is in it.
func TestExportIsATemplate(t *testing.T) {
	w := newWorld(t).serve()
	c := w.as(w.user(ward.Administrator, "all"))
	for i, name := range []string{`=HYPERLINK("http://evil","x")`, "+1", "-1", "@SUM(A1)", "＝1", "'=1", "'", "a,\"b\"", "普通"} {
		must(t, w.store.AddCamera(t.Context(), ward.Camera{
			ID: ward.CameraID(fmt.Sprintf("odd-%d", i)), InstitutionID: own, PlaceID: w.place.ID, Name: name, URL: fmt.Sprintf("rtsps://10.0.0.1/%d", i), User: "=cmd", Password: "secret-password",
			TLSFingerprint: strings.Repeat("ab", 32), Record: ward.RecordHours, RecordFrom: "22:00", RecordTo: "06:00", Transport: ward.TransportUDP,
		}))
	}
	for _, lang := range []string{"zh", "en"} {
		file := c.do(http.MethodGet, "/api/v1/cameras/export.csv?lang="+lang, nil).want(200, "")
		if bytes.Contains(file.body, []byte("secret-password")) {
			t.Error("a password was exported")
		}
		rows, err := csv.NewReader(bytes.NewReader(file.body)).ReadAll()
		must(t, err)
		for _, row := range rows[1:] {
			for _, cell := range row {
				if cell != "" && strings.ContainsRune("=+-@＝", []rune(cell)[0]) {
					t.Errorf("%s: a spreadsheet computes %q", lang, cell)
				}
			}
		}
		r := c.imported(string(file.body), true)
		if r.Same != 10 || r.Change+r.Add+r.Errors != 0 {
			t.Errorf("%s: %+v", lang, r)
		}
	}
	if got := get(t, w.store.Camera, "odd-0"); string(got.Password) != "secret-password" {
		t.Error("an empty password cell took the password away")
	}
	header := c.do(http.MethodGet, "/api/v1/cameras/export.csv?template=true", nil).want(200, "")
	if r := c.imported(string(header.body), false); len(r.Rows) != 0 {
		t.Errorf("template: %+v", r)
	}
	if file := w.as(w.user(ward.Operator, "other")).do(http.MethodGet, "/api/v1/cameras/export.csv", nil); bytes.Contains(file.body, []byte("odd-")) {
		t.Error("another institution's cameras were exported")
	}
}

// TestPasswordIsNotCarriedOff: whoever may change a camera cannot have its
// stored password sent elsewhere: by the form, the table or the probe.
func TestPasswordIsNotCarriedOff(t *testing.T) {
	w := newWorld(t).serve()
	c := w.as(w.user(ward.Operator, "own"))
	path := "/api/v1/cameras/" + string(w.camera.ID)
	change := m{"place_id": w.place.ID, "name": "改", "url": "rtsp://192.0.2.1/2", "user": "u", "enabled": false}
	c.do(http.MethodPut, path, change).want(200, "")
	for _, to := range []m{{"url": "rtsp://203.0.113.9/2"}, {"url": "rtsp://192.0.2.1:8554/2"}, {"url": "rtsp://192.0.2.1/2", "sub_url": "rtsp://203.0.113.9/2"}, {"url": "rtsps://192.0.2.1/2"}} {
		maps.Copy(change, to)
		r := c.do(http.MethodPut, path, change).want(422, "camera.password_again")
		if bytes.Contains(r.body, []byte("secret-password")) {
			t.Error("the refusal holds the password")
		}
		delete(change, "sub_url")
	}
	r := c.imported("id,url\n"+string(w.camera.ID)+",rtsp://203.0.113.9/2\n", true)
	if got := problems(r); !slices.Equal(got, []string{"2 password"}) || r.Applied {
		t.Errorf("by table: %v", got)
	}
	if got := get(t, w.store.Camera, w.camera.ID); got.URL != "rtsp://192.0.2.1/2" {
		t.Errorf("the camera is at %s", got.URL)
	}
	if r := c.imported("id,url,password\n"+string(w.camera.ID)+",rtsp://203.0.113.9/2,new one\n", true); !r.Applied {
		t.Errorf("with the password: %+v", r)
	}
	if got := get(t, w.store.Camera, w.camera.ID); got.URL != "rtsp://203.0.113.9/2" || string(got.Password) != "new one" {
		t.Errorf("%+v", got)
	}
	if r := c.imported("id,user\n"+string(w.camera.ID)+",\n", true); !r.Applied || get(t, w.store.Camera, w.camera.ID).Password != "" {
		t.Errorf("a user that is taken away leaves the password: %+v", r)
	}
	if strings.Contains(w.log.String(), "secret-password") || strings.Contains(w.log.String(), "new one") {
		t.Error("a password is in the log")
	}
}

// TestImportRefusesWholeFiles names what is wrong with a file as a whole.
func TestImportRefusesWholeFiles(t *testing.T) {
	w := newWorld(t).serve()
	c := w.as(w.user(ward.Operator, "own"))
	rows := strings.Repeat("a,b\n", web.MaxSheetRows+1)
	for code, table := range map[string]string{
		"import.empty":          "\n\n",
		"import.encoding":       "\xff\xff\xff\x80",
		"import.column_unknown": "id,Farbe\n",
		"import.column_twice":   "id,url,URL\n",
		"import.column_missing": "name,user\n",
		"import.too_many_rows":  "id,name\n" + rows,
		"import.quotes":         "id,\"na\"me\n",
	} {
		c.sheet([]byte(table), true).want(422, code)
	}
	c.sheet(bytes.Repeat([]byte("x"), 5<<20+1), true).want(413, "request.too_large")
}

// TestImportOfThousands adds 5,000 cameras, changes them and pages through them.
func TestImportOfThousands(t *testing.T) {
	w := newWorld(t).serve()
	c := w.as(w.user(ward.Administrator, "all"))
	var b strings.Builder
	b.WriteString("id,institution_id,place,place_kind,name,url,user,password\n")
	for i := range web.MaxSheetRows {
		fmt.Fprintf(&b, "many-%d,h-own,地点%d,病房,摄像头%d,rtsp://10.0.%d.%d/1,admin,pw%d\n", i, i/10, i, i/250, i%250, i)
	}
	began := time.Now()
	r := c.imported(b.String(), true)
	if r.Add != 5000 || !r.Applied || len(r.Places) != 500 {
		t.Errorf("%d added, %d places", r.Add, len(r.Places))
	}
	t.Logf("added in %v", time.Since(began))
	began = time.Now()
	r = c.imported(strings.ReplaceAll(b.String(), ",admin,", ",root,"), true)
	if r.Change != 5000 {
		t.Errorf("changed %d, same %d, errors %d", r.Change, r.Same, r.Errors)
	}
	t.Logf("changed in %v", time.Since(began))
	began = time.Now()
	page := into[web.CameraPage](c.do(http.MethodGet, "/api/v1/cameras?limit=50&q=摄像头499", nil).want(200, ""))
	if page.Total != 11 || len(page.Items) != 11 || page.Next != "" {
		t.Errorf("search: %d of %d", len(page.Items), page.Total)
	}
	t.Logf("searched in %v", time.Since(began))
	seen, cursor := map[ward.CameraID]bool{}, ""
	for range 200 {
		page = into[web.CameraPage](c.do(http.MethodGet, "/api/v1/cameras?limit=200&cursor="+cursor, nil).want(200, ""))
		for _, x := range page.Items {
			seen[x.ID] = true
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	if len(seen) != 5001 || page.Total != 5001 || page.States["unknown"] != 5001 {
		t.Errorf("paged through %d of %d, %v", len(seen), page.Total, page.States)
	}
}

// TestImportIsStale: a catalogue that changed since the plan is not touched.
func TestImportIsStale(t *testing.T) {
	w := newWorld(t)
	to := w.camera
	to.Name = "neu"
	stale := w.camera
	stale.Name = "what somebody else overwrote"
	err := w.store.ImportCameras(t.Context(), storage.CameraImport{Change: []storage.CameraChange{{Was: stale, To: func() ward.Camera { c := to; return c }()}}})
	if got := ward.KindOf(err); got != ward.Conflict {
		t.Errorf("got %v", err)
	}
	if get(t, w.store.Camera, w.camera.ID).Name == "neu" {
		t.Error("it was changed")
	}
}

func TestDefused(t *testing.T) {
	for _, cell := range []string{"", "a", "=1", "'=1", "''=1", "' =1", " =1", "'", "''", "'a", "\t=x", "＝x", "＋", "-", "@x", "\r", "\u3000=1"} {
		if got := web.Bare(web.Defused(cell)); got != cell {
			t.Errorf("%q came back as %q", cell, got)
		}
	}
}

// FuzzSheet: no table breaks the reader, and what it makes is bounded.
func FuzzSheet(f *testing.F) {
	f.Add([]byte(chinese))
	f.Add([]byte("\ufeffid;url\r\n\"a\"\"b\";\"c\nd\"\r\n"))
	f.Add([]byte("sep=\t\nid\turl\n\"x"))
	f.Add([]byte("\xff\xfei\x00d\x00,\x00u\x00r\x00l\x00\n\x00"))
	gb, err := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(chinese))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(gb)
	f.Fuzz(func(t *testing.T, raw []byte) {
		rows, faults, err := web.ReadSheet(raw)
		if err == nil && (rows > web.MaxSheetRows || faults > rows || rows > bytes.Count(raw, []byte("\n"))+bytes.Count(raw, []byte("\r"))+1) {
			t.Errorf("%d rows, %d faults", rows, faults)
		}
		if err != nil && ward.KindOf(err) != ward.Invalid {
			t.Errorf("not for people: %v", err)
		}
		cell := string(raw)
		if web.Bare(web.Defused(cell)) != cell {
			t.Errorf("%q does not come back", cell)
		}
	})
}

// TestALostPassword: a camera whose stored password cannot be read is shown as
// such, and nobody replaces it by nothing without meaning to.
func TestALostPassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.web.Fleet = &ingest.Fleet{Store: w.store, Spool: w.spool}
	w.serve()
	w.losePassword()
	c := w.as(w.user(ward.Operator, "own"))
	path := "/api/v1/cameras/" + string(w.camera.ID)
	if shown := into[web.Camera](c.do(http.MethodGet, path, nil).want(200, "")); !shown.PasswordLost || !shown.HasPassword {
		t.Errorf("shown as %+v", shown)
	}
	change := m{"place_id": w.place.ID, "name": "改", "url": w.camera.URL, "user": "u", "enabled": false}
	c.do(http.MethodPut, path, change).want(422, "camera.password_lost")
	c.do(http.MethodPost, "/api/v1/cameras/probe", m{"camera_id": w.camera.ID, "url": w.camera.URL, "user": "u"}).want(422, "camera.password_lost")
	if r := c.imported("id,name\n"+string(w.camera.ID)+",二号\n", true); !slices.Equal(problems(r), []string{"2 password"}) || r.Applied {
		t.Errorf("changed by table: %+v", r)
	}
	if r := c.imported("id,url\n"+string(w.camera.ID)+","+w.camera.URL+"\n", true); len(problems(r)) != 0 || len(r.Rows[0].Notes) != 1 {
		t.Errorf("left as it is: %+v", r)
	}
	if r := c.imported("id,name,password\n"+string(w.camera.ID)+",二号,new one\n", true); !r.Applied {
		t.Errorf("typed again: %+v", r)
	}
	if got := get(t, w.store.Camera, w.camera.ID); got.PasswordLost || got.Password != "new one" {
		t.Errorf("%+v", got)
	}
	w.losePassword()
	change["password"] = "" // none, and meant
	c.do(http.MethodPut, path, change).want(200, "")
	if got := get(t, w.store.Camera, w.camera.ID); got.PasswordLost || got.Password != "" {
		t.Errorf("%+v", got)
	}
}

// losePassword makes the stored password of w.camera unreadable.
func (w *world) losePassword() {
	w.t.Helper()
	db, err := sql.Open("sqlite", w.database)
	must(w.t, err)
	_, err = db.ExecContext(w.t.Context(), `UPDATE camera SET password_sealed = randomblob(40) WHERE id = $1`, w.camera.ID)
	must(w.t, err)
	must(w.t, db.Close())
}
