package storage

import (
	"context"
	"fmt"

	"wardwatch/ward"
)

func (f *fsck) alertRows(ctx context.Context) error {
	id := func(a ward.Alert) string { return string(a.ID) }
	return each(ctx, f, "list alerts", alertColumns+` WHERE id > $1 ORDER BY id LIMIT $2`, scanAlert, id, func(a ward.Alert) error {
		if err := f.agree(ctx, "alert", string(a.ID), KindAlert, string(a.ID), a.Leaf, recordOfAlert(a)); err != nil {
			return err
		}
		return f.alertSteps(ctx, a)
	})
}

// alertSteps compares the steps of an alert with what was sealed of each, and
// the alert with its last. Somebody may take another step meanwhile, so that
// an alert that moved is left to the next run.
func (f *fsck) alertSteps(ctx context.Context, a ward.Alert) error {
	steps, err := f.s.AlertEvents(ctx, a.ID)
	if err != nil {
		return err
	}
	sealed, err := f.s.SealedOf(ctx, KindDecision, string(a.ID))
	if err != nil {
		return err
	}
	now, err := f.s.Alert(ctx, a.ID)
	if err != nil || now.Version != a.Version {
		return err
	}
	where := "alert/" + string(a.ID)
	for i, e := range steps {
		switch {
		case e.Seq != int64(i)+1 || i > 0 && e.From != steps[i-1].To && !e.At.IsZero():
			f.bad(where, "处理记录不连续。", "Its steps do not follow each other")
			return nil
		case e.Action == ward.AlertRaise:
			continue // sealed as the alert
		}
		var skip []string
		if e.At.IsZero() { // from before steps were rows
			skip = []string{"seq", "action", "from", "assignee"}
		}
		if err := f.agree(ctx, "alert_event", fmt.Sprintf("%s/%d", a.ID, e.Seq), KindDecision, string(a.ID), e.Leaf, recordOfStep(a.ID, e), skip...); err != nil {
			return err
		}
	}
	last := ward.AlertEvent{}
	if n := len(steps); n > 0 {
		last = steps[n-1]
	}
	decided := a.State.Open() && a.DecidedBy == "" && a.DecisionNote == ""
	for _, e := range steps { // by the last decision
		if e.To == a.State && !a.State.Open() && e.From != e.To {
			decided = e.By == a.DecidedBy && e.Note == a.DecisionNote && e.Reason == a.Reason && (e.At.IsZero() || e.At.Equal(a.Decided))
		}
	}
	if last.Seq != a.Version || last.To != a.State || !decided || last.Assignee != a.Assignee || !last.Deadline.Equal(a.Deadline) && !last.At.IsZero() || !asMany(steps, sealed) {
		f.bad(where, "疑点状态与封存的处理决定不符。", "Its state differs from the sealed decision")
	}
	return nil
}

// asMany says whether an alert has a step for each decision that was sealed: those that name their seq are
// rows with a moment; of those before, since it was last raised, only the newest is a row, without one.
func asMany(steps []ward.AlertEvent, sealed []SealedRecord) bool {
	var rows, records, oldRows, oldRecords int
	for _, e := range steps {
		switch {
		case e.Action == ward.AlertRaise:
		case e.At.IsZero():
			oldRows++
		default:
			rows++
		}
	}
	for _, r := range sealed {
		var d decisionRecord
		switch {
		case r.Into(&d) != nil:
			return false
		case d.Seq > 0:
			records++
		case len(steps) > 0 && r.Leaf > steps[0].Leaf:
			oldRecords = 1
		}
	}
	return rows == records && oldRows == oldRecords
}
