package notify

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"wardwatch/ward"
)

// mailLines is how many events a mail lists; it says how many more there are.
const mailLines = 50

// told is what a mail tells of an event: who wants more opens the link.
type told struct {
	Type        ward.EventType     `json:"type"`
	Time        time.Time          `json:"time"`
	Institution ward.InstitutionID `json:"institution"`
	Subject     string             `json:"subject"` // alert/ID or visit/ID
	Data        struct {
		Rule    ward.Rule       `json:"rule"`
		State   ward.AlertState `json:"state"`
		Verdict ward.Verdict    `json:"verdict"`
	} `json:"data"`
}

// digest is one mail that tells of several events, in Chinese and then in
// English. It names institutions, and nobody.
func (m *MailServer) digest(vs []ward.Delivery, names map[ward.InstitutionID]string) (subject, body string, err error) {
	var zh, en strings.Builder
	for i, v := range vs {
		if i == mailLines {
			fmt.Fprintf(&zh, "另有 %d 条，请在控制台查看。\n", len(vs)-i)
			fmt.Fprintf(&en, "%d more are in the console.\n", len(vs)-i)
			break
		}
		var e told
		if err := json.Unmarshal(v.Body, &e); err != nil {
			return "", "", fmt.Errorf("event %s: %w", v.EventID, err)
		}
		inZH, inEN := m.line(e, names)
		zh.WriteString(inZH)
		en.WriteString(inEN)
	}
	subject = fmt.Sprintf("智守查房：%d 条通知 / Wardwatch: notifications (%d)", len(vs), len(vs))
	return subject, zh.String() + "\n" + en.String() + "\n" + m.Console + "\n", nil
}

// line tells of one event in Chinese and in English, with a link.
func (m *MailServer) line(e told, names map[ward.InstitutionID]string) (zh, en string) {
	zh = e.Time.In(china).Format("2006-01-02 15:04:05 -07:00")
	en = zh
	if e.Institution != "" {
		name := cmp.Or(names[e.Institution], string(e.Institution))
		zh, en = zh+" "+name, en+" "+name
	}
	for _, key := range []string{
		"eventType." + string(e.Type), "rule." + string(e.Data.Rule), "alertState." + string(e.Data.State), "verdict." + string(e.Data.Verdict),
	} {
		if strings.HasSuffix(key, ".") {
			continue // the event has none
		}
		a, b := m.Text(key)
		zh, en = zh+" · "+a, en+" · "+b
	}
	link := ""
	if kind, id, ok := strings.Cut(e.Subject, "/"); ok {
		link = "    " + m.Console + "/" + kind + "s/" + id + "\n"
	}
	return zh + "\n" + link, en + "\n" + link
}

// china is the zone that people read times in; it has had no summer time since 1991.
var china = time.FixedZone("Asia/Shanghai", 8*60*60)

// compose is the mail that tells of vs.
func (d *Dispatcher) compose(ctx context.Context, vs []ward.Delivery) (subject, body string, err error) {
	insts, err := d.Store.Institutions(ctx, nil)
	if err != nil {
		return "", "", err
	}
	names := map[ward.InstitutionID]string{}
	for _, i := range insts {
		names[i.ID] = i.Name
	}
	return d.Mail.digest(vs, names)
}
