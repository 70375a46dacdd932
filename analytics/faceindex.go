package analytics

import (
	"context"
	"math/bits"
	"math/rand/v2"
	"slices"
	"time"

	"wardwatch/storage"
	"wardwatch/ward"
)

// faceIndex finds, among the faces of the settlements of the last
// ward.CardReach, those that may be like one: their ids, for the exact cosine
// with the stored templates to decide. Of a template it keeps 256 signs of random
// projections. At the angle of a cosine of .70 a sign differs with probability
// .253, so 256 differ in 65 ± 7 places and one in 30,000 such faces is missed
// at the limit of 93; at .60 it is one in 150. Of two unrelated faces (cosine 0)
// 128 ± 8 differ, and one in 170,000 has to be looked up in vain. A face costs
// about 100 bytes, and looking through a million some milliseconds.
// It is read from the catalogue once; what is judged afterwards is told to it,
// since nobody else judges meanwhile.
type faceIndex struct {
	models map[string]*modelFaces // nil: not read yet
	pruned time.Time
}

type modelFaces struct {
	signs [][4]uint64
	ids   []ward.SettlementID
	at    []int64 // seconds since 1970
}

const (
	maxSigns   = 93
	pruneEvery = time.Hour
)

// prepare reads what is stored, when that has not been done, and forgets what is too old.
func (x *faceIndex) prepare(ctx context.Context, store *storage.Store, now time.Time) error {
	if x.models == nil {
		read := faceIndex{models: map[string]*modelFaces{}, pruned: now}
		if err := store.FacesStored(ctx, now.Add(-ward.CardReach), read.add); err != nil {
			return err
		}
		*x = read
	}
	if now.Sub(x.pruned) > pruneEvery {
		for _, m := range x.models {
			m.prune(now.Add(-ward.CardReach).Unix())
		}
		x.pruned = now
	}
	return nil
}

// add takes in a face that is stored; before the others were read there is no need to.
func (x *faceIndex) add(f storage.Face) {
	if x.models == nil {
		return
	}
	m := x.models[f.ModelID]
	if m == nil {
		m = &modelFaces{}
		x.models[f.ModelID] = m
	}
	m.signs, m.ids, m.at = append(m.signs, signsOf(f.Template)), append(m.ids, f.Settlement), append(m.at, f.At.Unix())
}

func (m *modelFaces) prune(oldest int64) {
	n := 0
	for i := range m.ids {
		if m.at[i] >= oldest {
			m.signs[n], m.ids[n], m.at[n] = m.signs[i], m.ids[i], m.at[i]
			n++
		}
	}
	m.signs, m.ids, m.at = m.signs[:n], m.ids[:n], m.at[:n]
}

// like returns the settlements whose faces may be like t, each once: a
// corrected one may have left an entry behind.
func (x *faceIndex) like(model string, t ward.Template) []ward.SettlementID {
	m := x.models[model]
	if m == nil {
		return nil
	}
	var out []ward.SettlementID
	s := signsOf(t)
	for i, v := range m.signs {
		n := bits.OnesCount64(v[0]^s[0]) + bits.OnesCount64(v[1]^s[1]) + bits.OnesCount64(v[2]^s[2]) + bits.OnesCount64(v[3]^s[3])
		if n <= maxSigns {
			out = append(out, m.ids[i])
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// signsOf projects t at random, the same for every face: two rounds of random
// flips and a Walsh-Hadamard transform of 256 values stand for a random rotation.
func signsOf(t ward.Template) (out [4]uint64) {
	var v [256]float32
	copy(v[:], t)
	flips := rand.NewPCG(0x57617264, 0x66616365)
	for range 2 {
		for w := range 4 {
			f := flips.Uint64()
			for i := range 64 {
				if f>>i&1 == 1 {
					v[64*w+i] = -v[64*w+i]
				}
			}
		}
		for h := 1; h < len(v); h *= 2 {
			for i := 0; i < len(v); i += 2 * h {
				for j := i; j < i+h; j++ {
					v[j], v[j+h] = v[j]+v[j+h], v[j]-v[j+h]
				}
			}
		}
	}
	for i, p := range v {
		if p > 0 {
			out[i/64] |= 1 << (i % 64)
		}
	}
	return out
}
