package storage

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"wardwatch/storage/ledger/ledgerdb"
	"wardwatch/ward"
)

// SetCaseFile stores the next version of a case's file and seals it (kind
// "case_version"). f.Version is the one that the setter saw: when another has
// been set since it is a ward.Conflict "case_file.changed". A closed case
// keeps its file: ward.Conflict "case.closed". Officers must be users, and
// linked cases exist: ward.Invalid.
func (s *Store) SetCaseFile(ctx context.Context, f ward.CaseFile, by ward.User) (ward.CaseFile, error) {
	if err := f.Check(); err != nil {
		return f, err
	}
	err := s.change(ctx, "set file of case "+string(f.CaseID), func(t *tx) error {
		if err := t.lockLedger(ctx); err != nil { // also makes versions one at a time
			return err
		}
		now, err := readCaseFile(ctx, t.Tx, f.CaseID)
		if err != nil {
			return err
		}
		if now.Version != f.Version {
			return &ward.Error{Kind: ward.Conflict, Code: "case_file.changed", ZH: "案卷刚被他人修改，请刷新后重试。", EN: "Somebody else has just changed the file; reload and try again."}
		}
		steps, err := readCaseSteps(ctx, t.Tx, f.CaseID)
		if err != nil {
			return err
		}
		if ward.CaseStateOf(steps) == ward.CaseClosed {
			return &ward.Error{Kind: ward.Conflict, Code: "case.closed", ZH: "案件已结案，请先重新打开。", EN: "The case is closed; reopen it first."}
		}
		set := f
		set.Version, set.At, set.By, set.Leaf = now.Version+1, at(us(t.now)), by.ID, 0
		if err := t.known(ctx, set); err != nil {
			return err
		}
		if err := t.signed(ctx, &set); err != nil {
			return err
		}
		if set.Leaf, err = t.sealRecord(ctx, KindCaseVersion, fmt.Sprintf("%s/%d", f.CaseID, set.Version), set); err != nil {
			return err
		}
		if err := t.putCaseFile(ctx, set); err != nil {
			return err
		}
		f = set
		_, err = t.custody(ctx, ward.Custody{CaseID: f.CaseID, Actor: by.ID, Role: by.Role, Action: ward.ActionFile, Object: fmt.Sprintf("case_version/%d", f.Version), Reason: f.Reason})
		return err
	})
	return f, err
}

// known checks what the file names.
func (t *tx) known(ctx context.Context, f ward.CaseFile) error {
	has := func(query, id, code, zh, en string) error {
		var one int
		err := missing(t.QueryRowContext(ctx, query, id).Scan(&one), code, zh, en)
		if ward.KindOf(err) == ward.NotFound { // the request is wrong, not its address
			return &ward.Error{Kind: ward.Invalid, Code: code, ZH: zh, EN: en}
		}
		return err
	}
	if err := has(`SELECT 1 FROM case_file WHERE id = $1`, string(f.CaseID), "case.unknown", "没有这个案件。", "No such case."); err != nil {
		return err
	}
	for _, o := range f.Officers {
		if err := has(`SELECT 1 FROM user_account WHERE id = $1 AND disabled = 0`, string(o.User), "case_file.officer", "执法人员不是在用的用户。", "An officer is not a user who is enabled."); err != nil {
			return err
		}
	}
	tables := map[ward.SubjectKind]string{ward.PersonSubject: "insured", ward.PhysicianSubject: "physician", ward.InstitutionSubject: "institution"}
	for _, v := range f.Subjects {
		if err := has(`SELECT 1 FROM `+tables[v.Kind]+` WHERE id = $1`, v.Ref, "case_file.unknown", "当事人不存在，请检查编号。", "A subject does not exist; check its id."); err != nil {
			return err
		}
	}
	for _, l := range f.Links {
		if err := has(`SELECT 1 FROM case_file WHERE id = $1`, string(l.CaseID), "case_file.link", "关联的案件不存在。", "A linked case does not exist."); err != nil {
			return err
		}
	}
	return nil
}

