// Package scenario is a simulated hospital in one YAML file: its counters and
// cameras, who stands where and when, what is billed, who lies in which bed,
// and the truth about all of it. The demo plays it; demo-check compares what
// Wardwatch found with it. It must know nothing of the product but the
// vocabulary.
package scenario

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"

	"gopkg.in/yaml.v3"

	"wardwatch/internal/simcam"
	"wardwatch/internal/spelling"
	"wardwatch/ward"
)

// Scenario is the whole file. Times are seconds of clip time: cameras show
// second t mod Length when t seconds have passed since they began.
type Scenario struct {
	Length       float64       `yaml:"length"` // of every clip, seconds
	Institutions []Institution `yaml:"institutions"`
	Actors       []Actor       `yaml:"actors"`
	People       []Insured     `yaml:"people"`
	Settlements  []Settlement  `yaml:"settlements"`
	Beds         []Bed         `yaml:"beds"`
}

// Institution has places, each with one camera.
type Institution struct {
	ID     ward.InstitutionID `yaml:"id"`
	Name   string             `yaml:"name"`
	Places []Place            `yaml:"places"`
}

// Place is a counter or corridor and the camera over it.
type Place struct {
	ID     ward.PlaceID   `yaml:"id"`
	Name   string         `yaml:"name"`
	Kind   ward.PlaceKind `yaml:"kind"`
	Camera Camera         `yaml:"camera"`
}

// Camera says how the picture is coded and who walks through it.
type Camera struct {
	ID        ward.CameraID  `yaml:"id"`
	Name      string         `yaml:"name"`
	User      string         `yaml:"user"`
	Password  string         `yaml:"password"` // of the simulator; protects nothing
	Transport ward.Transport `yaml:"transport"`
	Codec     ward.Codec     `yaml:"codec"`
	Audio     ward.Codec     `yaml:"audio"` // aac, opus, pcmu, pcma, g726 or none
	Width     int            `yaml:"width"`
	Height    int            `yaml:"height"`
	FPS       int            `yaml:"fps"`
	Presence  []Presence     `yaml:"presence"`

	GOP      float64          `yaml:"gop"`     // seconds between key frames; 0: 1
	BFrames  int              `yaml:"bframes"` // between other pictures
	Second   Size             `yaml:"second"`  // of the picture that the fault new_sps switches to
	Faults   simcam.Faults    `yaml:"faults"`
	Episodes []simcam.Episode `yaml:"episodes"` // other faults for a while
}

// Size of a picture; zero: none.
type Size struct {
	Width  int `yaml:"width"`
	Height int `yaml:"height"`
}

// Presence is one person in the picture.
type Presence struct {
	Who  string  `yaml:"who"` // an Actor
	From float64 `yaml:"from"`
	To   float64 `yaml:"to"`
}

// Actor is a real person in one of the demo clips.
type Actor struct {
	ID    string  `yaml:"id"`
	Clip  string  `yaml:"clip"`  // in the models' clips folder
	Start float64 `yaml:"start"` // the stretch to use begins here, seconds
	Crop  string  `yaml:"crop"`  // width:height:x:y of the part to show, or empty
	Key   string  `yaml:"key"`   // colour of the backdrop to take out, or empty
}

// Insured is a person with a card. The photo is a picture of a clip.
type Insured struct {
	ID       ward.InsuredID `yaml:"id"`
	Name     string         `yaml:"name"`
	IDNumber string         `yaml:"id_number"` // no real one: its check digit is wrong
	Actor    string         `yaml:"actor"`     // who this is in the pictures, or empty
	Photo    *Photo         `yaml:"photo"`
}

// Photo is one picture of a clip.
type Photo struct {
	Clip string  `yaml:"clip"`
	At   float64 `yaml:"at"`
}

// Truth is what a settlement really was.
type Truth string

// The truths. Unseen is a fraud of which nothing can be seen yet: the second
// card of a series.
const (
	Honest Truth = "honest"
	Unseen Truth = "unseen"
)

