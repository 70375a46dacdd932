package ward

import "time"

// DossierKind says what an entry of a dossier is.
type DossierKind string

// The kinds of entry. An entry's id is that of the thing itself.
const (
	DossierCase       DossierKind = "case"
	DossierAlert      DossierKind = "alert"
	DossierVisit      DossierKind = "visit"
	DossierSettlement DossierKind = "settlement"
	DossierDuty       DossierKind = "duty"
)

// DossierEntry is one thing about a person, a physician or an institution:
// a line of 一人一档.
type DossierEntry struct {
	Kind          DossierKind   `json:"kind"`
	ID            string        `json:"id"`
	InstitutionID InstitutionID `json:"institution_id"`
	At            time.Time     `json:"at"`
	What          string        `json:"what" doc:"A case's number, an alert's rule, a settlement's kind, the result of a visit or of a duty's start"`
	Title         string        `json:"title,omitempty" doc:"Of a case"`
	State         string        `json:"state,omitempty" doc:"Of an alert or a visit"`
	AmountFen     int64         `json:"amount_fen,omitempty" doc:"Of a settlement, in 1/100 yuan"`
}

// DossierCursor is where a page of a dossier ended; the zero one is before
// the newest entry.
type DossierCursor struct {
	At time.Time
	ID string
}
