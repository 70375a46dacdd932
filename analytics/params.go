package analytics

import (
	"time"

	"wardwatch/ward"
)

// Params are the figures of the rules. RuleVersion goes into every alert:
// raise it when a default or a rule's meaning changes.
type Params struct {
	// Nobody at the counter: the counter must have been watched over
	// [At−WatchBefore, At+WatchAfter], at least WatchedShare of it, with no
	// hole longer than MaxHole inside [At−NobodyBefore, At+NobodyAfter] and
	// with a picture at least every MaxSpacing on average; and nobody may
	// have been seen inside the latter.
	WatchBefore, WatchAfter   time.Duration
	WatchedShare              float64
	MaxHole, MaxSpacing       time.Duration
	NobodyBefore, NobodyAfter time.Duration

	// Faces that touch [At−FaceBefore, At+FaceAfter] are compared; those that
	// also touch [At−CoreBefore, At+CoreAfter] were there at the swipe.
	FaceBefore, FaceAfter time.Duration
	CoreBefore, CoreAfter time.Duration
	// MinPictures is how many comparable pictures a face needs before it may
	// count against anyone.
	MinPictures int
	Faces       ward.FaceThresholds

	// One face with many cards: the Cards-th different card within CardsWithin fires.
	Cards       int
	CardsWithin time.Duration
	// Rival: another face at least this share as large as the nearest one
	// makes it unclear whose card it was.
	Rival float32

	// Deadline is how long after At the correlator waits for the pictures.
	Deadline time.Duration
	// OldestJudged is how late a settlement may arrive and still be judged.
	OldestJudged time.Duration
	// SnapshotWithin is how far from At an alert's picture may be taken.
	SnapshotWithin time.Duration
}

// RuleVersion is the version of the rules and their defaults.
const RuleVersion = 1

// DefaultParams are the starting values; see DESIGN.md for the reasons.
func DefaultParams() Params {
	return Params{
		WatchBefore: 8 * time.Second, WatchAfter: 4 * time.Second, WatchedShare: .8,
		MaxHole: 3 * time.Second, MaxSpacing: 3 * time.Second,
		NobodyBefore: 5 * time.Second, NobodyAfter: 3 * time.Second,
		FaceBefore: 10 * time.Second, FaceAfter: 5 * time.Second,
		CoreBefore: 3 * time.Second, CoreAfter: 2 * time.Second,
		MinPictures: 2, Faces: ward.DefaultFaceThresholds,
		Cards: 3, CardsWithin: 30 * time.Minute, Rival: .5,
		Deadline: 20 * time.Second, OldestJudged: 30 * 24 * time.Hour,
		SnapshotWithin: 2 * time.Second,
	}
}
