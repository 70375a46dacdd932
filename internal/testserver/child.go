// Package testserver starts the real servers that our tests run against:
// MinIO, a second S3 server, PostgreSQL and an RTSP server, each on a private
// port or socket with its own directory. It knows nothing of the code under test.
//
// Every server dies with the test process, however that ends, and its
// directory is removed.
package testserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// startTimeout is how long a server may take to answer: seconds are normal
// when every test package starts its servers at once on two cores.
const startTimeout = 60 * time.Second

// child is a running server process.
type child struct {
	cmd  *exec.Cmd
	out  *tail
	done chan struct{} // closed when the process has been waited for
}

// start runs cmd as a child that gets death when this process ends.
func start(cmd *exec.Cmd, death syscall.Signal) (*child, error) {
	c := &child{cmd: cmd, out: &tail{}, done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = c.out, c.out
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = death
	cmd.SysProcAttr.Setpgid = true // a Ctrl-C goes to the test, which ends us
	cmd.WaitDelay = 5 * time.Second
	started := make(chan error)
	go func() {
		// The kernel ties Pdeathsig to the thread that forked, so that
		// thread stays with the child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		_ = cmd.Wait() // how it ended is in its output, shown when it matters
		close(c.done)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	return c, nil
}

// stop sends sig and returns when the process has gone.
func (c *child) stop(sig syscall.Signal) {
	if c == nil {
		return
	}
	_ = c.cmd.Process.Signal(sig) // gone already is what we want
	select {
	case <-c.done:
	case <-time.After(20 * time.Second):
		_ = c.cmd.Process.Kill()
		<-c.done
	}
}

// await polls ready until it succeeds, the child dies or time is up.
func (c *child) await(ready func() error) error {
	deadline := time.NewTimer(startTimeout)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ready()
		if err == nil {
			return nil
		}
		select {
		case <-c.done:
			return fmt.Errorf("%s ended at once: %s", filepath.Base(c.cmd.Path), c.out)
		case <-deadline.C:
			return fmt.Errorf("%s not ready after %v: %w: %s", filepath.Base(c.cmd.Path), startTimeout, err, c.out)
		case <-tick.C:
		}
	}
}

// tail keeps the last few kilobytes that a server printed.
type tail struct {
	mu  sync.Mutex // guards buf
	buf []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if n := len(t.buf) - 4096; n > 0 {
		t.buf = t.buf[n:]
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.buf))
}

// dirPrefix names our directories under the temporary folder.
const dirPrefix = "wardwatch-test-"

// home is where our directories are: in memory where there is room, because a
// database takes a thousand files, which a disk makes in a third of a second.
func home() string {
	const memory, room, tmpfs = "/dev/shm", 4 << 30, 0x01021994 // TMPFS_MAGIC of statfs(2)
	var fs syscall.Statfs_t
	if err := syscall.Statfs(memory, &fs); err == nil && fs.Type == tmpfs && fs.Bavail*uint64(fs.Bsize) >= room {
		return memory
	}
	return os.TempDir()
}

// tempDir makes a directory that outlives single tests and is removed when
// this process ends, however it ends: a shell waits for our end of a pipe to
// close. What even that missed (a machine that lost power) goes at the next
// start: each directory is locked by its process.
func tempDir(name string) (string, error) {
	sweep()
	dir, err := os.MkdirTemp(home(), dirPrefix+name+"-")
	if err != nil {
		return "", err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return "", err
	}
	f, err := lock(dir + "/lock")
	if err != nil {
		return "", err
	}
	hold(f)
	broom := exec.CommandContext(context.Background(), "/bin/sh", "-c",
		`cat >/dev/null; for i in 1 2 3 4 5 6 7 8 9 10; do rm -rf "$1" && exit; sleep 0.2; done`, "sh", dir)
	broom.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	pipe, err := broom.StdinPipe()
	if err != nil {
		return "", err
	}
	hold(pipe)
	if err := broom.Start(); err != nil {
		return "", fmt.Errorf("start the clean-up of %s: %w", dir, err)
	}
	return dir, nil
}

// held keeps locks and pipes open for as long as the process lives; the
// garbage collector would close them.
var held struct {
	sync.Mutex
	files []io.Closer
}

func hold(c io.Closer) {
	held.Lock()
	defer held.Unlock()
	held.files = append(held.files, c)
}

func lock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// sweep removes directories whose process has gone. Errors are ignored: they
// may belong to another user.
func sweep() {
	dirs, _ := filepath.Glob(filepath.Join(home(), dirPrefix+"*"))
	for _, dir := range dirs {
		fi, err := os.Stat(dir)
		if err != nil || time.Since(fi.ModTime()) < time.Minute {
			continue // perhaps not locked yet
		}
		f, err := os.OpenFile(dir+"/lock", os.O_RDWR, 0)
		if err != nil {
			continue
		}
		if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			_ = os.RemoveAll(dir)
		}
		_ = f.Close()
	}
}

// freeAddr returns an address that nobody listens on now. It lies below the
// ports that the kernel gives to outgoing connections, so that a server can
// be stopped and started again on it.
func freeAddr() (string, error) {
	var lc net.ListenConfig
	for range 200 {
		addr := fmt.Sprintf("127.0.0.1:%d", 15000+rand.IntN(17000))
		l, err := lc.Listen(context.Background(), "tcp", addr)
		if err != nil {
			continue
		}
		return addr, l.Close()
	}
	return "", errors.New("no free port between 15000 and 32000")
}

// repoRoot is the folder that holds our go.mod.
func repoRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("no go.mod above the working directory")
		}
	}
}
