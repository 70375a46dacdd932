package testserver_test

import (
	"context"
	"database/sql"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"

	"wardwatch/internal/testserver"
)

func open(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestPostgresDatabasesAreSeparate(t *testing.T) {
	a, b := open(t, testserver.Postgres(t)), open(t, testserver.Postgres(t))
	if _, err := a.Exec("CREATE TABLE x (n int)"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Exec("SELECT * FROM x"); err == nil {
		t.Error("a second database sees the first one's table")
	}
}

func TestPostgresOutage(t *testing.T) {
	s := testserver.NewPostgres(t)
	db := open(t, s.Database(t))
	if _, err := db.Exec("CREATE TABLE x (n int)"); err != nil {
		t.Fatal(err)
	}
	s.Stop()
	if _, err := db.Exec("INSERT INTO x VALUES (1)"); err == nil {
		t.Fatal("a stopped server answers")
	}
	s.Start(t)
	if _, err := db.Exec("INSERT INTO x VALUES (1)"); err != nil {
		t.Fatalf("after the outage: %v", err)
	}
}

func TestS3Outage(t *testing.T) {
	for name, start := range map[string]func(testing.TB) *testserver.S3Server{
		"minio": testserver.MinIOServer, "versity": testserver.VersityServer,
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			dial := func() error {
				c, err := net.DialTimeout("tcp", s.Endpoint, time.Second)
				if err == nil {
					_ = c.Close()
				}
				return err
			}
			s.Stop()
			if dial() == nil {
				t.Fatal("a stopped server answers")
			}
			s.Start()
			if err := dial(); err != nil {
				t.Fatalf("after the outage: %v", err)
			}
		})
	}
}

// TestKilledProcess kills a test process that has servers; they and their
// directories must go with it.
func TestKilledProcess(t *testing.T) {
	tmp, err := os.MkdirTemp("", "ww") //nolint:usetesting // a socket's path must be short, and PostgreSQL's user must enter
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	if err = os.Chmod(tmp, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestHelperHangs$")
	cmd.Env = append(os.Environ(), "WARDWATCH_TEST_HANG=1", "TMPDIR="+tmp)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err = cmd.Start(); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 4096)
	n, err := out.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("child says %s", strings.TrimSpace(string(buf[:n])))
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	left := func() []string {
		dirs, _ := filepath.Glob(filepath.Join(tmp, "wardwatch-test-*"))
		procs, _ := filepath.Glob("/proc/[0-9]*/cmdline")
		for _, p := range procs {
			line, _ := os.ReadFile(p)
			if strings.Contains(string(line), tmp) {
				dirs = append(dirs, strings.ReplaceAll(string(line), "\x00", " "))
			}
		}
		return dirs
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for len(left()) > 0 {
		select {
		case <-ctx.Done():
			t.Fatalf("left behind: %q", left())
		case <-tick.C:
		}
	}
}

// TestHelperHangs is the process that TestKilledProcess kills.
func TestHelperHangs(t *testing.T) {
	if os.Getenv("WARDWATCH_TEST_HANG") == "" {
		return
	}
	testserver.Postgres(t)
	testserver.MinIO(t)
	if _, err := os.Stdout.WriteString("up\n"); err != nil {
		t.Fatal(err)
	}
	select {}
}
