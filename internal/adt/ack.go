package adt

import (
	"strings"
	"time"
)

// Reply is what a message is answered with.
type Reply struct {
	code string // AA, AE or AR
	bad  []Problem
	note *Problem
}

// Accepted is AA; note says why nothing was done, if so.
func Accepted(note *Problem) Reply { return Reply{code: "AA", note: note} }

// Refused is AR where the message is not taken here, or not now, and AE where
// something in it is wrong.
func Refused(bad ...Problem) Reply {
	r := Reply{code: "AE", bad: bad}
	for _, p := range bad {
		if p.Refused {
			r.code = "AR"
		}
	}
	return r
}

// Acknowledge is the acknowledgement of a message, in UTF-8, with segments
// that end with CR. Its texts tell fields, never what stood in them.
func Acknowledge(h Header, r Reply, now time.Time) []byte {
	var b strings.Builder
	version := h.Version
	if version == "" || !plain(version) {
		version = "2.5"
	}
	stamp := now.In(china).Format("20060102150405.000-0700")
	b.WriteString(`MSH|^~\&|WARDWATCH||` + escape(h.Sender) + "|" + escape(h.Facility) + "|" + stamp + "||ACK")
	if h.Event != "" && plain(h.Event) {
		b.WriteString("^" + h.Event + "^ACK")
	}
	b.WriteString("|" + now.UTC().Format("20060102150405.000000000") + "|P|" + version + "||||||UNICODE UTF-8\r")
	text := ""
	if len(r.bad) > 0 {
		text = said(r.bad[0])
	} else if r.note != nil {
		text = said(*r.note)
	}
	b.WriteString("MSA|" + r.code + "|" + escape(h.ControlID) + "|" + escape(text) + "\r")
	for i, p := range r.bad {
		if i == 20 {
			break
		}
		code := "207"
		if p.Field != "" {
			code = "102"
		}
		b.WriteString("ERR|||" + code + "^" + escape(p.Field) + "|E||||" + escape(said(p)) + "\r")
	}
	return []byte(b.String())
}

func said(p Problem) string {
	if p.Field == "" {
		return p.ZH + " " + p.EN
	}
	return p.Field + ": " + p.ZH + " " + p.EN
}

func plain(s string) bool {
	return len(s) < 16 && strings.Trim(s, "0123456789.ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

func escape(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s)
	return strings.NewReplacer(`\`, `\E\`, "|", `\F\`, "^", `\S\`, "&", `\T\`, "~", `\R\`).Replace(s)
}
