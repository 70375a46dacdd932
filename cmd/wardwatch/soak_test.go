package main_test

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"wardwatch/internal/simcam"
	"wardwatch/internal/testcam"
	"wardwatch/internal/testserver"
	"wardwatch/ward"
)

const (
	// cleanGoal and faultsGoal are of the availability: recorded over
	// expected seconds, without faults and under mixed faults.
	cleanGoal  = .9999
	faultsGoal = .995
	// judgedFrom is how long a soak lasts whose goals are judged: in a shorter
	// one, a second decides.
	judgedFrom = 10 * time.Minute
	// briefSoak is what `make test` runs, to know that the soak works.
	briefSoak = 30 * time.Second
	// mostGrowth and slackGrowth are by how much the memory may grow from the
	// first third of a soak to its last third.
	mostGrowth  = 1.15
	slackGrowth = 8 << 20
)

// TestSoak records 16 cameras, for half the time good ones and for the other
// half with the faults of soakFaults, and says how much was recorded. SOAK is
// for how long (`make soak`: 1h), SOAK_STACK=servers takes PostgreSQL and
// MinIO in place of SQLite and a folder, and stops each of them once.
func TestSoak(t *testing.T) {
	length := briefSoak
	if text := os.Getenv("SOAK"); text != "" {
		var err error
		if length, err = time.ParseDuration(text); err != nil || length < briefSoak {
			t.Fatalf("SOAK is %q: give a time such as 1h, at least %v", text, briefSoak)
		}
	} else {
		t.Parallel()
	}
	k := newSoak(t, length)
	from := time.Now()
	k.watch(from.Add(length/2), false)
	middle := time.Now()
	ended := k.faults(middle, length/2)
	k.watch(from.Add(length), true)
	to := time.Now()
	ended()
	until(t, "the last second is on the disk", 10*time.Second, func() bool { return time.Since(to) > 3*time.Second })

	judged := length >= judgedFrom
	k.report("without faults", from, middle, false, judged)
	k.report("under mixed faults", middle, to, true, judged)
	k.memory(judged)
	asked := time.Now()
	k.s.terminate()
	t.Logf("SIGTERM: exit 0 after %v with %d cameras", time.Since(asked).Round(time.Millisecond), len(k.paths))
	k.s.fsck()
	t.Logf("fsck done, failed so far: %v", t.Failed())
}

// soak is a service that records simulated cameras for long.
type soak struct {
	t     *testing.T
	s     *service
	c     *client
	sim   *simcam.Server
	paths []string
	lives int // of the service
	began time.Time

	minio    *testserver.S3Server
	postgres *testserver.PostgresServer

	samples []sample
}

func newSoak(t *testing.T, length time.Duration) *soak {
	t.Helper()
	k := &soak{t: t, began: time.Now(), lives: 1}
	var cameras []simcam.Camera
	clips := soakClips(t)
	for i, f := range soakFaults() {
		path := fmt.Sprintf("cam-%02d", i+1)
		k.paths = append(k.paths, path)
		c := simcam.Camera{Path: path, User: "u", Password: "p", Clip: clips[f.clip], Faults: f.always}
		if f.during.NewSPS > 0 {
			c.Second = clips["small"]
		}
		cameras = append(cameras, c)
	}
	k.sim = testcam.Play(t, cameras...)
	var env []string
	if os.Getenv("SOAK_STACK") == "servers" {
		k.minio, k.postgres = testserver.MinIOServer(t), testserver.NewPostgres(t)
		env = []string{
			"WARDWATCH_DATABASE=" + k.postgres.Database(t), "WARDWATCH_OBJECTS_KIND=s3", "WARDWATCH_OBJECTS_ENDPOINT=" + k.minio.Endpoint,
			"WARDWATCH_OBJECTS_REGION=" + k.minio.Region, "WARDWATCH_OBJECTS_BUCKET=wardwatch-soak",
			"WARDWATCH_OBJECTS_ACCESS_KEY=" + k.minio.AccessKey, "WARDWATCH_OBJECTS_SECRET_KEY=" + k.minio.SecretKey,
		}
	}
	k.s = serve(t, t.TempDir(), env...)
	k.c = signIn(t, k.s)
	k.c.hospital()
	seconds := 60
	if length < judgedFrom {
		seconds = 5
	}
	for i, f := range soakFaults() {
		k.c.must(201, "POST", "/api/v1/cameras", map[string]any{
			"id": k.paths[i], "place_id": "counter", "name": k.paths[i], "url": k.sim.URL(k.paths[i]), "user": "u", "password": "p",
			"transport": f.transport, "enabled": true, "segment_seconds": seconds, "retention_days": 30,
		}, nil)
	}
	for _, path := range k.paths {
		until(t, path+" is recorded", 30*time.Second, func() bool { return k.c.timeline(path, k.s.began, time.Now()).RecordedS > 0 })
	}
	return k
}

// soakClips are of 16 s, a key frame each second.
func soakClips(t *testing.T) map[string]*simcam.Clip {
	t.Helper()
	clips := map[string]*simcam.Clip{}
	for name, args := range map[string][]string{
		"plain": {"-i", "testsrc2=s=640x360:r=15:d=16", "-c:v", "libx264", "-bf", "0"},
		"small": {"-i", "testsrc2=s=480x270:r=15:d=16", "-c:v", "libx264", "-bf", "0"},
		"sound": {"-i", "testsrc2=s=640x360:r=15:d=16", "-f", "lavfi", "-i", "sine=f=440:r=16000:d=16", "-c:v", "libx264", "-bf", "0", "-c:a", "aac"},
		"bpics": {"-i", "testsrc2=s=640x360:r=15:d=16", "-c:v", "libx264", "-bf", "2"},
		"h265":  {"-i", "testsrc2=s=640x360:r=15:d=16", "-c:v", "libx265", "-x265-params", "bframes=0:keyint=15:repeat-headers=1:log-level=none"},
	} {
		clips[name] = testcam.Code(t, ward.NoCodec, slices.Concat([]string{"-f", "lavfi"}, args, []string{"-preset", "ultrafast", "-g", "15", "-b:v", "500k", "-pix_fmt", "yuv420p"})...)
	}
	return clips
}
