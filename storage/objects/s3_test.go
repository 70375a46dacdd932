package objects_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"wardwatch/internal/testserver"
	"wardwatch/storage/objects"
	"wardwatch/ward"
)

var servers = map[string]func(testing.TB) *testserver.S3Server{
	"minio": testserver.MinIOServer, "versity": testserver.VersityServer,
}

// TestServerKilledDuringPut: the error says that the store is unreachable,
// no object is left, and the same Put succeeds once the server is back.
func TestServerKilledDuringPut(t *testing.T) {
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			o := buckets(s.S3)(t)
			put(t, o, "before", "kept")
			unreachable := &ward.Error{Kind: ward.Unavailable, Code: "objects.unreachable"}
			const half = 4 << 20
			for _, size := range []int64{half * 2, 80 << 20} { // one request, and several
				content := func(pause func()) io.Reader {
					once := readFunc(func([]byte) (int, error) { pause(); return 0, io.EOF })
					return io.MultiReader(io.LimitReader(zeros{}, size-half), once, io.LimitReader(zeros{}, half))
				}
				err := o.Put(t.Context(), "during", content(s.Stop), size)
				wantError(t, "put", err, unreachable)
				_, err = o.Stat(t.Context(), "before")
				wantError(t, "stat", err, unreachable)
				_, err = o.Get(t.Context(), "before", 0, -1)
				wantError(t, "get", err, unreachable)
				for _, err := range o.List(t.Context(), "") {
					wantError(t, "list", err, unreachable)
				}
				_, err = objects.OpenS3(t.Context(), config(s.S3, "another"))
				wantError(t, "open", err, unreachable)
				s.Start()
				if _, err := o.Stat(t.Context(), "during"); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("after the restart: %v", err)
				}
				if err := o.Put(t.Context(), "during", content(func() {}), size); err != nil {
					t.Errorf("put again: %v", err)
				}
				if _, n, err := objects.Sum(t.Context(), o, "during"); err != nil || n != size {
					t.Errorf("%d bytes, %v", n, err)
				}
				if got := get(t, o, "before", 0, -1); got != "kept" {
					t.Errorf("got %q", got)
				}
				if err := o.Delete(t.Context(), "during"); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// silent takes connections and never answers.
func silent(t *testing.T) testserver.S3 {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var done sync.WaitGroup
	t.Cleanup(func() {
		_ = l.Close()
		done.Wait()
	})
	done.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer func() { _ = c.Close() }()
		}
	})
	return testserver.S3{Endpoint: l.Addr().String(), AccessKey: "key", SecretKey: "a-secret"}
}

// TestServerThatHangs is an unreachable one: for who opens it with a deadline,
// and for a Put without one, which others wait for.
func TestServerThatHangs(t *testing.T) {
	t.Parallel()
	unreachable := &ward.Error{Kind: ward.Unavailable, Code: "objects.unreachable"}
	soon, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	o, err := objects.OpenS3(soon, config(silent(t), "ward-bucket"))
	wantError(t, "open", err, unreachable)
	if o == nil {
		t.Fatal("no store to try again with")
	}
	limit, end := context.WithTimeout(t.Context(), time.Minute)
	defer end()
	wantError(t, "put", o.Put(limit, "key", strings.NewReader("x"), 1), unreachable)
	if limit.Err() != nil {
		t.Error("it has no deadline of its own")
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	wantError(t, "put of who has left", o.Put(gone, "key", strings.NewReader("x"), 1), context.Canceled)
}

func TestWrongKeys(t *testing.T) {
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			s := start(t).S3
			good := config(s, "ward-bucket")
			if _, err := objects.OpenS3(t.Context(), good); err != nil {
				t.Fatal(err)
			}
			wrongSecret, wrongKey := good, good
			wrongSecret.SecretKey = "a-secret-that-is-wrong"
			wrongKey.AccessKey = "nobody-we-know"
			for _, c := range []objects.S3Config{wrongSecret, wrongKey} {
				_, err := objects.OpenS3(t.Context(), c)
				wantError(t, "open", err, &ward.Error{Kind: ward.Unavailable, Code: "objects.denied"})
				for _, secret := range []string{c.SecretKey, c.AccessKey} {
					if err != nil && strings.Contains(err.Error(), secret) {
						t.Errorf("the error contains a credential: %v", err)
					}
				}
			}
		})
	}
}

// TestHeldObject: a new bucket has object locking, and Delete neither removes
// nor hides a held object.
func TestHeldObject(t *testing.T) {
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			c := config(start(t).S3, "ward-bucket")
			o, err := objects.OpenS3(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			put(t, o, "held", "evidence")
			client, err := minio.New(c.Endpoint, &minio.Options{Creds: credentials.NewStaticV4(c.AccessKey, c.SecretKey, "")})
			if err != nil {
				t.Fatal(err)
			}
			hold := func(status minio.LegalHoldStatus) {
				t.Helper()
				err := client.PutObjectLegalHold(t.Context(), c.Bucket, "held", minio.PutObjectLegalHoldOptions{Status: &status})
				if err != nil {
					t.Fatal(err)
				}
			}
			hold(minio.LegalHoldEnabled)
			wantError(t, "delete", o.Delete(t.Context(), "held"), &ward.Error{Kind: ward.Conflict, Code: "objects.locked"})
			if got := get(t, o, "held", 0, -1); got != "evidence" {
				t.Errorf("got %q", got)
			}
			hold(minio.LegalHoldDisabled)
			if err := o.Delete(t.Context(), "held"); err != nil {
				t.Error(err)
			}
			for v := range client.ListObjectsIter(t.Context(), c.Bucket, minio.ListObjectsOptions{Recursive: true, WithVersions: true}) {
				t.Errorf("left in the bucket: %+v", v)
			}
		})
	}
}
