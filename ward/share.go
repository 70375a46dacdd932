package ward

import (
	"strings"
	"time"
	"unicode/utf8"
)

// ShareID names a Share.
type ShareID string

// The bounds of a Share.
const (
	ShareShortest = time.Hour
	ShareLongest  = 30 * 24 * time.Hour
	// ShareTries is how many wrong codes close a share.
	ShareTries = 5
)

// Party is the person outside the service that a package is handed to.
type Party struct {
	Name   string `json:"name" minLength:"1" maxLength:"64"`
	Office string `json:"office" minLength:"1" maxLength:"128"` // court, police, hospital
	Number string `json:"number,omitempty" maxLength:"64"`      // of the person's certificate
}

// Share hands the package of a case to one person outside by a link, which
// opens once, on one device, with a code that is told by another way.
type Share struct {
	ID            ShareID       `json:"id"`
	CaseID        CaseID        `json:"case_id"`
	InstitutionID InstitutionID `json:"institution_id"`
	Party         Party         `json:"party"`
	Reason        string        `json:"reason"`
	Created       time.Time     `json:"created"`
	CreatedBy     UserID        `json:"created_by"`
	Expires       time.Time     `json:"expires"`
	Opened        time.Time     `json:"opened,omitzero"`  // on its device
	Revoked       time.Time     `json:"revoked,omitzero"` // by RevokedBy, or by wrong codes
	RevokedBy     UserID        `json:"revoked_by,omitempty"`
	Deliveries    []Delivered   `json:"deliveries"`
}

// Delivered is one package that a share's device got whole, and the receipt for it.
type Delivered struct {
	Seq       int64     `json:"seq"` // from 1 per share
	At        time.Time `json:"at"`
	Bytes     int64     `json:"bytes"`
	SHA256    string    `json:"sha256"` // of the zip, hex
	Confirmed time.Time `json:"confirmed,omitzero"`
	By        string    `json:"by,omitempty"` // the name that was given with the receipt
}

// Actor is who acts through the share in custody events.
func (v Share) Actor() User { return User{ID: UserID("share/" + v.ID), Role: Recipient} }

// Check returns what is wrong with a share that is to be made at now, as an Invalid.
func (v Share) Check(now time.Time) error {
	switch {
	case !filled(v.Party.Name, 64) || !filled(v.Party.Office, 128) || utf8.RuneCountInString(v.Party.Number) > 64:
		return &Error{Kind: Invalid, Code: "share.party", ZH: "请填写接收人姓名（不超过 64 字）和单位（不超过 128 字）。", EN: "Give the recipient's name (at most 64 characters) and office (at most 128)."}
	case !filled(v.Reason, 500):
		return &Error{Kind: Invalid, Code: "share.reason", ZH: "请填写移交原因（不超过 500 字）。", EN: "Say why it is handed over, in at most 500 characters."}
	case v.Expires.Before(now.Add(ShareShortest)) || v.Expires.After(now.Add(ShareLongest)):
		return &Error{Kind: Invalid, Code: "share.expires", ZH: "有效期应为 1 小时至 30 天。", EN: "A link is valid for one hour to 30 days."}
	}
	return nil
}

// Usable returns why the share can no longer be used at now, or nil.
func (v Share) Usable(now time.Time) error {
	if !v.Revoked.IsZero() || !now.Before(v.Expires) {
		return &Error{Kind: Forbidden, Code: "share.over", ZH: "链接已过期或已停用，请联系向您提供链接的人。", EN: "The link has expired or was withdrawn; ask the person who gave it to you."}
	}
	return nil
}

func filled(s string, most int) bool {
	return strings.TrimSpace(s) != "" && utf8.RuneCountInString(s) <= most
}
