package ward_test

import (
	"testing"
	"time"

	"wardwatch/ward"
)

// Every action in every state: what the table does not have is refused.
func TestLettersTable(t *testing.T) {
	now := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	words := ward.LetterWords{Kind: ward.Reminder, Recipient: "示范县人民医院", Body: "请核查。"}
	paths := map[ward.LetterState][]ward.LetterAction{
		"": nil, ward.LetterDraft: {ward.LetterWrite}, ward.LetterIssued: {ward.LetterWrite, ward.LetterIssue},
		ward.LetterDelivered:    {ward.LetterWrite, ward.LetterIssue, ward.LetterDeliver},
		ward.LetterAcknowledged: {ward.LetterWrite, ward.LetterIssue, ward.LetterDeliver, ward.LetterAcknowledge},
		ward.LetterWithdrawn:    {ward.LetterWrite, ward.LetterWithdraw},
	}
	may := map[ward.LetterState]string{
		"": "write", ward.LetterDraft: "write issue withdraw", ward.LetterIssued: "deliver withdraw", ward.LetterDelivered: "acknowledge withdraw", ward.LetterAcknowledged: "", ward.LetterWithdrawn: "",
	}
	for state, path := range paths {
		var steps []ward.LetterStep
		for _, a := range path {
			by := ward.UserID("chief")
			if a == ward.LetterWrite {
				by = "writer"
			}
			s, err := ward.StepLetter(steps, a, words, by, "说明", now)
			if err != nil {
				t.Fatal(state, a, err)
			}
			steps = append(steps, s)
		}
		got := ""
		for _, a := range []ward.LetterAction{ward.LetterWrite, ward.LetterIssue, ward.LetterDeliver, ward.LetterAcknowledge, ward.LetterWithdraw} {
			s, err := ward.StepLetter(steps, a, words, "chief", "说明", now)
			if err == nil {
				got += " " + string(a)
				if s.Seq != int64(len(steps))+1 || s.Body != words.Body {
					t.Errorf("%s %s gives %+v", state, a, s)
				}
			} else if ward.KindOf(err) != ward.Conflict {
				t.Errorf("%s %s: %v", state, a, err)
			}
		}
		if want := may[state]; got != "" && got[1:] != want || got == "" && want != "" {
			t.Errorf("%q allows%s, want %s", state, got, want)
		}
	}
}

func TestLettersAreIssuedByAnother(t *testing.T) {
	now := time.Now()
	words := ward.LetterWords{Kind: ward.Audit, Recipient: "医院", Body: "一"}
	first, err := ward.StepLetter(nil, ward.LetterWrite, words, "a", "", now)
	if err != nil {
		t.Fatal(err)
	}
	words.Kind, words.Body = ward.Reminder, "二"
	second, err := ward.StepLetter([]ward.LetterStep{first}, ward.LetterWrite, words, "b", "", now)
	if err != nil || second.Kind != ward.Audit || second.Body != "二" {
		t.Fatal(second, err)
	}
	steps := []ward.LetterStep{first, second}
	for by, ok := range map[ward.UserID]bool{"a": false, "b": false, "c": true} {
		if _, err := ward.StepLetter(steps, ward.LetterIssue, ward.LetterWords{}, by, "", now); (err == nil) != ok {
			t.Errorf("%s: %v", by, err)
		}
	}
	for _, bad := range []ward.LetterWords{{}, {Kind: "other", Recipient: "x", Body: "y"}, {Kind: ward.Audit, Body: "y"}, {Kind: ward.Audit, Recipient: "x", Body: " "}} {
		if _, err := ward.StepLetter(nil, ward.LetterWrite, bad, "a", "", now); ward.KindOf(err) != ward.Invalid {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if _, err := ward.StepLetter(steps, ward.LetterWithdraw, ward.LetterWords{}, "a", "", now); ward.KindOf(err) != ward.Invalid {
		t.Error("withdrawn without a reason")
	}
}
