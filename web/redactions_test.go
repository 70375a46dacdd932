package web_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"testing"

	"wardwatch/storage/sealed"
	"wardwatch/ward"
	"wardwatch/web"
)

// maker is half through with everything.
type maker struct{ w *world }

func (maker) Progress(ward.RedactionID) float64 { return .5 }
func (maker) Wake()                             {}
func (m maker) Cancel(ctx context.Context, id ward.RedactionID) error {
	return m.w.store.EndRedaction(ctx, id, ward.RedactionCancelled, "")
}

// coverable is a recording of a new case.
func (w *world) coverable() (ward.Case, ward.Evidence) {
	w.t.Helper()
	c := w.openCase()
	items, err := w.store.Evidence(w.t.Context(), c.ID)
	must(w.t, err)
	return c, items[slices.IndexFunc(items, func(e ward.Evidence) bool { return e.Kind == ward.EvidenceSegment })]
}

// queued is a redaction that waits.
func (w *world) queued() ward.Redaction {
	w.t.Helper()
	_, e := w.coverable()
	r, err := w.store.QueueRedaction(w.t.Context(), e, own, ward.RedactionPlan{Faces: true}, "隐私", w.user(ward.Inspector, "own"))
	must(w.t, err)
	return r
}

// cover finishes a redaction with a body of its own.
func (w *world) cover(r ward.Redaction) ward.Evidence {
	w.t.Helper()
	ctx, body := w.t.Context(), []byte("covered")
	e, err := w.store.EvidenceItem(ctx, r.EvidenceID)
	must(w.t, err)
	sum := sha256.Sum256(body)
	must(w.t, w.objects.Put(ctx, r.Key, bytes.NewReader(body), int64(len(body))))
	_, err = w.store.FinishRedaction(ctx, r.ID, sealed.Upload{
		Institution: own, Name: "x", MediaType: "video/mp4", Bytes: int64(len(body)), SHA256: hex.EncodeToString(sum[:]), By: r.By,
		Derived: &sealed.Derived{From: string(e.Kind) + "/" + e.Ref, SHA256: hex.EncodeToString(e.SHA256[:]), Tool: "test/1"},
	})
	must(w.t, err)
	return e
}

