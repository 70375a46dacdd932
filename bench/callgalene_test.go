package bench_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/pion/webrtc/v4"
)

// galene is a running server with one group that anybody may join.
type galene struct{ url string }

func talkGalene(b *testing.B) galene {
	b.Helper()
	program := peerProgram(b, "PEER_GALENE", "Galène")
	dir, tcp := b.TempDir(), freePort(b, "tcp")
	groups, data := filepath.Join(dir, "groups"), filepath.Join(dir, "data")
	must(b, os.Mkdir(groups, 0o700))
	must(b, os.Mkdir(data, 0o700))
	group := `{"wildcard-user": {"password": {"type": "wildcard"}, "permissions": "present"}, "codecs": ["h264", "opus"]}`
	must(b, os.WriteFile(filepath.Join(groups, "bench.json"), []byte(group), 0o600))
	cmd := exec.Command(program, "-insecure", "-http", "127.0.0.1:"+tcp, "-groups", groups, "-data", data, "-static", dir, "-recordings", dir, "-turn", "")
	cmd.Stderr, cmd.Dir = os.Stderr, dir
	must(b, cmd.Start())
	b.Cleanup(func() { _ = cmd.Process.Signal(os.Interrupt); _ = cmd.Wait() })
	return galene{"ws://127.0.0.1:" + tcp + "/ws"}
}

// galeneMessage is one of its protocol, as far as two ends need it.
type galeneMessage struct {
	Type      string                   `json:"type"`
	Version   []string                 `json:"version,omitempty"`
	Kind      string                   `json:"kind,omitempty"`
	ID        string                   `json:"id,omitempty"`
	Group     string                   `json:"group,omitempty"`
	Username  string                   `json:"username,omitempty"`
	Password  string                   `json:"password,omitempty"`
	Label     string                   `json:"label,omitempty"`
	Request   map[string][]string      `json:"request,omitempty"`
	SDP       string                   `json:"sdp,omitempty"`
	Candidate *webrtc.ICECandidateInit `json:"candidate,omitempty"`
	Value     json.RawMessage          `json:"value,omitempty"`
}

// member is an end in the group: what it sends goes up, what it gets comes down.
type member struct {
	b        *testing.B
	name     string
	ws       *websocket.Conn
	up, down *webrtc.PeerConnection
	downID   string
	early    map[string][]webrtc.ICECandidateInit // before the description
	joined   chan struct{}
	reading  sync.WaitGroup
	failed   error // of reading, once that has ended

	mu sync.Mutex // guards writes to ws
}

func (s galene) talk(b *testing.B, film [][]byte) talk {
	b.Helper()
	t := talk{bed: newEnd(b), inspector: newEnd(b)}
	bed, inspector := s.join(b, "bed", t.bed, t.inspector), s.join(b, "inspector", t.inspector, t.bed)
	for e, m := range map[*end]*member{t.bed: bed, t.inspector: inspector} {
		m.write(galeneMessage{Type: "offer", ID: m.name + "-up", Label: "camera", SDP: offerOf(b, m.up)})
		e.begin(film)
	}
	t.hangUp = func() {
		bed.leave()
		inspector.leave()
	}
	return t
}

func (s galene) join(b *testing.B, name string, self, other *end) *member {
	b.Helper()
	m := &member{b: b, name: name, up: benchPC(b), down: benchPC(b), early: map[string][]webrtc.ICECandidateInit{}, joined: make(chan struct{})}
	self.sendsOn(m.up, webrtc.RTPTransceiverDirectionSendonly)
	self.hears(other, m.down)
	for end := time.Now().Add(20 * time.Second); ; <-time.After(100 * time.Millisecond) {
		ws, res, err := websocket.DefaultDialer.DialContext(b.Context(), s.url, nil)
		if err == nil {
			m.ws = ws
			_ = res.Body.Close()
			break
		}
		if time.Now().After(end) {
			b.Fatalf("Galène: %v", err)
		}
	}
	m.reading.Go(func() { m.failed = m.read() })
	m.write(galeneMessage{Type: "handshake", Version: []string{"2"}, ID: name})
	m.write(galeneMessage{Type: "join", Kind: "join", Group: "bench", Username: name, Password: "-"})
	select {
	case <-m.joined:
	case <-time.After(10 * time.Second):
		b.Fatalf("Galène lets nobody join: %v", m.failed)
	}
	m.write(galeneMessage{Type: "request", Request: map[string][]string{"": {"audio", "video"}}})
	return m
}

func (m *member) write(message galeneMessage) {
	m.mu.Lock()
	defer m.mu.Unlock()
	_ = m.ws.WriteJSON(message) // whoever waits for its effect tells
}

// read obeys the server until the socket closes.
func (m *member) read() error {
	for {
		var c galeneMessage
		if err := m.ws.ReadJSON(&c); err != nil {
			return err
		}
		if err := m.obey(c); err != nil {
			m.b.Errorf("Galène, %s: %s: %v", m.name, c.Type, err)
			return err
		}
	}
}

func (m *member) obey(c galeneMessage) error {
	pc := m.up
	if c.ID == m.downID && c.ID != "" {
		pc = m.down
	}
	switch c.Type {
	case "joined":
		if c.Kind == "join" {
			close(m.joined)
		}
	case "ping":
		m.write(galeneMessage{Type: "pong"})
	case "usermessage":
		if c.Kind == "error" {
			m.b.Errorf("Galène, %s: %s", m.name, c.Value)
		}
	case "answer":
		return m.describe(pc, c.ID, webrtc.SDPTypeAnswer, c.SDP)
	case "ice":
		if pc.RemoteDescription() == nil {
			m.early[c.ID] = append(m.early[c.ID], *c.Candidate)
			return nil
		}
		return pc.AddICECandidate(*c.Candidate)
	case "offer":
		m.downID = c.ID
		if err := m.describe(m.down, c.ID, webrtc.SDPTypeOffer, c.SDP); err != nil {
			return err
		}
		answer, err := m.down.CreateAnswer(nil)
		if err != nil {
			return err
		}
		gathered := webrtc.GatheringCompletePromise(m.down)
		if err := m.down.SetLocalDescription(answer); err != nil {
			return err
		}
		<-gathered
		m.write(galeneMessage{Type: "answer", ID: c.ID, SDP: m.down.LocalDescription().SDP})
	}
	return nil
}

func (m *member) describe(pc *webrtc.PeerConnection, id string, kind webrtc.SDPType, sdp string) error {
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: kind, SDP: sdp}); err != nil {
		return err
	}
	for _, c := range m.early[id] {
		if err := pc.AddICECandidate(c); err != nil {
			return err
		}
	}
	delete(m.early, id)
	return nil
}

func (m *member) leave() {
	must(m.b, m.ws.Close())
	m.reading.Wait()
	must(m.b, m.up.Close())
	must(m.b, m.down.Close())
}
