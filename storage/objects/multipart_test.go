package objects_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io/fs"
	mrand "math/rand/v2"
	"testing"

	"wardwatch/internal/testserver"
	"wardwatch/storage/objects"
)

// A large object that was cut off goes on where it was, is never seen half,
// and what is given up leaves nothing behind.
func TestLargeObjectsGoOn(t *testing.T) {
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			faulty := testserver.Faulty(t, start(t).S3)
			open := func() *objects.S3 { // as after a restart
				o, err := objects.OpenS3(t.Context(), config(faulty.S3, "ward-large"))
				if err != nil {
					t.Fatal(err)
				}
				return o
			}
			body := make([]byte, 72<<20)
			_, _ = mrand.NewChaCha8([32]byte{1}).Read(body)
			const key = "v1/h/c/large.mp4"

			ctx, stop := context.WithCancel(t.Context())
			n := 0
			stopping := readFunc(func(p []byte) (int, error) {
				if n > 40<<20 {
					stop() // the process ends
				}
				c := copy(p, body[n:])
				n += c
				return c, nil
			})
			if err := open().Put(ctx, key, stopping, int64(len(body))); !errors.Is(err, context.Canceled) {
				t.Fatalf("got %v", err)
			}
			stop()
			if _, err := open().Stat(t.Context(), key); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("half an object is seen: %v", err)
			}
			first := faulty.Sent.Load()
			if err := open().Put(t.Context(), key, bytes.NewReader(body), int64(len(body))); err != nil {
				t.Fatal(err)
			}
			again := faulty.Sent.Load() - first
			if first < 30<<20 || again > int64(len(body))-25<<20 {
				t.Errorf("%d bytes were sent before, and %d of %d again", first, again, len(body))
			}
			if sum, size, err := objects.Sum(t.Context(), open(), key); err != nil || size != int64(len(body)) || sum != sha256.Sum256(body) {
				t.Errorf("%d bytes, %v", size, err)
			}
			if err := open().Put(t.Context(), key, bytes.NewReader(body), int64(len(body))); err != nil {
				t.Errorf("the same again: %v", err)
			}
			body[1]++
			if err := open().Put(t.Context(), key, bytes.NewReader(body), int64(len(body))); !errors.Is(err, fs.ErrExist) {
				t.Errorf("other content: %v", err)
			}

			// Cut by the network, and given up.
			faulty.Set(testserver.Truncates)
			if err := open().Put(t.Context(), "v1/h/c/given-up.mp4", bytes.NewReader(body), int64(len(body))); err == nil {
				t.Error("a truncated upload succeeded")
			}
			faulty.Set(testserver.Works)
			never := func(string) (bool, error) { return false, nil }
			for _, want := range []int{1, 0} {
				if n, err := open().Abandon(t.Context(), "v1/h/c/given-up.mp4", never); err != nil || n != want {
					t.Errorf("ended %d unfinished uploads, %v, want %d", n, err, want)
				}
			}
			if n, err := open().Abandon(t.Context(), key, never); err != nil || n != 0 {
				t.Errorf("%d uploads of what is stored are unfinished, %v", n, err)
			}
		})
	}
}
