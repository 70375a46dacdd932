package adt

import (
	"strconv"
	"strings"
	"time"

	"wardwatch/ward"
)

// hl7Time is a TS: YYYYMMDD[HH[MM[SS[.S…]]]][+ZZZZ]. Without a zone it is
// that of Shanghai.
func hl7Time(s string) (t time.Time, p ward.TimePrecision, ok bool) {
	zone := china
	if i := strings.LastIndexAny(s, "+-"); i >= 0 {
		offset := s[i+1:]
		n, err := strconv.ParseUint(offset, 10, 16)
		if err != nil || len(offset) != 4 || n%100 > 59 || n/100 > 14 {
			return t, "", false
		}
		seconds := int(n/100*3600 + n%100*60)
		if s[i] == '-' {
			seconds = -seconds
		}
		zone, s = time.FixedZone("", seconds), s[:i]
	}
	digits, fraction, dot := strings.Cut(s, ".")
	layout := ""
	switch len(digits) {
	case 8:
		layout, p = "20060102", ward.ToTheDay
	case 10:
		layout, p = "2006010215", ward.ToTheHour
	case 12:
		layout, p = "200601021504", ward.ToTheMinute
	case 14:
		layout, p = "20060102150405", ward.ToTheSecond
	}
	if layout == "" || strings.Trim(digits+fraction, "0123456789") != "" || len(fraction) > 4 || dot && (fraction == "" || len(digits) != 14) {
		return t, "", false
	}
	t, err := time.ParseInLocation(layout, digits, zone)
	if err != nil || !sane(t) {
		return t, "", false
	}
	if dot {
		n, err := strconv.Atoi((fraction + "000")[:4])
		if err != nil {
			return t, "", false
		}
		t = t.Add(time.Duration(n) * 100 * time.Microsecond)
	}
	return t.UTC(), p, true
}
