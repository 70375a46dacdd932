package storage

import (
	"context"

	"wardwatch/ward"
)

// exportRows compares a case's exports with their custody events: each began
// with one, and what is ended has the one that says so.
func (f *fsck) exportRows(ctx context.Context, id ward.CaseID) error {
	rows, err := listed(ctx, f.s, "exports of case "+string(id), scanExport, exportColumns+` WHERE case_id = $1 ORDER BY id`, id) // before the events: a row comes with its event
	if err != nil {
		return err
	}
	events, err := listed(ctx, f.s, "events of exports", scanCustody, custodyColumns+` WHERE case_id = $1 AND object LIKE 'package/%' ORDER BY seq`, id)
	if err != nil {
		return err
	}
	type told struct {
		object string
		action ward.Action
		by     ward.UserID
	}
	left := map[told]int{}
	for _, e := range events {
		left[told{e.Object, e.Action, e.Actor}]++
	}
	for _, x := range rows {
		f.Rows++
		began, over := told{x.Object, ward.ActionExport, x.By}, told{x.Object, ward.ActionEndExport, x.By}
		if left[began]--; left[began] < 0 {
			f.bad("export/"+string(x.ID), "导出记录没有对应的保管事件。", "The export has no custody event.")
		}
		if x.State != ward.ExportEnded {
			continue
		}
		if left[over]--; left[over] < 0 {
			f.bad("export/"+string(x.ID), "导出已结束，但没有说明原因的保管事件。", "The export is ended, and no custody event says so.")
		}
	}
	for e, n := range left {
		if e.action != ward.ActionEndExport || n <= 0 {
			continue
		}
		now, err := listed(ctx, f.s, "ended exports", scanExport, exportColumns+` WHERE case_id = $1 AND object = $2 AND by_user = $3 AND state = 'ended'`, id, e.object, e.by)
		if err != nil {
			return err
		}
		was := 0
		for _, x := range rows {
			if x.State == ward.ExportEnded && x.Object == e.object && x.By == e.by {
				was++
			}
		}
		if len(now)-was < n { // not ended while we looked
			f.bad(e.object, "保管事件称导出已结束，但导出记录并非如此。", "A custody event says that an export is ended, and its row does not.")
		}
	}
	return nil
}
