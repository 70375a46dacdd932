// Package mllp takes HL7 v2 ADT messages over MLLP. Who may send for which
// institution is configured by address and sending facility. A message is
// acknowledged only after what it says is committed; one that is sent again
// changes nothing.
package mllp

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"wardwatch/internal/adt"
	"wardwatch/storage"
	"wardwatch/ward"
)

const (
	maxFrame      = 1 << 20
	maxPeers      = 64 // connections at a time
	maxPerAddress = 8
	// idleLimit is how long a sender may be silent between messages.
	idleLimit = 10 * time.Minute
	// frameLimit is how long one message may take to come, and a client's handshake.
	frameLimit = 30 * time.Second
	// applyLimit bounds what one message waits for the database.
	applyLimit = 30 * time.Second
	// replyLimit is how long a sender may take to read an acknowledgement.
	replyLimit = 10 * time.Second
)

// Sender is who may send for an institution.
type Sender struct {
	Network     netip.Prefix
	Facility    string // MSH-4
	Institution ward.InstitutionID
}

// ParseSender reads "10.1.2.0/24 FACILITY institution-id".
func ParseSender(s string) (Sender, error) {
	parts := strings.Fields(s)
	if len(parts) != 3 || !ward.ValidID(parts[2]) {
		return Sender{}, fmt.Errorf("sender %q is not NETWORK FACILITY INSTITUTION", s)
	}
	n, err := netip.ParsePrefix(parts[0])
	if err != nil {
		return Sender{}, fmt.Errorf("sender's network: %w", err)
	}
	return Sender{n.Masked(), parts[1], ward.InstitutionID(parts[2])}, nil
}

// Server takes messages.
type Server struct {
	Store   *storage.Store
	Senders []Sender
	TLS     *tls.Config // nil: without
	Log     *slog.Logger
	// Notify hears of visits that a message changed ("visit", id); nil: nobody does.
	Notify func(kind, id string, inst ward.InstitutionID)

	mu    sync.Mutex         // guards peers
	peers map[netip.Addr]int // connections by address
}

// Run serves on l until ctx ends, and closes it. A message that was being
// taken is answered first.
func (s *Server) Run(ctx context.Context, l net.Listener) error {
	s.peers = map[netip.Addr]int{}
	var all sync.WaitGroup
	defer all.Wait()
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	for {
		c, err := l.Accept()
		if ctx.Err() != nil {
			if c != nil {
				_ = c.Close()
			}
			return nil
		}
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return fmt.Errorf("accept HL7 senders: %w", err)
			}
			s.Log.WarnContext(ctx, "an HL7 sender was not accepted", "error", err)
			select { // out of descriptors, perhaps: others close theirs meanwhile
			case <-time.After(100 * time.Millisecond):
			case <-ctx.Done():
			}
			continue
		}
		addr := addrOf(c)
		if !s.enter(addr) {
			s.Log.WarnContext(ctx, "an HL7 sender is not known, or has too many connections", "address", addr)
			_ = c.Close()
			continue
		}
		all.Go(func() { s.serve(ctx, c, addr) })
	}
}

func addrOf(c net.Conn) netip.Addr {
	a, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil {
		return netip.Addr{}
	}
	return a.Addr().Unmap().WithZone("")
}

// enter counts a connection of an address that may send.
func (s *Server) enter(a netip.Addr) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	total := 0
	for _, n := range s.peers {
		total += n
	}
	if total >= maxPeers || s.peers[a] >= maxPerAddress {
		return false
	}
	for _, w := range s.Senders {
		if w.Network.Contains(a) {
			s.peers[a]++
			return true
		}
	}
	return false
}

func (s *Server) leave(a netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.peers[a]--; s.peers[a] == 0 {
		delete(s.peers, a)
	}
}

// institution is whose messages of a facility from an address are.
func (s *Server) institution(a netip.Addr, facility string) (ward.InstitutionID, bool) {
	for _, w := range s.Senders {
		if w.Network.Contains(a) && w.Facility == facility {
			return w.Institution, true
		}
	}
	return "", false
}

func (s *Server) serve(ctx context.Context, c net.Conn, addr netip.Addr) {
	if s.TLS != nil {
		c = tls.Server(c, s.TLS)
	}
	defer c.Close()     //nolint:errcheck // every answer was written before
	defer s.leave(addr) // before that: who sees the end may come again
	stop := context.AfterFunc(ctx, func() { _ = c.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	r := bufio.NewReaderSize(c, 16<<10)
	for first := true; ctx.Err() == nil; first = false {
		raw, err := readFrame(ctx, c, r, first)
		if err != nil {
			if ctx.Err() == nil && !errors.Is(err, errEnd) {
				s.Log.WarnContext(ctx, "an HL7 connection was closed", "address", addr, "error", err)
			}
			return
		}
		answer := s.take(ctx, addr, raw)
		if err := c.SetWriteDeadline(time.Now().Add(replyLimit)); err != nil {
			return
		}
		if _, err := c.Write(frame(answer)); err != nil {
			s.Log.WarnContext(ctx, "an HL7 acknowledgement was not read", "address", addr, "error", err)
			return
		}
	}
}

// take applies one message and answers it.
func (s *Server) take(ctx context.Context, addr netip.Addr, raw []byte) []byte {
	h, item := adt.HL7(raw)
	now := time.Now()
	inst, ok := s.institution(addr, h.Facility)
	if h.ControlID != "" && !ok {
		return adt.Acknowledge(h, adt.Refused(adt.Problem{Field: "MSH-4", ZH: "此地址不得代表该机构发送。", EN: "This address may not send for that facility.", Refused: true}), now)
	}
	if len(item.Problems) > 0 {
		return adt.Acknowledge(h, adt.Refused(item.Problems...), now)
	}
	if item.Skipped != nil {
		return adt.Acknowledge(h, adt.Accepted(item.Skipped), now)
	}
	for i := range item.Events {
		item.Events[i].Way = ward.ByMLLP
	}
	// What has come is committed, or not, also while the server stops.
	apply, cancel := context.WithTimeout(context.WithoutCancel(ctx), applyLimit)
	defer cancel()
	taken, err := s.Store.ApplyAdmissionEvents(apply, inst, item.Events, false)
	if errors.Is(err, &ward.Error{Code: "admission.control_id"}) {
		return adt.Acknowledge(h, adt.Refused(adt.Problem{Field: "MSH-10", ZH: "这个编号已用于内容不同的消息。", EN: "Another message had this control id."}), now)
	}
	if err != nil {
		s.Log.ErrorContext(ctx, "an HL7 message was not stored", "institution", inst, "error", err)
		return adt.Acknowledge(h, adt.Refused(adt.Problem{ZH: "暂时无法保存，请稍后重发。", EN: "It cannot be stored now; send it again later.", Refused: true}), now)
	}
	for _, k := range taken {
		for _, v := range k.Visits {
			if s.Notify != nil {
				s.Notify("visit", string(v), inst)
			}
		}
	}
	return adt.Acknowledge(h, adt.Accepted(nil), now)
}
