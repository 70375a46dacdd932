package mllp_test

import (
	"bufio"
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"wardwatch/ingest/mllp"
	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/ward"
)

const patient = "PID|1||110101199001011237^^^^NNCHN||张三\rPV1|1|I|内一^201^12||||^李医生||||||||||||ZY1\r"

func told(event, control, facility, stamp, rest string) string {
	return `MSH|^~\&|HIS|` + facility + "|WW|C|" + stamp + "||ADT^" + event + "|" + control + "|P|2.4||||||UNICODE UTF-8\rEVN|" + event + "|" + stamp + "\r" + rest
}

// rig is a server on this machine.
type rig struct {
	t     *testing.T
	store *storage.Store
	addr  string
	log   *bytes.Buffer
	told  []string // visits that messages changed
}

func serve(t *testing.T, senders ...string) *rig {
	t.Helper()
	r := &rig{t: t, store: teststore.SQLite(t), log: &bytes.Buffer{}}
	for _, id := range []ward.InstitutionID{"h1", "h2"} {
		if err := r.store.PutInstitution(t.Context(), ward.Institution{ID: id, Name: "医院"}); err != nil {
			t.Fatal(err)
		}
	}
	var w sync.Mutex
	s := &mllp.Server{Store: r.store, Log: slog.New(slog.NewTextHandler(&locked{mu: &w, b: r.log}, nil)), Notify: func(kind, id string, inst ward.InstitutionID) {
		w.Lock()
		defer w.Unlock()
		r.told = append(r.told, kind+" "+id+" "+string(inst))
	}}
	for _, text := range senders {
		one, err := mllp.ParseSender(text)
		if err != nil {
			t.Fatal(err)
		}
		s.Senders = append(s.Senders, one)
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.addr = l.Addr().String()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		for _, secret := range []string{"110101", "张", "ZY1"} {
			if strings.Contains(r.log.String(), secret) {
				t.Errorf("the log tells %q:\n%s", secret, r.log)
			}
		}
	})
	return r
}

type locked struct {
	mu *sync.Mutex // guards b
	b  *bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (r *rig) dial() (net.Conn, *bufio.Reader) {
	r.t.Helper()
	c, err := (&net.Dialer{}).DialContext(r.t.Context(), "tcp", r.addr)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		r.t.Fatal(err)
	}
	return c, bufio.NewReader(c)
}

// ask sends a message and returns the acknowledgement.
func ask(t *testing.T, c net.Conn, in *bufio.Reader, msg string) string {
	t.Helper()
	if _, err := c.Write([]byte("\x0b" + msg + "\x1c\r")); err != nil {
		t.Fatal(err)
	}
	answer, err := in.ReadString('\x1c')
	if err != nil {
		t.Fatal(err)
	}
	if b, err := in.ReadByte(); err != nil || b != '\r' || answer[0] != 0x0b {
		t.Fatalf("no frame: %q %v", answer, err)
	}
	return answer
}

func TestAcknowledgedOnlyWhenKept(t *testing.T) {
	r := serve(t, "127.0.0.0/8 HOSP1 h1", "10.0.0.0/8 HOSP2 h2")
	c, in := r.dial()
	admit := told("A01", "1", "HOSP1", "20261101080000", patient)
	for _, q := range []struct{ msg, want string }{
		{admit, "MSA|AA|1|"},
		{admit, "MSA|AA|1|"}, // what a sender does whose acknowledgement was lost
		{told("A02", "2", "HOSP1", "20261102080000", strings.Replace(patient, "^12|", "^15|", 1)), "MSA|AA|2|"},
		{strings.Replace(admit, "^12|", "^13|", 1), "MSA|AE|1|MSH-10"},
		{told("A01", "3", "HOSP2", "20261101080000", patient), "MSA|AR|3|MSH-4"}, // from another's address
		{told("A40", "4", "HOSP1", "20261101080000", patient), "MSA|AR|4|MSH-9"},
		{told("A01", "5", "HOSP1", "20261101080000", strings.Replace(patient, "ZY1", "", 1)), "MSA|AE|5|PV1-19"},
		{told("A01", "6", "HOSP1", "20261101080000", strings.Replace(patient, "|I|", "|O|", 1)), "MSA|AA|6|PV1-2"},
		{"nonsense", "MSA|AE||MSH"},
	} {
		if got := ask(t, c, in, q.msg); !strings.Contains(got, q.want) {
			t.Errorf("got %q, want %q", got, q.want)
		}
	}
	stays, err := r.store.Admissions(t.Context(), nil, "")
	if err != nil || len(stays) != 1 || stays[0].InstitutionID != "h1" || stays[0].Bed != "15" || stays[0].Physician != "李医生" {
		t.Fatalf("%+v, %v", stays, err)
	}
	if beds, err := r.store.BedsOf(t.Context(), stays[0].ID); err != nil || len(beds) != 2 || beds[0].Room != "201" {
		t.Errorf("%+v, %v", beds, err)
	}
}

