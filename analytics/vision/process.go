package vision

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// startTimeout is how long a worker may take to load its models: about 1 s
// on one busy core, much longer on a cold disk.
const startTimeout = 60 * time.Second

// process is one running worker. It is used by one goroutine only.
type process struct {
	cmd  *exec.Cmd
	in   *os.File      // our end of its stdin
	out  *os.File      // our end of its stdout
	read *bufio.Reader // over out
	dead chan struct{} // closed when it has been reaped
	err  error         // of Wait; read after dead is closed
}

var errOtherVersion = errors.New("it is of another version than this program: install both of one version (make vision builds it)")

// startProcess starts a worker, which dies when ctx ends, and waits for its hello: the models are loaded.
// The caller must stay on its operating system thread until stop has
// returned: the kernel ties the worker's parent-death signal to that thread.
func startProcess(ctx context.Context, path string, args []string, log *slog.Logger) (*process, error) {
	childIn, in, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("pipe: %w", err)
	}
	out, childOut, err := os.Pipe()
	if err != nil {
		_ = errors.Join(childIn.Close(), in.Close())
		return nil, fmt.Errorf("pipe: %w", err)
	}

	p := &process{cmd: exec.CommandContext(ctx, path, args...), in: in, out: out, dead: make(chan struct{})}
	p.read = bufio.NewReaderSize(out, 1<<16)
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = childIn, childOut, &lineLog{log: log}
	// No inherited environment: the worker needs none, and credentials may be in ours.
	p.cmd.Env = []string{"LC_ALL=C", "MALLOC_ARENA_MAX=2"}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	p.cmd.WaitDelay = time.Second
	err = p.cmd.Start()
	// The child's ends are the child's alone, or its death would not end the pipe.
	_ = errors.Join(childIn.Close(), childOut.Close())
	if err != nil {
		_ = errors.Join(in.Close(), out.Close())
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.dead)
	}()

	hello, err := p.await(time.Now().Add(startTimeout))
	if err != nil {
		p.stop()
		return nil, fmt.Errorf("start %s: %w", path, errors.Join(err, p.err))
	}
	if hello.Fault != FaultNone {
		p.stop()
		return nil, fmt.Errorf("start %s: %s: %s", path, hello.Fault, hello.Text)
	}
	if hello.Protocol != Protocol {
		p.stop()
		return nil, fmt.Errorf("start %s: %w", path, errOtherVersion)
	}
	return p, nil
}

// ask sends one request and waits for its reply. After an error the
// process is out of step and must be stopped.
func (p *process) ask(q Request, deadline time.Time) (Reply, error) {
	if err := errors.Join(p.in.SetWriteDeadline(deadline), grant(p.cmd.Process.Pid, requestCPU)); err != nil {
		return Reply{}, err
	}
	if err := WriteRequest(p.in, q); err != nil {
		return Reply{}, fmt.Errorf("send: %w", err)
	}
	return p.await(deadline)
}

// code is ask for a transcoding worker.
func (p *process) code(q CodeRequest, deadline time.Time) (CodeReply, error) {
	if err := errors.Join(p.in.SetWriteDeadline(deadline), p.out.SetReadDeadline(deadline), grant(p.cmd.Process.Pid, requestCPU)); err != nil {
		return CodeReply{}, err
	}
	if err := WriteCodeRequest(p.in, q); err != nil {
		return CodeReply{}, fmt.Errorf("send: %w", err)
	}
	a, err := ReadCodeReply(p.read)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return a, err
}

func (p *process) await(deadline time.Time) (Reply, error) {
	if err := p.out.SetReadDeadline(deadline); err != nil {
		return Reply{}, err
	}
	a, err := ReadReply(p.read)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return a, err
}

// stop kills the worker and returns when it has been reaped.
func (p *process) stop() {
	_ = p.in.Close()
	_ = p.cmd.Process.Kill() // it may be gone already
	<-p.dead
	_ = p.out.Close()
}

// lineLog hands the worker's stderr to the log, bounded.
type lineLog struct {
	log   *slog.Logger
	lines int
}

const maxWorkerLines = 200 // of stderr that are logged per process

func (l *lineLog) Write(b []byte) (int, error) {
	l.lines++
	if l.lines <= maxWorkerLines {
		l.log.Warn("vision worker says", "text", string(b[:min(len(b), 2000)]))
	}
	return len(b), nil
}
