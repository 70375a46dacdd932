package storage

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// FsckReport is what Fsck looked at and what was wrong.
type FsckReport struct {
	Leaves   int64 `json:"leaves"`   // of the ledger
	Signed   int64 `json:"signed"`   // of them, under a valid signature
	Rows     int64 `json:"rows"`     // compared with their sealed record
	Segments int64 `json:"segments"` // whose bytes were hashed
	Objects  int64 `json:"objects"`  // listed in the store
	// Resumed says that an earlier check that was broken off is part of it.
	Resumed bool `json:"resumed,omitempty"`
	// Quarantined was found without a row and put aside; that is no problem
	// of the store's, and something for a person to look at.
	Quarantined []Quarantined `json:"quarantined"`
	Problems    []FsckProblem `json:"problems"`
	// More counts the problems beyond maxProblems.
	More int64 `json:"more"`
}

// FsckProblem is one thing that is wrong. Where names it: "segment/ID",
// "object/KEY", "leaf/N", "log_hash/N", "checkpoint/N", "TABLE/ID".
type FsckProblem struct {
	Where string `json:"where"`
	ZH    string `json:"zh"`
	EN    string `json:"en"`
}

// OK says that nothing was wrong.
func (r FsckReport) OK() bool { return len(r.Problems) == 0 }

// maxProblems bounds the list when a whole store is gone.
const maxProblems = 1000

// fsck is one check of everything.
type fsck struct {
	s     *Store
	media Media
	o     FsckOptions

	cursor    fsckCursor
	saved     time.Time // when the cursor was
	step      string
	total, of int64
	plan      sealedPlan
	FsckReport
}

// Fsck proves that what is stored is what was sealed: the ledger against
// its signatures, every row against its sealed record, every segment and
// picture against its hash, every object in the store and file in the spool
// against its row. It only reads, and may run beside a working system: what
// changes meanwhile is looked at again before it is called a problem. The
// error is that the check itself could not go on; it may be called again then.
func (s *Store) Fsck(ctx context.Context, m Media, o FsckOptions) (FsckReport, error) {
	f := &fsck{s: s, media: m, o: o, FsckReport: FsckReport{Problems: []FsckProblem{}, Quarantined: []Quarantined{}}}
	if err := f.load(); err != nil {
		return f.FsckReport, err
	}
	for i, step := range f.steps() {
		if i < f.cursor.Step {
			continue
		}
		f.step, f.total, f.of = step.what, 0, 0
		if err := step.run(ctx); err != nil {
			return f.FsckReport, errors.Join(fmt.Errorf("fsck %s: %w", step.what, err), f.save(true))
		}
		f.cursor.Step, f.cursor.After, f.cursor.Done, f.cursor.Bytes, f.cursor.Report = i+1, "", 0, 0, f.FsckReport
		if err := f.save(true); err != nil {
			return f.FsckReport, err
		}
	}
	return f.FsckReport, f.finished()
}

// steps is the order in which things are looked at.
func (f *fsck) steps() []fsckStep {
	return []fsckStep{
		{"ledger", f.ledger},
		{"segment rows", f.segmentRows},
		{"alert rows", f.alertRows},
		{"visit rows", f.visitRows},
		{"settlement rows", f.settlementRows},
		{"round rows", f.roundRows},
		{"ruling rows", f.rulingRows},
		{"message rows", f.messageRows},
		{"findings about visits", f.findingRows},
		{"draw rows", f.drawRows},
		{"case rows", f.caseRows},
		{"hold rows", f.holdRows},
		{"release rows", f.releaseRows},
		{"redaction rows", f.redactionRows},
		{"letters", f.letterRows},
		{"holds in the object store", f.objectHolds},
		{"blind periods", f.blindRows},
		{"outage rows", f.outageRows},
		{"zone rows", f.zoneRows},
		{"camera device rows", f.deviceRows},
		{"rule rows", f.ruleRows},
		{"alert policy rows", f.policyRows},
		{"access policy rows", f.accessPolicyRows},
		{"check policy rows", f.checkPolicyRows},
		{"site rows", f.siteRows},
		{"face searches", f.searchRows},
		{"identity checks", f.identityRows},
		{"identity links", f.identityLinks},
		{"enrolments", f.enrolmentRows},
		{"duty policy rows", f.dutyPolicyRows},
		{"duties", f.dutyRows},
		{"ends of duties", f.dutyEndRows},
		{"treatment policy rows", f.treatmentPolicyRows},
		{"treatments", f.treatmentRows},
		{"keys of the ledger", f.keyRotations},
		{"absent rows", f.absent},
		{"recordings", f.segments},
		{"alert pictures", f.pictures(`SELECT 'alert/' || id, snapshot_key, snapshot_sha FROM alert WHERE snapshot_key <> '' AND 'alert/' || id > $1 ORDER BY id LIMIT $2`)},
		{"evidence pictures", f.pictures(`SELECT 'evidence/' || id, ref, sha256 FROM evidence WHERE (kind = 'file' OR kind = 'snapshot' AND ` + shownOrHeld + `) AND 'evidence/' || id > $1 ORDER BY id LIMIT $2`)},
		{"visit pictures", f.pictures(`SELECT 'visit/' || id, snapshot_key, snapshot_sha FROM visit WHERE snapshot_key <> '' AND 'visit/' || id > $1 ORDER BY id LIMIT $2`)},
		{"ruling pictures", f.pictures(`SELECT 'ruling/' || ruling_id || '/' || CAST(seq AS TEXT) AS name, object_key, sha256 FROM ruling_proof WHERE 'ruling/' || ruling_id || '/' || CAST(seq AS TEXT) > $1 ORDER BY name LIMIT $2`)},
		{"objects", f.objects},
		{"spooled files", f.files},
		{"quarantine", f.quarantine},
	}
}

type fsckStep struct {
	what string
	run  func(context.Context) error
}

func (f *fsck) bad(where, zh, en string) {
	if len(f.Problems) >= maxProblems {
		f.More++
		return
	}
	f.Problems = append(f.Problems, FsckProblem{where, zh, en})
}

func hexOf(b [32]byte) string { return hex.EncodeToString(b[:]) }
