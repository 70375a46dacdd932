package contain_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"wardwatch/analytics/vision/contain"
)

// tryEnv names what this binary tries as a worker; sealEnv says that it is sealed before.
const (
	tryEnv  = "WARDWATCH_TEST_TRY"
	sealEnv = "WARDWATCH_TEST_SEAL"
)

// tries are what bytes that took a worker over would try. Each is nil when
// it could be done. The file is open for writing and the folder may be written to.
var tries = map[string]func(file *os.File, dir string) error{
	"socket":        func(*os.File, string) error { return socket(unix.AF_INET, unix.SOCK_STREAM) },
	"datagram":      func(*os.File, string) error { return socket(unix.AF_INET6, unix.SOCK_DGRAM) },
	"unix socket":   func(*os.File, string) error { return socket(unix.AF_UNIX, unix.SOCK_STREAM) },
	"netlink":       func(*os.File, string) error { return socket(unix.AF_NETLINK, unix.SOCK_RAW) },
	"socket pair":   func(*os.File, string) error { _, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0); return err },
	"read a file":   func(*os.File, string) error { _, err := os.ReadFile("/proc/self/status"); return err },
	"list a folder": func(_ *os.File, dir string) error { _, err := os.ReadDir(dir); return err },
	"create a file": func(_ *os.File, dir string) error { return os.WriteFile(filepath.Join(dir, "new"), nil, 0o600) },
	"make a folder": func(_ *os.File, dir string) error { return os.Mkdir(filepath.Join(dir, "new"), 0o700) },
	"remove":        func(f *os.File, _ string) error { return os.Remove(f.Name()) },
	"rename":        func(f *os.File, dir string) error { return os.Rename(f.Name(), filepath.Join(dir, "new")) },
	"file in memory": func(*os.File, string) error {
		_, err := unix.MemfdCreate("x", 0)
		return err
	},
	"execute":     func(*os.File, string) error { return unix.Exec("/bin/echo", []string{"echo", "done"}, nil) },
	"fork":        func(*os.File, string) error { return fork() },
	"clone3":      func(*os.File, string) error { return clone3() },
	"new code":    func(*os.File, string) error { return mapped(1<<12, unix.PROT_READ|unix.PROT_EXEC) },
	"more memory": func(*os.File, string) error { return mapped(2<<30, unix.PROT_READ|unix.PROT_WRITE) },
	"signal":      func(*os.File, string) error { return unix.Kill(os.Getppid(), 0) },
	"thread's":    func(*os.File, string) error { return unix.Tgkill(os.Getppid(), os.Getppid(), 0) },
	"more files": func(*os.File, string) error {
		return unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 60, Max: 60})
	},
	"read another": func(*os.File, string) error { return peek(os.Getppid()) },
	"work":         func(*os.File, string) error { return work() },
	"write a file": func(f *os.File, _ string) error { _, err := f.WriteString("x"); return err },
}

func TestMain(m *testing.M) {
	what := os.Getenv(tryEnv)
	if what == "" {
		os.Exit(m.Run())
	}
	if err := contain.Limit(); err != nil {
		fmt.Println("limit:", err)
		os.Exit(1)
	}
	file, err := os.OpenFile(os.Args[2], os.O_WRONLY, 0)
	if err == nil && os.Getenv(sealEnv) != "" {
		err = contain.Seal()
	}
	if err != nil {
		fmt.Println("seal:", err)
		os.Exit(1)
	}
	if err := tries[what](file, os.Args[1]); err != nil {
		fmt.Printf("%d %v\n", func() int { var e syscall.Errno; _ = errors.As(err, &e); return int(e) }(), err)
		os.Exit(0)
	}
	fmt.Println("done")
	os.Exit(0)
}

// TestSealedProcessCannot tries everything in a process with its limits
// alone, where most of it works, and in one that is sealed.
func TestSealedProcessCannot(t *testing.T) {
	byLimits := map[string]bool{"more memory": true, "write a file": true}
	for what := range tries {
		t.Run(what, func(t *testing.T) {
			free, _ := try(t, what, false)
			if free != "done" && !byLimits[what] && what != "read another" { // Yama may forbid that to all
				t.Errorf("without the seal: %s", free)
			}
			got, written := try(t, what, true)
			want := fmt.Sprintf("%d ", unix.EPERM)
			switch what {
			case "work":
				want = "done"
			case "clone3": // for the C library to take clone
				want = fmt.Sprintf("%d ", unix.ENOSYS)
			case "more memory":
				want = fmt.Sprintf("%d ", unix.ENOMEM)
			case "write a file":
				want = "" // the signal ends it, or the write fails
			}
			if !strings.HasPrefix(got, want) || got == "done" && want != "done" || written > 0 {
				t.Errorf("sealed: %s, %d bytes written", got, written)
			}
		})
	}
}

// try returns what the process said and how much it wrote to its file.
func try(t *testing.T, what string, sealed bool) (string, int64) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "open")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], dir, file)
	cmd.Env = []string{tryEnv + "=" + what}
	if sealed {
		cmd.Env = append(cmd.Env, sealEnv+"=1")
	}
	out, err := cmd.Output()
	if err != nil && what != "write a file" {
		t.Fatalf("sealed %v: %v: %s", sealed, err, out)
	}
	var size int64
	if st, err := os.Stat(file); err == nil {
		size = st.Size()
	}
	return strings.TrimSpace(string(out)), size
}

func socket(family, kind int) error {
	_, err := unix.Socket(family, kind, 0)
	return err
}

func mapped(size, prot int) error {
	_, err := unix.Mmap(-1, 0, size, prot, unix.MAP_PRIVATE|unix.MAP_ANON)
	return err
}

// fork makes a process that ends at once.
func fork() error {
	runtime.LockOSThread()
	pid, _, e := unix.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
	if e != 0 {
		return e
	}
	if pid == 0 {
		for {
			_, _, _ = unix.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
		}
	}
	_, err := unix.Wait4(int(pid), nil, 0, nil)
	return err
}

// clone3 is nil when the call is there; its flags are in memory, where no filter sees them.
func clone3() error {
	_, _, e := unix.RawSyscall(unix.SYS_CLONE3, 0, 0, 0)
	if e == unix.EINVAL { // of a size that is wrong
		return nil
	}
	return e
}

// peek reads a byte of this binary in another process.
func peek(pid int) error {
	var b [1]byte
	here := []unix.RemoteIovec{{Base: uintptr(unsafe.Pointer(&b)), Len: 0}}
	_, err := unix.ProcessVMReadv(pid, []unix.Iovec{{Base: &b[0], Len: 1}}, here, 0)
	return err
}

// work is what a worker goes on doing: threads of its own, and garbage.
func work() error {
	var all sync.WaitGroup
	kept := make([][]byte, 8)
	for i := range kept {
		all.Go(func() {
			runtime.LockOSThread()
			for range 50 {
				kept[i] = make([]byte, 1<<20)
			}
			runtime.GC()
		})
	}
	all.Wait()
	return nil
}
