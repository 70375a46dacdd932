//go:build cgo && vision

package worker

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"os"
	"path/filepath"

	"gocv.io/x/gocv"

	"wardwatch/analytics/vision"
	"wardwatch/ward"
)

// maxFaces is how many faces of one picture are looked at closely.
const maxFaces = 32

// eye is the set of loaded models. It is used by one goroutine.
type eye struct {
	full, short *blaze
	mesh        *mesh
	embed       *net
	people      *people
	live        *net
	modelID     string // of embed
}

func openEye(dir string) (*eye, error) {
	gocv.SetNumThreads(1)
	if err := openEngine(); err != nil {
		return nil, err
	}
	var errs []error
	load := func(name string, outs ...string) *net {
		n, err := loadNet(filepath.Join(dir, name), outs...)
		errs = append(errs, err)
		return n
	}
	e := &eye{
		full:   newBlazeFull(load(vision.FileFaceFull, "regressors", "scores")),
		short:  newBlazeShort(load(vision.FileFaceShort, "regressors", "scores")),
		mesh:   &mesh{net: load(vision.FileMesh, "landmarks", "face_flag")},
		embed:  load(vision.FileEmbed, "embedding"),
		people: newPeople(load(vision.FilePeople, "box_encodings", "class_scores")),
		live:   load(vision.FileLive, "output"),
	}
	b, err := os.ReadFile(filepath.Join(dir, vision.FileEmbed))
	if err = errors.Join(append(errs, err)...); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(b)
	e.modelID = hex.EncodeToString(sum[:])[:12]
	return e, nil
}

// look describes one picture. thorough, for photos, also tries a face that
// fills the whole picture.
func (e *eye) look(pic gocv.Mat, q vision.Request, thorough bool) (ward.Seen, error) {
	want := q.Want
	s := ward.Seen{
		Width: pic.Cols(), Height: pic.Rows(), ModelID: e.modelID,
		People: []ward.Person{}, Faces: []ward.Face{},
	}
	var err error
	if want.Has(vision.WantPrint) {
		if s.Print, err = print64(pic); err != nil {
			return s, fmt.Errorf("hash the picture: %w", err)
		}
	}
	if want.Has(vision.WantPeople) {
		if s.People, err = e.people.find(pic); err != nil {
			return s, fmt.Errorf("find people: %w", err)
		}
	}
	if want.Has(vision.WantFaces | vision.WantTemplates | vision.WantLive | vision.WantLight) {
		if s.Faces, err = e.faces(pic, want, len(s.People)); err != nil {
			return s, fmt.Errorf("find faces: %w", err)
		}
		if len(s.Faces) == 0 && thorough {
			if s.Faces, err = e.padded(pic, want); err != nil {
				return s, fmt.Errorf("find faces: %w", err)
			}
		}
	}
	if want.Has(vision.WantCodes) {
		if s.Codes, err = codes(pic); err != nil {
			return s, fmt.Errorf("read codes: %w", err)
		}
	}
	if want.Has(vision.WantSnapshot) {
		if s.JPEG, err = snapshot(pic, q.Side); err != nil {
			return s, fmt.Errorf("encode the picture: %w", err)
		}
	}
	return s, nil
}

// faces finds and describes the faces, best score first. people is how many
// bodies were seen: more bodies than faces is worth a second look.
func (e *eye) faces(pic gocv.Mat, want vision.Want, people int) ([]ward.Face, error) {
	w, h := pic.Cols(), pic.Rows()
	whole := image.Rect(0, 0, w, h)
	cs, err := e.full.candidates(pic, whole)
	if err != nil {
		return nil, err
	}
	fs := merge(cs)
	if max(w, h) >= tileFrom && (len(fs) == 0 || len(fs) < people) {
		if cs, err = e.full.tiled(pic, cs); err != nil {
			return nil, err
		}
		fs = merge(cs)
	}
	if len(fs) == 0 {
		if cs, err = e.short.candidates(pic, whole); err != nil {
			return nil, err
		}
		fs = merge(cs)
	}
	out := []ward.Face{}
	for _, f := range fs[:min(len(fs), maxFaces)] {
		face, ok, err := e.face(pic, f, shared(f, fs), want)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, face)
		}
	}
	return out, nil
}

// face describes one face, of whose box other faces cover a part; ok is false
// when the mesh does not take it for one.
func (e *eye) face(pic gocv.Mat, f found, covered float64, want vision.Want) (face ward.Face, ok bool, err error) {
	p, sure, ok, err := e.mesh.points(pic, f)
	if err != nil || !ok {
		return face, false, err
	}
	crop, err := align(pic, p)
	if err != nil {
		return face, false, err
	}
	defer crop.Close()
	sharp, bright, err := quality(crop)
	if err != nil {
		return face, false, err
	}
	hidden, err := covering(crop)
	if err != nil {
		return face, false, err
	}
	at := five(p)
	face = ward.Face{
		Box: fraction(f.box, float64(pic.Cols()), float64(pic.Rows())), Score: float32(f.score),
		EyePx: float32(at[0].to(at[1])), Yaw: float32(yaw(p)), Pitch: float32(pitch(p)),
		Mouth: float32(mouth(p)), Eyes: float32(eyes(p)), Sharp: float32(sharp), Bright: float32(bright),
		Partial: float32(1 - sure), Mask: float32(hidden.mask), Shade: float32(hidden.shade), Uneven: float32(hidden.uneven), Shared: float32(covered),
	}
	if !finite(face.EyePx, face.Yaw, face.Pitch, face.Mouth, face.Eyes, face.Sharp, face.Bright, face.Partial, face.Mask, face.Shade, face.Uneven, face.Shared) {
		return face, false, nil
	}
	if want.Has(vision.WantLive) {
		var l float64
		if l, err = live(e.live, pic, f.box); err != nil {
			return face, false, err
		}
		face.Live = float32(l)
	}
	if want.Has(vision.WantLight) {
		if face.Light, err = light(pic, crop, f.box); err != nil {
			return face, false, err
		}
	}
	if want.Has(vision.WantTemplates) && face.Usable() {
		if face.Template, err = embed(e.embed, crop); err != nil {
			return face, false, err
		}
	}
	return face, true, nil
}

// padded looks again at the picture with a margin around it: the detectors
// miss a face that reaches the edges. Boxes are given in the picture itself.
func (e *eye) padded(pic gocv.Mat, want vision.Want) ([]ward.Face, error) {
	mx, my := pic.Cols()/2, pic.Rows()/2
	wide := gocv.NewMat()
	defer wide.Close()
	if err := gocv.CopyMakeBorder(pic, &wide, my, my, mx, mx, gocv.BorderConstant, color.RGBA{}); err != nil {
		return nil, err
	}
	fs, err := e.faces(wide, want, 0)
	if err != nil {
		return nil, err
	}
	fw, fh := float64(wide.Cols()), float64(wide.Rows())
	for i, f := range fs {
		r := rect{float64(f.Box.X)*fw - float64(mx), float64(f.Box.Y)*fh - float64(my), float64(f.Box.W) * fw, float64(f.Box.H) * fh}
		fs[i].Box = fraction(r, float64(pic.Cols()), float64(pic.Rows()))
	}
	return fs, nil
}

func finite(vs ...float32) bool {
	for _, v := range vs {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return false
		}
	}
	return true
}
