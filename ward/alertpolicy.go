package ward

import (
	"fmt"
	"time"
)

// AlertPolicy says until when alerts are to be decided, and which are told together. Days and hours are
// those of the calendar, nights and holidays included.
type AlertPolicy struct {
	Version     int `json:"version"`                               // 0: built in
	HighHours   int `json:"high_hours" minimum:"1" maximum:"2160"` // for a decision, by severity
	MediumHours int `json:"medium_hours" minimum:"1" maximum:"2160"`
	LowHours    int `json:"low_hours" minimum:"1" maximum:"2160"`
	RemindHours int `json:"remind_hours" minimum:"0" maximum:"720"` // before the deadline; 0: not
	AppealDays  int `json:"appeal_days" minimum:"1" maximum:"730"`  // after a confirmation
	// Alerts of one rule at one place, or about one person, whose moments are
	// at most so far apart are one group.
	GroupMinutes int `json:"group_minutes" minimum:"1" maximum:"1440"`
	// After an alert of a rule at a camera others there are quiet for so long; 0: never.
	CooldownMinutes int       `json:"cooldown_minutes" minimum:"0" maximum:"1440"`
	By              UserID    `json:"by,omitempty"`
	At              time.Time `json:"at,omitzero"`
}

// DefaultAlertPolicy counts until somebody sets another. 60 days is how long
// an administrative act can be taken to review (行政复议法 2023, art. 20); the
// rest is a day, three and a week, and guesses at how long a spree lasts.
func DefaultAlertPolicy() AlertPolicy {
	return AlertPolicy{HighHours: 24, MediumHours: 72, LowHours: 168, RemindHours: 4, AppealDays: 60, GroupMinutes: 30, CooldownMinutes: 10}
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
		{"group_minutes", p.GroupMinutes, 1, 1440},
		{"cooldown_minutes", p.CooldownMinutes, 0, 1440},
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

// Window is how far apart the moments of two neighbours in a group are at most.
func (p AlertPolicy) Window() time.Duration { return time.Duration(p.GroupMinutes) * time.Minute }

// Cooldown is for how long a rule is quiet at a camera after an alert.
func (p AlertPolicy) Cooldown() time.Duration { return time.Duration(p.CooldownMinutes) * time.Minute }

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
