package rounds_test

import (
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"wardwatch/internal/simbed"
	"wardwatch/rounds"
	"wardwatch/ward"
)

func TestLinkIsSingleUseAndExpires(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(e *rounds.Engine) { e.LinkValid = time.Second })
	r.admit("", 0)
	link := r.order(time.Hour)
	refused := func(token, code string) {
		t.Helper()
		_, err := simbed.Run(t.Context(), simbed.Options{Server: r.url, Link: token, Behaviour: simbed.Refuse})
		p, ok := errors.AsType[*simbed.Problem](err)
		if !ok || p.Code != code || !strings.Contains(p.Detail, "ask the inspector for a new") || !strings.Contains(p.DetailZH, "请向稽核员索取新的链接") {
			t.Errorf("got %v, want %s", err, code)
		}
	}
	refused("AAAAAAAAAAAAAAAAAAAAAA", "bedside.link_unknown")
	refused("", "bedside.link_unknown")
	if _, _, _, err := r.engine.Open(t.Context(), link.Token); err != nil {
		t.Fatal(err)
	}
	refused(link.Token, "bedside.link_used")

	late := r.order(time.Hour)
	<-time.After(time.Until(late.Visit.LinkExpires)) // the thing under test is this moment
	refused(late.Token, "bedside.link_expired")
	fresh, err := r.engine.Reissue(t.Context(), late.Visit.ID)
	if err != nil {
		t.Fatal(err)
	}
	refused(late.Token, "bedside.link_unknown")
	if _, _, _, err := r.engine.Open(t.Context(), fresh.Token); err != nil {
		t.Errorf("the new link: %v", err)
	}
	if _, err := r.engine.Reissue(t.Context(), late.Visit.ID); !errors.Is(err, &ward.Error{Code: "visit.opened"}) {
		t.Errorf("reissue after it was opened: %v", err)
	}
}

func TestRefusalIsAVerdict(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.admit("", 0)
	link := r.order(time.Hour)
	if _, err := r.answer(link.Token, simbed.Refuse, ""); err != nil {
		t.Fatal(err)
	}
	if v := r.sealed(link.Visit.ID, time.Second); v.Verdict != ward.Refused || v.Leaf < 1 {
		t.Errorf("got %s, leaf %d", v.Verdict, v.Leaf)
	}
}

// TestDischargedBeforeAnybodyCame: a patient who was discharged is not said to
// be missing, and it is said when the hospital told it only after the order.
func TestDischargedBeforeAnybodyCame(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.admit("", 0)
	now := time.Now()
	round := ward.Round{ID: "soon", InstitutionID: r.inst, OrderedBy: inspector.ID, Reason: "抽查", Ordered: now, Deadline: now.Add(2 * time.Second)}
	stays := []ward.AdmissionID{r.stay, "before", "later"}
	var visits []ward.Visit
	var hashes [][]byte
	for _, id := range stays {
		a := ward.Admission{ID: id, InstitutionID: r.inst, InsuredID: "p1", Ward: "内一", Bed: "1" + string(id[0]), From: now.Add(-time.Hour)}
		if id == "before" {
			a.To = now.Add(-time.Minute)
		}
		if id == "later" {
			a.To = now.Add(time.Hour)
		}
		if id != r.stay {
			if err := r.store.AddAdmission(t.Context(), a); err != nil {
				t.Fatal(err)
			}
		}
		visits = append(visits, ward.Visit{ID: ward.VisitID("v-" + id), RoundID: round.ID, InstitutionID: r.inst, AdmissionID: id, InsuredID: "p1", Ward: a.Ward, Bed: a.Bed, LinkExpires: now})
		hashes = append(hashes, []byte(id))
	}
	if _, err := r.store.OrderRound(t.Context(), round, visits, hashes); err != nil {
		t.Fatal(err)
	}
	out := ward.AdmissionEvent{Kind: ward.DischargeEvent, Sender: "his", ControlID: "1", Visit: string(r.stay), Recorded: now, At: now, Precision: ward.ToTheSecond}
	if _, err := r.store.ApplyAdmissionEvents(t.Context(), r.inst, []ward.AdmissionEvent{out}, false); err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		verdict ward.Verdict
		reason  string
	}{{ward.Discharged, "(it said so after the round was ordered)"}, {ward.Discharged, "was discharged."}, {ward.NoAnswer, ""}} {
		v := r.sealed(visits[i].ID, 10*time.Second)
		if v.Verdict != want.verdict || !strings.Contains(v.ReasonEN, want.reason) || i == 1 && strings.Contains(v.ReasonEN, "after") {
			t.Errorf("%s: %s, %q", v.AdmissionID, v.Verdict, v.ReasonEN)
		}
	}
}

func TestNobodyAnswers(t *testing.T) {
	t.Parallel()
	s := newRig(t, nil)
	s.admit("", 0)
	link := s.order(31 * time.Second)
	// The deadline is moved, not waited for: a second round in the past is not allowed to be ordered.
	round := ward.Round{ID: "late", InstitutionID: s.inst, OrderedBy: inspector.ID, Reason: "抽查", Ordered: time.Now().Add(-time.Hour), Deadline: time.Now().Add(-time.Minute)}
	v := link.Visit
	v.ID, v.RoundID, v.LinkExpires = "late-visit", round.ID, round.Deadline
	if _, err := s.store.OrderRound(t.Context(), round, []ward.Visit{v}, [][]byte{[]byte("h")}); err != nil {
		t.Fatal(err)
	}
	if got := s.sealed(v.ID, 10*time.Second); got.Verdict != ward.NoAnswer {
		t.Errorf("got %s", got.Verdict)
	}
	if got, err := s.store.Visit(t.Context(), link.Visit.ID); err != nil || got.State != ward.VisitOrdered {
		t.Errorf("the other visit: %s, %v", got.State, err)
	}
}