// signed fills in what the files with the witnesses' signatures are: uploaded
// files of the case.
func (t *tx) signed(ctx context.Context, f *ward.CaseFile) error {
	f.Witnesses = slices.Clone(f.Witnesses)
	for i := range f.Witnesses {
		w := &f.Witnesses[i]
		if w.SHA256 = ""; w.Signature == "" {
			continue
		}
		var sum []byte
		err := t.QueryRowContext(ctx, `SELECT sha256 FROM evidence WHERE case_id = $1 AND kind = $2 AND ref = $3`, f.CaseID, ward.EvidenceFile, w.Signature).Scan(&sum)
		if errors.Is(err, sql.ErrNoRows) {
			return &ward.Error{Kind: ward.Invalid, Code: "case_file.signature", ZH: "签名文件不是本案上传的文件，请先上传。", EN: "The file with the signature is not an uploaded file of this case; upload it first."}
		}
		if err != nil {
			return err
		}
		w.SHA256 = hex.EncodeToString(sum)
	}
	return nil
}

func (t *tx) putCaseFile(ctx context.Context, f ward.CaseFile) error {
	body, err := json.Marshal(f)
	if err != nil {
		return err
	}
	if _, err := t.ExecContext(ctx, `INSERT INTO case_version (case_id, version, body, leaf) VALUES ($1, $2, $3, $4)`, f.CaseID, f.Version, string(body), f.Leaf); err != nil {
		return err
	}
	for _, table := range []string{"case_subject", "case_link"} {
		if _, err := t.ExecContext(ctx, `DELETE FROM `+table+` WHERE case_id = $1`, f.CaseID); err != nil {
			return err
		}
	}
	for _, v := range f.Subjects {
		if _, err := t.ExecContext(ctx, `INSERT INTO case_subject (case_id, kind, ref) VALUES ($1, $2, $3)`, f.CaseID, v.Kind, v.Ref); err != nil {
			return err
		}
	}
	for _, l := range f.Links {
		if _, err := t.ExecContext(ctx, `INSERT INTO case_link (case_id, other, reason) VALUES ($1, $2, $3)`, f.CaseID, l.CaseID, l.Reason); err != nil {
			return err
		}
	}
	return nil
}

// CaseFile returns the newest version of a case's file; one that was never
// set is empty, of version 0.
func (s *Store) CaseFile(ctx context.Context, id ward.CaseID) (ward.CaseFile, error) {
	return readCaseFile(ctx, s.read, id)
}

func readCaseFile(ctx context.Context, q ledgerdb.Querier, id ward.CaseID) (ward.CaseFile, error) {
	f, err := scanCaseFile(q.QueryRowContext(ctx, caseFileColumns+` WHERE case_id = $1 ORDER BY version DESC LIMIT 1`, id))
	if err = missing(err, "case_file.none", "", ""); ward.KindOf(err) == ward.NotFound {
		return ward.CaseFile{CaseID: id, Subjects: []ward.CaseSubject{}, Basis: []string{}, Officers: []ward.CaseOfficer{}, Links: []ward.CaseLink{}}, nil
	}
	if err != nil {
		return f, fmt.Errorf("read file of case %s: %w", id, err)
	}
	return f, nil
}

const caseFileColumns = `SELECT body FROM case_version`

func scanCaseFile(r row) (ward.CaseFile, error) {
	var body string
	if err := r.Scan(&body); err != nil {
		return ward.CaseFile{}, err
	}
	f := ward.CaseFile{Subjects: []ward.CaseSubject{}, Basis: []string{}, Officers: []ward.CaseOfficer{}, Links: []ward.CaseLink{}}
	return f, json.Unmarshal([]byte(body), &f)
}

