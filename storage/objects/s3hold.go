package objects

import (
	"context"

	"github.com/minio/minio-go/v7"
)

// setHold implements holder by S3 legal holds. It sets every version of the
// object: one that an administrator put above ours would hide it else.
func (s *S3) setHold(ctx context.Context, key string, on bool) error {
	if err := s.locks(ctx); err != nil {
		return err
	}
	status := minio.LegalHoldDisabled
	if on {
		status = minio.LegalHoldEnabled
	}
	versions, err := s.versions(ctx, key)
	if err != nil {
		return err
	}
	for _, v := range versions {
		err := s.core.PutObjectLegalHold(ctx, s.bucket, key, minio.PutObjectLegalHoldOptions{Status: &status, VersionID: v})
		if err != nil {
			return explain(key, err)
		}
		// A server that only says yes holds nothing.
		if is, err := s.heldVersion(ctx, key, v); err != nil || is != on {
			if err == nil {
				err = ErrNoHolds
			}
			return err
		}
	}
	return nil
}

// held implements holder: every version is held.
func (s *S3) held(ctx context.Context, key string) (bool, error) {
	if err := s.locks(ctx); err != nil {
		return false, err
	}
	versions, err := s.versions(ctx, key)
	for _, v := range versions {
		if is, err := s.heldVersion(ctx, key, v); err != nil || !is {
			return false, err
		}
	}
	return err == nil, err
}

func (s *S3) heldVersion(ctx context.Context, key, version string) (bool, error) {
	is, err := s.core.GetObjectLegalHold(ctx, s.bucket, key, minio.GetObjectLegalHoldOptions{VersionID: version})
	if minio.ToErrorResponse(err).Code == "NoSuchObjectLockConfiguration" { // it never had one
		return false, nil
	}
	if err != nil {
		return false, explain(key, err)
	}
	return is != nil && *is == minio.LegalHoldEnabled, nil
}

// versions lists the versions of key that have content, at least one.
func (s *S3) versions(ctx context.Context, key string) ([]string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var out []string
	for o := range s.core.ListObjectsIter(ctx, s.bucket, minio.ListObjectsOptions{Prefix: key, Recursive: true, WithVersions: true}) {
		if o.Err != nil {
			return nil, fromS3(o.Err)
		}
		if o.Key != key {
			break // the shortest key with this prefix comes first
		}
		if !o.IsDeleteMarker {
			out = append(out, o.VersionID)
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(out) == 0 {
		return nil, notFound(key)
	}
	return out, nil
}

// locks returns ErrNoHolds when the bucket has no object lock. It is asked
// before the first hold: a server that knows no legal holds could take one
// for the object's new content.
func (s *S3) locks(ctx context.Context) error {
	if err := s.find(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lock {
		return nil
	}
	is, _, _, _, err := s.core.GetObjectLockConfig(ctx, s.bucket)
	switch minio.ToErrorResponse(err).Code {
	case "ObjectLockConfigurationNotFoundError", "NotImplemented", "MethodNotAllowed":
		return ErrNoHolds
	}
	if err != nil {
		return fromS3(err)
	}
	if s.lock = is == "Enabled"; !s.lock {
		return ErrNoHolds
	}
	return nil
}
