package objects_test

import (
	"errors"
	"io/fs"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"wardwatch/internal/testserver"
	"wardwatch/storage/objects"
	"wardwatch/ward"
)

func wantHeld(t *testing.T, o objects.Objects, key string, want bool) {
	t.Helper()
	if is, err := objects.Held(t.Context(), o, key); err != nil || is != want {
		t.Errorf("held: got %v, %v, want %v", is, err, want)
	}
}

// testHold: what is held is not deleted, however often it is asked, until the
// hold is taken away.
func testHold(t *testing.T, o objects.Objects) {
	ctx := t.Context()
	put(t, o, "a/held", "evidence")
	put(t, o, "a/held-not", "anything")
	wantHeld(t, o, "a/held", false)
	for range 2 {
		if err := objects.Hold(ctx, o, "a/held"); err != nil {
			t.Fatal(err)
		}
		wantHeld(t, o, "a/held", true)
		wantError(t, "delete", o.Delete(ctx, "a/held"), &ward.Error{Kind: ward.Conflict, Code: "objects.locked"})
	}
	wantHeld(t, o, "a/held-not", false)
	if got := get(t, o, "a/held", 0, -1); got != "evidence" {
		t.Errorf("got %q", got)
	}
	put(t, o, "a/held", "evidence") // the same again
	wantHeld(t, o, "a/held", true)
	if got := keys(t, o, ""); len(got) != 2 {
		t.Errorf("listed %q: a hold is no object", got)
	}
	for range 2 {
		if err := objects.Unhold(ctx, o, "a/held"); err != nil {
			t.Fatal(err)
		}
		wantHeld(t, o, "a/held", false)
	}
	if err := o.Delete(ctx, "a/held"); err != nil {
		t.Fatal(err)
	}
	wantError(t, "hold what is gone", objects.Hold(ctx, o, "a/held"), fs.ErrNotExist)
	_, err := objects.Held(ctx, o, "a/held")
	wantError(t, "ask for what is gone", err, fs.ErrNotExist)
	if err := objects.Unhold(ctx, o, "a/held"); err != nil {
		t.Errorf("unhold what is gone: %v", err)
	}
	put(t, o, "a/held", "another") // no hold is left over
	wantHeld(t, o, "a/held", false)
	wantError(t, "a bad key", objects.Hold(ctx, o, "../x"), &ward.Error{Kind: ward.Invalid, Code: "objects.key"})
}

// A hold of a directory is there after the process was killed, and for the
// next that opens it.
func TestDirHoldStays(t *testing.T) {
	root := t.TempDir()
	d := openDir(t, root)
	put(t, d, "v1/a", "evidence")
	if err := objects.Hold(t.Context(), d, "v1/a"); err != nil {
		t.Fatal(err)
	}
	next := openDir(t, root)
	wantHeld(t, next, "v1/a", true)
	wantError(t, "delete", next.Delete(t.Context(), "v1/a"), &ward.Error{Kind: ward.Conflict, Code: "objects.locked"})
}

// Who has the server's first key cannot remove a held version, and hides it at
// most; a bucket that was made without object lock holds nothing, and says so.
func TestBucketAdministratorCannotRemoveWhatIsHeld(t *testing.T) {
	s := testserver.MinIO(t)
	c := config(s, "ward-held")
	o, err := objects.OpenS3(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	admin, err := minio.New(c.Endpoint, &minio.Options{Creds: credentials.NewStaticV4(c.AccessKey, c.SecretKey, "")})
	if err != nil {
		t.Fatal(err)
	}
	put(t, o, "v1/a", "evidence")
	if err := objects.Hold(t.Context(), o, "v1/a"); err != nil {
		t.Fatal(err)
	}
	versions := func() (out []minio.ObjectInfo) {
		for v := range admin.ListObjectsIter(t.Context(), c.Bucket, minio.ListObjectsOptions{Prefix: "v1/a", WithVersions: true}) {
			out = append(out, v)
		}
		return out
	}
	was := versions()[0].VersionID
	for _, opts := range []minio.RemoveObjectOptions{{VersionID: was}, {VersionID: was, GovernanceBypass: true}, {VersionID: was, ForceDelete: true}} {
		if err := admin.RemoveObject(t.Context(), c.Bucket, "v1/a", opts); err == nil {
			t.Errorf("an administrator removed the held version with %+v", opts)
		}
	}
	if err := admin.RemoveObject(t.Context(), c.Bucket, "v1/a", minio.RemoveObjectOptions{}); err != nil {
		t.Fatal(err) // a delete marker
	}
	if _, err := objects.Held(t.Context(), o, "v1/a"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("hidden: %v", err)
	}
	for _, v := range versions() {
		if v.IsDeleteMarker {
			if err := admin.RemoveObject(t.Context(), c.Bucket, "v1/a", minio.RemoveObjectOptions{VersionID: v.VersionID}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := get(t, o, "v1/a", 0, -1); got != "evidence" {
		t.Errorf("behind the delete marker: %q", got)
	}
	wantHeld(t, o, "v1/a", true)

	if err := admin.MakeBucket(t.Context(), "no-lock", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	plain, err := objects.OpenS3(t.Context(), config(s, "no-lock"))
	if err != nil {
		t.Fatal(err)
	}
	put(t, plain, "v1/a", "evidence")
	wantError(t, "hold without object lock", objects.Hold(t.Context(), plain, "v1/a"), objects.ErrNoHolds)
	if got := get(t, plain, "v1/a", 0, -1); got != "evidence" {
		t.Errorf("after the refused hold: %q", got)
	}
}
