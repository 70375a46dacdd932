package main_test

import (
	"net"
	"testing"
	"time"

	"wardwatch/internal/simcam"
	"wardwatch/internal/testcam"
	"wardwatch/internal/testserver"
	"wardwatch/ward"
)

// TestServeOnRealServers records through PostgreSQL and MinIO, which is away
// at the start and for a while later, and must end with every segment archived and fsck content.
func TestServeOnRealServers(t *testing.T) {
	t.Parallel()
	minio := testserver.MinIOServer(t)
	sim := testcam.Play(t, simcam.Camera{Path: "cam-1"})
	minio.Stop()
	s := serve(t, t.TempDir(), "WARDWATCH_DATABASE="+testserver.Postgres(t), "WARDWATCH_OBJECTS_KIND=s3", "WARDWATCH_OBJECTS_ENDPOINT="+minio.Endpoint,
		"WARDWATCH_OBJECTS_REGION="+minio.Region, "WARDWATCH_OBJECTS_BUCKET=wardwatch-test", "WARDWATCH_OBJECTS_ACCESS_KEY="+minio.AccessKey, "WARDWATCH_OBJECTS_SECRET_KEY="+minio.SecretKey)
	c := signIn(t, s)
	c.hospital()
	c.addCamera("cam-1", sim.URL("cam-1"), "", "")
	c.recorded("cam-1", 1, 20*time.Second) // nor does it need the store to begin
	minio.Start()
	c.archived("cam-1", 2)
	minio.Stop()
	during := len(c.recorded("cam-1", 1, time.Second).Segments)
	c.recorded("cam-1", during+2, 10*time.Second) // recording does not wait for the store
	minio.Start()
	line := c.archived("cam-1", during+2)
	if status, b := c.call("GET", "/api/v1/segments/"+string(line.Segments[0].ID)+"/media.mp4", nil); status != 200 || int64(len(b)) != line.Segments[0].Bytes {
		t.Errorf("an archived segment: %d, %d bytes, want %d", status, len(b), line.Segments[0].Bytes)
	}
	s.terminate()
	s.fsck()
}

// TestServeWhileTheStoreHangs: a store that takes connections and never
// answers keeps nothing from being recorded.
func TestServeWhileTheStoreHangs(t *testing.T) {
	t.Parallel()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() }) // the kernel takes what is never accepted
	sim := testcam.Play(t, simcam.Camera{Path: "cam-1"})
	s := serve(t, t.TempDir(), "WARDWATCH_OBJECTS_KIND=s3", "WARDWATCH_OBJECTS_ENDPOINT="+l.Addr().String(),
		"WARDWATCH_OBJECTS_BUCKET=wardwatch-test", "WARDWATCH_OBJECTS_ACCESS_KEY=key", "WARDWATCH_OBJECTS_SECRET_KEY=a-secret")
	c := signIn(t, s)
	c.hospital()
	c.addCamera("cam-1", sim.URL("cam-1"), "", "")
	c.recorded("cam-1", 1, 20*time.Second)
	s.terminate()
}

// archived waits until the first n segments are in the object store.
func (c *client) archived(id string, n int) (line timeline) {
	c.t.Helper()
	until(c.t, "segments are archived", 40*time.Second, func() bool {
		line = c.timeline(id, time.Now().Add(-time.Hour), time.Now())
		done := 0
		for _, g := range line.Segments {
			if g.State == ward.Archived {
				done++
			}
		}
		return done >= n
	})
	return line
}
