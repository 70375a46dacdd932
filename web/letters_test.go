package web_test

import (
	"net/http"
	"strings"
	"testing"

	"wardwatch/storage"
	"wardwatch/ward"
	"wardwatch/web"
)

func TestLettersOfACase(t *testing.T) {
	w := newWorld(t).serve()
	writer, chief := w.as(w.user(ward.Inspector, "own")), w.as(w.user(ward.Inspector, "own"))
	c := w.openCase()
	base := "/api/v1/cases/" + string(c.ID)
	words := into[ward.LetterWords](writer.do(http.MethodGet, base+"/letter-proposal?kind=interview", nil).want(200, ""))
	if words.Recipient != "Hospital h-own" || !strings.Contains(words.Body, c.Number) || !strings.Contains(words.Body, "约谈") {
		t.Errorf("proposes %+v", words)
	}
	writer.with("Idempotency-Key", "l-0").do(http.MethodPost, base+"/letters", m{"kind": "interview", "recipient": "x", "body": "  "}).want(422, "letter.words")
	l := into[web.Letter](writer.with("Idempotency-Key", "l-1").do(http.MethodPost, base+"/letters", words).want(201, ""))
	if again := into[web.Letter](writer.with("Idempotency-Key", "l-1").do(http.MethodPost, base+"/letters", words).want(201, "")); again.ID != l.ID {
		t.Error("the same key begins two letters")
	}
	steps := "/api/v1/letters/" + string(l.ID) + "/steps"
	writer.do(http.MethodPost, steps, m{"seen": 1, "action": "issue"}).want(403, "letter.same")
	chief.do(http.MethodPost, steps, m{"seen": 1, "action": "deliver", "note": "邮寄"}).want(409, "letter.state")
	l = into[web.Letter](writer.do(http.MethodPost, steps, m{"seen": 1, "action": "write", "words": m{"recipient": "示范医院", "body": "请到场说明。"}}).want(200, ""))
	chief.do(http.MethodPost, steps, m{"seen": 1, "action": "issue"}).want(409, "letter.changed")
	if draft := read(t, chief.do(http.MethodPost, base+"/prints", m{"document": "letter", "letter_id": l.ID, "reason": "审阅"}).want(200, "").body); !strings.Contains(draft, "草稿") || !strings.Contains(draft, "请到场说明。") {
		t.Errorf("draft prints %s", draft)
	}
	l = into[web.Letter](chief.do(http.MethodPost, steps, m{"seen": 2, "action": "issue"}).want(200, ""))
	if l.State != ward.LetterIssued || !strings.HasPrefix(l.Number, "医保约谈〔20") || !strings.HasSuffix(l.Number, "〕001号") || l.Body != "请到场说明。" {
		t.Errorf("issued %+v", l)
	}
	// The PDF is evidence of the case, as it was issued.
	all, err := w.store.Evidence(t.Context(), c.ID)
	must(t, err)
	file := all[len(all)-1]
	pdf := writer.do(http.MethodGet, "/api/v1/evidence/"+string(file.ID)+"/content", nil).want(200, "").body
	if text := read(t, pdf); file.Kind != ward.EvidenceFile || !strings.Contains(text, l.Number) || !strings.Contains(text, "示范医院：") || !strings.Contains(text, "约谈函") {
		t.Errorf("%s reads %s", file.Kind, text)
	}
	chief.do(http.MethodPost, steps, m{"seen": 3, "action": "write", "words": m{"recipient": "a", "body": "b"}}).want(409, "letter.state")
	writer.do(http.MethodPost, steps, m{"seen": 3, "action": "deliver"}).want(422, "letter.note")
	writer.do(http.MethodPost, steps, m{"seen": 3, "action": "deliver", "note": "直接送达，王主任签收"}).want(200, "")
	l = into[web.Letter](writer.do(http.MethodPost, steps, m{"seen": 4, "action": "acknowledge", "note": "已到场"}).want(200, ""))
	if l.State != ward.LetterAcknowledged || len(l.Steps) != 5 {
		t.Errorf("ends %+v", l)
	}
	w.as(w.user(ward.Inspector, "other")).do(http.MethodPost, steps, m{"seen": 5, "action": "withdraw", "note": "x"}).want(404, "")
	second := into[web.Letter](writer.with("Idempotency-Key", "l-2").do(http.MethodPost, base+"/letters", words).want(201, ""))
	if l := into[web.Letter](chief.do(http.MethodPost, "/api/v1/letters/"+string(second.ID)+"/steps", m{"seen": 1, "action": "issue"}).want(200, "")); !strings.HasSuffix(l.Number, "〕002号") {
		t.Errorf("second is %s", l.Number)
	}
	if got := into[web.Page[web.Letter]](writer.do(http.MethodGet, base+"/letters", nil).want(200, "")).Items; len(got) != 2 || len(got[0].Steps) != 5 || len(got[1].Steps) != 2 {
		t.Errorf("lists %+v", got)
	}
	r, err := w.store.Fsck(t.Context(), storage.Media{Objects: w.objects, Spool: w.spool}, storage.FsckOptions{})
	must(t, err)
	for _, p := range r.Problems {
		if strings.Contains(p.Where, "letter") {
			t.Errorf("fsck: %+v", p)
		}
	}
}
