package contain

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ErrLacking is wrapped by Seal's error when this kernel or processor has
// no such filter; the process then runs with its limits alone.
var ErrLacking = errors.New("system calls cannot be filtered here")

// plain are the system calls that a worker needs once its models are loaded,
// whatever their arguments: its pipes, memory, threads and clocks. It opens
// nothing any more. pread64 is the Go runtime reading the processor limit
// of its control group from a file that it keeps open.
var plain = []uint32{
	unix.SYS_FUTEX, unix.SYS_READ, unix.SYS_WRITE, unix.SYS_MADVISE, unix.SYS_NANOSLEEP, unix.SYS_CLOCK_NANOSLEEP,
	unix.SYS_MUNMAP, unix.SYS_MREMAP, unix.SYS_BRK, unix.SYS_MINCORE, unix.SYS_MEMBARRIER,
	unix.SYS_READV, unix.SYS_WRITEV, unix.SYS_PREAD64, unix.SYS_CLOSE, unix.SYS_FSTAT, unix.SYS_LSEEK, unix.SYS_PPOLL,
	unix.SYS_RT_SIGACTION, unix.SYS_RT_SIGPROCMASK, unix.SYS_RT_SIGRETURN, unix.SYS_SIGALTSTACK,
	unix.SYS_CLOCK_GETTIME, unix.SYS_CLOCK_GETRES, unix.SYS_GETTIMEOFDAY, unix.SYS_RESTART_SYSCALL,
	unix.SYS_SCHED_YIELD, unix.SYS_SCHED_GETAFFINITY, unix.SYS_GETCPU, unix.SYS_SYSINFO, unix.SYS_GETRANDOM,
	unix.SYS_EPOLL_CREATE1, unix.SYS_EPOLL_CTL, unix.SYS_EPOLL_PWAIT, unix.SYS_EVENTFD2, // timers of the Go runtime
	unix.SYS_GETPID, unix.SYS_GETTID, unix.SYS_SET_ROBUST_LIST, unix.SYS_RSEQ, unix.SYS_EXIT, unix.SYS_EXIT_GROUP,
}

// masked is a system call that is allowed when the low half of one argument,
// masked, has one value.
type masked struct {
	call, arg, mask, value uint32
}

func conditional() []masked {
	// A thread, not a process, and in no other namespace.
	const thread = unix.CLONE_THREAD
	const spaces = unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP
	return []masked{
		{unix.SYS_CLONE, 0, thread | spaces, thread},
		{unix.SYS_MMAP, 2, unix.PROT_EXEC, 0}, // no new code
		{unix.SYS_MPROTECT, 2, unix.PROT_EXEC, 0},
		{unix.SYS_TGKILL, 0, 1<<32 - 1, uint32(unix.Getpid())}, // signals to itself: the runtime stops its threads
	}
}

// Seal leaves the process, all of its threads, the system calls that computing takes. Every
// other one fails with EPERM: no socket, no file is opened, no program and no
// process begins. It cannot be undone. It needs Limit before it.
func Seal() error {
	program, err := filter()
	if err != nil {
		return err
	}
	prog := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	runtime.LockOSThread() // no_new_privs was inherited by every thread; TSYNC gives the filter to all
	defer runtime.UnlockOSThread()
	stuck, _, e := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&prog)))
	switch {
	case e == unix.ENOSYS || e == unix.EINVAL:
		return fmt.Errorf("%w: %w", ErrLacking, e)
	case e != 0:
		return fmt.Errorf("filter system calls: %w", e)
	case stuck != 0:
		return fmt.Errorf("filter system calls: thread %d has other ones", stuck)
	}
	return nil
}

// Where seccomp_data has its fields.
const (
	atCall = 0
	atArch = 4
	atArgs = 16 // low halves: both architectures are little-endian
)

const (
	load  = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
	equal = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	and   = unix.BPF_ALU | unix.BPF_AND | unix.BPF_K
	end   = unix.BPF_RET | unix.BPF_K
)

// filter is the program that the kernel asks about every system call.
func filter() ([]unix.SockFilter, error) {
	arch, ok := map[string]uint32{"amd64": unix.AUDIT_ARCH_X86_64, "arm64": unix.AUDIT_ARCH_AARCH64}[runtime.GOARCH]
	if !ok {
		return nil, fmt.Errorf("%w: %s", ErrLacking, runtime.GOARCH)
	}
	allow := unix.SockFilter{Code: end, K: unix.SECCOMP_RET_ALLOW}
	deny := func(e unix.Errno) unix.SockFilter {
		return unix.SockFilter{Code: end, K: unix.SECCOMP_RET_ERRNO | uint32(e)}
	}
	p := []unix.SockFilter{
		{Code: load, K: atArch},
		{Code: equal, K: arch, Jt: 1},
		{Code: end, K: unix.SECCOMP_RET_KILL_PROCESS}, // numbers mean something else
		{Code: load, K: atCall},
	}
	for _, call := range plain {
		p = append(p, unix.SockFilter{Code: equal, K: call, Jf: 1}, allow)
	}
	for _, m := range conditional() {
		p = append(p,
			unix.SockFilter{Code: equal, K: m.call, Jf: 5},
			unix.SockFilter{Code: load, K: atArgs + 8*m.arg},
			unix.SockFilter{Code: and, K: m.mask},
			unix.SockFilter{Code: equal, K: m.value, Jf: 1},
			allow, deny(unix.EPERM))
	}
	// The C library then makes its threads with clone, whose flags can be seen.
	p = append(p, unix.SockFilter{Code: equal, K: unix.SYS_CLONE3, Jf: 1}, deny(unix.ENOSYS), deny(unix.EPERM))
	return p, nil
}
