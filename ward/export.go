package ward

import (
	"strings"
	"time"
)

// ExportID names an Export.
type ExportID string

// ExportState is how far an Export is.
type ExportState string

// The states of an Export. It is ended for good: an original changed, or its
// time was over before it was fetched whole.
const (
	ExportBegun ExportState = "begun" // recorded in custody; not a byte can have been fetched
	ExportOpen  ExportState = "open"  // may be fetched, from any byte on
	ExportWhole ExportState = "whole" // its last byte was sent; may be fetched again until Expires
	ExportEnded ExportState = "ended"
)

// ExportFor is how long an export that broke off can be resumed: a working
// day, and the night after it.
const ExportFor = 24 * time.Hour

// Export 导出 is one package of a case for one person; its bytes stay the same
// however often they are fetched.
type Export struct {
	ID      ExportID
	CaseID  CaseID
	By      UserID
	Role    Role
	Object  string // of its custody event
	Begun   time.Time
	Expires time.Time
	State   ExportState
	Size    int64 // bytes
	Sent    int64 // of them, from the first on
	// Hashed is the state of the SHA-256 over the bytes Sent, where somebody wants the hash of the zip.
	Hashed []byte
	Why    string // it is ended
}

const exportChanged = "changed: "

// ExportChanged is why an export is ended in which the file name of the package changed.
func ExportChanged(name string) string { return exportChanged + name }

// Ended is the error of whoever goes on with an export that cannot be.
func (e Export) Ended() error {
	zh, en := "该次导出已失效，无法续传，请重新导出。", "This export is over and cannot be resumed; export again."
	if name, ok := strings.CutPrefix(e.Why, exportChanged); ok {
		zh, en = "导出过程中原件被删除或发生变化，无法续传，请重新导出："+name, "An original was removed or changed during the export, which cannot be resumed; export again: "+name
	}
	return &Error{Kind: Gone, Code: "export.ended", ZH: zh, EN: en}
}
