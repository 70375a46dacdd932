package storage

import (
	"context"
	"fmt"
	"time"

	"wardwatch/storage/ledger/ledgerdb"
	"wardwatch/storage/sealed"
	"wardwatch/ward"
)

// LetterPDF is the file of a letter that is being issued, put into the object
// store before.
type LetterPDF struct {
	Key    string
	Upload sealed.Upload
}

// LetterChange is the next step of a letter.
type LetterChange struct {
	ID     ward.LetterID
	CaseID ward.CaseID
	Seen   int64 // how many steps the caller knows
	Action ward.LetterAction
	Words  ward.LetterWords // where it is written
	Note   string
	Number string     // on issue
	PDF    *LetterPDF // on issue
}

// StepLetter takes a step of a letter of a case, sealed (kind "letter"), with
// its custody event; see ward.StepLetter. An id that is unknown begins one.
// ward.Conflict "letter.changed" when
// there are more steps than were seen. On issue pdf must be the document of the number that
// NextLetterNumber gave (ward.Conflict "letter.number" when another letter has
// got it since); it becomes evidence of the case.
func (s *Store) StepLetter(ctx context.Context, c LetterChange, by ward.User) ([]ward.LetterStep, error) {
	var all []ward.LetterStep
	err := s.change(ctx, "step letter "+string(c.ID), func(t *tx) error {
		if err := t.lockLedger(ctx); err != nil {
			return err
		}
		steps, err := readLetter(ctx, t.Tx, c.ID)
		if err != nil {
			return err
		}
		if int64(len(steps)) != c.Seen {
			return &ward.Error{Kind: ward.Conflict, Code: "letter.changed", ZH: "该函刚被他人处理，请刷新后重试。", EN: "Somebody else has just changed the letter; reload and try again."}
		}
		reviews, err := readCaseSteps(ctx, t.Tx, c.CaseID)
		if err != nil {
			return err
		}
		if closed := ward.CaseStateOf(reviews) == ward.CaseClosed; closed && (c.Action == ward.LetterWrite || c.Action == ward.LetterIssue) {
			return &ward.Error{Kind: ward.Conflict, Code: "case.closed", ZH: "案件已结案，请先重新打开。", EN: "The case is closed; reopen it first."}
		}
		step, err := ward.StepLetter(steps, c.Action, c.Words, by.ID, c.Note, at(us(t.now)))
		if err != nil {
			return err
		}
		step.ID, step.CaseID = c.ID, c.CaseID
		if c.Action == ward.LetterIssue {
			next, err := nextLetterNumber(ctx, t.Tx, step.Kind, t.now.In(time.FixedZone("", 8*3600)).Year())
			if err != nil {
				return err
			}
			if next != c.Number {
				return &ward.Error{Kind: ward.Conflict, Code: "letter.number", ZH: "另一函件刚取得此编号，请重试。", EN: "Another letter has just got this number; try again."}
			}
			step.Number, step.PDF = c.Number, c.PDF.Upload.SHA256
			if _, err := t.addUpload(ctx, c.CaseID, c.PDF.Key, c.PDF.Upload, by); err != nil {
				return err
			}
		}
		if step.Leaf, err = t.sealRecord(ctx, KindLetter, fmt.Sprintf("%s/%d", c.ID, step.Seq), sealedLetter(step)); err != nil {
			return err
		}
		_, err = t.ExecContext(ctx, `INSERT INTO letter_step (letter_id, seq, case_id, kind, recipient, body, respond_us, action, state, number, pdf_sha, by_user, at_us, note, leaf)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
			c.ID, step.Seq, c.CaseID, step.Kind, step.Recipient, step.Body, us(step.RespondBy), step.Action, step.State, step.Number, step.PDF, step.By, us(step.At), step.Note, step.Leaf)
		if err != nil {
			return err
		}
		all = append(steps, step)
		_, err = t.custody(ctx, ward.Custody{CaseID: c.CaseID, Actor: by.ID, Role: by.Role, Action: ward.ActionLetter, Object: fmt.Sprintf("letter/%s/%d", c.ID, step.Seq), SHA256: step.PDF, Reason: string(c.Action)})
		return err
	})
	return all, err
}

// sealedLetter is what the ledger commits to.
func sealedLetter(v ward.LetterStep) ward.LetterStep {
	v.Leaf = 0
	return v
}

// NextLetterNumber is the number that the next letter of a kind gets.
func (s *Store) NextLetterNumber(ctx context.Context, kind ward.LetterKind, now time.Time) (string, error) {
	return nextLetterNumber(ctx, s.read, kind, now.In(time.FixedZone("", 8*3600)).Year())
}

func nextLetterNumber(ctx context.Context, q ledgerdb.Querier, kind ward.LetterKind, year int) (string, error) {
	rows, err := q.QueryContext(ctx, `SELECT number FROM letter_step WHERE action = 'issue' AND kind = $1`, kind)
	if err != nil {
		return "", fmt.Errorf("read letter numbers: %w", err)
	}
	numbers, err := collect(rows, scanKey)
	last := 0
	for _, number := range numbers {
		if n, ok := kind.Numbers().Count(year, number); ok {
			last = max(last, n)
		}
	}
	return kind.Numbers().Number(year, last+1), err
}

const letterColumns = `SELECT letter_id, seq, case_id, kind, recipient, body, respond_us, action, state, number, pdf_sha, by_user, at_us, note, leaf FROM letter_step`

func scanLetterStep(r row) (v ward.LetterStep, err error) {
	var respond, when int64
	err = r.Scan(&v.ID, &v.Seq, &v.CaseID, &v.Kind, &v.Recipient, &v.Body, &respond, &v.Action, &v.State, &v.Number, &v.PDF, &v.By, &when, &v.Note, &v.Leaf)
	v.RespondBy, v.At = at(respond), at(when)
	return v, err
}

func readLetter(ctx context.Context, q ledgerdb.Querier, id ward.LetterID) ([]ward.LetterStep, error) {
	rows, err := q.QueryContext(ctx, letterColumns+` WHERE letter_id = $1 ORDER BY seq`, id)
	if err != nil {
		return nil, fmt.Errorf("read letter %s: %w", id, err)
	}
	return collect(rows, scanLetterStep)
}

// Letter returns the steps of a letter, or ward.NotFound.
func (s *Store) Letter(ctx context.Context, id ward.LetterID) ([]ward.LetterStep, error) {
	steps, err := readLetter(ctx, s.read, id)
	if err == nil && len(steps) == 0 {
		err = &ward.Error{Kind: ward.NotFound, Code: "letter.unknown", ZH: "没有这份函件，请刷新后重试。", EN: "No such letter; reload and try again."}
	}
	return steps, err
}

// Letters lists the steps of a case's letters, letter after letter.
func (s *Store) Letters(ctx context.Context, id ward.CaseID) ([]ward.LetterStep, error) {
	return listed(ctx, s, "list letters of case "+string(id), scanLetterStep, letterColumns+` WHERE case_id = $1 ORDER BY letter_id, seq`, id)
}

// letterRows compares each step with what was sealed of it, and finds steps
// that are missing between others.
func (f *fsck) letterRows(ctx context.Context) error {
	id := func(v ward.LetterStep) string { return fmt.Sprintf("%s/%09d", v.ID, v.Seq) }
	seen := map[ward.LetterID]int64{}
	return each(ctx, f, "list letters", letterColumns+` WHERE letter_id || '/' || SUBSTR('000000000' || CAST(seq AS TEXT), LENGTH('000000000' || CAST(seq AS TEXT)) - 8) > $1
		ORDER BY letter_id, seq LIMIT $2`, scanLetterStep, id, func(v ward.LetterStep) error {
		name := fmt.Sprintf("%s/%d", v.ID, v.Seq)
		if seen[v.ID]++; seen[v.ID] != v.Seq {
			f.bad("letter_step/"+name, "函件的步骤不连续。", "Steps of the letter before it are missing")
			seen[v.ID] = v.Seq
		}
		return f.agree(ctx, "letter_step", name, KindLetter, name, v.Leaf, sealedLetter(v))
	})
}
