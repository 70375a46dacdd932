package storage

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"wardwatch/storage/ledger/ledgerdb"
	"wardwatch/ward"
)

const rulingColumns = `SELECT id, visit_id, institution_id, circumstance, verdict, reason, people, state, over_verdict, over_leaf,
	proposed_by, proposed_us, due_us, answered_by, answered_us, answer, leaf, answer_leaf FROM ruling WHERE `

// storedRuling is a row of ruling; its people are still sealed.
type storedRuling struct {
	ward.Ruling
	people []byte
}

func scanRuling(row row) (r storedRuling, err error) {
	var proposed, due, answered int64
	err = row.Scan(&r.ID, &r.VisitID, &r.InstitutionID, &r.Circumstance, &r.Verdict, &r.Reason, &r.people, &r.State, &r.Over, &r.OverLeaf,
		&r.ProposedBy, &proposed, &due, &r.AnsweredBy, &answered, &r.Answer, &r.Leaf, &r.AnswerLeaf)
	r.Proposed, r.Due, r.Answered = at(proposed), at(due), at(answered)
	return r, err
}

// openRuling reads who was named, and the pictures; people is the JSON whose
// hash was sealed.
func (s *Store) openRuling(ctx context.Context, q ledgerdb.Querier, o storedRuling) (r ward.Ruling, people []byte, err error) {
	r = o.Ruling
	if people, err = s.seal.open(o.people, rulingCell(r.ID)); err != nil {
		return r, nil, err
	}
	var named rulingPeople
	if err = json.Unmarshal(people, &named); err != nil {
		return r, nil, fmt.Errorf("open ruling %s: %w", r.ID, err)
	}
	r.People = append([]string{}, named.People...)
	rows, err := q.QueryContext(ctx, `SELECT object_key, sha256, media_type FROM ruling_proof WHERE ruling_id = $1 ORDER BY seq`, r.ID)
	if err != nil {
		return r, nil, fmt.Errorf("read proofs of ruling %s: %w", r.ID, err)
	}
	r.Proofs, err = collect(rows, func(row row) (p ward.RulingProof, err error) {
		var sum []byte
		err = row.Scan(&p.Key, &sum, &p.MediaType)
		p.SHA256 = hex.EncodeToString(sum)
		return p, err
	})
	return r, people, err
}

func (s *Store) rulingsIn(ctx context.Context, q ledgerdb.Querier, where string, args ...any) ([]ward.Ruling, error) {
	rows, err := q.QueryContext(ctx, rulingColumns+where+` ORDER BY id`, args...)
	if err != nil {
		return nil, fmt.Errorf("list rulings: %w", err)
	}
	stored, err := collect(rows, scanRuling)
	if err != nil {
		return nil, fmt.Errorf("list rulings: %w", err)
	}
	out := make([]ward.Ruling, len(stored))
	for i, o := range stored {
		if out[i], _, err = s.openRuling(ctx, q, o); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s *Store) ruling(ctx context.Context, q ledgerdb.Querier, id ward.RulingID) (ward.Ruling, error) {
	all, err := s.rulingsIn(ctx, q, `id = $1`, id)
	if err == nil && len(all) == 0 {
		err = &ward.Error{Kind: ward.NotFound, Code: "ruling.unknown", ZH: "没有这项提议，请检查编号。", EN: "No such ruling; check its id."}
	}
	if err != nil {
		return ward.Ruling{}, err
	}
	return all[0], nil
}

// Ruling returns one ruling, or ward.NotFound.
func (s *Store) Ruling(ctx context.Context, id ward.RulingID) (ward.Ruling, error) {
	return s.ruling(ctx, s.read, id)
}

// Rulings lists the rulings over a visit, the oldest first.
func (s *Store) Rulings(ctx context.Context, id ward.VisitID) ([]ward.Ruling, error) {
	return s.rulingsIn(ctx, s.read, `visit_id = $1`, id)
}

// RulingsOfRound lists the rulings over a round's visits, the oldest first.
func (s *Store) RulingsOfRound(ctx context.Context, id ward.RoundID) (map[ward.VisitID][]ward.Ruling, error) {
	all, err := s.rulingsIn(ctx, s.read, `visit_id IN (SELECT id FROM visit WHERE round_id = $1)`, id)
	out := map[ward.VisitID][]ward.Ruling{}
	for _, r := range all {
		out[r.VisitID] = append(out[r.VisitID], r)
	}
	return out, err
}

// WaitingVisits lists the visits of the institutions (nil: all) that wait for
// a human: to be decided, or for the second person; at most limit, oldest first.
func (s *Store) WaitingVisits(ctx context.Context, insts []ward.InstitutionID, limit int) ([]ward.Visit, error) {
	where, args := scope(insts, nil)
	args = append(args, limit)
	rows, err := s.read.QueryContext(ctx, visitColumns+where+fmt.Sprintf(` AND (state = 'deciding' OR id IN (SELECT visit_id FROM ruling WHERE state = 'proposed')) ORDER BY id LIMIT $%d`, len(args)), args...)
	if err != nil {
		return nil, fmt.Errorf("list waiting visits: %w", err)
	}
	return collect(rows, scanVisit)
}

// rulingRows compares every ruling with what was sealed of it.
func (f *fsck) rulingRows(ctx context.Context) error {
	id := func(r storedRuling) string { return string(r.ID) }
	return each(ctx, f, "list rulings", rulingColumns+`id > $1 ORDER BY id LIMIT $2`, scanRuling, id, func(o storedRuling) error {
		where := "ruling/" + string(o.ID)
		r, people, err := f.s.openRuling(ctx, f.s.read, o)
		if err != nil {
			f.bad(where, "在场人员或佐证无法读取。", "Who was named, or its proofs, cannot be read")
			return nil //nolint:nilerr // it is reported
		}
		if err := f.agree(ctx, "ruling", string(r.ID), KindRuling, string(r.ID)+"/1", r.Leaf, recordOfRuling(r, people)); err != nil {
			return err
		}
		if r.State == ward.RulingProposed { // that no answer was sealed: see absent
			return nil
		}
		return f.agree(ctx, "ruling", string(r.ID), KindRuling, string(r.ID)+"/2", r.AnswerLeaf, answerOfRuling(r))
	})
}
