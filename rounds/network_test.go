package rounds_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"wardwatch/ingest"
	"wardwatch/internal/simbed"
	"wardwatch/internal/simwire"
	"wardwatch/rounds"
	"wardwatch/ward"
)

// The service and the bedside are processes in network namespaces of their
// own, with a cable between them that the service's process pulls.
const (
	serviceAt = "10.99.0.1"
	bedsideAt = "10.99.0.2"
	envLink   = "WARDWATCH_TEST_NETWORK" // what a helper process is to do
	envWeak   = "WARDWATCH_TEST_WEAK"    // the bedside's line is weak, and nobody pulls it
)

// The weak line is one of 5 % loss and 20 to 70 ms, and for a while of 20 %.
const (
	weakLine   = "loss=5 delay=20ms jitter=50ms"
	stormyLine = "loss=20 delay=20ms jitter=50ms"
	storm      = 5 * time.Second
)

// TestTheCableIsPulled runs TestHelperService once for each length of a cut,
// and for a weak line: `make network`, since it needs root or user namespaces.
func TestTheCableIsPulled(t *testing.T) {
	t.Parallel()
	if os.Getenv("WARDWATCH_NETWORK") == "" {
		t.Skip("make network")
	}
	for _, c := range []string{"10s", "for good", "weak"} {
		t.Run(c, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 6*time.Minute)
			defer cancel()
			out, err := inNetwork(ctx, "TestHelperService", c).CombinedOutput()
			if testing.Verbose() || err != nil {
				t.Logf("%s", out)
			}
			if err != nil || !strings.Contains(string(out), "PASS: TestHelperService") {
				t.Fatalf("a network of its own needs root or user namespaces, and iproute2: %v", err)
			}
		})
	}
}

// inNetwork runs a test of this program in a network namespace of its own.
func inNetwork(ctx context.Context, test, task string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^"+test+"$", "-test.v")
	cmd.Env = append(os.Environ(), envLink+"="+task)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	return cmd
}

func ip(t *testing.T, args string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "ip", strings.Fields(args)...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v: %s", args, err, out)
	}
}