func TestBadOffers(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.admit("", 0)
	link := r.order(time.Hour)
	device, _, _, err := r.engine.Open(t.Context(), link.Token)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.engine.Session(t.Context(), device, "v=0"); !errors.Is(err, &ward.Error{Code: "bedside.no_consent"}) {
		t.Errorf("before the consent: %v", err)
	}
	if err := r.engine.Consent(t.Context(), device, true); err != nil {
		t.Fatal(err)
	}
	head := "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
	for name, offer := range map[string]string{
		"empty":            "",
		"garbage":          "\x00\xff not an offer",
		"no media":         head,
		"no camera":        head + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n",
		"no data channel":  head + "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 VP8/90000\r\na=sendrecv\r\n",
		"no fingerprint":   head + "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 VP8/90000\r\na=mid:0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:1\r\n",
		"a hundred videos": head + strings.Repeat("m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 VP8/90000\r\n", 100),
		"70 kB":            head + strings.Repeat("a=x:yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n", 2000),
	} {
		if _, err := r.engine.Session(t.Context(), device, offer); !errors.Is(err, &ward.Error{Kind: ward.Invalid}) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if v, err := r.store.Visit(t.Context(), link.Visit.ID); err != nil || v.State != ward.VisitConsented {
		t.Errorf("after bad offers: %s, %v", v.State, err)
	}
}

func TestOrdersThatAreRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.admit("", 0)
	good := rounds.Order{InstitutionID: r.inst, Reason: "抽查", Ward: "内一", Deadline: time.Now().Add(time.Hour)}
	operator := ward.User{ID: "o", Role: ward.Operator, AllInstitutions: true}
	elsewhere := ward.User{ID: "e", Role: ward.Inspector, Institutions: []ward.InstitutionID{"h2"}}
	for _, c := range []struct {
		code   string
		by     ward.User
		change func(*rounds.Order)
	}{
		{"round.forbidden", operator, func(*rounds.Order) {}},
		{"round.forbidden", elsewhere, func(*rounds.Order) {}},
		{"round.reason", inspector, func(o *rounds.Order) { o.Reason = " " }},
		{"round.deadline", inspector, func(o *rounds.Order) { o.Deadline = time.Now() }},
		{"round.deadline", inspector, func(o *rounds.Order) { o.Deadline = time.Now().Add(48 * time.Hour) }},
		{"round.empty", inspector, func(o *rounds.Order) { o.Ward = "" }},
		{"round.beds", inspector, func(o *rounds.Order) { o.Ward = "没有" }},
		{"round.admission", inspector, func(o *rounds.Order) { o.Admissions = []ward.AdmissionID{"other"} }},
		{"round.admission", inspector, func(o *rounds.Order) { o.Admissions = []ward.AdmissionID{r.stay, r.stay} }},
	} {
		o := good
		c.change(&o)
		if _, _, err := r.engine.Order(t.Context(), c.by, o); !errors.Is(err, &ward.Error{Code: c.code}) {
			t.Errorf("%s: %v", c.code, err)
		}
	}
	if _, links, err := r.engine.Order(t.Context(), inspector, good); err != nil || len(links) != 1 {
		t.Errorf("the whole ward: %d links, %v", len(links), err)
	}
}

func TestFloodIsCutOff(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.admit("", 0)
	link := r.order(time.Hour)
	if _, err := r.answer(link.Token, simbed.Flood, "franck"); err != nil {
		t.Fatal(err)
	}
	v := r.sealed(link.Visit.ID, 30*time.Second)
	if v.Verdict != ward.Interrupted || !strings.Contains(v.ReasonEN, "too many messages") {
		t.Errorf("got %s %q", v.Verdict, v.ReasonEN)
	}
}

func TestFrozenPictureIsNotPresent(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.admit("franck", 125)
	link := r.order(time.Hour)
	if _, err := r.answer(link.Token, simbed.Frozen, "franck"); err != nil {
		t.Fatal(err)
	}
	if v := r.sealed(link.Visit.ID, sessionMax); v.Verdict != ward.Unable {
		t.Errorf("got %s\n%s", v.Verdict, r.story(v.ID))
	}
}

// TestNothingIsSentWhereAnOfferSays: the bedside reaches us; its candidates
// must not make this machine send to an address of somebody's choice.
func TestNothingIsSentWhereAnOfferSays(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.admit("", 0)
	device, _, _, err := r.engine.Open(t.Context(), r.order(time.Hour).Token)
	if err == nil {
		err = r.engine.Consent(t.Context(), device, true)
	}
	if err != nil {
		t.Fatal(err)
	}
	target, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	_, port, _ := net.SplitHostPort(target.LocalAddr().String())
	ice := "c=IN IP4 0.0.0.0\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdef01234567\r\na=setup:actpass\r\n" +
		"a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\n" +
		"a=candidate:1 1 udp 2113937151 127.0.0.1 " + port + " typ host\r\n"
	offer := "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n" +
		"m=video 9 UDP/TLS/RTP/SAVPF 96\r\n" + ice + "a=mid:0\r\na=sendrecv\r\na=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\n" +
		"m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n" + ice + "a=mid:1\r\na=sctp-port:5000\r\n"
	if _, err := r.engine.Session(t.Context(), device, offer); err != nil {
		t.Fatal(err)
	}
	if err := target.SetReadDeadline(time.Now().Add(2 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if n, from, err := target.ReadFrom(make([]byte, 1500)); err == nil {
		t.Errorf("%d bytes from %s", n, from)
	}
}
