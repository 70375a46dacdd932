package objects_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	mrand "math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"wardwatch/internal/testserver"
	"wardwatch/storage/objects"
	"wardwatch/ward"
)

// TestConformance runs one suite on every store that we support.
func TestConformance(t *testing.T) {
	stores := []struct {
		name string
		open func(t *testing.T) func(t *testing.T) objects.Objects
	}{
		{"directory", func(*testing.T) func(*testing.T) objects.Objects {
			return func(t *testing.T) objects.Objects { return openDir(t, t.TempDir()) }
		}},
		{"minio", func(t *testing.T) func(*testing.T) objects.Objects { return buckets(testserver.MinIO(t)) }},
		{"versity", func(t *testing.T) func(*testing.T) objects.Objects { return buckets(testserver.Versity(t)) }},
	}
	for _, s := range stores {
		t.Run(s.name, func(t *testing.T) {
			open := s.open(t)
			for _, c := range suite {
				t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
			}
		})
	}
}

var suite = []struct {
	name string
	run  func(*testing.T, objects.Objects)
}{
	{"round trip", testRoundTrip},
	{"put again", testPutAgain},
	{"wrong size", testWrongSize},
	{"ranges", testRanges},
	{"list", testList},
	{"delete", testDelete},
	{"bad keys", testBadKeys},
	{"same key at once", testSameKeyAtOnce},
	{"other content at once", testOtherContentAtOnce},
	{"key within key", testKeyWithinKey},
	{"cancelled", testCancelled},
	{"keep", testKeep},
	{"keep at once", testKeepAtOnce},
	{"hold", testHold},
}