// Who may see a covered recording: nobody, on no way, until two people lift the
// cover for the one who asked; its derivative everybody of the case.
func TestCoveredRecordingByAPI(t *testing.T) {
	w := newWorld(t)
	w.serve()
	c, e := w.coverable()
	confirmer := w.user(ward.Inspector, "own")
	first, second, elsewhere := w.as(w.user(ward.Inspector, "own")), w.as(confirmer), w.as(w.user(ward.Inspector, "other"))
	base := "/api/v1/cases/" + string(c.ID)
	original, segment := "/api/v1/evidence/"+string(e.ID)+"/content", "/api/v1/segments/"+e.Ref+"/media.mp4"
	first.do(http.MethodGet, original, nil).want(200, "")

	plan := m{"evidence_id": e.ID, "faces": true, "regions": []m{}, "reason": "隐私"}
	ask, password := m{"evidence_id": e.ID, "reason": "庭审质证"}, m{"password": "a long password"}
	elsewhere.do(http.MethodPost, base+"/redactions", plan).want(404, "")
	first.do(http.MethodPost, base+"/redactions", with(plan, "faces", false)).want(422, "redaction.nothing")
	first.do(http.MethodPost, base+"/redactions", with(plan, "evidence_id", "none")).want(422, "evidence.unknown")
	gone := into[ward.Redaction](first.do(http.MethodPost, base+"/redactions", plan).want(201, ""))
	elsewhere.do(http.MethodPost, "/api/v1/redactions/"+string(gone.ID)+"/cancel", nil).want(404, "")
	first.do(http.MethodPost, "/api/v1/redactions/"+string(gone.ID)+"/cancel", nil).want(204, "")
	first.do(http.MethodPost, "/api/v1/redactions/"+string(gone.ID)+"/cancel", nil).want(409, "redaction.ended")
	r := into[ward.Redaction](first.do(http.MethodPost, base+"/redactions", plan).want(201, ""))
	list := func() web.CaseRedactions {
		t.Helper()
		return into[web.CaseRedactions](first.do(http.MethodGet, base+"/redactions", nil).want(200, ""))
	}
	if l := list(); len(l.Redactions) != 2 || l.Redactions[1].Progress != .5 || len(l.Covered) != 0 {
		t.Errorf("being made: %+v", l)
	}
	first.do(http.MethodPost, base+"/unmaskings", ask).want(409, "unmask.nothing")
	queued, err := w.store.Redaction(t.Context(), r.ID)
	must(t, err)
	w.cover(queued)

	l := list()
	if len(l.Covered) != 1 || l.Covered[0] != e.ID || len(l.Open) != 0 {
		t.Fatalf("covered: %+v", l)
	}
	for _, who := range []client{first, second} {
		who.do(http.MethodGet, original, nil).want(403, "evidence.masked")
		who.do(http.MethodGet, segment, nil).want(403, "evidence.masked")
		if got := who.do(http.MethodGet, "/api/v1/evidence/"+string(l.Redactions[1].ResultID)+"/content", nil).want(200, ""); string(got.body) != "covered" || got.header.Get("Content-Type") != "video/mp4" {
			t.Errorf("the derivative is %q of %s", got.body, got.header.Get("Content-Type"))
		}
	}
	// The same recording in another case is covered, too.
	again, err := w.store.OpenCase(t.Context(), ward.Case{InstitutionID: own, Title: "另案"}, []ward.Evidence{{Kind: e.Kind, Ref: e.Ref}}, confirmer)
	must(t, err)
	same, err := w.store.Evidence(t.Context(), again.ID)
	must(t, err)
	first.do(http.MethodGet, "/api/v1/evidence/"+string(same[0].ID)+"/content", nil).want(403, "evidence.masked")
	elsewhere.do(http.MethodPost, base+"/unmaskings", ask).want(404, "")
	u := into[ward.Unmasking](first.do(http.MethodPost, base+"/unmaskings", ask).want(201, ""))
	reply, yes := "/api/v1/unmaskings/"+string(u.ID)+"/answer", m{"agree": true, "password": "a long password"}
	first.do(http.MethodPut, "/api/v1/me/password", password).want(204, "")
	second.do(http.MethodPut, "/api/v1/me/password", password).want(204, "")
	elsewhere.do(http.MethodPost, reply, yes).want(404, "")
	first.do(http.MethodPost, reply, yes).want(403, "unmask.same_person")
	second.do(http.MethodPost, reply, with(yes, "password", "another password")).want(422, "again.wrong")
	second.do(http.MethodPost, reply, yes).want(200, "")
	second.do(http.MethodPost, reply, yes).want(409, "unmask.answered")
	first.do(http.MethodGet, original, nil).want(200, "")
	first.do(http.MethodGet, segment, nil).want(200, "")
	second.do(http.MethodGet, original, nil).want(403, "evidence.masked")
	log, err := w.store.Custody(t.Context(), c.ID)
	must(t, err)
	refused := map[string]int{}
	for _, e := range log {
		if e.Result == ward.ResultRefused {
			refused[fmt.Sprint(e.Actor == confirmer.ID, " ", e.Action, " ", e.Reason)]++
		}
		if e.Actor == confirmer.ID && (e.Via != ward.ViaPassword || e.Scope != string(own) || e.Address != "127.0.0.1" || e.Device != "Go-http-client/1.1") {
			t.Errorf("%s came by %+v", e.Action, e.Means)
		}
	}
	if want := map[string]int{
		"false unmask evidence.masked": 1, "true unmask evidence.masked": 1, "false lift_mask unmask.same_person": 1, "true lift_mask again.wrong": 1,
	}; !maps.Equal(refused, want) {
		t.Errorf("refused: %v", refused)
	}
	for _, want := range []ward.Action{ward.ActionRedact, ward.ActionAskUnmask, ward.ActionLiftMask, ward.ActionUnmask} {
		if !slices.ContainsFunc(log, func(e ward.Custody) bool { return e.Action == want }) {
			t.Errorf("custody lacks %s", want)
		}
	}
}
