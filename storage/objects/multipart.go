package objects

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // what S3 calls an ETag; the content is verified by SHA-256
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
)

const (
	// LargeSize is the size in bytes above which an object goes up in parts, so that what
	// was sent before a broken connection or a restart is not sent again.
	LargeSize = 64 << 20
	// partBytes is the size of a part, which is held in memory: 10,000 of
	// them, the most that S3 allows, are 160 GB.
	partBytes = 16 << 20
)

// uploadParts sends a large object in parts. It goes on with what an earlier
// try left: a part that the server has with the same MD5 is not sent again.
func (s *S3) uploadParts(ctx context.Context, key string, src *exact, size int64) error {
	id, have, err := s.unfinished(ctx, key)
	if err != nil {
		return err
	}
	if id == "" {
		if id, err = s.core.NewMultipartUpload(ctx, s.bucket, key, minio.PutObjectOptions{ContentType: "application/octet-stream"}); err != nil {
			return fromS3(err)
		}
	}
	parts, err := s.sendParts(ctx, key, id, have, src, size)
	if err != nil {
		stopped := errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
		if src.src != nil && !stopped { // the source is wrong: what it gave is of no use
			return errors.Join(err, s.abort(context.WithoutCancel(ctx), key, id))
		}
		return err
	}
	var opts minio.PutObjectOptions
	opts.SetMatchETagExcept("*")
	_, err = s.core.CompleteMultipartUpload(ctx, s.bucket, key, id, parts, opts)
	switch minio.ToErrorResponse(err).Code {
	case minio.PreconditionFailed, "ConditionalRequestConflict":
		return errors.Join(s.same(ctx, key, src, size), s.abort(ctx, key, id))
	case "InvalidPart", minio.NoSuchUpload: // somebody ended it, or a part is gone: from the beginning
		return errors.Join(fromS3(err), s.abort(ctx, key, id))
	}
	return fromS3(err)
}

func (s *S3) sendParts(ctx context.Context, key, id string, have map[int]minio.ObjectPart, src *exact, size int64) ([]minio.CompletePart, error) {
	buf := make([]byte, min(partBytes, size))
	var parts []minio.CompletePart
	for n, left := 1, size; left > 0; n++ {
		b := buf[:min(left, partBytes)]
		if _, err := io.ReadFull(src, b); err != nil {
			return nil, err
		}
		left -= int64(len(b))
		sum := md5.Sum(b) //nolint:gosec // see above
		etag := hex.EncodeToString(sum[:])
		if p, ok := have[n]; !ok || p.Size != int64(len(b)) || strings.Trim(p.ETag, `"`) != etag {
			sent, err := s.core.PutObjectPart(ctx, s.bucket, key, id, n, bytes.NewReader(b), int64(len(b)),
				minio.PutObjectPartOptions{Md5Base64: base64.StdEncoding.EncodeToString(sum[:])})
			if err != nil {
				return nil, fromS3(err)
			}
			etag = strings.Trim(sent.ETag, `"`)
		}
		parts = append(parts, minio.CompletePart{PartNumber: n, ETag: etag})
	}
	return parts, nil
}

// unfinished finds the upload of key that was begun last, with its parts, and
// ends any other.
func (s *S3) unfinished(ctx context.Context, key string) (id string, have map[int]minio.ObjectPart, err error) {
	all, err := s.begun(ctx, key)
	if err != nil {
		return "", nil, err
	}
	var last time.Time
	for _, u := range all {
		if u.Key == key && !u.Initiated.Before(last) {
			id, last = u.UploadID, u.Initiated
		}
	}
	for _, u := range all {
		if u.Key == key && u.UploadID != id {
			if err := s.abort(ctx, key, u.UploadID); err != nil {
				return "", nil, err
			}
		}
	}
	if id == "" {
		return "", nil, nil
	}
	have = map[int]minio.ObjectPart{}
	for marker := 0; ; {
		page, err := s.core.ListObjectParts(ctx, s.bucket, key, id, marker, 1000)
		if minio.ToErrorResponse(err).Code == minio.NoSuchUpload {
			return "", nil, nil
		}
		if err != nil {
			return "", nil, fromS3(err)
		}
		for _, p := range page.ObjectParts {
			have[p.PartNumber] = p
		}
		if !page.IsTruncated || page.NextPartNumberMarker <= marker {
			return id, have, nil
		}
		marker = page.NextPartNumberMarker
	}
}

// begun lists unfinished uploads whose key begins with prefix. MinIO lists
// those of one whole key only.
func (s *S3) begun(ctx context.Context, prefix string) ([]minio.ObjectMultipartInfo, error) {
	var all []minio.ObjectMultipartInfo
	for key, id := "", ""; ; {
		page, err := s.core.ListMultipartUploads(ctx, s.bucket, prefix, key, id, "", 1000)
		if err != nil {
			return nil, fmt.Errorf("list unfinished uploads: %w", fromS3(err))
		}
		all = append(all, page.Uploads...)
		if !page.IsTruncated || page.NextKeyMarker == "" {
			return all, nil
		}
		key, id = page.NextKeyMarker, page.NextUploadIDMarker
	}
}

func (s *S3) abort(ctx context.Context, key, id string) error {
	err := s.core.AbortMultipartUpload(ctx, s.bucket, key, id)
	if minio.ToErrorResponse(err).Code == minio.NoSuchUpload {
		return nil
	}
	return fromS3(err)
}

// Abandon ends the unfinished uploads whose key begins with prefix, is not to
// be put any more, and returns how many it ended: their parts take space that
// no object shows. MinIO finds them by a whole key only.
func (s *S3) Abandon(ctx context.Context, prefix string, wanted func(key string) (bool, error)) (int, error) {
	if err := checkPrefix(prefix); err != nil {
		return 0, err
	}
	all, err := s.begun(ctx, prefix)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, u := range all {
		is, err := wanted(u.Key)
		if err != nil {
			return n, err
		}
		if is {
			continue
		}
		if err := s.abort(ctx, u.Key, u.UploadID); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
