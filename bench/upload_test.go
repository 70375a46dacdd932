package bench_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"wardwatch/ingest"
	"wardwatch/internal/testserver"
	"wardwatch/storage"
	"wardwatch/storage/objects"
	"wardwatch/storage/spool"
	"wardwatch/ward"
)

const (
	uploadSegments = 24
	uploadSize     = 15_000_000 // a minute of 2 Mbit/s
)

// BenchmarkUpload moves segments of a minute from the spool to the store, each
// kept, proven by its SHA-256, marked in the catalogue and removed, and in turn
// copies the same files, as many at a time: to the directory's disk with fsync,
// and to MinIO by minio-go's FPutObject, which signs every chunk with its
// SHA-256. Neither looks at what the store has. The directory is on the
// spool's disk, where ours copies nothing, and then on another than the spool,
// which is in memory: there ours reads back from the disk.
func BenchmarkUpload(b *testing.B) {
	for _, at := range []struct{ name, spool string }{{"directory", b.TempDir()}, {"otherdisk", inMemory(b)}} {
		b.Run(at.name, func(b *testing.B) {
			objs, err := objects.OpenDir(b.TempDir())
			must(b, err)
			b.Cleanup(func() { must(b, objs.Close()) })
			to := b.TempDir()
			benchUpload(b, at.spool, objs, func(file string, n int) error { return copyFile(file, filepath.Join(to, fmt.Sprint(n))) })
		})
	}
	b.Run("minio", func(b *testing.B) {
		s := testserver.MinIO(b)
		objs, err := objects.OpenS3(b.Context(), objects.S3Config{Endpoint: s.Endpoint, Bucket: "ward-bench", AccessKey: s.AccessKey, SecretKey: s.SecretKey})
		must(b, err)
		client, err := minio.New(s.Endpoint, &minio.Options{Creds: credentials.NewStaticV4(s.AccessKey, s.SecretKey, "")})
		must(b, err)
		benchUpload(b, b.TempDir(), objs, func(file string, n int) error {
			_, err := client.FPutObject(b.Context(), "ward-bench", fmt.Sprintf("plain/%d-%d", time.Now().UnixNano(), n), file, minio.PutObjectOptions{})
			return err
		})
	})
}

// inMemory is a folder on a file system of its own.
func inMemory(b *testing.B) string {
	dir, err := os.MkdirTemp("/dev/shm", "wardwatch-bench") //nolint:usetesting // it must be there
	must(b, err)
	b.Cleanup(func() { must(b, os.RemoveAll(dir)) })
	return dir
}

func benchUpload(b *testing.B, spooled string, objs objects.Objects, plain func(file string, n int) error) {
	b.Helper()
	store, err := storage.Migrate(b.Context(), storage.Options{Database: filepath.Join(b.TempDir(), "c.db"), Keys: b.TempDir()})
	must(b, err)
	b.Cleanup(func() { must(b, store.Close()) })
	sp, err := spool.Open(filepath.Join(spooled, fmt.Sprint(b.N)), spool.Options{Reserve: -1})
	must(b, err)
	b.Cleanup(func() { must(b, sp.Close()) })
	var ours, theirs time.Duration
	next := 0
	for b.Loop() {
		files := fillSpool(b, store, sp, next)
		next += len(files)
		theirs += timed(func() { err = several(len(files), func(i int) error { return plain(files[i], i) }) })
		must(b, err)
		ours += timed(func() { uploadAll(b, store, sp, objs) })
		if w, err := store.Waiting(b.Context(), nil); err != nil || w.Segments != 0 || sp.Used() != 0 {
			b.Fatalf("%d segments wait, %d bytes are spooled, %v", w.Segments, sp.Used(), err)
		}
	}
	mb := float64(b.N) * uploadSegments * uploadSize / 1e6
	b.Logf("%.0f MB: %.0f MB/s kept, proven, marked and removed; %.0f MB/s plain: %.2f × the time", mb, mb/ours.Seconds(), mb/theirs.Seconds(), ours.Seconds()/theirs.Seconds())
	b.ReportMetric(mb/ours.Seconds(), "MB/s")
	b.ReportMetric(ours.Seconds()/theirs.Seconds(), "×plain-copy")
}

// several runs do for 0 to n-1, as many at a time as the uploader.
func several(n int, do func(int) error) error {
	work, done := make(chan int), make(chan error, n)
	for range ingest.DefaultUploadWorkers {
		go func() {
			for i := range work {
				done <- do(i)
			}
		}()
	}
	for i := range n {
		work <- i
	}
	close(work)
	var first error
	for range n {
		if err := <-done; err != nil && first == nil {
			first = err
		}
	}
	return first
}

func copyFile(from, to string) error {
	r, err := os.Open(from)
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := os.Create(to)
	if err != nil {
		return err
	}
	defer w.Close()
	if _, err := io.Copy(w, r); err != nil {
		return err
	}
	return w.Sync()
}

// fillSpool records segments numbered from next on and returns their files.
func fillSpool(b *testing.B, store *storage.Store, sp *spool.Spool, next int) []string {
	b.Helper()
	body := make([]byte, uploadSize)
	var files []string
	for i := range uploadSegments {
		_, _ = rand.NewChaCha8([32]byte{byte(i), byte(next)}).Read(body) // never fails
		start := time.Date(2026, 1, 1, 0, next+i, 0, 0, time.UTC)
		src := ward.Source{Kind: ward.FromCamera, ID: "cam-1"}
		f, err := sp.Create(src, start, int64(next+i+1))
		must(b, err)
		_, err = f.Write(body)
		must(b, err)
		_, err = f.Finish()
		must(b, err)
		g, err := store.CommitSegment(b.Context(), ward.Segment{
			ID: ward.NewID[ward.SegmentID](start), Source: src, InstitutionID: "h1", Start: start, End: start.Add(time.Minute), Media: time.Minute,
			Clock: ward.ServerClock, Codec: ward.H264, Bytes: uploadSize, SHA256: sha256.Sum256(body),
		})
		must(b, err)
		r, err := sp.Open(spool.Of(g))
		must(b, err)
		files = append(files, r.Name())
		must(b, r.Close())
	}
	return files
}

// uploadAll runs an uploader until nothing waits.
func uploadAll(b *testing.B, store *storage.Store, sp *spool.Spool, objs objects.Objects) {
	b.Helper()
	left := uploadSegments
	archived := make(chan struct{}, uploadSegments)
	up := &ingest.Uploader{Store: store, Spool: sp, Objects: objs, OnArchived: func(ward.Segment) { archived <- struct{}{} }}
	ctx, stop := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() { ended <- up.Run(ctx) }()
	for ; left > 0; left-- {
		<-archived
	}
	stop()
	must(b, <-ended)
}
