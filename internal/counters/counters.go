// Package counters makes labelled scenes at counters from a folder of
// labelled faces: who walks up to which counter when and in what picture
// quality, which cards are swiped by whom, and so what each rule ought to say.
// It draws the cameras' films of them and scores what Wardwatch said. It must
// know nothing of the product but the vocabulary.
package counters

import (
	"time"

	"wardwatch/ward"
)

// Condition is how well a person can be seen.
type Condition string

// The conditions. Those that are not Usable make a face that cannot or need
// not be compared: nobody may be accused by it, and "cannot tell" is right.
const (
	Plain      Condition = "plain"
	Compressed Condition = "jpeg"    // the face went through JPEG at quality 25
	Company    Condition = "company" // somebody else stands behind
	Beside     Condition = "beside"  // somebody else stands beside, as large
	Back       Condition = "back"    // seen from behind
	Masked     Condition = "masked"  // mouth and nose covered
	Dark       Condition = "dark"    // an eighth of the light
	Blurred    Condition = "blurred" // by motion
	Far        Condition = "far"     // the eyes about 13 pixels apart
	Unmanned   Condition = "nobody"  // nobody is there
	Unpowered  Condition = "down"    // the camera is off
)

// Usable says whether a face seen so ought to be recognised.
func (c Condition) Usable() bool {
	switch c {
	case Plain, Compressed, Company, Beside, Unmanned:
		return true
	case Back, Masked, Dark, Blurred, Far, Unpowered:
	}
	return false
}

// World is everything that happens. Times are seconds since the cameras began.
type World struct {
	People       []Person
	Institutions []Institution
	Counters     []Counter
	Swipes       []Swipe // by time
	Spare        []ward.InsuredID
	Length       float64 // of every film
}

// Person is one of the labelled people.
type Person struct {
	Card      ward.InsuredID `json:"card"`
	Name      string         `json:"name"` // of the folder
	EastAsian bool           `json:"east_asian"`
	Photo     string         `json:"photo"` // to be enrolled; empty: not enrolled
	Shown     []Face         `json:"shown"` // other pictures than Photo
}

// Face is a picture of one face: its file and where the face is in it.
type Face struct {
	File string   `json:"file"`
	Box  ward.Box `json:"box"`
}

// Institution has a place on the map, and a billing system whose clock is ahead by Skew.
type Institution struct {
	ID       ward.InstitutionID
	Location ward.Location
	Skew     time.Duration
}

// Counter is a place with one camera, whose id is the place's.
type Counter struct {
	ID          ward.PlaceID   `json:"id"`
	Institution int            `json:"institution"`
	Kind        ward.PlaceKind `json:"kind"`
	Picture     Picture        `json:"picture"`
	Visits      []Visit        `json:"visits"` // by From
	Down        []Stretch      `json:"down"`   // the camera has no power
}

// Picture is how a camera codes.
type Picture struct {
	Width  int `json:"width"`
	Height int `json:"height"`
	FPS    int `json:"fps"`
	Kbit   int `json:"kbit"` // a second; 0: quality 26
}

// Stretch is a time in seconds.
type Stretch struct {
	From float64 `json:"from"`
	To   float64 `json:"to"`
}

func (s Stretch) touches(from, to float64) bool { return s.From <= to && s.To >= from }

// Visit is one person at a counter.
type Visit struct {
	Stretch

	Who       int       `json:"who"`   // of World.People
	Shown     int       `json:"shown"` // of Person.Shown
	X         float64   `json:"x"`     // of the middle, in the picture's width
	Size      float64   `json:"size"`  // 1: the body fills 70 % of the height
	Condition Condition `json:"condition"`
}

// Swipe is one settlement and who made it.
type Swipe struct {
	Counter   int            `json:"counter"`
	At        float64        `json:"at"`
	Card      ward.InsuredID `json:"card"`
	Who       int            `json:"who"` // of World.People; -1: nobody
	Story     string         `json:"story"`
	Condition Condition      `json:"condition"`
}
