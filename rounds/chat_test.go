package rounds_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"wardwatch/internal/simbed"
	"wardwatch/ward"
)

// wroteOnce: a page that sends its line again with each of its connections
// wrote one line, whose text is in no event; and none is taken after the end.
func (r *rig) wroteOnce(v ward.Visit, res simbed.Result) {
	r.t.Helper()
	lines, err := r.store.VisitMessages(r.t.Context(), v.ID)
	if err != nil || len(lines) != 1 || lines[0].By != "" || lines[0].Text != `我"听"不见` || len(res.Lines) == 0 || !res.Lines[0].Mine {
		r.t.Errorf("lines %+v, %v; the bedside got %+v", lines, err, res.Lines)
	}
	if strings.Contains(r.story(v.ID), "不见") || strings.Count(r.story(v.ID), " message {") != 1 {
		r.t.Errorf("events of a line:\n%s", r.story(v.ID))
	}
	if _, err := r.engine.Write(r.t.Context(), v, inspector, "late", "还在吗？"); !errors.Is(err, &ward.Error{Code: "visit.not_live"}) {
		r.t.Errorf("after the end: %v", err)
	}
}

// TestTextGoesBothWays while the visit's checks run: the inspector's line is
// shown at the bedside, whose receipt says so.
func TestTextGoesBothWays(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.admit("", 0)
	link := r.order(time.Hour)
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	type end struct {
		res simbed.Result
		err error
	}
	done := make(chan end, 1)
	go func() {
		res, err := simbed.Run(ctx, simbed.Options{Server: r.url, Link: link.Token, Behaviour: simbed.Frozen, Clip: clip(t, "franck", false), Log: r.engine.Log, Write: "我听不见"})
		done <- end{res, err}
	}()
	v := r.until(link.Visit.ID, sessionMax, func(v ward.Visit) bool { return v.State == ward.VisitChecking })
	stranger := ward.User{ID: "x", Role: ward.Operator, AllInstitutions: true}
	if _, err := r.engine.Write(ctx, v, stranger, "r1", "您好"); !errors.Is(err, &ward.Error{Kind: ward.Forbidden}) {
		t.Errorf("who may not join: %v", err)
	}
	var first ward.VisitMessage
	for i := range 2 { // an answer that was lost: sent again
		m, err := r.engine.Write(ctx, v, inspector, "r1", "您好，请看镜头")
		if err != nil || i > 0 && m.ID != first.ID {
			t.Fatalf("%+v, %v", m, err)
		}
		first = m
	}
	r.until(v.ID, sessionMax, func(ward.Visit) bool {
		lines, err := r.store.VisitMessages(context.Background(), v.ID)
		if err != nil {
			t.Fatal(err)
		}
		shown := false
		for _, l := range lines {
			shown = shown || l.ID == first.ID && !l.Shown.IsZero()
		}
		return shown && len(lines) == 2
	})
	leave()
	if e := <-done; len(e.res.Lines) < 2 {
		t.Errorf("the bedside got %+v, %v", e.res.Lines, e.err)
	}
	r.stop()
	if story := r.story(v.ID); strings.Count(story, " message_shown {") != 1 || strings.Contains(story, "镜头") || strings.Contains(story, "听不见") {
		t.Error(story)
	}
}
