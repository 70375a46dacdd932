package storage_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/ward"
)

// beginLive brings a visit to where its checks begin.
func beginLive(t *testing.T, s *storage.Store, id ward.VisitID, token string) {
	t.Helper()
	_, err := s.OpenVisit(t.Context(), hash(token), hash("device of "+token), time.Now())
	must(t, err)
	_, err = s.Consent(t.Context(), id, time.Now())
	must(t, err)
	_, err = s.BeginChecking(t.Context(), id)
	must(t, err)
}

func TestLinesOfAVisit(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		ctx, now := t.Context(), time.Now()
		_, v := orderOne(t, s, "lines", now, time.Minute)
		line := ward.VisitMessage{VisitID: v.ID, By: "first", Ref: "a-1", Text: "您好，请看镜头"}
		add := func(m ward.VisitMessage) (ward.VisitMessage, error) {
			return s.AddVisitMessage(ctx, m, now.AddDate(0, 0, 90))
		}
		if _, err := add(line); !errors.Is(err, &ward.Error{Kind: ward.Conflict, Code: "visit.not_live"}) {
			t.Errorf("before the visit is live: %v", err)
		}
		beginLive(t, s, v.ID, "lines")
		for _, bad := range []ward.VisitMessage{{Ref: "1"}, {Ref: "1", Text: " \n"}, {Ref: "1", Text: strings.Repeat("字", 501)}, {Ref: "1", Text: "\xff"}, {Ref: "1", Text: "a\x00"}, {Text: "x"}, {Ref: "a b", Text: "x"}} {
			bad.VisitID = v.ID
			if _, err := add(bad); !errors.Is(err, &ward.Error{Kind: ward.Invalid}) {
				t.Errorf("%d bytes as %q: %v", len(bad.Text), bad.Ref, err)
			}
		}
		first, err := add(line)
		must(t, err)
		if again, err := add(line); err != nil || again.ID != first.ID || again.Text != line.Text {
			t.Errorf("sent again: %+v, %v", again, err)
		}
		if own, err := add(ward.VisitMessage{VisitID: v.ID, Ref: "a-1", Text: strings.Repeat("好", 500)}); err != nil || own.ID == first.ID {
			t.Errorf("the bedside's line of the same ref: %+v, %v", own, err)
		}
		if shown, err := s.MessageShown(ctx, v.ID, first.ID); err != nil || !shown {
			t.Errorf("shown: %v, %v", shown, err)
		}
		for _, id := range []ward.MessageID{first.ID, "other"} {
			if shown, err := s.MessageShown(ctx, v.ID, id); err != nil || shown {
				t.Errorf("%s shown again: %v, %v", id, shown, err)
			}
		}
		lines, err := s.VisitMessages(ctx, v.ID)
		if err != nil || len(lines) != 2 || lines[0].Text != line.Text || lines[0].By != "first" || lines[0].Shown.IsZero() || lines[1].By != "" {
			t.Errorf("%+v, %v", lines, err)
		}
		events, err := s.VisitEvents(ctx, v.ID)
		must(t, err)
		for _, e := range events {
			if strings.Contains(e.Body, "镜头") || strings.Contains(e.Body, "好") {
				t.Errorf("the event %d holds the text", e.Seq)
			}
		}
		healthy(t, s)
		v.Verdict, v.DecidedBy, v.ReasonZH, v.ReasonEN = ward.Unable, "u", "原因", "reason"
		_, err = s.SealVisit(ctx, v, nil)
		must(t, err)
		line.Ref = "a-2"
		if _, err := add(line); !errors.Is(err, &ward.Error{Code: "visit.not_live"}) {
			t.Errorf("after the seal: %v", err)
		}
		must(t, s.EraseMessages(ctx, now))
		if lines, err = s.VisitMessages(ctx, v.ID); err != nil || lines[0].Erased {
			t.Errorf("erased early: %+v, %v", lines, err)
		}
		must(t, s.EraseMessages(ctx, now.AddDate(0, 0, 91)))
		if lines, err = s.VisitMessages(ctx, v.ID); err != nil || len(lines) != 2 || !lines[0].Erased || lines[0].Text != "" {
			t.Errorf("not erased: %+v, %v", lines, err)
		}
		healthy(t, s)
	})
}

func TestLinesAreBounded(t *testing.T) {
	s := teststore.SQLite(t)
	_, v := orderOne(t, s, "many", time.Now(), time.Minute)
	beginLive(t, s, v.ID, "many")
	for i := range ward.MaxMessages + 1 {
		_, err := s.AddVisitMessage(t.Context(), ward.VisitMessage{VisitID: v.ID, Ref: strconv.Itoa(i), Text: "好"}, time.Now().AddDate(0, 0, 1))
		if full := errors.Is(err, &ward.Error{Code: "message.full"}); full != (i == ward.MaxMessages) || err != nil && !full {
			t.Fatalf("line %d: %v", i, err)
		}
	}
}