// Settlement is one bill.
type Settlement struct {
	At     float64             `yaml:"at"` // seconds after the cameras began
	Place  ward.PlaceID        `yaml:"place"`
	Card   ward.InsuredID      `yaml:"card"`
	Fen    int64               `yaml:"fen"`
	Kind   ward.SettlementKind `yaml:"kind"`
	Truth  Truth               `yaml:"truth"` // honest, unseen, or the ward.Rule that must fire
	Number int                 `yaml:"-"`     // counted from 1
}

// Behaviour is what a simulated bedside does.
type Behaviour string

// The behaviours.
const (
	Genuine  Behaviour = "genuine"  // the rightful patient, follows each prompt
	Impostor Behaviour = "impostor" // somebody else, follows each prompt
	Loop     Behaviour = "loop"     // a recording of the rightful patient that just plays on
	Nobody   Behaviour = "nobody"   // never answers
	You      Behaviour = "you"      // left for the person at the keyboard
)

// Bed is an admission and how its bedside behaves.
type Bed struct {
	Institution ward.InstitutionID `yaml:"institution"`
	Ward        string             `yaml:"ward"`
	Bed         string             `yaml:"bed"`
	Patient     ward.InsuredID     `yaml:"patient"`
	Physician   string             `yaml:"physician"`
	Behaviour   Behaviour          `yaml:"behaviour"`
	Clip        string             `yaml:"clip"`
	Verdict     ward.Verdict       `yaml:"verdict"` // what must come out; empty: not judged
}

// Load reads and checks a scenario. Every error names the file and says
// what to change.
func Load(path string) (*Scenario, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read scenario: %w", err)
	}
	s, err := Parse(b)
	if err != nil {
		return nil, fmt.Errorf("scenario %s: %w", path, err)
	}
	return s, nil
}

// Parse is Load from memory.
func Parse(b []byte) (*Scenario, error) {
	s := &Scenario{}
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err := d.Decode(s); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errors.New("the file is empty")
		}
		return nil, err // names the line
	}
	for i := range s.Settlements {
		s.Settlements[i].Number = i + 1
	}
	return s, s.check()
}

// Cameras lists every place of every institution.
func (s *Scenario) Cameras() []Place {
	var out []Place
	for _, in := range s.Institutions {
		out = append(out, in.Places...)
	}
	return out
}

// SetFaults gives cameras, by id, the faults of knobs as simcam.ParseFaults
// reads them, in place of the scenario's. An unknown camera or knob is an error.
func (s *Scenario) SetFaults(knobs map[string]string) error {
	known := map[string]*Camera{}
	for i := range s.Institutions {
		for j := range s.Institutions[i].Places {
			c := &s.Institutions[i].Places[j].Camera
			known[string(c.ID)] = c
		}
	}
	for id, text := range knobs {
		c := known[id]
		if c == nil {
			return fmt.Errorf("there is no camera %q; did you mean %q?", id, spelling.Nearest(id, slices.Sorted(maps.Keys(known))))
		}
		var err error
		if c.Faults, err = simcam.ParseFaults(text); err != nil {
			return fmt.Errorf("camera %s: %w", id, err)
		}
		c.Episodes = nil
	}
	return nil
}

// InstitutionOf is the institution of a place.
func (s *Scenario) InstitutionOf(place ward.PlaceID) ward.InstitutionID {
	for _, in := range s.Institutions {
		for _, p := range in.Places {
			if p.ID == place {
				return in.ID
			}
		}
	}
	return ""
}

// Expected counts the alerts that must be raised, by rule.
func (s *Scenario) Expected() map[ward.Rule]int {
	n := map[ward.Rule]int{ward.NobodyAtCounter: 0, ward.FaceMismatch: 0, ward.OneFaceManyCards: 0}
	for _, x := range s.Settlements {
		if x.Truth != Honest && x.Truth != Unseen {
			n[ward.Rule(x.Truth)]++
		}
	}
	return n
}

// Seconds is n seconds as a duration.
func Seconds(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }
