package vision_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"reflect"
	"testing"

	"wardwatch/analytics/vision"
	"wardwatch/ward"
)

func TestMessagesSurviveThePipe(t *testing.T) {
	q := vision.Request{Op: vision.OpSee, Session: 7, Codec: ward.H264, Key: true, Want: vision.WantFaces, Data: []byte{0, 0, 1, 0x65}}
	a := vision.Reply{OK: true, Seen: ward.Seen{
		Width: 640, Height: 360, Print: 1<<63 + 5, ModelID: "0123456789ab", JPEG: []byte{0xff, 0xd8, 1},
		People: []ward.Person{{Score: .5}}, Faces: []ward.Face{{Score: .9, Light: &ward.Light{Skin: ward.RGB{90, 60, 40.5}, Around: ward.RGB{0, 255, 12}}}, {Score: .8, Template: ward.Template{.6, -.8}}},
	}}
	var b bytes.Buffer
	if err := errors.Join(vision.WriteRequest(&b, q), vision.WriteReply(&b, a)); err != nil {
		t.Fatal(err)
	}
	gotQ, err := vision.ReadRequest(&b)
	if err != nil || !reflect.DeepEqual(gotQ, q) {
		t.Errorf("request %+v, %v", gotQ, err)
	}
	gotA, err := vision.ReadReply(&b)
	gotA.Dims = nil
	if err != nil || !reflect.DeepEqual(gotA, a) {
		t.Errorf("reply %+v, %v", gotA, err)
	}
	if _, err := vision.ReadReply(&b); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
}

func TestFrameCaps(t *testing.T) {
	for _, announced := range []uint32{vision.MaxHeader + 1, 1<<32 - 1} {
		b := binary.BigEndian.AppendUint32(nil, announced)
		if _, err := vision.ReadReply(bytes.NewReader(b)); !errors.Is(err, vision.ErrFrame) {
			t.Errorf("a header of %d: %v", announced, err)
		}
	}
	b := binary.BigEndian.AppendUint32([]byte{0, 0, 0, 2, '{', '}'}, vision.MaxPayload+1)
	if _, err := vision.ReadRequest(bytes.NewReader(b)); !errors.Is(err, vision.ErrFrame) {
		t.Errorf("a payload that is too large: %v", err)
	}
	if err := vision.WriteRequest(io.Discard, vision.Request{Data: make([]byte, vision.MaxPayload+1)}); !errors.Is(err, vision.ErrFrame) {
		t.Errorf("sending too much: %v", err)
	}
}

// seeds are messages with their lengths right, so that fuzzing gets past the framing.
func seeds(f *testing.F) {
	frame := func(header string, payload []byte) []byte {
		b := binary.BigEndian.AppendUint32(nil, uint32(len(header)))
		b = append(b, header...)
		b = binary.BigEndian.AppendUint32(b, uint32(len(payload)))
		return append(b, payload...)
	}
	f.Add(frame(`{"op":"see","session":1,"codec":"h264","key":true,"want":63}`, []byte{0, 0, 1}))
	f.Add(frame(`{"ok":true,"seen":{"faces":[{},{}]},"dims":[1,0]}`, []byte{0, 0, 0x80, 0x3f, 0xff, 0xd8}))
	f.Add(frame(`{"ok":true,"seen":{"faces":[{}]},"dims":[-1]}`, nil))
	f.Add(frame(`{"ok":true,"seen":{"faces":[{}]},"dims":[2000000000]}`, []byte{1}))
	f.Add(frame(`{"ok":true,"seen":{"faces":[{"light":{"skin":[1,2.5,255],"around":[0,0,256]}}]},"dims":[0]}`, nil))
	f.Add(frame(`{"ok":true,"seen":{"faces":[{"light":{"skin":[1,2.5,255],"around":[0,9,25]}}]},"dims":[0]}`, nil))
	f.Add(frame(`{"ok":true,"dims":[4]}`, []byte{0, 0, 0xc0, 0x7f}))
	f.Add([]byte{0, 0, 0, 9, '{'})
}

func FuzzReadRequest(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		q, err := vision.ReadRequest(bytes.NewReader(b))
		if err == nil && len(q.Data) > len(b) {
			t.Fatalf("%d bytes of data from %d", len(q.Data), len(b))
		}
	})
}

func FuzzReadReply(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := vision.ReadReply(bytes.NewReader(b))
		if err != nil {
			return
		}
		for _, face := range a.Seen.Faces {
			if face.Light != nil && (!face.Light.Skin.Whole() || !face.Light.Around.Whole()) {
				t.Fatalf("light %+v", face.Light)
			}
			for _, v := range face.Template {
				if !(v >= -1.001 && v <= 1.001) {
					t.Fatalf("a template with %v", v)
				}
			}
		}
		// What was accepted can be sent on and is the same.
		var out bytes.Buffer
		if err = vision.WriteReply(&out, a); err != nil {
			t.Fatal(err)
		}
		again, err := vision.ReadReply(&out)
		if err != nil || len(again.Seen.Faces) != len(a.Seen.Faces) || !bytes.Equal(again.Seen.JPEG, a.Seen.JPEG) {
			t.Fatalf("%+v became %+v: %v", a, again, err)
		}
	})
}

func FuzzReadCodeRequest(f *testing.F) {
	seeds(f)
	f.Add([]byte("\x00\x00\x00\x2c" + `{"codec":"h265","pts":90000,"key":true,"a":0}` + "\x00\x00\x00\x01\x26"))
	f.Fuzz(func(t *testing.T, b []byte) {
		q, err := vision.ReadCodeRequest(bytes.NewReader(b))
		if err != nil {
			return
		}
		// What was accepted can be sent on and is the same.
		var out bytes.Buffer
		if err = vision.WriteCodeRequest(&out, q); err != nil {
			t.Fatal(err)
		}
		again, err := vision.ReadCodeRequest(&out)
		if err != nil || again.Codec != q.Codec || again.PTS != q.PTS || !bytes.Equal(again.Data, q.Data) {
			t.Fatalf("%+v became %+v: %v", q, again, err)
		}
	})
}
