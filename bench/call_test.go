package bench_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"wardwatch/internal/models/modeltest"
	"wardwatch/ward"
	"wardwatch/web"
)

// house is `wardwatch serve` in a process of its own, with one institution,
// and an inspector who is signed in.
type house struct {
	b    *testing.B
	base string // http://host:port
	http *http.Client
	beds int
}

var oneTimeLink = regexp.MustCompile(`(http://\S+)/#one-time=(\S+)`)

// openHouse starts the service with that many vision workers.
func openHouse(b *testing.B, workers int) *house {
	b.Helper()
	root, dir := modeltest.Root(b), b.TempDir()
	program := filepath.Join(root, "bin", "wardwatch")
	if _, err := os.Stat(program); err != nil {
		b.Fatalf("%v: run make build", err)
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	must(b, err)
	cmd := exec.Command(program, "serve")
	cmd.Dir, cmd.Stderr = dir, log
	cmd.Env = append(os.Environ(), "WARDWATCH_DATA="+filepath.Join(dir, "data"), "WARDWATCH_LISTEN=127.0.0.1:0", "WARDWATCH_MODELS="+modeltest.Models(b),
		"WARDWATCH_VISION_PATH="+filepath.Join(root, "bin", "wardwatch-vision"), fmt.Sprintf("WARDWATCH_VISION_WORKERS=%d", workers))
	printed, err := cmd.StdoutPipe()
	must(b, err)
	must(b, cmd.Start())
	said, reading := make(chan []string, 1), sync.WaitGroup{}
	reading.Go(func() {
		lines := bufio.NewScanner(printed)
		for lines.Scan() {
			if m := oneTimeLink.FindStringSubmatch(lines.Text()); m != nil {
				said <- m
				break
			}
		}
		_, _ = io.Copy(io.Discard, printed)
	})
	b.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		reading.Wait()
		err := cmd.Wait()
		text, _ := os.ReadFile(log.Name())
		if err != nil || b.Failed() {
			b.Errorf("serve ended: %v\n%s", err, text)
		}
	})
	jar, err := cookiejar.New(nil)
	must(b, err)
	h := &house{b: b, http: &http.Client{Jar: jar, Timeout: 30 * time.Second}}
	select {
	case m := <-said:
		h.base = m[1]
		h.post("/sign-in", map[string]any{"one_time": m[2]}, nil)
	case <-time.After(20 * time.Second):
		b.Fatal("the service does not print its sign-in within 20 s")
	}
	h.post("/institutions", map[string]any{"id": "h1", "name": "第一医院"}, nil)
	return h
}

// call asks the API: in is sent as JSON, an SDP when it is a string, or a
// photo when it is bytes.
func (h *house) call(method, path string, in any) (status int, header http.Header, answer []byte) {
	h.b.Helper()
	kind, body := "application/json", []byte(nil)
	switch v := in.(type) {
	case nil:
	case string:
		kind, body = "application/sdp", []byte(v)
	case []byte:
		kind, body = "image/jpeg", v
	default:
		var err error
		body, err = json.Marshal(v)
		must(h.b, err)
	}
	req, err := http.NewRequestWithContext(h.b.Context(), method, h.base+"/api/v1"+path, bytes.NewReader(body))
	must(h.b, err)
	if in != nil {
		req.Header.Set("Content-Type", kind)
	}
	res, err := h.http.Do(req)
	must(h.b, err)
	defer res.Body.Close()
	answer, err = io.ReadAll(res.Body)
	must(h.b, err)
	return res.StatusCode, res.Header, answer
}

// post must be done; the answer is decoded into out, which may be nil.
func (h *house) post(path string, in, out any) {
	h.b.Helper()
	status, _, answer := h.call(http.MethodPost, path, in)
	if status >= 300 {
		h.b.Fatalf("POST %s: %d %s", path, status, answer)
	}
	if out != nil {
		must(h.b, json.Unmarshal(answer, out))
	}
}

func (h *house) visit(id ward.VisitID) (v web.VisitDetail) {
	h.b.Helper()
	status, _, answer := h.call(http.MethodGet, "/visits/"+string(id), nil)
	if status != http.StatusOK {
		h.b.Fatalf("visit: %d %s", status, answer)
	}
	must(h.b, json.Unmarshal(answer, &v))
	return v
}

// bed makes an inpatient in a bed of their own, enrolled with photo unless
// that is nil.
func (h *house) bed(photo []byte) ward.AdmissionID {
	h.b.Helper()
	h.beds++
	id := fmt.Sprintf("p%04d", h.beds)
	h.post("/insured", map[string]any{"id": id, "name": "张三", "id_number": "110101195003070019"}, nil)
	if photo != nil {
		for end := time.Now().Add(time.Minute); ; <-time.After(200 * time.Millisecond) { // the workers load their models
			status, _, answer := h.call(http.MethodPut, "/insured/"+id+"/photo", photo)
			if status < 300 {
				break
			}
			if status != http.StatusServiceUnavailable || time.Now().After(end) {
				h.b.Fatalf("enrol: %d %s", status, answer)
			}
		}
	}
	var stay ward.Admission
	h.post("/admissions", map[string]any{"institution_id": "h1", "insured_id": id, "ward": "内科", "bed": id, "from": time.Now().Add(-time.Hour).UTC()}, &stay)
	return stay.ID
}

// order orders a round of one bed.
func (h *house) order(stay ward.AdmissionID) (v ward.Visit, link string) {
	h.b.Helper()
	var made web.OrderedRound
	h.post("/rounds", map[string]any{"institution_id": "h1", "reason": "抽查", "admission_ids": []ward.AdmissionID{stay}, "deadline": time.Now().Add(time.Hour).UTC()}, &made)
	return made.Visits[0].Visit, made.Visits[0].Link
}

// changes are the ids of the visits that change, as the console hears of them.
func (h *house) changes() <-chan string {
	h.b.Helper()
	req, err := http.NewRequestWithContext(h.b.Context(), http.MethodGet, h.base+"/api/v1/events", nil)
	must(h.b, err)
	res, err := (&http.Client{Jar: h.http.Jar}).Do(req) // without end
	must(h.b, err)
	ids, began := make(chan string, 1000), make(chan struct{})
	var reading sync.WaitGroup
	h.b.Cleanup(func() { _ = res.Body.Close(); reading.Wait() })
	reading.Go(func() {
		defer close(ids)
		lines := bufio.NewScanner(res.Body)
		for first := true; lines.Scan(); {
			if first && strings.HasPrefix(lines.Text(), ": hello") {
				first = false
				close(began)
			}
			var e web.Event
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok && json.Unmarshal([]byte(data), &e) == nil && e.Kind == web.VisitEvent {
				ids <- e.ID
			}
		}
	})
	select {
	case <-began:
	case <-time.After(10 * time.Second):
		h.b.Fatal("no event stream")
	}
	return ids
}

// beside prints times beside the limit that they should keep.
func beside(b *testing.B, what string, all []time.Duration, limit time.Duration) {
	b.Helper()
	p50, p95 := at(all, .5), at(all, .95)
	b.Logf("%s: p50 %s, p95 %s, most %s of %d; the limit is %s", what, p50.Round(time.Millisecond), p95.Round(time.Millisecond), all[len(all)-1].Round(time.Millisecond), len(all), limit)
	b.ReportMetric(ms(p50), what+"-p50-ms")
	b.ReportMetric(ms(p95), what+"-p95-ms")
	b.ReportMetric(float64(p50)/float64(limit), "×"+what+"-limit-p50")
	b.ReportMetric(float64(p95)/float64(limit), "×"+what+"-limit-p95")
}
