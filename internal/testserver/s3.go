package testserver

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// S3 says how to reach an S3 server: plain HTTP, path-style addresses.
type S3 struct {
	Endpoint  string // "127.0.0.1:15432"
	Region    string
	AccessKey string
	SecretKey string
}

// S3Server is a server that a test may stop and start again. Its data and
// its address stay.
type S3Server struct {
	S3
	t       testing.TB
	dir     string
	health  string
	command func(addr, dir string) *exec.Cmd
	proc    *child
}

// MinIO starts a MinIO server for this test and stops it when the test ends.
func MinIO(t testing.TB) S3 {
	t.Helper()
	return MinIOServer(t).S3
}

// Versity starts a versitygw server for this test and stops it when the test
// ends.
func Versity(t testing.TB) S3 {
	t.Helper()
	return VersityServer(t).S3
}

// MinIOServer is MinIO for tests of outages.
func MinIOServer(t testing.TB) *S3Server {
	t.Helper()
	return MinIOServerIn(t, "")
}

// MinIOServerIn is MinIOServer with its data in dir, for instance a small
// file system. An empty dir is a new temporary one.
func MinIOServerIn(t testing.TB, dir string) *S3Server {
	t.Helper()
	root, err := repoRoot()
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(root, ".tools", "bin", "minio")
	if _, err := os.Stat(bin); err != nil {
		t.Fatalf("MinIO is not installed (%v): run deploy/setup.sh test", err)
	}
	s := newS3Server(t, dir, "/minio/health/ready")
	s.command = func(addr, dir string) *exec.Cmd {
		cmd := exec.CommandContext(context.Background(), bin, "server", "--quiet", "--address", addr, dir)
		cmd.Env = append(os.Environ(), "MINIO_ROOT_USER="+s.AccessKey, "MINIO_ROOT_PASSWORD="+s.SecretKey,
			"MINIO_BROWSER=off", "MINIO_UPDATE=off", "MINIO_CALLHOME_ENABLE=off", "HOME="+dir,
			"GOMEMLIMIT=512MiB")
		return cmd
	}
	s.first()
	return s
}

// VersityServer is Versity for tests of outages. The temporary folder must
// support user extended attributes.
func VersityServer(t testing.TB) *S3Server {
	t.Helper()
	bin, err := buildVersity()
	if err != nil {
		t.Fatal(err)
	}
	s := newS3Server(t, "", "/healthz")
	if err := syscall.Setxattr(s.dir, "user.wardwatch", []byte("1"), 0); err != nil {
		t.Fatalf("%s does not support user extended attributes (%v): set TMPDIR to a folder on ext4, xfs or btrfs", s.dir, err)
	}
	for _, sub := range []string{"data", "versions"} {
		if err := os.Mkdir(filepath.Join(s.dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	s.command = func(addr, dir string) *exec.Cmd {
		cmd := exec.CommandContext(context.Background(), bin, addr, filepath.Join(dir, "data"), filepath.Join(dir, "versions"))
		cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+s.AccessKey, "ROOT_SECRET_KEY="+s.SecretKey)
		return cmd
	}
	s.first()
	return s
}

func newS3Server(t testing.TB, dir, health string) *S3Server {
	if dir == "" {
		dir = t.TempDir()
	}
	return &S3Server{
		S3: S3{Region: "us-east-1", AccessKey: "key-" + rand.Text()[:12], SecretKey: rand.Text()},
		t:  t, dir: dir, health: health,
	}
}

// first starts the server on a port of its own; another process may take a
// port between our look and the server's, so it tries a few.
func (s *S3Server) first() {
	s.t.Helper()
	s.t.Cleanup(s.Stop)
	var err error
	for range 5 {
		if s.Endpoint, err = freeAddr(); err != nil {
			break
		}
		if err = s.start(); err == nil {
			return
		}
	}
	s.t.Fatal(err)
}

// Start starts a stopped server on its old address with its old data.
func (s *S3Server) Start() {
	s.t.Helper()
	if err := s.start(); err != nil {
		s.t.Fatal(err)
	}
}

// Stop kills the server as a power cut would. Stopping twice is no error.
func (s *S3Server) Stop() {
	s.proc.stop(syscall.SIGKILL)
	s.proc = nil
}

func (s *S3Server) start() error {
	proc, err := start(s.command(s.Endpoint, s.dir), syscall.SIGKILL)
	if err != nil {
		return err
	}
	if err := proc.await(func() error {
		if err := get("http://"+s.Endpoint+s.health, http.StatusOK); err != nil {
			return err
		}
		// A MinIO that calls itself ready may still answer 503 to everything,
		// until it knows its users.
		return get("http://"+s.Endpoint+"/", http.StatusForbidden)
	}); err != nil {
		proc.stop(syscall.SIGKILL)
		return err
	}
	s.proc = proc
	return nil
}

func get(url string, want int) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	if err := res.Body.Close(); err != nil {
		return err
	}
	if res.StatusCode != want {
		return fmt.Errorf("%s answers %s", url, res.Status)
	}
	return nil
}

// buildVersity builds the gateway beside the other tools; it is quick when
// nothing changed. Test packages that run at once take turns.
func buildVersity() (string, error) {
	root, err := repoRoot()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(root, ".tools", "bin")
	if err = os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	f, err := os.OpenFile(filepath.Join(dir, ".versity.lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return "", err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return "", errors.Join(err, f.Close())
	}
	bin := filepath.Join(dir, "versity")
	cmd := exec.CommandContext(context.Background(), "go", "build", "-o", bin, "./internal/testserver/versity")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", errors.Join(fmt.Errorf("build the versity test server: %w: %s", err, out), f.Close())
	}
	return bin, f.Close()
}
