package pack

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"wardwatch/ward"
)

// Chat is the file of what inspector and bedside wrote to each other in a
// visit: a line for every event "message" of the visit's protocol, in its order.
type Chat struct {
	Visit ward.VisitID `json:"visit"`
	Lines []ChatLine   `json:"lines"`
}

// ChatLine is one line. All but Body and Missing repeats its event.
type ChatLine struct {
	ID     ward.MessageID `json:"message"`
	At     time.Time      `json:"at"`
	By     ward.UserID    `json:"by"` // empty: the bedside
	SHA256 string         `json:"sha256"`
	// Body is the text with its salt, {"salt":…,"text":…}; SHA256 is the hash
	// of these bytes. Without the salt, a short line could be guessed.
	Body    string `json:"body,omitempty"`
	Missing string `json:"missing,omitempty"` // why there is no Body: MissingAbsent, MissingChanged, MissingErased
}

// ChatPath is the name of a visit's Chat in a package.
func ChatPath(id ward.VisitID) string { return "records/visit-" + string(id) + "-chat.json" }

// LinesOf are the lines that the events of a visit tell of, without Body.
func LinesOf(events []ward.VisitEvent) []ChatLine {
	lines := []ChatLine{}
	for _, e := range events {
		l := ChatLine{At: e.At}
		var b struct {
			ID  ward.MessageID `json:"message"`
			By  ward.UserID    `json:"by"`
			Sum string         `json:"sha256"`
		}
		if e.Kind == "message" && json.Unmarshal([]byte(e.Body), &b) == nil {
			l.ID, l.By, l.SHA256 = b.ID, b.By, b.Sum
			lines = append(lines, l)
		}
	}
	return lines
}

// Fits says that Body is what the event's hash is of.
func (l ChatLine) Fits() bool {
	sum := sha256.Sum256([]byte(l.Body))
	return hex.EncodeToString(sum[:]) == l.SHA256
}
