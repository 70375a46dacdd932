// Package pack is the form of an evidence package: its manifest, the names of
// its files, and the one layout of zip that they are written in.
package pack

import (
	"encoding/hex"
	"fmt"
	"path"
	"strings"
	"time"

	"wardwatch/storage/sealed"
	"wardwatch/ward"
)

// Schema is the form of package that this code writes and verifies.
const Schema = "wardwatch-package/1"

// Names of the files that every package has.
const (
	ReadmeName     = "README.txt"
	KeyName        = "key.pub"
	ManifestName   = "manifest.json"
	CustodyName    = "custody.json"
	CheckpointName = "checkpoint"
	SM3SumsName    = "SM3SUMS"    // of every file before it
	SumsName       = "SHA256SUMS" // of every file before it
	PageName       = "verify.html"
)

// Names of the keys' files that only some packages have.
const (
	RotationsName = "rotations" // statements that lead from former keys to key.pub
	SM2KeyName    = "sm2.pub"   // PEM
)

// Names of what others say of the checkpoint, beside our own signature. Either
// may be absent: nobody was asked, or the one that was did not answer in time.
const (
	CosignedName = "cosignatures"   // a line for each witness
	StampName    = "timestamp.tsr"  // RFC 3161
	SM2Name      = "checkpoint.sm2" // our own second signature, where there is an SM2 key
)

// Manifest lists everything in a package but what depends on the export
// itself: the custody events, their proofs, the checkpoint and SHA256SUMS.
// Its SHA-256 is sealed in the ledger by the package's last custody event.
// The same content therefore always has the same manifest.
type Manifest struct {
	Schema      string    `json:"schema"`
	Case        ward.Case `json:"case"`
	CaseLeaf    int64     `json:"case_leaf"`
	Institution string    `json:"institution"` // its name
	// File is the newest version of what the case is about, as sealed in its
	// Leaf; nil: nobody has filled it in. Officers are its officers by name.
	File        *ward.CaseFile `json:"file,omitempty"`
	Officers    []Officer      `json:"officers,omitempty"`
	Software    string         `json:"software"`
	System      *System        `json:"system,omitempty"` // packages of earlier versions have none
	ModelIDs    []string       `json:"model_ids"`        // of the detectors behind the alerts
	Log         string         `json:"log"`              // the name of the ledger and its key
	Fingerprint string         `json:"key_sha256"`
	Items       []Item         `json:"items"`
	Recordings  []Recording    `json:"recordings"`
	// Devices say what the cameras of Items and Recordings are, in all versions, each as
	// sealed in its Leaf. A camera of which nobody said is not among them.
	Devices []ward.CameraDevice `json:"devices,omitempty"`
	Records []RecordFile        `json:"records"`
	Files   []File              `json:"files"`
}

// System is what made the package, so that somebody else can set up the same.
type System struct {
	Program string `json:"program_sha256"` // of the program's file, in hex
	Config  string `json:"config_sha256"`  // of its configuration as JSON, each secret as "***"
	Zone    string `json:"time_zone"`      // of documents; every time in the package is UTC or has its offset
}

// Officer is who answers for the case.
type Officer struct {
	Name        string `json:"name"`
	Certificate string `json:"certificate"`
}

// Item is one piece of evidence.
type Item struct {
	Kind   ward.EvidenceKind `json:"kind"`
	Ref    string            `json:"ref"`
	SHA256 string            `json:"sha256"` // hex; empty: not there when it was added
	Added  time.Time         `json:"added"`
	By     ward.UserID       `json:"added_by"`
	// Leaf is the ledger entry that vouches for SHA256: of the segment,
	// settlement, alert or verdict; for a snapshot that of the custody event.
	Leaf int64 `json:"leaf"`
	// Path of the file with these bytes; empty when Missing says why not.
	Path    string `json:"path,omitempty"`
	Missing string `json:"missing,omitempty"` // MissingAbsent, MissingChanged…
	Found   string `json:"found_sha256,omitempty"`
	// Segment is the recording's own record, as sealed.
	Segment *sealed.Segment `json:"segment,omitempty"`
	// Events is the path of a visit's protocol, whose hash the verdict holds.
	Events string `json:"events,omitempty"`
	// Chat is the path of what was written in a visit, a Chat, there also when
	// nothing was. Packages of earlier versions have none.
	Chat string `json:"chat,omitempty"`
}

