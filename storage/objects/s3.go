package objects

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"wardwatch/ward"
)

// maxRetries is how often one request is tried. The caller of a store tries
// again on its own schedule, so a dead server should be known soon.
const maxRetries = 2

// findWait is how long a server has to say whether the bucket is there: every
// Put waits for that.
const findWait = 5 * time.Second

// S3Config says where a bucket is. The keys are secret: never log them.
type S3Config struct {
	Endpoint  string // "host" or "host:port", without a scheme
	Region    string // "us-east-1" when empty
	Bucket    string
	AccessKey string
	SecretKey string
	TLS       bool
}

// S3 keeps objects in one bucket of MinIO or another S3 server that
// understands "If-None-Match: *" on PutObject.
type S3 struct {
	core   minio.Core
	bucket string
	region string

	mu    sync.Mutex // guards found and lock, and is held while the server is asked for them
	found bool
	lock  bool // the bucket is known to have object lock

	trying  sync.Mutex // guards the rest, and is held while it is found out
	tried   bool
	refuses bool // content that is not what it was said to be
}

// OpenS3 connects to the bucket, creating it with object locking if absent.
// When the server is away, refuses, or has not answered at ctx's deadline (5 s
// at the latest), the error has Kind ward.Unavailable and the store is given
// too: the bucket is then looked for before the next Put.
func OpenS3(ctx context.Context, c S3Config) (*S3, error) {
	if c.Region == "" {
		c.Region = "us-east-1"
	}
	client, err := minio.New(c.Endpoint, &minio.Options{
		Creds:  credentials.NewStaticV4(c.AccessKey, c.SecretKey, ""),
		Secure: c.TLS, Region: c.Region, MaxRetries: maxRetries, TrailingHeaders: true,
	})
	if err != nil {
		return nil, fmt.Errorf("object store at %s: %w", c.Endpoint, unreachable(err))
	}
	s := &S3{core: minio.Core{Client: client}, bucket: c.Bucket, region: c.Region}
	if err := s.find(ctx); err != nil {
		err = fmt.Errorf("open bucket %s at %s: %w", c.Bucket, c.Endpoint, err)
		if ward.KindOf(err) == ward.Unavailable {
			return s, err
		}
		return nil, err
	}
	return s, nil
}

// find looks once for the bucket, and makes it if it is not there. A server
// that does not answer in time is unreachable.
func (s *S3) find(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.found {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, findWait)
	defer cancel()
	found, err := s.core.BucketExists(ctx, s.bucket)
	if err == nil && !found {
		err = s.core.MakeBucket(ctx, s.bucket, minio.MakeBucketOptions{Region: s.region, ObjectLocking: true})
		if minio.ToErrorResponse(err).Code == minio.BucketAlreadyOwnedByYou {
			err = nil // another process was quicker
		}
	}
	s.found = err == nil
	if errors.Is(err, context.DeadlineExceeded) {
		return unreachable(err)
	}
	return fromS3(err)
}

// Put implements Objects. The server checks the content (against the signed
// SHA-256 of each chunk over plain HTTP, a CRC32C over TLS) and refuses to
// replace an object; an interrupted upload leaves none. One of a large object
// goes on where it was when the same key is put again.
func (s *S3) Put(ctx context.Context, key string, r io.Reader, size int64) error {
	if err := checkPut(key, size); err != nil {
		return err
	}
	if err := s.find(ctx); err != nil {
		return fmt.Errorf("put object %s: %w", key, err)
	}
	src := &exact{r: &withContext{ctx, r}, left: size, hash: sha256.New()}
	if size == 0 { // the client does not read the source of an empty object
		if err := src.drain(); err != nil {
			return fmt.Errorf("put object %s: %w", key, err)
		}
	}
	_, err := s.Stat(ctx, key) // spares the upload of what is there
	switch {
	case err == nil:
		err = s.same(ctx, key, src, size)
	case errors.Is(err, fs.ErrNotExist):
		err = s.upload(ctx, key, src, size)
	}
	if err == nil {
		return nil
	}
	if src.src != nil {
		err = src.src // the caller's, whatever the client made of it
	}
	return fmt.Errorf("put object %s: %w", key, err)
}

func (s *S3) upload(ctx context.Context, key string, src *exact, size int64) error {
	if size > LargeSize {
		return s.uploadParts(ctx, key, src, size)
	}
	opts := minio.PutObjectOptions{ContentType: "application/octet-stream", PartSize: LargeSize}
	opts.SetMatchETagExcept("*")
	if size == 0 {
		// An empty body goes up plain: versitygw leaves the end of a signed
		// stream unread and takes it for the next request on the connection.
		opts.SendContentMd5, opts.DisableContentSha256 = true, true
	}
	_, err := s.core.Client.PutObject(ctx, s.bucket, key, src, size, opts)
	if err == nil {
		return nil
	}
	switch minio.ToErrorResponse(err).Code {
	case minio.PreconditionFailed, "ConditionalRequestConflict":
		return s.same(ctx, key, src, size)
	}
	return fromS3(err)
}

