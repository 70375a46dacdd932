package ward

import (
	"strings"
	"time"
	"unicode/utf8"
)

// The bounds of what is written in a visit.
const (
	MaxMessages   = 200 // lines of a visit
	maxMessage    = 500 // characters
	maxMessageRef = 40  // bytes
)

// VisitMessage is one line that an inspector or the bedside wrote in a
// visit, for who does not hear. It is stored encrypted and never in the ledger.
type VisitMessage struct {
	ID      MessageID `json:"id"`
	VisitID VisitID   `json:"visit_id"`
	By      UserID    `json:"by,omitempty" doc:"Absent: the bedside"`
	Text    string    `json:"text" doc:"Empty once erased"`
	At      time.Time `json:"at"`
	Shown   time.Time `json:"shown,omitzero" doc:"When the bedside's page showed an inspector's line"`
	Erased  bool      `json:"erased,omitempty" doc:"Its time is over, as that of the visit's recording"`
	// Ref is the writer's own name for the line: what is sent again under the same name is one line.
	Ref string `json:"-"`
}

// Check says what is wrong with the line.
func (m VisitMessage) Check() error {
	if n := utf8.RuneCountInString(m.Text); strings.TrimSpace(m.Text) == "" || n > maxMessage || !utf8.ValidString(m.Text) || strings.ContainsRune(m.Text, 0) {
		return &Error{Kind: Invalid, Code: "message.text", ZH: "请输入文字（不超过 500 字）。", EN: "Write a line of at most 500 characters."}
	}
	other := func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '-'
	}
	if m.Ref == "" || len(m.Ref) > maxMessageRef || strings.ContainsFunc(m.Ref, other) {
		return &Error{Kind: Invalid, Code: "message.ref", ZH: "消息标识应为 1 到 40 个字母、数字或连字符。", EN: "A line's ref is 1 to 40 letters, digits or hyphens."}
	}
	return nil
}
