package scenario

import (
	"fmt"
	"slices"

	"wardwatch/internal/simcam"
	"wardwatch/ward"
)

// check finds references to nothing and numbers out of range.
func (s *Scenario) check() error {
	if s.Length < 10 || s.Length > 3600 {
		return fmt.Errorf("length is %v: give 10 to 3600 seconds", s.Length)
	}
	if len(s.Institutions) == 0 {
		return fmt.Errorf("institutions is empty: give at least one")
	}
	for _, p := range s.Cameras() {
		if err := s.checkPlace(p); err != nil {
			return fmt.Errorf("place %q: %w", p.ID, err)
		}
	}
	for _, p := range s.People {
		if !ward.ValidID(string(p.ID)) {
			return fmt.Errorf("person %q: an id is 1 to 64 of a-z, 0-9, - and _", p.ID)
		}
		if p.Actor != "" && s.actor(p.Actor).ID == "" {
			return fmt.Errorf("person %q: there is no actor %q", p.ID, p.Actor)
		}
	}
	for _, x := range s.Settlements {
		if err := s.checkSettlement(x); err != nil {
			return fmt.Errorf("settlement %d: %w", x.Number, err)
		}
	}
	for _, x := range s.Settlements { // now that all of them make sense
		if err := s.checkTruth(x); err != nil {
			return fmt.Errorf("settlement %d: %w", x.Number, err)
		}
	}
	for _, b := range s.Beds {
		if err := s.checkBed(b); err != nil {
			return fmt.Errorf("bed %q: %w", b.Bed, err)
		}
	}
	return nil
}

func (s *Scenario) checkPlace(p Place) error {
	c := p.Camera
	if !ward.ValidID(string(p.ID)) || !ward.ValidID(string(c.ID)) {
		return fmt.Errorf("place and camera ids are 1 to 64 of a-z, 0-9, - and _")
	}
	if c.Codec != ward.H264 && c.Codec != ward.H265 && c.Codec != ward.MJPEG {
		return fmt.Errorf("codec is %q: give h264 or h265 or mjpeg", c.Codec)
	}
	if c.Codec == ward.MJPEG && (c.FPS != 25 || c.Audio == ward.AAC || c.Audio == ward.Opus) {
		return fmt.Errorf("mjpeg is simulated at 25 pictures a second, with pcmu, pcma, g726 or no audio")
	}
	if !slices.Contains([]ward.Codec{ward.NoCodec, ward.AAC, ward.Opus, ward.PCMU, ward.PCMA, simcam.G726}, c.Audio) {
		return fmt.Errorf("audio is %q: give aac, opus, pcmu, pcma, g726 or leave it out", c.Audio)
	}
	if c.GOP < 0 || c.GOP > s.Length || c.BFrames < 0 || c.BFrames > 4 {
		return fmt.Errorf("gop is %v s and bframes %d: give 0 to the clip's %v s, and 0 to 4", c.GOP, c.BFrames, s.Length)
	}
	if c.Second != (Size{}) && (c.Second.Width < 160 || c.Second.Height < 120) {
		return fmt.Errorf("the second picture is %dx%d: give at least 160x120", c.Second.Width, c.Second.Height)
	}
	for _, e := range c.Episodes {
		if e.At < 0 || e.For <= 0 {
			return fmt.Errorf("an episode is at %v for %v: give a time from the start, such as 30s, and how long", e.At, e.For)
		}
	}
	if c.Width < 160 || c.Height < 120 || c.FPS < 1 || c.FPS > 60 {
		return fmt.Errorf("picture is %dx%d at %d/s: give at least 160x120 and 1 to 60 a second", c.Width, c.Height, c.FPS)
	}
	for _, v := range c.Presence {
		if s.actor(v.Who).ID == "" {
			return fmt.Errorf("presence of %q: there is no such actor", v.Who)
		}
		if v.From < 0 || v.To <= v.From || v.To > s.Length {
			return fmt.Errorf("presence of %q from %v to %v: keep it inside the clip's %v s", v.Who, v.From, v.To, s.Length)
		}
	}
	return nil
}

func (s *Scenario) checkSettlement(x Settlement) error {
	if s.InstitutionOf(x.Place) == "" {
		return fmt.Errorf("there is no place %q", x.Place)
	}
	if !s.has(x.Card) {
		return fmt.Errorf("card %q belongs to nobody in people", x.Card)
	}
	if x.Fen <= 0 || x.At < 0 {
		return fmt.Errorf("fen and at must be positive")
	}
	if _, isRule := s.rules()[ward.Rule(x.Truth)]; x.Truth != Honest && x.Truth != Unseen && !isRule {
		return fmt.Errorf("truth is %q: give honest, unseen or a rule", x.Truth)
	}
	return nil
}

func (s *Scenario) rules() map[ward.Rule]bool {
	return map[ward.Rule]bool{ward.NobodyAtCounter: true, ward.FaceMismatch: true, ward.OneFaceManyCards: true}
}

func (s *Scenario) checkBed(b Bed) error {
	if !slices.ContainsFunc(s.Institutions, func(in Institution) bool { return in.ID == b.Institution }) {
		return fmt.Errorf("there is no institution %q", b.Institution)
	}
	if !s.has(b.Patient) {
		return fmt.Errorf("patient %q is not in people", b.Patient)
	}
	switch b.Behaviour {
	case Genuine, Impostor, Loop:
		if b.Clip == "" {
			return fmt.Errorf("behaviour %s needs a clip", b.Behaviour)
		}
	case Nobody, You:
	default:
		return fmt.Errorf("behaviour is %q: give genuine, impostor, loop, nobody or you", b.Behaviour)
	}
	return nil
}

func (s *Scenario) has(id ward.InsuredID) bool {
	return slices.ContainsFunc(s.People, func(p Insured) bool { return p.ID == id })
}