// Why an item has no file.
const (
	MissingAbsent  = "absent"  // the object is not in the store
	MissingChanged = "changed" // the object's SHA-256 is Found, not SHA256
	MissingErased  = "erased"  // the sealed record was deleted
	MissingCovered = "covered" // who exported may see the derivative alone, in which parts are covered
)

// Recording says what a camera or bedside recorded of one stretch, and what
// it did not: "there is no recording" is an answer too.
type Recording struct {
	Source   ward.Source `json:"source"`
	Place    string      `json:"place"`
	Camera   string      `json:"camera"`
	Stream   string      `json:"stream,omitempty"` // the camera's address today, without what could be a secret
	From     time.Time   `json:"from"`
	To       time.Time   `json:"to"`
	Recorded float64     `json:"recorded_s"`
	// Filled is how much of Gaps the device's own storage gave afterwards, in
	// seconds. It is not in Recorded.
	Filled float64   `json:"filled_s,omitempty"`
	Gaps   []GapSpan `json:"gaps"`
}

// GapSpan is a stretch without recording. Cause is "unknown" when none was
// noted: the stretch was still being recorded when the package was made. A
// gap that was filled afterwards stays one.
type GapSpan struct {
	From  time.Time  `json:"from"`
	To    time.Time  `json:"to"`
	Cause ward.Cause `json:"cause"`
}

// RecordFile is one sealed record, byte for byte as the ledger commits to it.
type RecordFile struct {
	Leaf   int64  `json:"leaf"`
	Kind   string `json:"kind"`
	Ref    string `json:"ref"`
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
}

// File is one file that the manifest vouches for.
type File struct {
	Path   string `json:"path"`
	Role   Role   `json:"role"`
	Format string `json:"format,omitempty"` // as FormatOf says; empty: the role says enough
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// Role says what a file is.
type Role string

// The roles.
const (
	RoleOriginal   Role = "original" // media, byte for byte as recorded
	RoleBackfill   Role = "backfill" // media that the device had stored and gave afterwards: it fills a gap
	RoleSnapshot   Role = "snapshot"
	RoleRecord     Role = "record"
	RoleEvents     Role = "events"     // the protocol of a visit
	RoleChat       Role = "chat"       // what was written in a visit
	RoleDerivative Role = "derivative" // made of another item: its sealed record says how
	RoleUpload     Role = "upload"     // a file that somebody added to the case
	RoleReadme     Role = "readme"
	RoleKey        Role = "key"
	RoleTool       Role = "tool" // verify.html
)

// MediaRole is the role of a recording's file.
func MediaRole(o ward.Origin) Role {
	if o == ward.FromStream {
		return RoleOriginal
	}
	return RoleBackfill
}

// FormatOf is the media type of a file by its name's ending; empty for those
// that only this package has.
func FormatOf(name string) string {
	return map[string]string{
		".mp4": "video/mp4", ".jpg": "image/jpeg", ".png": "image/png", ".pdf": "application/pdf", ".json": "application/json",
		".txt": "text/plain; charset=utf-8", ".html": "text/html; charset=utf-8", ".pub": "application/x-pem-file",
	}[path.Ext(name)]
}

// ProofPath names the proof of a leaf.
func ProofPath(leaf int64) string { return fmt.Sprintf("proofs/%d.tlog-proof", leaf) }

// RecordPath names a sealed record.
func RecordPath(kind string, leaf int64) string {
	return fmt.Sprintf("records/%s-%d.json", kind, leaf)
}

// CustodyPath names the seq-th custody event.
func CustodyPath(seq, leaf int64) string {
	return fmt.Sprintf("records/custody-%06d-%d.json", seq, leaf)
}

// CustodyJSON is the JSON array of the sealed custody records, unchanged.
func CustodyJSON(bodies [][]byte) []byte {
	var b strings.Builder
	b.WriteString("[\n")
	for i, body := range bodies {
		if i > 0 {
			b.WriteString(",\n")
		}
		b.Write(body)
	}
	b.WriteString("\n]\n")
	return []byte(b.String())
}

// Sums is a file that `sha256sum -c` reads.
func Sums(names []string, sum func(string) [32]byte) []byte {
	var b strings.Builder
	for _, n := range names {
		h := sum(n)
		b.WriteString(hex.EncodeToString(h[:]) + "  " + n + "\n")
	}
	return []byte(b.String())
}
