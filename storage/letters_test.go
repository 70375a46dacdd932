package storage_test

import (
	"strings"
	"testing"

	"wardwatch/internal/testcase"
	"wardwatch/storage"
	"wardwatch/ward"
)

// fsck names a letter whose words, state or steps were changed behind our back.
func TestFsckNamesChangedLetters(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		ctx, s := t.Context(), w.Store
		must(t, s.PutInstitution(ctx, ward.Institution{ID: "h", Name: "医院"}))
		by := ward.User{ID: "u-1", Role: ward.Inspector}
		c, err := s.OpenCase(ctx, ward.Case{InstitutionID: "h", Title: "线索"}, nil, by)
		must(t, err)
		write := func(id ward.LetterID, seen int64, body string) {
			t.Helper()
			_, err := s.StepLetter(ctx, storage.LetterChange{
				ID: id, CaseID: c.ID, Seen: seen, Action: ward.LetterWrite, Words: ward.LetterWords{Kind: ward.Reminder, Recipient: "医院", Body: body},
			}, by)
			must(t, err)
		}
		for i := range int64(11) {
			write("l-1", i, "请核查。")
		}
		write("l-2", 0, "请整改。")
		found := func() string {
			t.Helper()
			r, err := s.Fsck(ctx, w.Media, storage.FsckOptions{})
			must(t, err)
			var where []string
			for _, p := range r.Problems {
				if strings.Contains(p.Where, "letter") {
					where = append(where, p.Where)
				}
			}
			return strings.Join(where, " ")
		}
		if got := found(); got != "" {
			t.Fatalf("untouched: %s", got)
		}
		w.Exec(`UPDATE letter_step SET body = '不必核查。' WHERE letter_id = 'l-1' AND seq = 10`)
		w.Exec(`UPDATE letter_step SET state = 'issued' WHERE letter_id = 'l-2'`)
		if got := found(); !strings.Contains(got, "letter_step/l-1/10") || !strings.Contains(got, "letter_step/l-2/1") || strings.Count(got, "letter_step/") != 2 {
			t.Errorf("changed: %s", got)
		}
		w.Exec(`DELETE FROM letter_step WHERE letter_id = 'l-1' AND seq = 3`)
		if got := found(); !strings.Contains(got, "letter_step/l-1/4") || !strings.Contains(got, "l-1/3") {
			t.Errorf("removed: %s", got)
		}
	})
}
