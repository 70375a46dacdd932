package rounds

import (
	"fmt"
	"math"
	"slices"
	"time"

	"wardwatch/ward"
)

// The numbers of the face check.
const (
	faceFrames = 5               // good pictures at least
	faceSpan   = 2 * time.Second // that they are spread over
	faceEvery  = 200 * time.Millisecond
	faceKept   = 40  // straight looks that are compared with the enrolment; more add nothing
	facePitch  = 25  // degrees either way that are near-frontal
	faceAll    = 200 // pictures of the whole session, in which nobody else may appear: 40 s of them
	strangers  = .25 // share of pictures unlike the rest that one person does not produce
	strangerIn = 4   // pictures in a row that, fused, show who it is
)

// faces collects templates: those of straight looks are compared with the
// enrolment, those of the turns must be the same person's.
type faces struct {
	modelID  string
	straight []ward.Template
	at       []time.Time
	all      []ward.Template // of straight looks and turns, in their order
	allAt    time.Time       // of the newest of all
	best     float32         // quality of shot
	shot     []byte          // JPEG of the best straight look
}

// see takes what a picture is good for. straight says that the person was
// asked to look straight and does.
func (c *faces) see(l look, straight bool) {
	f, ok := l.face()
	if !ok || !f.Usable() || len(f.Template) == 0 {
		return
	}
	c.modelID = l.seen.ModelID
	if len(c.all) < faceAll && l.at.Sub(c.allAt) >= faceEvery {
		c.all, c.allAt = append(c.all, f.Template), l.at
	}
	if !straight {
		return
	}
	if math.Abs(float64(f.Pitch)) > facePitch {
		return
	}
	if q := f.EyePx * float32(math.Sqrt(float64(f.Sharp))); q > c.best && len(l.seen.JPEG) > 0 {
		c.best, c.shot = q, l.seen.JPEG
	}
	if n := len(c.at); n >= faceKept || n > 0 && l.at.Sub(c.at[n-1]) < faceEvery {
		return
	}
	c.straight, c.at = append(c.straight, f.Template), append(c.at, l.at)
}

// enough says whether the face can be judged.
func (c *faces) enough() bool {
	n := len(c.at)
	return n >= faceFrames && c.at[n-1].Sub(c.at[0]) >= faceSpan
}

// fused is the face of the session; nil when there are too few pictures of it.
func (c *faces) fused() ward.Template {
	if !c.enough() {
		return nil
	}
	return ward.Fuse(c.straight)
}

// judge compares the session's face with the enrolment. It fails also when
// the pictures of the session show more than one person. The score is the
// cosine; a bedside never sees it.
func (c *faces) judge(enrolled ward.Insured, t ward.FaceThresholds) ward.Check {
	k := ward.Check{Kind: ward.CheckFace, Outcome: ward.NotDone, Enrolment: enrolled.Enrolment, Proxy: enrolled.Proxy}
	if !c.enough() {
		k.DetailZH, k.DetailEN = "合格的正面人脸画面不足。", "Too few usable frontal pictures of the face."
		return k
	}
	one := ward.Fuse(c.straight)
	if c.several(t.NoMatch) {
		k.Outcome = ward.Fail
		k.DetailZH, k.DetailEN = "会话中出现了不同的人脸。", "The face changed during the session."
		return k
	}
	switch {
	case len(enrolled.Template) == 0:
		k.DetailZH, k.DetailEN = "尚未登记人脸照片。", "No face is enrolled for this person."
		return k
	case enrolled.ModelID != c.modelID:
		k.DetailZH, k.DetailEN = "登记照片由另一个模型提取，请重新登记。", "The enrolment was made with another model; enrol the photo again."
		return k
	}
	k.Score = one.Cosine(enrolled.Template)
	shown := fmt.Sprintf("%d", len(c.straight))
	switch t.Judge(k.Score) {
	case ward.MatchYes:
		k.Outcome = ward.Pass
		k.DetailZH, k.DetailEN = "与登记照片一致（"+shown+" 张画面）。", "Matches the enrolled photo ("+shown+" pictures)."
		if k.Proxy {
			k.DetailZH += "该登记系代办。"
			k.DetailEN += " It was enrolled by proxy."
		}
	case ward.MatchUnsure:
		k.Outcome = ward.Unsure
		k.DetailZH, k.DetailEN = "与登记照片相近但不足以确认，需人工判断。", "Close to the enrolled photo, but not enough; a human decides."
	case ward.MatchNo:
		k.Outcome = ward.Fail
		k.DetailZH, k.DetailEN = "与登记照片不是同一人。", "Not the person of the enrolled photo."
	}
	return k
}

// judgeNew says whether the session's face may be enrolled: of one person, in
// enough usable pictures. A face that is not the one that is enrolled already
// is for people.
func (c *faces) judgeNew(enrolled ward.Insured, t ward.FaceThresholds) ward.Check {
	k := c.judge(enrolled, t)
	k.Proxy = false // whoever brought the one of before, this one is the patient's own
	if !c.enough() || k.Outcome == ward.Pass || c.several(t.NoMatch) {
		return k
	}
	if k.Outcome == ward.NotDone { // there is nothing to compare with
		k.Outcome, k.DetailZH, k.DetailEN = ward.Pass, fmt.Sprintf("可登记（%d 张画面）。", len(c.straight)), fmt.Sprintf("Good enough to be enrolled (%d pictures).", len(c.straight))
		return k
	}
	k.Outcome, k.DetailZH, k.DetailEN = ward.Unsure, "与现有登记照片不一致或不足以确认，是否更换需人工判断。", "Not the person of the present enrolment, or not enough so; a human decides whether it is replaced."
	return k
}

// several says whether the session shows more than one person: more than a
// quarter of its pictures are unlike all of them fused, or some in a row are
// fused another person than the rest fused. One picture alone may be poor.
func (c *faces) several(noMatch float32) bool {
	one, odd := ward.Fuse(c.all), 0
	for _, u := range c.all {
		if one.Cosine(u) < noMatch {
			odd++
		}
	}
	if float64(odd) > strangers*float64(len(c.all)) {
		return true
	}
	sums := make([][]float64, len(c.all)+1) // of the first so many
	sums[0] = make([]float64, len(one))
	for i, u := range c.all {
		sums[i+1] = slices.Clone(sums[i])
		for k, v := range u {
			sums[i+1][k] += float64(v)
		}
	}
	whole := sums[len(c.all)]
	for i := range c.all {
		for j := i + strangerIn; j <= len(c.all) && len(c.all)-(j-i) >= strangerIn; j++ {
			var both, in, out float64
			for k := range whole {
				a := sums[j][k] - sums[i][k]
				b := whole[k] - a
				both, in, out = both+a*b, in+a*a, out+b*b
			}
			if both < float64(noMatch)*math.Sqrt(in*out) {
				return true
			}
		}
	}
	return false
}