func openDir(t *testing.T, root string) *objects.Dir {
	t.Helper()
	d, err := objects.OpenDir(root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func config(s testserver.S3, bucket string) objects.S3Config {
	return objects.S3Config{Endpoint: s.Endpoint, Region: s.Region, Bucket: bucket, AccessKey: s.AccessKey, SecretKey: s.SecretKey}
}

// buckets opens a new bucket for every test.
func buckets(s testserver.S3) func(*testing.T) objects.Objects {
	return func(t *testing.T) objects.Objects {
		o, err := objects.OpenS3(t.Context(), config(s, "t"+strings.ToLower(rand.Text()[:12])))
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
}

// stream hides everything but Read, as a network body does.
func stream(b []byte) io.Reader { return io.MultiReader(bytes.NewReader(b)) }

func put(t *testing.T, o objects.Objects, key, content string) {
	t.Helper()
	if err := o.Put(t.Context(), key, strings.NewReader(content), int64(len(content))); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, o objects.Objects, key string, offset, length int64) string {
	t.Helper()
	r, err := o.Get(t.Context(), key, offset, length)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err = errors.Join(err, r.Close()); err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func keys(t *testing.T, o objects.Objects, prefix string) []string {
	t.Helper()
	var got []string
	for info, err := range o.List(t.Context(), prefix) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, info.Key)
	}
	return got
}

func wantError(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got %v, want %v", what, err, want)
	}
}

func testRoundTrip(t *testing.T, o objects.Objects) {
	for _, size := range []int{0, 1, 4096, 20 << 20, 65 << 20} {
		if size == 65<<20 && testing.Short() {
			continue
		}
		content := make([]byte, size)
		for i := range content {
			content[i] = byte(i * 7 >> 3)
		}
		for name, r := range map[string]io.Reader{"file": bytes.NewReader(content), "stream": stream(content)} {
			key := fmt.Sprintf("v1/hospital/%s-%d.mp4", name, size)
			if err := o.Put(t.Context(), key, r, int64(size)); err != nil {
				t.Fatalf("put %s: %v", key, err)
			}
			sum, n, err := objects.Sum(t.Context(), o, key)
			if err != nil || n != int64(size) || sum != sha256.Sum256(content) {
				t.Errorf("%s: read back %d bytes, hash %x, error %v", key, n, sum, err)
			}
			info, err := o.Stat(t.Context(), key)
			if err != nil || info.Key != key || info.Size != int64(size) || info.Modified.IsZero() {
				t.Errorf("stat %s: %+v, %v", key, info, err)
			}
		}
	}
}

func testPutAgain(t *testing.T, o objects.Objects) {
	put(t, o, "a/b", "first")
	put(t, o, "a/b", "first")
	if err := o.Put(t.Context(), "a/b", stream([]byte("first")), 5); err != nil {
		t.Errorf("the same content from a stream: %v", err)
	}
	for _, other := range []string{"other", "longer content", ""} {
		err := o.Put(t.Context(), "a/b", stream([]byte(other)), int64(len(other)))
		wantError(t, "put "+other, err, fs.ErrExist)
		wantError(t, "put "+other, err, &ward.Error{Kind: ward.Conflict, Code: "objects.exists"})
	}
	if got := get(t, o, "a/b", 0, -1); got != "first" {
		t.Errorf("after other puts: got %q", got)
	}
}

func testWrongSize(t *testing.T, o objects.Objects) {
	broken := errors.New("disk of the camera failed")
	for _, c := range []struct {
		name string
		r    io.Reader
		size int64
		want error
	}{
		{"short", strings.NewReader("12345"), 6, io.ErrUnexpectedEOF},
		{"short stream", stream(make([]byte, 3<<20)), 4 << 20, io.ErrUnexpectedEOF},
		{"empty", strings.NewReader(""), 1, io.ErrUnexpectedEOF},
		{"long", strings.NewReader("12345"), 4, nil},
		{"not empty", strings.NewReader("1"), 0, nil},
		{"long stream", stream(make([]byte, 4<<20)), 3 << 20, nil},
		{"broken", io.MultiReader(strings.NewReader("123"), &failing{broken}), 10, broken},
	} {
		err := o.Put(t.Context(), "wrong", c.r, c.size)
		if err == nil || (c.want != nil && !errors.Is(err, c.want)) || ward.KindOf(err) == ward.Unavailable {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
		if _, err := o.Stat(t.Context(), "wrong"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s left an object (%v)", c.name, err)
		}
	}
	wantError(t, "negative", o.Put(t.Context(), "wrong", strings.NewReader(""), -1), &ward.Error{Kind: ward.Invalid})
	if got := keys(t, o, ""); len(got) != 0 {
		t.Errorf("listed %q, want none", got)
	}
}

type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) { return 0, f.err }

func testRanges(t *testing.T, o objects.Objects) {
	put(t, o, "r", "0123456789")
	put(t, o, "empty", "")
	for _, c := range []struct {
		key            string
		offset, length int64
		want           string
	}{
		{"r", 0, -1, "0123456789"},
		{"r", 0, 10, "0123456789"},
		{"r", 0, 1, "0"},
		{"r", 3, 4, "3456"},
		{"r", 9, 1, "9"},
		{"r", 9, -1, "9"},
		{"r", 4, -1, "456789"},
		{"r", 8, 100, "89"},
		{"r", 10, -1, ""},
		{"r", 10, 5, ""},
		{"r", 0, 0, ""},
		{"r", 10, 0, ""},
		{"empty", 0, -1, ""},
		{"empty", 0, 5, ""},
		{"empty", 0, 0, ""},
	} {
		if got := get(t, o, c.key, c.offset, c.length); got != c.want {
			t.Errorf("%s from %d, %d bytes: got %q, want %q", c.key, c.offset, c.length, got, c.want)
		}
	}
	for _, offset := range []int64{-1, 11, 1000} {
		for _, length := range []int64{-1, 0, 1} {
			_, err := o.Get(t.Context(), "r", offset, length)
			wantError(t, fmt.Sprint(offset, length), err, &ward.Error{Kind: ward.Invalid, Code: "objects.range"})
		}
	}
	for _, length := range []int64{-1, 0, 1} {
		_, err := o.Get(t.Context(), "none", 0, length)
		wantError(t, "absent", err, fs.ErrNotExist)
		wantError(t, "absent", err, &ward.Error{Kind: ward.NotFound})
	}
}

func testList(t *testing.T, o objects.Objects) {
	var all []string
	for _, a := range []string{"v1", "v1-x", "v1.x", "v10", "V1"} {
		for _, b := range []string{"c", "c-2", "c.2", "c2", "C"} {
			all = append(all, a+"/"+b+"/1.mp4", a+"/"+b+".json")
		}
	}
	all = append(all, "top", "top-2")
	for _, i := range mrand.Perm(len(all)) {
		put(t, o, all[i], all[i])
	}
	slices.Sort(all)
	for _, prefix := range []string{"", "v1", "v1/", "v1/c", "v1/c/", "v1/c-", "v1/c/1.mp4", "v1/c/1.mp4x", "v", "t", "none/", "none", "top/", "V1/C."} {
		var want []string
		for _, k := range all {
			if strings.HasPrefix(k, prefix) {
				want = append(want, k)
			}
		}
		if got := keys(t, o, prefix); !slices.Equal(got, want) {
			t.Errorf("below %q: got %q, want %q", prefix, got, want)
		}
	}
	for info, err := range o.List(t.Context(), "") { // stopping early must be safe
		if err != nil || info.Size != int64(len(info.Key)) || info.Modified.IsZero() {
			t.Errorf("got %+v, %v", info, err)
		}
		break
	}
}

func testDelete(t *testing.T, o objects.Objects) {
	put(t, o, "x/y/z", "one")
	put(t, o, "x/y/z-2", "two")
	for range 2 {
		if err := o.Delete(t.Context(), "x/y/z"); err != nil {
			t.Fatal(err)
		}
	}
	_, err := o.Stat(t.Context(), "x/y/z")
	wantError(t, "stat", err, fs.ErrNotExist)
	_, err = o.Get(t.Context(), "x/y/z", 0, -1)
	wantError(t, "get", err, fs.ErrNotExist)
	if got := keys(t, o, ""); !slices.Equal(got, []string{"x/y/z-2"}) {
		t.Errorf("left: %q", got)
	}
	put(t, o, "x/y/z", "three")
	if got := get(t, o, "x/y/z", 0, -1); got != "three" {
		t.Errorf("put after delete: %q", got)
	}
	for _, k := range []string{"x/y/z", "x/y/z-2", "never/was"} {
		if err := o.Delete(t.Context(), k); err != nil {
			t.Fatal(err)
		}
	}
	put(t, o, "x", "a name that was a folder")
}

func testBadKeys(t *testing.T, o objects.Objects) {
	want := &ward.Error{Kind: ward.Invalid, Code: "objects.key"}
	for _, key := range []string{
		"", "/a", "a/", "a//b", "..", "../a", "a/../b", "a/..", ".", "./a", ".a", "a/.b", "a b", "a\\b", "a\x00b",
		"病房", "a%2f", "a\n", strings.Repeat("a", 256), strings.Repeat("a/", 450) + "a",
	} {
		wantError(t, "put", o.Put(t.Context(), key, strings.NewReader("x"), 1), want)
		_, err := o.Get(t.Context(), key, 0, -1)
		wantError(t, "get", err, want)
		_, err = o.Stat(t.Context(), key)
		wantError(t, "stat", err, want)
		wantError(t, "delete", o.Delete(t.Context(), key), want)
	}
	for _, prefix := range []string{"/", "../", "a/../", ".incoming", "a*"} {
		for _, err := range o.List(t.Context(), prefix) {
			wantError(t, "list "+prefix, err, want)
		}
	}
	put(t, o, strings.Repeat(strings.Repeat("k", 99)+"/", 8)+strings.Repeat("l", 100), "the longest")
}

func testSameKeyAtOnce(t *testing.T, o objects.Objects) {
	content := bytes.Repeat([]byte("same"), 64<<10)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := o.Put(t.Context(), "race/same", stream(content), int64(len(content))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := get(t, o, "race/same", 0, -1); got != string(content) {
		t.Errorf("%d bytes, not the content", len(got))
	}
}

func testOtherContentAtOnce(t *testing.T, o objects.Objects) {
	for round := range 5 {
		key := fmt.Sprintf("race/%d", round)
		var mu sync.Mutex
		var won []string
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				content := strings.Repeat(fmt.Sprint(i), 100<<10)
				err := o.Put(t.Context(), key, stream([]byte(content)), int64(len(content)))
				if err == nil {
					mu.Lock()
					defer mu.Unlock()
					won = append(won, content)
				} else if !errors.Is(err, fs.ErrExist) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if len(won) != 1 {
			t.Fatalf("%d puts of different content succeeded, want 1", len(won))
		}
		if got := get(t, o, key, 0, -1); got != won[0] {
			t.Error("the object is not what the successful put wrote")
		}
	}
}

// testKeyWithinKey: S3 itself allows such keys, a directory cannot. A store
// either keeps both or refuses the second; the first is never damaged.
func testKeyWithinKey(t *testing.T, o objects.Objects) {
	put(t, o, "k/l", "object")
	_, err := o.Stat(t.Context(), "k")
	wantError(t, "stat a folder", err, fs.ErrNotExist)
	_, err = o.Get(t.Context(), "k", 0, -1)
	wantError(t, "get a folder", err, fs.ErrNotExist)
	_, err = o.Stat(t.Context(), "k/l/m")
	wantError(t, "stat below an object", err, fs.ErrNotExist)
	if err := o.Delete(t.Context(), "k"); err != nil {
		t.Errorf("delete a folder: %v", err)
	}
	for _, key := range []string{"k/l/m", "k"} {
		if err := o.Put(t.Context(), key, strings.NewReader("x"), 1); err != nil {
			wantError(t, key, err, &ward.Error{Kind: ward.Conflict})
		}
	}
	if got := get(t, o, "k/l", 0, -1); got != "object" {
		t.Errorf("got %q", got)
	}
}

func testCancelled(t *testing.T, o objects.Objects) {
	ctx, cancel := context.WithCancel(t.Context())
	r := io.MultiReader(strings.NewReader("123"), readFunc(func([]byte) (int, error) {
		cancel()
		return 0, io.EOF
	}), stream(make([]byte, 1<<20)))
	wantError(t, "put", o.Put(ctx, "c", r, 1<<20+3), context.Canceled)
	_, err := o.Stat(t.Context(), "c")
	wantError(t, "after the cancelled put", err, fs.ErrNotExist)
	put(t, o, "c", "x")
	_, err = o.Get(ctx, "c", 0, -1)
	wantError(t, "get", err, context.Canceled)
	for _, err := range o.List(ctx, "") {
		wantError(t, "list", err, context.Canceled)
	}
	wantError(t, "delete", o.Delete(ctx, "c"), context.Canceled)
	if got := get(t, o, "c", 0, -1); got != "x" {
		t.Errorf("got %q", got)
	}
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }
