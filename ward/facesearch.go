package ward

import (
	"strings"
	"time"
	"unicode/utf8"
)

// SearchPurpose is what a face is searched for. It decides what is told.
type SearchPurpose string

// The purposes.
const (
	SearchCards       SearchPurpose = "cards"       // at whose settlements was this face? Only sightings with settlements, with their cards
	SearchWhereabouts SearchPurpose = "whereabouts" // where was this face? No settlements, no cards
)

// SearchSubject says where the face that is searched for comes from.
type SearchSubject string

// The subjects, and what FaceSearch.Ref is then.
const (
	SubjectPhoto   SearchSubject = "photo"   // the SHA-256 of the photo, hex
	SubjectAlert   SearchSubject = "alert"   // the alert's id: the face at its settlement
	SubjectInsured SearchSubject = "insured" // the insured person's id: the enrolled face
)

// FaceSearch is one search for a face, as it is sealed: who, why, for whom, in
// what, and which sightings were shown. It holds no face.
type FaceSearch struct {
	ID            FaceSearchID  `json:"id"`
	At            time.Time     `json:"at"`
	By            UserID        `json:"by"`
	Role          Role          `json:"role"`
	Purpose       SearchPurpose `json:"purpose"`
	Reason        string        `json:"reason"`
	Subject       SearchSubject `json:"subject"`
	Ref           string        `json:"ref"`
	InstitutionID InstitutionID `json:"institution_id"` // empty: all that By may see
	PlaceID       PlaceID       `json:"place_id"`       // empty: all places
	From          time.Time     `json:"from"`
	To            time.Time     `json:"to"`
	Least         float64       `json:"least"`    // cosine, see SearchLeast
	Searched      int64         `json:"searched"` // faces that were compared
	Found         []SightingID  `json:"found"`    // what was shown, the most alike first
	Leaf          int64         `json:"leaf"`
}

// The bounds of a search. Below a cosine of .40 two faces are different people
// (DefaultFaceThresholds): whoever is there could be any stranger.
const (
	SearchLeast     = .40
	SearchReasonMin = 5 // characters
	SearchReasonMax = 500
)

// Check returns what is wrong with what was asked, as a ward.Invalid.
func (f FaceSearch) Check() error {
	reason := utf8.RuneCountInString(strings.TrimSpace(f.Reason))
	switch {
	case reason < SearchReasonMin || reason > SearchReasonMax:
		return &Error{Kind: Invalid, Code: "search.reason", ZH: "请写明检索事由（5 到 500 字），将随检索一并封存。", EN: "Say why you search (5 to 500 characters); it is sealed with the search."}
	case f.From.IsZero() || !f.To.After(f.From):
		return &Error{Kind: Invalid, Code: "search.time", ZH: "请给出检索的起止时间，结束应晚于开始。", EN: "Give the time to search in; its end is after its beginning."}
	case !(f.Least >= SearchLeast && f.Least <= 1):
		return &Error{Kind: Invalid, Code: "search.least", ZH: "相似度下限应在 0.40 到 1 之间。", EN: "The least likeness must be 0.40 to 1."}
	}
	return nil
}
