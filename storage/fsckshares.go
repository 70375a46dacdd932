package storage

import (
	"context"
	"fmt"

	"wardwatch/ward"
)

// shareRows compares a case's shares, their deliveries and receipts with the
// custody events that they left.
func (f *fsck) shareRows(ctx context.Context, id ward.CaseID) error {
	rows, err := listed(ctx, f.s, "shares of case "+string(id), scanShare, shareColumns+`case_id = $1 ORDER BY id`, id) // before the events: a row comes with its event
	if err != nil {
		return err
	}
	all := make([]storedShare, 0, len(rows))
	for _, v := range rows {
		if v, err = f.s.full(ctx, f.s.read, v); err != nil {
			f.bad("share/"+string(v.ID), "移交记录无法读取。", "The share cannot be read: "+err.Error())
			continue
		}
		all = append(all, v)
	}
	events, err := listed(ctx, f.s, "events of shares", scanCustody, custodyColumns+` WHERE case_id = $1 AND object LIKE 'share/%' ORDER BY seq`, id)
	if err != nil {
		return err
	}
	left := map[string]int{} // what happened, by share, action and hash
	for _, e := range events {
		left[fmt.Sprint(e.Object, " ", e.Action, " ", e.SHA256)]++
	}
	for _, v := range all {
		if err := f.shareEvents(v, left); err != nil {
			return err
		}
	}
	for _, e := range events {
		key := fmt.Sprint(e.Object, " ", e.Action, " ", e.SHA256)
		if left[key] <= 0 {
			continue
		}
		left[key] = 0
		if now, err := f.s.Share(ctx, ward.ShareID(e.Object[len("share/"):])); err != nil || !after(now, e) {
			f.bad(e.Object, "移交记录缺少保管事件所述的内容。", "The share lacks what a custody event says of it: "+string(e.Action))
		}
	}
	return nil
}

// shareEvents takes what v says away from the events left.
func (f *fsck) shareEvents(v storedShare, left map[string]int) error {
	took := func(action ward.Action, sum string) {
		key := fmt.Sprint("share/", v.ID, " ", action, " ", sum)
		if left[key]--; left[key] < 0 {
			f.bad("share/"+string(v.ID), "移交记录与保管事件不符。", "The share differs from its custody events: "+string(action))
		}
	}
	f.Rows++
	terms, err := v.commitment()
	if err != nil {
		return err
	}
	took(ward.ActionShare, terms)
	if !v.Opened.IsZero() {
		took(ward.ActionOpened, "")
	}
	if !v.Revoked.IsZero() {
		took(ward.ActionUnshare, "")
	}
	for _, d := range v.Deliveries {
		took(ward.ActionHandOver, d.SHA256)
		if !d.Confirmed.IsZero() {
			took(ward.ActionReceipt, d.SHA256)
		}
	}
	return nil
}

// after says whether the share as it is now, read after the events, has what e says.
func after(v ward.Share, e ward.Custody) bool {
	for _, d := range v.Deliveries {
		if d.SHA256 == e.SHA256 && (e.Action == ward.ActionHandOver || e.Action == ward.ActionReceipt && !d.Confirmed.IsZero()) {
			return true
		}
	}
	return e.Action == ward.ActionShare && v.Created.Equal(e.At) || e.Action == ward.ActionOpened && !v.Opened.IsZero() || e.Action == ward.ActionUnshare && !v.Revoked.IsZero()
}
