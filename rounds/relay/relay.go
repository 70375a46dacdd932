// Package relay is the TURN server (RFC 8656) of a process: media of bedsides
// and inspectors whose network lets no UDP through to the media port come by
// TCP or TLS. It relays to the process's own media port and to nothing else,
// for credentials that it gave out itself. It must know nothing of visits but
// their ids, and of no media.
package relay

import (
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"

	"github.com/pion/logging"
	"github.com/pion/turn/v5"

	"wardwatch/ward"
)

// realm is part of the credentials' hash (RFC 8489, 9.2).
const realm = "wardwatch"

// Config says where clients reach the relay and where it may send.
type Config struct {
	UDP, TCP, TLS string // host:port to listen on; empty: not there
	// Certificate and Key are PEM files for TLS. They are read again when they change.
	Certificate, Key string
	Host             string // as clients know this machine
	// Media are the addresses of the process's own media port, as they are told to browsers.
	Media []netip.AddrPort
	// Behind is where an announced address really is when it is none of this machine's (NAT).
	Behind map[netip.AddrPort]netip.AddrPort
	// Rate bounds what one credential may have relayed, both ways together, in bytes a second; 0 means DefaultRate.
	Rate int
}

// Server is a running relay. Its methods may be called from any goroutine.
type Server struct {
	config   Config
	turn     *turn.Server
	urls     []string
	accounts accounts
	streams  []*bounded
}

// Open listens and serves until Close. A taken port, an unreadable
// certificate or a relay without a media port is a ward.Error.
func Open(c Config) (*Server, error) {
	if len(c.Media) == 0 || c.Media[0].Port() == 0 {
		return nil, invalid("relay.media", "启用 webrtc.turn 时必须给出 webrtc.udp_port。", "With webrtc.turn, give webrtc.udp_port.", nil)
	}
	if c.Rate <= 0 {
		c.Rate = DefaultRate
	}
	s := &Server{config: c}
	_, _ = rand.Read(s.accounts.secret[:]) // never fails: crypto/rand crashes the program instead
	s.accounts.rate = c.Rate
	config := turn.ServerConfig{
		Realm: realm, AuthHandler: s.accounts.authenticate,
		QuotaHandler: func(user, _ string, _ net.Addr) bool { return s.accounts.mayAllocate(user) },
		// Its log lines hold addresses of patients' devices.
		LoggerFactory: &logging.DefaultLoggerFactory{Writer: io.Discard, DefaultLogLevel: logging.LogLevelDisabled},
	}
	if err := s.listen(&config); err != nil {
		return nil, errors.Join(err, closeAll(config))
	}
	var err error
	if s.turn, err = turn.NewServer(config); err != nil {
		return nil, errors.Join(fmt.Errorf("start the relay: %w", err), closeAll(config))
	}
	return s, nil
}

// listen opens the listeners of s's configuration.
func (s *Server) listen(config *turn.ServerConfig) error {
	taken := func(err error) error {
		return &ward.Error{Kind: ward.Unavailable, Code: "relay.port", ZH: "无法使用 webrtc.turn 的端口，请检查是否被占用。", EN: "A port of webrtc.turn cannot be used; check whether another program has it.", Err: err}
	}
	gen, may := &generator{s}, func(_ net.Addr, peer net.IP) bool { return s.knows(peer) }
	if s.config.UDP != "" {
		c, err := net.ListenPacket("udp", s.config.UDP) //nolint:noctx // opens at once
		if err != nil {
			return taken(err)
		}
		config.PacketConnConfigs = append(config.PacketConnConfigs, turn.PacketConnConfig{PacketConn: c, RelayAddressGenerator: gen, PermissionHandler: may})
		s.announce("turn", "udp", c.LocalAddr())
	}
	add := func(address, scheme string, wrap func(net.Listener) net.Listener) error {
		l, err := net.Listen("tcp", address) //nolint:noctx // opens at once
		if err != nil {
			return taken(err)
		}
		b := &bounded{Listener: l, open: map[net.Conn]struct{}{}}
		s.streams = append(s.streams, b)
		config.ListenerConfigs = append(config.ListenerConfigs, turn.ListenerConfig{Listener: wrap(b), RelayAddressGenerator: gen, PermissionHandler: may})
		s.announce(scheme, "tcp", l.Addr())
		return nil
	}
	if s.config.TCP != "" {
		if err := add(s.config.TCP, "turn", func(l net.Listener) net.Listener { return l }); err != nil {
			return err
		}
	}
	if s.config.TLS == "" {
		return nil
	}
	pair := &certificate{cert: s.config.Certificate, key: s.config.Key}
	if _, err := pair.get(nil); err != nil {
		return invalid("relay.certificate", "无法读取 webrtc.turn 的证书或私钥。", "The certificate or key of webrtc.turn cannot be read.", err)
	}
	return add(s.config.TLS, "turns", func(l net.Listener) net.Listener {
		return secure{tls.NewListener(l, &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: pair.get})}
	})
}

// announce adds the URL (RFC 7065) of a listener.
func (s *Server) announce(scheme, transport string, at net.Addr) {
	host, port := s.config.Host, 0
	switch a := at.(type) {
	case *net.UDPAddr:
		port = a.Port
	case *net.TCPAddr:
		port = a.Port
	}
	s.urls = append(s.urls, scheme+":"+net.JoinHostPort(host, strconv.Itoa(port))+"?transport="+transport)
}

// Close ends every relayed connection and the listeners.
func (s *Server) Close() error {
	err := s.turn.Close()
	for _, b := range s.streams {
		b.drop()
	}
	s.accounts.closeAll()
	return err
}

func closeAll(c turn.ServerConfig) error {
	var errs []error
	for _, p := range c.PacketConnConfigs {
		errs = append(errs, p.PacketConn.Close())
	}
	for _, l := range c.ListenerConfigs {
		errs = append(errs, l.Listener.Close())
	}
	return errors.Join(errs...)
}

func invalid(code, zh, en string, err error) error {
	return &ward.Error{Kind: ward.Invalid, Code: code, ZH: zh, EN: en, Err: err}
}
