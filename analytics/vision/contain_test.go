package vision_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"wardwatch/analytics/vision"
	"wardwatch/internal/models/modeltest"
	"wardwatch/ward"
)

func TestWorkerIsContained(t *testing.T) {
	pool := modeltest.Pool(t, 1, nil)
	if _, err := pool.Still(t.Context(), modeltest.Frame(t, modeltest.Clip(t, "franck.mp4"), "10"), vision.WantPrint); err != nil {
		t.Fatal(err)
	}
	proc := fmt.Sprintf("/proc/%d/", pool.PIDs()[0])
	status, err1 := os.ReadFile(proc + "status")
	limits, err2 := os.ReadFile(proc + "limits")
	environ, err3 := os.ReadFile(proc + "environ")
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(status), "NoNewPrivs:\t1") {
		t.Error("the worker may gain privileges")
	}
	isSealed(t, pool.PIDs()[0])
	own := niceOf(t, "/proc/self/stat")
	tasks, err := filepath.Glob(proc + "task/*/stat")
	if err != nil || len(tasks) < 2 {
		t.Fatal(err, tasks)
	}
	for _, task := range tasks {
		if got := niceOf(t, task); got != min(own+5, 19) {
			t.Errorf("%s: nice %d beside our %d", task, got, own)
		}
	}
	for _, want := range []string{
		`Max file size +0 +0 `, `Max core file size +0 +0 `, `Max open files +64 +64 `,
		`Max cpu time +[2-9][0-9] +unlimited `,
		`Max data size +2147483648 +2147483648 `, `Max address space +6442450944 +6442450944 `,
	} {
		if !regexp.MustCompile(want).Match(limits) {
			t.Errorf("no limit %q in:\n%s", want, limits)
		}
	}
	if got := strings.Count(string(environ), "\x00"); got != 3 || strings.Contains(string(environ), "PATH=") {
		t.Errorf("environment %q", environ)
	}
}

// niceOf reads the 19th field of proc(5)'s stat.
func niceOf(t *testing.T, stat string) int {
	t.Helper()
	b, err := os.ReadFile(stat)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), ") ") // the name may hold blanks
	nice, err := strconv.Atoi(strings.Fields(rest)[16])
	if err != nil {
		t.Fatal(err)
	}
	return nice
}

// isSealed checks that every thread's system calls are filtered, and that the
// process has a network of its own where this test may make one.
func isSealed(t *testing.T, pid int) {
	t.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil || len(threads) == 0 {
		t.Fatalf("%d threads, %v", len(threads), err)
	}
	for _, file := range threads {
		b, err := os.ReadFile(file)
		if err == nil && !strings.Contains(string(b), "\nSeccomp:\t2\n") {
			t.Errorf("%s is not sealed (run make vision)", file)
		}
	}
	alone := exec.CommandContext(t.Context(), "true")
	alone.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if err := alone.Run(); errors.Is(err, syscall.EPERM) {
		return // not permitted; the seal alone denies sockets
	} else if err != nil {
		t.Fatal(err)
	}
	ours, err1 := os.Readlink("/proc/self/ns/net")
	its, err2 := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", pid))
	if err := errors.Join(err1, err2); err != nil || ours == its {
		t.Errorf("networks %s and %s, %v", ours, its, err)
	}
}

func TestWorkerEndsWhenItsInputCloses(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), filepath.Join(modeltest.Root(t), "bin", "wardwatch-vision"), "--models", modeltest.Models(t))
	out, err := cmd.Output() // stdin is /dev/null
	if err != nil || len(out) == 0 {
		t.Fatalf("%d bytes of hello, %v (run make models and make vision)", len(out), err)
	}
}

func TestWorkerSaysWhichModelDoesNotLoad(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(modeltest.Models(t))); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, vision.FileMesh), []byte("not a model"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := &vision.Pool{Path: filepath.Join(modeltest.Root(t), "bin", "wardwatch-vision"), Models: dir, Log: slog.New(slog.DiscardHandler)}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	defer func() { cancel(); <-ended }()
	deadline := time.Now().Add(30 * time.Second)
	for !errors.Is(p.Ready(), &ward.Error{Code: "vision.down"}) {
		if time.Now().After(deadline) {
			t.Fatalf("still %v", p.Ready())
		}
		<-time.After(10 * time.Millisecond)
	}
	if err := p.Ready(); !strings.Contains(err.Error(), vision.FileMesh) {
		t.Errorf("the model is not named: %v", err)
	}
	if _, err := p.Still(t.Context(), []byte("x"), vision.WantPrint); ward.KindOf(err) != ward.Unavailable {
		t.Errorf("a photo without workers: %v", err)
	}
}

// TestWorkerDiesWithItsParent runs itself as the service, kills it, and
// waits for the worker to be gone.
func TestWorkerDiesWithItsParent(t *testing.T) {
	if os.Getenv("WARDWATCH_TEST_SERVICE") != "" {
		pool := modeltest.Pool(t, 1, nil)
		fmt.Printf("worker %d\n", pool.PIDs()[0])
		_, _ = io.Copy(io.Discard, os.Stdin) // until killed
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestWorkerDiesWithItsParent$")
	cmd.Env = append(os.Environ(), "WARDWATCH_TEST_SERVICE=1")
	stdin, err1 := cmd.StdinPipe()
	stdout, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	var pid int
	for lines := bufio.NewScanner(stdout); pid == 0 && lines.Scan(); {
		if s, ok := strings.CutPrefix(lines.Text(), "worker "); ok {
			pid, _ = strconv.Atoi(s)
		}
	}
	if pid == 0 {
		t.Fatal("the service told no worker")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	deadline := time.Now().Add(10 * time.Second)
	for !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) && !zombie(pid) {
		if time.Now().After(deadline) {
			t.Fatalf("worker %d outlives the service", pid)
		}
		<-time.After(10 * time.Millisecond)
	}
}

// zombie: dead, and not yet collected by whoever inherited it.
func zombie(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(b), ") Z ")
}