// same returns nil when the object has the content of src, and an exists
// error when it has another.
func (s *S3) same(ctx context.Context, key string, src *exact, size int64) error {
	info, err := s.Stat(ctx, key)
	if err != nil {
		return err
	}
	if info.Size != size {
		return exists(key)
	}
	if err = src.drain(); err != nil {
		return err
	}
	stored, _, err := Sum(ctx, s, key)
	if err != nil {
		return err
	}
	if stored != [sha256.Size]byte(src.hash.Sum(nil)) {
		return exists(key)
	}
	return nil
}

// Get implements Objects.
func (s *S3) Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	if offset < 0 {
		return nil, checkRange(offset, 0)
	}
	var opts minio.GetObjectOptions
	var err error
	switch {
	case length == 0:
		return s.empty(ctx, key, offset)
	case length > 0:
		err = opts.SetRange(offset, offset+length-1)
	case offset > 0:
		err = opts.SetRange(offset, 0)
	}
	if err != nil {
		return nil, invalid("objects.range", err)
	}
	r, _, _, err := s.core.GetObject(ctx, s.bucket, key, opts)
	if minio.ToErrorResponse(err).StatusCode == http.StatusRequestedRangeNotSatisfiable {
		return s.empty(ctx, key, offset)
	}
	if err != nil {
		return nil, explain(key, err)
	}
	return &body{Reader: r, Closer: r, explain: fromS3}, nil
}

// empty is the answer to a range that holds no byte.
func (s *S3) empty(ctx context.Context, key string, offset int64) (io.ReadCloser, error) {
	info, err := s.Stat(ctx, key)
	if err != nil {
		return nil, err
	}
	if err := checkRange(offset, info.Size); err != nil {
		return nil, err
	}
	return io.NopCloser(strings.NewReader("")), nil
}

// Stat implements Objects.
func (s *S3) Stat(ctx context.Context, key string) (Info, error) {
	if err := checkKey(key); err != nil {
		return Info{}, err
	}
	o, err := s.core.StatObject(ctx, s.bucket, key, minio.StatObjectOptions{})
	if err != nil {
		return Info{}, explain(key, err)
	}
	return Info{Key: key, Size: o.Size, Modified: o.LastModified}, nil
}

// List implements Objects.
func (s *S3) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		if err := checkPrefix(prefix); err != nil {
			yield(Info{}, err)
			return
		}
		listing, cancel := context.WithCancel(ctx)
		defer cancel()
		for o := range s.core.ListObjectsIter(listing, s.bucket, minio.ListObjectsOptions{Prefix: prefix, Recursive: true}) {
			if o.Err != nil {
				yield(Info{}, fmt.Errorf("list objects below %s: %w", prefix, fromS3(o.Err)))
				return
			}
			if !yield(Info{Key: o.Key, Size: o.Size, Modified: o.LastModified}, nil) {
				return
			}
		}
		if err := ctx.Err(); err != nil { // the client just stops
			yield(Info{}, err)
		}
	}
}

// Delete implements Objects. A bucket with object locking keeps versions, so
// it removes every version: hiding the object would free nothing.
func (s *S3) Delete(ctx context.Context, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	opts := minio.ListObjectsOptions{Prefix: key, Recursive: true, WithVersions: true}
	for o := range s.core.ListObjectsIter(ctx, s.bucket, opts) {
		if o.Err != nil {
			return fmt.Errorf("delete object %s: %w", key, fromS3(o.Err))
		}
		if o.Key != key {
			break // the shortest key with this prefix comes first
		}
		err := s.core.RemoveObject(ctx, s.bucket, key, minio.RemoveObjectOptions{VersionID: o.VersionID})
		if err != nil {
			return fmt.Errorf("delete object %s: %w", key, s.refused(ctx, key, o.VersionID, err))
		}
	}
	return ctx.Err()
}

// refused explains why a version could not be removed: a lock and a missing
// permission give the same code.
func (s *S3) refused(ctx context.Context, key, version string, err error) error {
	if code := minio.ToErrorResponse(err).Code; code == minio.AccessDenied || code == "ObjectLocked" || code == "InvalidRequest" {
		hold, holdErr := s.core.GetObjectLegalHold(ctx, s.bucket, key, minio.GetObjectLegalHoldOptions{VersionID: version})
		if holdErr == nil && hold != nil && *hold == minio.LegalHoldEnabled {
			return locked(err)
		}
		o, statErr := s.core.StatObject(ctx, s.bucket, key, minio.StatObjectOptions{VersionID: version})
		if statErr == nil && o.Metadata.Get("X-Amz-Object-Lock-Retain-Until-Date") != "" {
			return locked(err)
		}
	}
	return fromS3(err)
}
