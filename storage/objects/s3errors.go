package objects

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/minio/minio-go/v7"

	"wardwatch/ward"
)

// explain turns the client's error for one object into ours.
func explain(key string, err error) error {
	switch minio.ToErrorResponse(err).Code {
	case minio.NoSuchKey, "NotFound", minio.NoSuchVersion:
		return notFound(key)
	}
	return fromS3(err)
}

// deniedCodes are answers to wrong keys, a missing permission or a wrong
// clock that come with other statuses than 401 and 403.
var deniedCodes = map[string]bool{
	minio.AccessDenied: true, "InvalidAccessKeyId": true, "SignatureDoesNotMatch": true,
	"AuthorizationHeaderMalformed": true, "RequestTimeTooSkewed": true,
	"XAdminUserNotFound": true, // versitygw: no such access key
}

// takenCodes are the answers of servers that keep objects as files to a key
// that continues another.
var takenCodes = map[string]bool{
	"ExistingObjectIsDirectory": true, "ObjectParentIsFile": true, // versitygw
	"XMinioParentIsObject": true, "XMinioObjectExistsAsDirectory": true,
}

// fromS3 turns the client's error into one of ours. The client's errors name
// the server, bucket and key, and no credentials.
func fromS3(err error) error {
	if err == nil || ward.KindOf(err) != "" || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	r := minio.ToErrorResponse(err)
	switch {
	case r.StatusCode == http.StatusInsufficientStorage, strings.Contains(r.Code, "StorageFull"), strings.Contains(r.Code, "QuotaExceeded"):
		return full(err)
	case r.StatusCode == http.StatusUnauthorized, r.StatusCode == http.StatusForbidden, deniedCodes[r.Code]:
		return denied(err)
	case takenCodes[r.Code]:
		return exists(r.Key)
	default:
		return unreachable(err)
	}
}
