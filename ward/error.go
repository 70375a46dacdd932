package ward

import "errors"

// Kind says what went wrong in the caller's terms; web maps each kind to
// one HTTP status.
type Kind string

// The kinds of Error.
const (
	Invalid     Kind = "invalid"     // the request cannot be understood or breaks a rule (422)
	NotFound    Kind = "not_found"   // no such object, or none the caller may know of (404)
	Forbidden   Kind = "forbidden"   // known, and not allowed (403)
	Conflict    Kind = "conflict"    // contradicts what is stored (409)
	Gone        Kind = "gone"        // was valid once: a used or expired link (410)
	Unavailable Kind = "unavailable" // a part is missing or down; try later (503)
)

// Error is the only kind of error whose text reaches a person. ZH and EN
// say what is wrong and what to do about it; neither contains personal data
// or internals. Err, when set, is the cause for the log.
type Error struct {
	Kind Kind
	Code string // stable, dotted: "settlement.unknown_institution"
	ZH   string
	EN   string
	Err  error
}

func (e *Error) Error() string {
	if e.Err != nil {
		return e.Code + ": " + e.EN + ": " + e.Err.Error()
	}
	return e.Code + ": " + e.EN
}

func (e *Error) Unwrap() error { return e.Err }

// Is makes errors.Is(err, &Error{Kind: K}) and errors.Is(err, &Error{Code: C})
// match by kind and by code; an empty field matches anything.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && (t.Kind == "" || t.Kind == e.Kind) && (t.Code == "" || t.Code == e.Code)
}

// KindOf returns the Kind of err, or "" when err is none of ours.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return ""
}
