package ward

import (
	"fmt"
	"time"
)

// AlertPolicy says until when alerts are to be decided. Days and hours are
// those of the calendar, nights and holidays included.
type AlertPolicy struct {
	Version     int       `json:"version"`                               // 0: built in
	HighHours   int       `json:"high_hours" minimum:"1" maximum:"2160"` // for a decision, by severity
	MediumHours int       `json:"medium_hours" minimum:"1" maximum:"2160"`
	LowHours    int       `json:"low_hours" minimum:"1" maximum:"2160"`
	RemindHours int       `json:"remind_hours" minimum:"0" maximum:"720"` // before the deadline; 0: not
	AppealDays  int       `json:"appeal_days" minimum:"1" maximum:"730"`  // after a confirmation
	By          UserID    `json:"by,omitempty"`
	At          time.Time `json:"at,omitzero"`
}

// DefaultAlertPolicy counts until somebody sets another. 60 days is how long
// an administrative act can be taken to review (行政复议法 2023, art. 20); the
// rest is a day, three and a week.
func DefaultAlertPolicy() AlertPolicy {
	return AlertPolicy{HighHours: 24, MediumHours: 72, LowHours: 168, RemindHours: 4, AppealDays: 60}
}

// Check says what is wrong with the figures.
func (p AlertPolicy) Check() error {
	for _, f := range []struct {
		name         string
		v, low, high int
	}{
		{"high_hours", p.HighHours, 1, 2160},
		{"medium_hours", p.MediumHours, 1, 2160},
		{"low_hours", p.LowHours, 1, 2160},
		{"remind_hours", p.RemindHours, 0, 720},
		{"appeal_days", p.AppealDays, 1, 730},
	} {
		if f.v < f.low || f.v > f.high {
			return &Error{
				Kind: Invalid, Code: "alert_policy.range", ZH: fmt.Sprintf("%s 应在 %d 到 %d 之间。", f.name, f.low, f.high),
				EN: fmt.Sprintf("%s must be %d to %d.", f.name, f.low, f.high),
			}
		}
	}
	return nil
}

func (p AlertPolicy) within(s Severity) time.Duration {
	hours := p.LowHours
	switch {
	case s >= 3:
		hours = p.HighHours
	case s == 2:
		hours = p.MediumHours
	}
	return time.Duration(hours) * time.Hour
}

// look is when something becomes due of an alert with this deadline, as seen
// at now: the reminder, or else the deadline.
func (p AlertPolicy) look(deadline, now time.Time) time.Time {
	remind := deadline.Add(-time.Duration(p.RemindHours) * time.Hour)
	if p.RemindHours == 0 || !remind.After(now) {
		return deadline
	}
	return remind
}

// AppealUntil is until when a confirmed alert can be appealed.
func (p AlertPolicy) AppealUntil(a Alert) time.Time { return a.Decided.AddDate(0, 0, p.AppealDays) }