// CaseFiles returns all versions, the newest first.
func (s *Store) CaseFiles(ctx context.Context, id ward.CaseID) ([]ward.CaseFile, error) {
	return listed(ctx, s, "list versions of case "+string(id), scanCaseFile, caseFileColumns+` WHERE case_id = $1 ORDER BY version DESC`, id)
}

// LinkedFrom returns the links of other cases to this one, with the case that has each.
func (s *Store) LinkedFrom(ctx context.Context, id ward.CaseID) ([]ward.CaseLink, error) {
	return listed(ctx, s, "list links to case "+string(id), func(r row) (l ward.CaseLink, err error) { return l, r.Scan(&l.CaseID, &l.Reason) },
		`SELECT case_id, reason FROM case_link WHERE other = $1 ORDER BY case_id`, id)
}

// CasesAbout lists the cases of the institutions (nil: all) whose file names
// the subject, the newest first.
func (s *Store) CasesAbout(ctx context.Context, v ward.CaseSubject, insts []ward.InstitutionID) ([]ward.Case, error) {
	where, args := scope(insts, nil)
	args = append(args, v.Kind, v.Ref)
	return listed(ctx, s, "list cases about a "+string(v.Kind), scanCase,
		fmt.Sprintf(`%s%s AND id IN (SELECT case_id FROM case_subject WHERE kind = $%d AND ref = $%d) ORDER BY id DESC`, caseColumns, where, len(args)-1, len(args)), args...)
}

// CasePeople lists the insured people whom a case's settlements, alerts,
// visits or file concern, at most 200 of them, by id.
func (s *Store) CasePeople(ctx context.Context, id ward.CaseID) ([]ward.Insured, error) {
	const of = `SELECT ref FROM evidence WHERE case_id = $1 AND kind = `
	return listed(ctx, s, "list people of case "+string(id), s.scanInsured, insuredColumns+` WHERE id IN (
		SELECT insured_id FROM settlement WHERE id IN (`+of+`'settlement')
		UNION SELECT insured_id FROM settlement WHERE id IN (SELECT subject_id FROM alert WHERE id IN (`+of+`'alert'))
		UNION SELECT insured_id FROM settlement WHERE id IN (SELECT settlement_id FROM alert_related WHERE alert_id IN (`+of+`'alert'))
		UNION SELECT insured_id FROM visit WHERE id IN (`+of+`'visit')
		UNION SELECT ref FROM case_subject WHERE case_id = $1 AND kind = 'person') ORDER BY id LIMIT 200`, id)
}