// A visit that nobody has opened goes with its patient, and the tablets' hub
// hears of it before the hospital does.
func TestVisitsGoWithTheirPatients(t *testing.T) {
	r := serve(t, "127.0.0.0/8 HOSP1 h1")
	c, in := r.dial()
	ask(t, c, in, told("A01", "1", "HOSP1", "20261101080000", patient))
	stays, err := r.store.Admissions(t.Context(), nil, "")
	if err != nil || len(stays) != 1 {
		t.Fatalf("%+v, %v", stays, err)
	}
	now := time.Now()
	v := ward.Visit{ID: "v1", RoundID: "r1", InstitutionID: "h1", AdmissionID: stays[0].ID, Ward: stays[0].Ward, Bed: stays[0].Bed, LinkExpires: now}
	round := ward.Round{ID: "r1", InstitutionID: "h1", OrderedBy: "u1", Reason: "抽查", Ordered: now, Deadline: now.Add(time.Hour)}
	if _, err := r.store.OrderRound(t.Context(), round, []ward.Visit{v}, [][]byte{[]byte("h")}); err != nil {
		t.Fatal(err)
	}
	move := told("A02", "2", "HOSP1", "20261102080000", strings.Replace(patient, "^12|", "^15|", 1))
	for range 2 { // the second time it says nothing new
		ask(t, c, in, move)
	}
	if v, err = r.store.Visit(t.Context(), v.ID); err != nil || v.Bed != "15" || len(r.told) != 1 || r.told[0] != "visit v1 h1" {
		t.Errorf("bed %s, told %v, %v", v.Bed, r.told, err)
	}
}

// Who is not listed, sends no frames or too much is cut off; others go on.
func TestHostileSenders(t *testing.T) {
	r := serve(t, "127.0.0.0/8 HOSP1 h1")
	good, in := r.dial()
	for name, sent := range map[string]string{
		"no frame":   "GET / HTTP/1.1\r\n\r\n",
		"too much":   "\x0b" + strings.Repeat("x", 2<<20),
		"wrong ends": "\x0bMSH\x1cx",
	} {
		c, _ := r.dial()
		_, _ = c.Write([]byte(sent)) // the server may hang up meanwhile
		if n, err := c.Read(make([]byte, 1)); err == nil {
			t.Errorf("%s: answered with %d bytes", name, n)
		}
	}
	var held []net.Conn
	for range 7 { // with good: as many as an address may have
		c, in := r.dial()
		ask(t, c, in, "x")
		held = append(held, c)
	}
	c, _ := r.dial()
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("a ninth connection is served")
	}
	if got := ask(t, good, in, told("A01", "1", "HOSP1", "20261101080000", patient)); !strings.Contains(got, "MSA|AA|1|") {
		t.Errorf("beside them: %q", got)
	}
	_ = held
}

func TestStrangersAreNotListenedTo(t *testing.T) {
	r := serve(t, "10.0.0.0/8 HOSP1 h1")
	c, _ := r.dial()
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("a stranger is served")
	}
}

func TestParseSender(t *testing.T) {
	got, err := mllp.ParseSender(" 10.1.2.3/24 HOSP1 h-1 ")
	if err != nil || got != (mllp.Sender{Network: netip.MustParsePrefix("10.1.2.0/24"), Facility: "HOSP1", Institution: "h-1"}) {
		t.Errorf("%+v, %v", got, err)
	}
	for _, bad := range []string{"", "10.1.2.3 HOSP1 h1", "10.0.0.0/8 HOSP1", "10.0.0.0/8 HOSP1 H1", "10.0.0.0/8 a b c"} {
		if _, err := mllp.ParseSender(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
