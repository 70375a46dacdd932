package testserver

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver that creates databases
)

// PostgresServer is a server that a test may stop and start again. It
// listens on a socket in its own directory, on no port.
type PostgresServer struct {
	dir     string
	bin     string
	cred    *syscall.Credential // nil: run as ourselves
	proc    *child
	durable bool // see Durable
	serial  atomic.Int64
	filled  sync.Map // of func() error, by name
}

// shared is the one server of this test process.
var shared = sync.OnceValues(func() (*PostgresServer, error) {
	dir, err := tempDir("pg")
	if err != nil {
		return nil, err
	}
	return newPostgres(dir)
})

// Postgres returns the address of a fresh, empty database on a PostgreSQL
// server that all tests of this process share. The database is dropped when
// the test ends, the server stops when the process does.
func Postgres(t testing.TB) (dsn string) {
	t.Helper()
	s, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return s.Database(t)
}

// PostgresLike returns the address of a fresh copy of the database of that
// name, which fill fills when it is first asked for. The copy is dropped when
// the test ends.
func PostgresLike(t testing.TB, name string, fill func(dsn string) error) (dsn string) {
	t.Helper()
	s, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	once, _ := s.filled.LoadOrStore(name, sync.OnceValue(func() error {
		if err := s.exec("CREATE DATABASE " + name); err != nil {
			return err
		}
		return fill(s.dsn(name))
	}))
	if err := once.(func() error)(); err != nil {
		t.Fatal(err)
	}
	return s.database(t, " TEMPLATE "+name)
}

// NewPostgres starts a server for this test alone, for tests of outages.
func NewPostgres(t testing.TB) *PostgresServer {
	t.Helper()
	dir, err := tempDir("pg")
	if err != nil {
		t.Fatal(err)
	}
	s, err := newPostgres(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Stop()
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return s
}

// PostgresIn starts a server whose data are in dir and stay there, for
// benchmarks that fill a database for longer than they measure. The directory
// is made when absent; the server stops when the test ends.
func PostgresIn(t testing.TB, dir string) *PostgresServer {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	s, err := newPostgres(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

// Durable starts the server again as an operator has it: every commit reaches
// the disk before it is answered.
func (s *PostgresServer) Durable(t testing.TB) {
	t.Helper()
	s.Stop()
	s.durable = true
	s.Start(t)
}

// Kept returns the address of the database of that name, which is created
// when there is none and stays.
func (s *PostgresServer) Kept(t testing.TB, name string) (dsn string) {
	t.Helper()
	if err := s.exec("CREATE DATABASE " + name); err != nil && !strings.Contains(err.Error(), "already exists") {
		t.Fatal(err)
	}
	return s.dsn(name)
}

// Database creates an empty database and returns its address for pgx. It is
// dropped when the test ends.
func (s *PostgresServer) Database(t testing.TB) (dsn string) {
	t.Helper()
	return s.database(t, "")
}

func (s *PostgresServer) database(t testing.TB, like string) (dsn string) {
	t.Helper()
	name := fmt.Sprintf("t%d", s.serial.Add(1))
	if err := s.exec("CREATE DATABASE " + name + like); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if s.proc == nil {
			return // stopped by the test; the directory goes as a whole
		}
		if err := s.exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return s.dsn(name)
}

// Copy returns the address of a copy of the kept database of that name. The
// copy is dropped when the test ends.
func (s *PostgresServer) Copy(t testing.TB, name string) (dsn string) {
	t.Helper()
	if err := s.exec("DROP DATABASE IF EXISTS copied"); err != nil {
		t.Fatal(err)
	}
	if err := s.exec("CREATE DATABASE copied TEMPLATE " + name + " STRATEGY FILE_COPY"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.exec("DROP DATABASE copied WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return s.dsn("copied")
}

// Stop ends the server at once, as a crash would; committed work stays.
func (s *PostgresServer) Stop() {
	s.proc.stop(syscall.SIGQUIT)
	s.proc = nil
}

// Start starts a stopped server with its old data and address.
func (s *PostgresServer) Start(t testing.TB) {
	t.Helper()
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
}

func newPostgres(dir string) (*PostgresServer, error) {
	s := &PostgresServer{dir: dir}
	var err error
	if s.bin, err = postgresBin(); err != nil {
		return nil, err
	}
	if s.cred, err = unprivileged(); err != nil {
		return nil, err
	}
	if s.cred != nil {
		if err = os.Chown(dir, int(s.cred.Uid), int(s.cred.Gid)); err != nil {
			return nil, err
		}
	}
	if _, err := os.Stat(filepath.Join(s.data(), "PG_VERSION")); err == nil {
		return s, s.start() // kept
	}
	out, err := s.command("initdb", "-D", s.data(), "-U", "wardwatch", "-A", "trust", "-E", "UTF8",
		"--locale=C", "--no-sync", "--no-instructions").CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("initdb in %s: %w: %s", dir, err, out)
	}
	return s, s.start()
}

func (s *PostgresServer) start() error {
	args := []string{"-D", s.data(), "-k", s.dir}
	for _, set := range []string{
		"listen_addresses=", "unix_socket_permissions=0700", "max_connections=200",
		// A test needs no power-loss safety, and must not slow the others.
		"fsync=" + onOff(s.durable), "full_page_writes=" + onOff(s.durable), "shared_buffers=32MB", "max_wal_size=256MB",
		// Shared memory in our directory: a kill leaves nothing elsewhere.
		"dynamic_shared_memory_type=mmap", "timezone=UTC",
	} {
		args = append(args, "-c", set)
	}
	proc, err := start(s.command("postgres", args...), syscall.SIGQUIT)
	if err != nil {
		return err
	}
	if err := proc.await(func() error { return s.exec("SELECT 1") }); err != nil {
		proc.stop(syscall.SIGKILL)
		return err
	}
	s.proc = proc
	return nil
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

func (s *PostgresServer) command(name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(context.Background(), filepath.Join(s.bin, name), args...)
	cmd.Dir = s.dir
	cmd.Env = []string{"LC_ALL=C", "TZ=UTC", "PATH=" + os.Getenv("PATH")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.cred}
	return cmd
}

func (s *PostgresServer) data() string { return filepath.Join(s.dir, "data") }

func (s *PostgresServer) dsn(database string) string {
	q := url.Values{"host": {s.dir}, "user": {"wardwatch"}, "sslmode": {"disable"}}
	return "postgres:///" + database + "?" + q.Encode()
}

func (s *PostgresServer) exec(statement string) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	db, err := sql.Open("pgx", s.dsn("postgres"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.ExecContext(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

// postgresBin finds the newest installed server.
func postgresBin() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil || len(found) == 0 {
		return "", errors.New("no PostgreSQL server under /usr/lib/postgresql: run deploy/setup.sh test")
	}
	major := func(path string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
		return n
	}
	best := slices.MaxFunc(found, func(a, b string) int { return major(a) - major(b) })
	return filepath.Dir(best), nil
}

// unprivileged returns the user that the server runs as when we are root,
// because PostgreSQL refuses to run as root.
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			return nil, fmt.Errorf("a user to run PostgreSQL as: %w", err)
		}
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}
