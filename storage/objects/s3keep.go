package objects

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"

	"github.com/minio/minio-go/v7"

	"wardwatch/ward"
)

// keep implements keeper. The server is told the SHA-256 before the bytes and
// refuses others; then it is asked what it has.
func (s *S3) keep(ctx context.Context, key string, f File) error {
	if err := s.find(ctx); err != nil {
		return err
	}
	err := s.verify(ctx, key, f.Size, f.SHA256) // spares the upload of what is there
	if errors.Is(err, ErrDiffers) {
		return exists(key)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	src := f.source(ctx)
	switch {
	case f.Size == 0: // the client does not read the source of an empty object
		if err = src.drain(); err == nil {
			err = s.upload(ctx, key, src, 0)
		}
	case f.Size > LargeSize:
		err = s.upload(ctx, key, src, f.Size)
	default:
		if s.refusing() {
			src.hash, src.sum = nil, nil // the server's work
		}
		err = s.send(ctx, key, src, f.Size, f.SHA256)
	}
	if src.src != nil {
		return src.src // the file's, whatever the client made of it
	}
	switch code := minio.ToErrorResponse(err).Code; {
	case code == minio.PreconditionFailed, code == "ConditionalRequestConflict":
		err = s.verify(ctx, key, f.Size, f.SHA256)
		if errors.Is(err, ErrDiffers) {
			return exists(key)
		}
		return err
	case refusals[code]:
		return fmt.Errorf("source: %w: %w", ErrDiffers, err)
	case err != nil:
		return fromS3(err)
	}
	return s.verify(ctx, key, f.Size, f.SHA256)
}

// refusals are the answers to a body that has another SHA-256 than was said.
var refusals = map[string]bool{
	"XAmzContentSHA256Mismatch": true, "XAmzContentChecksumMismatch": true, "BadDigest": true, "InvalidDigest": true,
}

// send uploads a small object with its SHA-256 stated twice: in the signature,
// which every server checks, and as the checksum that it keeps.
func (s *S3) send(ctx context.Context, key string, r io.Reader, size int64, sum [sha256.Size]byte) error {
	opts := minio.PutObjectOptions{
		ContentType: "application/octet-stream", DisableContentSha256: true, // of each chunk
		UserMetadata: map[string]string{"x-amz-checksum-sha256": base64.StdEncoding.EncodeToString(sum[:])},
	}
	opts.SetMatchETagExcept("*")
	_, err := s.core.PutObject(ctx, s.bucket, key, r, size, "", hex.EncodeToString(sum[:]), opts)
	return err
}

// verify implements keeper. It asks the server for the checksum, which costs
// no transfer, and reads the object back when the server keeps none of the
// whole object or would have taken any other content too.
func (s *S3) verify(ctx context.Context, key string, size int64, sum [sha256.Size]byte) error {
	o, err := s.core.StatObject(ctx, s.bucket, key, minio.StatObjectOptions{Checksum: true})
	if err != nil {
		return explain(key, err)
	}
	if o.Size != size {
		return fmt.Errorf("object %s: %w", key, ErrDiffers)
	}
	told, err := base64.StdEncoding.DecodeString(o.ChecksumSHA256)
	if err != nil || len(told) != sha256.Size || strings.EqualFold(o.ChecksumMode, minio.ChecksumCompositeMode.String()) {
		return readBack(ctx, s, key, size, sum)
	}
	checks, err := s.checks(ctx)
	if err != nil {
		return err
	}
	if !checks {
		return readBack(ctx, s, key, size, sum)
	}
	if [sha256.Size]byte(told) != sum {
		return fmt.Errorf("object %s: %w", key, ErrDiffers)
	}
	return nil
}

// refusing says whether it is known that the server refuses other content.
func (s *S3) refusing() bool {
	s.trying.Lock()
	defer s.trying.Unlock()
	return s.tried && s.refuses
}

// checks says whether the server refuses content with another SHA-256 than it
// was told. It is tried once, with an object of one byte: a server that
// repeats what it is told without looking proves nothing, and neither does one
// that refuses the object for another reason. No answer is an error.
func (s *S3) checks(ctx context.Context) (bool, error) {
	s.trying.Lock()
	defer s.trying.Unlock()
	if s.tried {
		return s.refuses, nil
	}
	key := "v1/probe/" + rand.Text()
	err := s.send(ctx, key, strings.NewReader("a"), 1, sha256.Sum256([]byte("b")))
	switch r := minio.ToErrorResponse(err); {
	case err == nil:
		s.tried = true                                                                  // also if the object stays: another would too
		if err := s.Delete(ctx, key); err != nil && ward.KindOf(err) != ward.Conflict { // it may be locked
			return false, err
		}
	case refusals[r.Code]:
		s.tried, s.refuses = true, true
	case r.StatusCode >= 400 && r.StatusCode < 500 && r.StatusCode != http.StatusRequestTimeout && r.StatusCode != http.StatusTooManyRequests:
		s.tried = true
	default:
		return false, fmt.Errorf("look whether the object store checks what it is sent: %w", fromS3(err))
	}
	return s.refuses, nil
}