// StepCase takes a step of a case's reviews, sealed (kind "case_step"); see ward.StepCase.
func (s *Store) StepCase(ctx context.Context, id ward.CaseID, seen int64, action ward.CaseAction, note string, by ward.User) (ward.CaseStep, error) {
	var step ward.CaseStep
	err := s.change(ctx, "step case "+string(id), func(t *tx) error {
		if err := t.lockLedger(ctx); err != nil {
			return err
		}
		f, err := readCaseFile(ctx, t.Tx, id)
		if err != nil {
			return err
		}
		steps, err := readCaseSteps(ctx, t.Tx, id)
		if err != nil {
			return err
		}
		if int64(len(steps)) != seen {
			return &ward.Error{Kind: ward.Conflict, Code: "case.changed", ZH: "案件刚被他人处理，请刷新后重试。", EN: "Somebody else has just moved the case; reload and try again."}
		}
		if step, err = ward.StepCase(f, steps, action, by.ID, note, at(us(t.now))); err != nil {
			return err
		}
		if step.Leaf, err = t.sealRecord(ctx, KindCaseStep, fmt.Sprintf("%s/%d", id, step.Seq), sealedStep(id, step)); err != nil {
			return err
		}
		_, err = t.ExecContext(ctx, `INSERT INTO case_step (case_id, seq, action, from_state, to_state, by_user, at_us, note, leaf) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			id, step.Seq, step.Action, step.From, step.To, step.By, us(step.At), step.Note, step.Leaf)
		if err != nil {
			return err
		}
		_, err = t.custody(ctx, ward.Custody{CaseID: id, Actor: by.ID, Role: by.Role, Action: ward.ActionReview, Object: fmt.Sprintf("case_step/%d", step.Seq), Reason: string(action)})
		return err
	})
	return step, err
}

// caseStepRecord is what the ledger commits to; which file the step went by
// follows from the order of the leaves.
type caseStepRecord struct {
	CaseID ward.CaseID     `json:"case_id"`
	Seq    int64           `json:"seq"`
	Action ward.CaseAction `json:"action"`
	From   ward.CaseState  `json:"from"`
	To     ward.CaseState  `json:"to"`
	By     ward.UserID     `json:"by"`
	At     time.Time       `json:"at"`
	Note   string          `json:"note"`
}

func sealedStep(id ward.CaseID, v ward.CaseStep) caseStepRecord {
	return caseStepRecord{id, v.Seq, v.Action, v.From, v.To, v.By, v.At, v.Note}
}

// CaseSteps returns how a case went through its reviews, the oldest first.
func (s *Store) CaseSteps(ctx context.Context, id ward.CaseID) ([]ward.CaseStep, error) {
	return readCaseSteps(ctx, s.read, id)
}

func readCaseSteps(ctx context.Context, q ledgerdb.Querier, id ward.CaseID) ([]ward.CaseStep, error) {
	rows, err := q.QueryContext(ctx, `SELECT seq, action, from_state, to_state, by_user, at_us, note, leaf FROM case_step WHERE case_id = $1 ORDER BY seq`, id)
	if err != nil {
		return nil, fmt.Errorf("read steps of case %s: %w", id, err)
	}
	out, err := collect(rows, func(r row) (ward.CaseStep, error) {
		var v ward.CaseStep
		var when int64
		err := r.Scan(&v.Seq, &v.Action, &v.From, &v.To, &v.By, &when, &v.Note, &v.Leaf)
		v.At = at(when)
		return v, err
	})
	if err != nil {
		return nil, fmt.Errorf("read steps of case %s: %w", id, err)
	}
	return out, nil
}

// caseFileRows compares a case's versions and steps with what was sealed of them.
func (f *fsck) caseFileRows(ctx context.Context, id ward.CaseID) error {
	files, err := f.s.CaseFiles(ctx, id)
	if err != nil {
		return err
	}
	for _, v := range files {
		name, leaf := fmt.Sprintf("%s/%d", id, v.Version), v.Leaf
		v.Leaf = 0
		if err := f.agree(ctx, "case_version", name, KindCaseVersion, name, leaf, v); err != nil {
			return err
		}
	}
	steps, err := f.s.CaseSteps(ctx, id)
	if err != nil {
		return err
	}
	for _, v := range steps {
		name := fmt.Sprintf("%s/%d", id, v.Seq)
		if err := f.agree(ctx, "case_step", name, KindCaseStep, name, v.Leaf, sealedStep(id, v)); err != nil {
			return err
		}
	}
	return f.caseIndex(ctx, id)
}

// caseIndex compares what cases are found by with the newest version.
func (f *fsck) caseIndex(ctx context.Context, id ward.CaseID) error {
	file, err := f.s.CaseFile(ctx, id)
	if err != nil {
		return err
	}
	var subjects, links int
	err = errors.Join(
		f.s.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM case_subject WHERE case_id = $1`, id).Scan(&subjects),
		f.s.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM case_link WHERE case_id = $1`, id).Scan(&links))
	if err != nil {
		return err
	}
	if subjects != len(file.Subjects) || links != len(file.Links) {
		if again, err := f.s.CaseFile(ctx, id); err == nil && again.Version != file.Version {
			return nil // set meanwhile
		}
		f.bad("case_file/"+string(id), "案件的当事人或关联索引与案卷不符。", "What the case is found by differs from its file")
	}
	return nil
}