// TestHelperService is the service's process.
func TestHelperService(t *testing.T) {
	task := os.Getenv(envLink)
	if task == "" {
		return
	}
	ip(t, "link set lo up")
	a, closeAPI, err := ingest.NewWebRTC(ingest.WebRTCConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer closeAPI()
	r := newRig(t, func(e *rounds.Engine) {
		e.API = a
		if task == "10s" {
			e.Resume = time.Minute // of a busy machine
		}
	})
	r.admit("franck", 125)
	link := r.order(time.Hour)

	bedside := inNetwork(t.Context(), "TestHelperBedside", link.Token)
	if task == "weak" {
		bedside.Env = append(bedside.Env, envWeak+"=1")
	}
	stdin, err := bedside.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	bedside.Stdout, bedside.Stderr = os.Stderr, os.Stderr
	if err := bedside.Start(); err != nil {
		t.Fatal(err)
	}
	line := func(string) {}
	if task == "weak" {
		line = wire(t, bedside.Process.Pid)
	} else {
		ip(t, fmt.Sprintf("link add cable type veth peer name cable netns %d", bedside.Process.Pid))
	}
	ip(t, "addr add "+serviceAt+"/24 dev cable")
	ip(t, "link set cable up")
	serveAt(t, r.engine)
	stdin.Close() // it may begin

	r.until(link.Visit.ID, 2*time.Minute, func(v ward.Visit) bool { return r.count(v.ID, "answer") > 0 })
	if task == "weak" {
		r.storm(link.Visit.ID, bedside, line)
		return
	}
	ip(t, "link set cable down")
	pulled := time.Now()
	if task != "10s" {
		v := r.sealed(link.Visit.ID, time.Minute)
		if c := r.cause(v.ID); v.Verdict != ward.Interrupted || c != "network_lost" {
			t.Errorf("got %s, %s\n%s", v.Verdict, c, r.story(v.ID))
		}
		segs, err := r.store.SegmentsBetween(t.Context(), ward.Source{Kind: ward.FromVisit, ID: string(v.ID)}, v.Opened, v.Sealed.Add(time.Second))
		if err != nil || len(segs) == 0 {
			t.Errorf("recording: %d segments, %v", len(segs), err)
		}
		_ = bedside.Process.Kill()
		_ = bedside.Wait()
		return
	}
	r.until(link.Visit.ID, time.Minute, func(v ward.Visit) bool { return r.count(v.ID, "line_lost") > 0 })
	<-time.After(time.Until(pulled.Add(10 * time.Second))) // what is tested is this length
	ip(t, "link set cable up")
	if err := bedside.Wait(); err != nil {
		t.Errorf("bedside: %v", err)
	}
	v := r.sealed(link.Visit.ID, sessionMax)
	if v.Verdict != ward.Present || r.count(v.ID, "line_back") == 0 {
		t.Errorf("got %s\n%s", v.Verdict, r.story(v.ID))
	}
	t.Log(r.story(v.ID))
}

// wire joins this process and the bedside's by a weak line, and returns what changes it.
func wire(t *testing.T, bedside int) func(line string) {
	t.Helper()
	parse := func(text string) simwire.Line {
		l, err := simwire.ParseLine(text)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	w, err := simwire.Open("cable", "far", parse(weakLine))
	if err != nil {
		t.Fatal(err)
	}
	ip(t, fmt.Sprintf("link set far netns %d name cable", bedside))
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = w.Run(ctx)
	}()
	t.Cleanup(func() {
		stop()
		<-done
	})
	return func(text string) { w.Set(parse(text)) }
}

// storm loses a fifth of the packets for a while, in the middle of the checks.
// The line holds, the patient is present, and the recording leads to the same verdict.
func (r *rig) storm(id ward.VisitID, bedside *exec.Cmd, line func(string)) {
	r.t.Helper()
	line(stormyLine)
	<-time.After(storm) // what is tested is this length
	line(weakLine)
	if err := bedside.Wait(); err != nil {
		r.t.Errorf("bedside: %v", err)
	}
	v := r.sealed(id, sessionMax)
	if v.Verdict != ward.Present || r.count(id, "line_lost") > 0 {
		r.t.Errorf("got %s\n%s", v.Verdict, r.story(id))
	}
	r.replays(v)
}

// count counts the events of a kind.
func (r *rig) count(id ward.VisitID, kind string) (n int) {
	r.t.Helper()
	for _, e := range r.events(id) {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

// serveAt serves the bedside's endpoints on the cable.
func serveAt(t *testing.T, e *rounds.Engine) {
	t.Helper()
	l, err := net.Listen("tcp", serviceAt+":8080")
	if err != nil {
		t.Fatal(err)
	}
	srv := &httptest.Server{Listener: l, Config: &http.Server{Handler: bedsideAPI(e)}}
	srv.Start()
	t.Cleanup(srv.CloseClientConnections)
}

// TestHelperBedside is the bedside's process: it begins when its input ends.
func TestHelperBedside(t *testing.T) {
	token := os.Getenv(envLink)
	if token == "" {
		return
	}
	if _, err := os.Stdin.Read(make([]byte, 1)); err == nil {
		t.Fatal("input")
	}
	ip(t, "link set lo up")
	ip(t, "addr add "+bedsideAt+"/24 dev cable")
	ip(t, "link set cable up")
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	res, err := simbed.Run(ctx, simbed.Options{
		Server: "http://" + serviceAt + ":8080", Link: token, Behaviour: simbed.Genuine, Clip: clip(t, "franck", false),
		HTTP: &http.Client{Timeout: 3 * time.Second}, Log: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if weak := os.Getenv(envWeak) != ""; err != nil || !res.Thanked || (res.Restarts == 0) != weak {
		t.Errorf("%+v, %v", res, err)
	}
}
