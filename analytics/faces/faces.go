// Package faces turns photos into templates, compares them and measures
// how well that works on a folder of known people. It sees pictures only through
// vision.Pool and must know nothing of storage: a template is personal
// data that its caller seals.
package faces

import (
	"context"
	"fmt"

	"wardwatch/analytics/vision"
	"wardwatch/ward"
)

// backgroundShare is the size below which another face counts as background: its
// eye distance over that of the largest face.
const backgroundShare = .5

// Enrol returns the template of the one person on a photo (JPEG or PNG), and
// what was seen. Its errors are *ward.Error that say what to do: photo.broken,
// photo.no_face, photo.many_faces, photo.too_poor; or the pool's.
func Enrol(ctx context.Context, pool *vision.Pool, photo []byte) (ward.Template, ward.Seen, error) {
	seen, err := pool.Still(ctx, photo, vision.WantTemplates)
	if err != nil {
		return nil, seen, err
	}
	f, err := subject(seen)
	if err != nil {
		return nil, seen, err
	}
	if reason := poor(f); reason != nil {
		return nil, seen, reason
	}
	if len(f.Template) == 0 {
		return nil, seen, fmt.Errorf("the worker gave no template for a usable face")
	}
	return f.Template, seen, nil
}

// Compare says how alike the people on two photos are and judges it by the
// default thresholds. The errors are those of Enrol.
func Compare(ctx context.Context, pool *vision.Pool, a, b []byte) (cosine float32, m ward.Match, err error) {
	ta, _, err := Enrol(ctx, pool, a)
	if err != nil {
		return 0, "", fmt.Errorf("first photo: %w", err)
	}
	tb, _, err := Enrol(ctx, pool, b)
	if err != nil {
		return 0, "", fmt.Errorf("second photo: %w", err)
	}
	cosine = ta.Cosine(tb)
	return cosine, ward.DefaultFaceThresholds.Judge(cosine), nil
}

// subject returns the one person that the photo is of.
func subject(seen ward.Seen) (ward.Face, error) {
	if len(seen.Faces) == 0 {
		return ward.Face{}, &ward.Error{
			Kind: ward.Invalid, Code: "photo.no_face",
			ZH: "照片中没有找到人脸：请换一张正面、光线充足、脸部清晰的照片",
			EN: "no face was found: take a photo from the front, in good light, with the whole face visible",
		}
	}
	best := seen.Faces[0]
	for _, f := range seen.Faces[1:] {
		if f.EyePx > best.EyePx {
			best = f
		}
	}
	n := 0
	for _, f := range seen.Faces {
		if f.EyePx >= backgroundShare*best.EyePx {
			n++
		}
	}
	if n > 1 {
		return ward.Face{}, &ward.Error{
			Kind: ward.Invalid, Code: "photo.many_faces",
			ZH: fmt.Sprintf("照片中有 %d 张人脸：请提供只有本人的照片", n),
			EN: fmt.Sprintf("the photo shows %d faces: give one of this person alone", n),
		}
	}
	return best, nil
}

// poor returns why a face cannot be compared and what to do, or nil.
func poor(f ward.Face) error {
	if f.Usable() {
		return nil
	}
	e := &ward.Error{Kind: ward.Invalid, Code: "photo.too_poor"}
	switch f.Faults()[0] {
	case ward.FaceSmall:
		e.ZH = fmt.Sprintf("人脸太小（两眼间距 %.0f 像素，至少需要 %d）：请靠近拍摄或使用更大的照片", f.EyePx, ward.EyePxMin)
		e.EN = fmt.Sprintf("the face is too small (%.0f pixels between the eyes, %d needed): come closer or use a larger photo", f.EyePx, ward.EyePxMin)
	case ward.FaceTurned:
		e.ZH, e.EN = "侧脸、仰头或低头无法比对：请正对镜头拍摄", "the head is turned away, up or down: look straight into the camera"
	case ward.FaceDark:
		e.ZH, e.EN = "照片太暗：请在光线充足处拍摄", "the face is too dark: take the photo in better light"
	case ward.FaceBright:
		e.ZH, e.EN = "照片过曝：请避开强光拍摄", "the face is too bright: avoid direct light"
	case ward.FaceUneven:
		e.ZH, e.EN = "脸部一半太暗或被挡住：请让光线均匀照在脸上", "half of the face is dark or hidden: let the light fall on it evenly"
	case ward.FaceCovered:
		e.ZH, e.EN = "脸部被遮挡：请摘下口罩、墨镜，不要用手挡脸", "the face is covered: take off mask and sunglasses, keep hands away"
	case ward.FaceShared:
		e.ZH, e.EN = "另一张脸挡住了本人：请提供只有本人的照片", "another face is in front: give a photo of this person alone"
	case ward.FaceBlurred:
		e.ZH, e.EN = "照片模糊：请擦净镜头并保持不动后重拍", "the face is blurred: clean the lens, hold still and take it again"
	case ward.FaceUnsure:
		e.ZH, e.EN = "人脸不清晰：请换一张正面清晰的照片", "the face is not clear enough: give a sharp photo from the front"
	}
	return e
}
