package storage

import (
	"context"

	"wardwatch/ward"
)

// redactionRows compares what covers an item with the sealed derivative, and
// every unmasking with what was sealed of it; and finds derivatives whose
// redaction is gone, which would show what they cover.
func (f *fsck) redactionRows(ctx context.Context) error {
	id := func(r ward.Redaction) string { return string(r.ID) }
	err := each(ctx, f, "list redactions", redactionColumns+` WHERE id > $1 ORDER BY id LIMIT $2`, scanRedaction, id, func(r ward.Redaction) error {
		f.Rows++
		if r.State != ward.RedactionDone {
			return nil
		}
		there, err := listed(ctx, f.s, "look for what redaction "+string(r.ID)+" made", scanKey,
			`SELECT e.id FROM evidence e JOIN evidence o ON o.id = $2 WHERE e.id = $1 AND e.case_id = $3 AND o.case_id = $3 AND e.ref = $4`, r.ResultID, r.EvidenceID, r.CaseID, r.Key)
		if err == nil && len(there) != 1 {
			f.bad("redaction/"+string(r.ID), "遮挡件与案件中的证据不符。", "Its derivative or its original is not in the case")
		}
		return err
	})
	if err != nil {
		return err
	}
	lost, err := listed(ctx, f.s, "list derivatives", scanKey, `SELECT 'evidence/' || id FROM evidence e WHERE kind = 'file' AND ref LIKE '%`+redactions+`%'
		AND NOT EXISTS (SELECT 1 FROM redaction r WHERE r.result = e.id AND r.state = 'done')`)
	if err != nil {
		return err
	}
	for _, where := range lost {
		f.bad(where, "遮挡件对应的遮挡记录不存在，原件会直接示人。", "It is a derivative, and no redaction covers its original")
	}
	unmasking := func(r ward.Unmasking) string { return string(r.ID) }
	return each(ctx, f, "list unmaskings", unmaskingColumns+` WHERE id > $1 ORDER BY id LIMIT $2`, scanUnmasking, unmasking, func(r ward.Unmasking) error {
		if err := f.agree(ctx, "unmasking", string(r.ID), KindUnmasking, string(r.ID)+"/1", r.Leaf, recordOfUnmasking(r)); err != nil {
			return err
		}
		if r.State == ward.ReleaseRequested && r.AnswerLeaf < 0 {
			return nil
		}
		return f.agree(ctx, "unmasking", string(r.ID), KindUnmasking, string(r.ID)+"/2", r.AnswerLeaf, answerOfUnmasking(r))
	})
}
