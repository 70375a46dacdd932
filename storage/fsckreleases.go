package storage

import (
	"context"

	"wardwatch/ward"
)

// shownOrHeld is a condition on a picture of evidence: its object is kept. One
// that was released went with its sighting, when nothing else shows it.
const shownOrHeld = `(release_id = '' OR EXISTS (SELECT 1 FROM sighting v WHERE v.snapshot_key = ref) OR EXISTS (SELECT 1 FROM alert a WHERE a.snapshot_key = ref)
	OR EXISTS (SELECT 1 FROM visit i WHERE i.snapshot_key = ref))`

// releaseRows compares every release with what was sealed of it, and with the
// holds that it ended; and finds a hold that nothing ended.
func (f *fsck) releaseRows(ctx context.Context) error {
	id := func(r ward.HoldRelease) string { return string(r.ID) }
	err := each(ctx, f, "list releases", releaseColumns+` WHERE id > $1 ORDER BY id LIMIT $2`, scanRelease, id, func(r ward.HoldRelease) error {
		if err := f.agree(ctx, "hold_release", string(r.ID), KindRelease, string(r.ID)+"/1", r.Leaf, recordOfRelease(r)); err != nil {
			return err
		}
		if r.State != ward.ReleaseRequested || r.AnswerLeaf >= 0 {
			if err := f.agree(ctx, "hold_release", string(r.ID), KindRelease, string(r.ID)+"/2", r.AnswerLeaf, answerOfRelease(r)); err != nil {
				return err
			}
		}
		ids, err := listed(ctx, f.s, "list what release "+string(r.ID)+" ended", scanKey, `SELECT id FROM hold WHERE release_id = $1 UNION ALL SELECT id FROM evidence WHERE release_id = $1`, r.ID)
		if err != nil {
			return err
		}
		if confirmed := r.State == ward.ReleaseConfirmed; confirmed && sumOf(ids) != r.Holds || !confirmed && len(ids) > 0 {
			if is, err := f.s.Release(ctx, r.ID); err == nil && is.State != r.State {
				return nil // it was answered while we looked
			}
			f.bad("hold_release/"+string(r.ID), "被解除的冻结与两人确认的内容不符。", "The holds that ended are not those that two people released")
		}
		return nil
	})
	if err != nil {
		return err
	}
	ended, err := listed(ctx, f.s, "list holds that nothing ended", scanKey, `SELECT 'hold/' || id FROM hold h WHERE release_id <> '' AND NOT EXISTS (SELECT 1 FROM hold_release r WHERE r.id = h.release_id)
		UNION ALL SELECT 'evidence/' || id FROM evidence e WHERE release_id <> '' AND NOT EXISTS (SELECT 1 FROM hold_release r WHERE r.id = e.release_id)`)
	for _, where := range ended {
		f.bad(where, "冻结被标为已解除，但没有两人确认的记录。", "It is called released, and no two people released it")
	}
	return err
}
