package main_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// output collects what a process prints; it is safe for concurrent use.
type output struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// process is a running program.
type process struct {
	t     testing.TB
	cmd   *exec.Cmd
	out   output // standard output
	log   output // standard error
	ended chan struct{}
	err   error // of Wait, once ended is closed
}

// environment is what a program gets: nothing of the tester's own
// configuration, but the parts that set-up installed.
func environment(env ...string) []string {
	var all []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "WARDWATCH_") {
			all = append(all, e)
		}
	}
	return append(append(all, "WARDWATCH_MODELS="+models(), "WARDWATCH_VISION_PATH="+worker()), env...)
}

// start runs the program; the end of the test kills it if need be.
func start(t testing.TB, env []string, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(os.Getenv(builtBinary), args...), ended: make(chan struct{})}
	p.cmd.Env, p.cmd.Dir = environment(env...), t.TempDir()
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // it may have ended
		<-p.ended
		if t.Failed() {
			t.Logf("%s %v printed\n%s\nand logged\n%s", p.cmd.Path, args, &p.out, withoutRequests(p.log.String()))
		}
	})
	return p
}

// withoutRequests leaves out the access log, which polling makes long.
func withoutRequests(log string) string {
	var b strings.Builder
	for line := range strings.Lines(log) {
		if !strings.Contains(line, "msg=request ") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// wait waits for the end and returns the exit code.
func (p *process) wait(limit time.Duration) int {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(limit):
		p.t.Fatalf("%v has not ended in %v", p.cmd.Args[1:], limit)
	}
	if exit, ok := errors.AsType[*exec.ExitError](p.err); ok {
		return exit.ExitCode()
	}
	if p.err != nil {
		p.t.Fatal(p.err)
	}
	return 0
}

// run is start and wait, for commands that end by themselves.
func run(t testing.TB, env []string, args ...string) (code int, out, errs string) {
	t.Helper()
	p := start(t, env, args...)
	code = p.wait(4 * time.Minute)
	return code, p.out.String(), p.log.String()
}

// signal sends a signal; SIGKILL is what the out-of-memory killer sends.
func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// terminate ends a service in order.
func (p *process) terminate() {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	if code := p.wait(10 * time.Second); code != 0 {
		p.t.Fatalf("exit code %d after SIGTERM:\n%s", code, &p.log)
	}
}

// service is `wardwatch serve`.
type service struct {
	*process

	dir   string
	env   []string
	began time.Time
	base  string // http://host:port
}

var (
	servingAt = regexp.MustCompile(`msg=serving listen=(\S+)`)
	oneTime   = regexp.MustCompile(`(http://\S+)/#one-time=(\S+)`)
)

// serve starts a service on the data in dir and waits until it answers.
// Vision is off unless env says how many workers run.
func serve(t testing.TB, dir string, env ...string) *service {
	t.Helper()
	s := &service{dir: dir, env: append([]string{"WARDWATCH_DATA=" + dir, "WARDWATCH_LISTEN=127.0.0.1:0", "WARDWATCH_VISION_WORKERS=0", "WARDWATCH_CAMERAS_NETWORKS=127.0.0.0/8"}, env...), began: time.Now()}
	s.process = start(t, s.env, "serve")
	until(t, "the service answers", 15*time.Second, func() bool {
		select {
		case <-s.ended:
			t.Fatalf("serve ended: %v\n%s", s.err, &s.log)
		default:
		}
		m := servingAt.FindStringSubmatch(s.log.String())
		if m != nil {
			s.base = "http://" + m[1]
		}
		return m != nil && oneTime.MatchString(s.out.String())
	})
	return s
}

// fsck runs `wardwatch fsck` on the service's data; it must find nothing.
func (s *service) fsck() {
	s.t.Helper()
	if code, out, errs := run(s.t, s.env, "fsck"); code != 0 || !strings.Contains(out, "fsck: ok") {
		s.t.Errorf("fsck: exit code %d\n%s%s", code, out, errs)
	}
}

// until waits for an effect.
func until(t testing.TB, what string, limit time.Duration, is func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !is(); <-time.After(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", limit, what)
		}
	}
}
