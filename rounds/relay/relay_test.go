package relay_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pion/logging"
	"github.com/pion/turn/v5"

	"wardwatch/rounds/relay"
	"wardwatch/ward"
)

const minute = time.Minute // of patience with a busy machine

// port is a UDP socket of this machine.
func port(t *testing.T) (*net.UDPConn, netip.AddrPort) {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c, c.LocalAddr().(*net.UDPAddr).AddrPort()
}

// serve runs a relay to media.
func serve(t *testing.T, media netip.AddrPort, change func(*relay.Config)) *relay.Server {
	t.Helper()
	c := relay.Config{UDP: "127.0.0.1:0", TCP: "127.0.0.1:0", Host: "127.0.0.1", Media: []netip.AddrPort{media}}
	if change != nil {
		change(&c)
	}
	s, err := relay.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// client connects to one of the relay's URLs as a browser does.
func client(t *testing.T, c relay.Credentials, want string) *turn.Client {
	t.Helper()
	for _, u := range c.URLs {
		scheme, rest, _ := strings.Cut(u, ":")
		address, transport, _ := strings.Cut(rest, "?transport=")
		if scheme+"/"+transport != want {
			continue
		}
		var local net.PacketConn
		switch want {
		case "turn/udp":
			local, _ = port(t)
		default:
			stream, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			if want == "turns/tcp" {
				stream = tls.Client(stream, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // a certificate of this test
			}
			local = turn.NewSTUNConn(stream)
		}
		k, err := turn.NewClient(&turn.ClientConfig{
			STUNServerAddr: address, TURNServerAddr: address, Username: c.Username, Password: c.Credential, Conn: local, Realm: "wardwatch",
			LoggerFactory: &logging.DefaultLoggerFactory{DefaultLogLevel: logging.LogLevelDisabled},
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := k.Listen(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { k.Close(); local.Close() })
		return k
	}
	t.Fatalf("no %s in %v", want, c.URLs)
	return nil
}

// echo answers every packet on c.
func echo(c *net.UDPConn) {
	b := make([]byte, 2000)
	for {
		n, from, err := c.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		_, _ = c.WriteToUDPAddrPort(b[:n], from)
	}
}

// bounced says whether a word that goes out comes back.
func bounced(t *testing.T, out net.PacketConn, to netip.AddrPort, tries int) bool {
	t.Helper()
	b := make([]byte, 2000)
	for range tries { // UDP may lose some
		if _, err := out.WriteTo([]byte("hello"), net.UDPAddrFromAddrPort(to)); err != nil {
			return false
		}
		_ = out.SetReadDeadline(time.Now().Add(3 * time.Second))
		if n, from, err := out.ReadFrom(b); err == nil {
			return string(b[:n]) == "hello" && from.String() == to.String()
		}
	}
	return false
}

func TestMediaComeByUDPTCPAndTLS(t *testing.T) {
	t.Parallel()
	media, at := port(t)
	go echo(media)
	cert, key := pair(t)
	s := serve(t, at, func(c *relay.Config) { c.TLS, c.Certificate, c.Key = "127.0.0.1:0", cert, key })
	for _, way := range []string{"turn/udp", "turn/tcp", "turns/tcp"} {
		out, err := client(t, s.Grant("v1", time.Now()), way).Allocate()
		if err != nil {
			t.Fatalf("%s: %v", way, err)
		}
		if !bounced(t, out, at, 20) {
			t.Errorf("%s: nothing came back", way)
		}
	}
}

// TestAHostileClient: who has a credential reaches the media port and nothing
// else, neither of this machine nor of its network.
func TestAHostileClient(t *testing.T) {
	t.Parallel()
	_, at := port(t)
	s := serve(t, at, nil)
	k := client(t, s.Grant("v1", time.Now()), "turn/udp")
	out, err := k.Allocate()
	if err != nil {
		t.Fatal(err)
	}
	// The database of this machine: its address is that of the media port, its port is not.
	database, its := port(t)
	if _, err := out.WriteTo([]byte("select"), net.UDPAddrFromAddrPort(its)); err == nil {
		_ = database.SetReadDeadline(time.Now().Add(time.Second))
		if n, from, err := database.ReadFromUDP(make([]byte, 100)); err == nil {
			t.Errorf("%d bytes reached another port, from %s", n, from)
		}
	}
	// And back: a stranger's packet on the relayed port does not reach the client.
	relayed := out.LocalAddr().(*net.UDPAddr)
	if _, err := database.WriteTo([]byte("boo"), relayed); err != nil {
		t.Fatal(err)
	}
	_ = out.SetReadDeadline(time.Now().Add(time.Second))
	if n, from, err := out.ReadFrom(make([]byte, 100)); err == nil {
		t.Errorf("%d bytes came from %s", n, from)
	}
	for _, peer := range []string{"127.0.0.2:5432", "10.0.0.1:22", "169.254.169.254:80", "0.0.0.0:5432", "255.255.255.255:9", "224.0.0.1:9", "[::1]:5432"} {
		to := netip.MustParseAddrPort(peer)
		if err := k.CreatePermission(net.UDPAddrFromAddrPort(to)); err == nil {
			t.Errorf("may send to %s", peer)
		}
	}
	tcp := client(t, s.Grant("v1", time.Now()), "turn/tcp")
	if a, err := tcp.AllocateTCP(); err == nil {
		if c, err := a.Dial("tcp4", its.String()); err == nil {
			t.Errorf("a TCP connection to %s", c.RemoteAddr())
		}
		t.Error("TCP is relayed")
	}
}

func TestCredentialsEnd(t *testing.T) {
	t.Parallel()
	media, at := port(t)
	go echo(media)
	s := serve(t, at, nil)
	refused := func(why string, c relay.Credentials) {
		t.Helper()
		if _, err := client(t, c, "turn/udp").Allocate(); err == nil {
			t.Errorf("%s: allocated", why)
		}
	}
	good := s.Grant("v1", time.Now())
	bad := good
	bad.Credential = "x"
	refused("a wrong password", bad)
	bad = good
	bad.Username = "99999999999:" + strings.SplitN(good.Username, ":", 2)[1]
	refused("a later expiry", bad)
	bad = serve(t, at, nil).Grant("v1", time.Now())
	bad.URLs = good.URLs
	refused("another server's", bad)
	refused("an expired one", s.Grant("v1", time.Now().Add(-relay.Valid)))

	out, err := client(t, good, "turn/tcp").Allocate()
	if err != nil || !bounced(t, out, at, 20) {
		t.Fatalf("a good one: %v", err)
	}
	other, err := client(t, s.Grant("v2", time.Now()), "turn/tcp").Allocate()
	if err != nil {
		t.Fatal(err)
	}
	s.Revoke("v1")
	refused("a revoked one", good)
	if bounced(t, out, at, 1) {
		t.Error("a revoked one still relays")
	}
	if !bounced(t, other, at, 20) {
		t.Error("another visit's ended with it")
	}
}

func TestOneCredentialHasNotAllSockets(t *testing.T) {
	t.Parallel()
	_, at := port(t)
	s := serve(t, at, nil)
	c := s.Grant("v1", time.Now())
	n := 0
	for ; n < 30; n++ {
		if _, err := client(t, c, "turn/tcp").Allocate(); err != nil {
			break
		}
	}
	if n != 10 {
		t.Errorf("%d allocations", n)
	}
	if _, err := client(t, s.Grant("v2", time.Now()), "turn/tcp").Allocate(); err != nil {
		t.Errorf("another credential: %v", err)
	}
}

func TestRateIsBounded(t *testing.T) {
	t.Parallel()
	media, at := port(t)
	s := serve(t, at, func(c *relay.Config) { c.Rate = 20_000 })
	out, err := client(t, s.Grant("v1", time.Now()), "turn/tcp").Allocate()
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for range 400 {
		if _, err := out.WriteTo(make([]byte, 1000), net.UDPAddrFromAddrPort(at)); err != nil {
			t.Fatal(err)
		}
	}
	got := 0
	_ = media.SetReadDeadline(time.Now().Add(2 * time.Second))
	for {
		n, _, err := media.ReadFromUDP(make([]byte, 2000))
		if err != nil {
			break
		}
		got += n
	}
	if most := 20_000 + int(20_000*time.Since(began).Seconds()) + 2000; got == 0 || got > most {
		t.Errorf("%d of 400000 bytes, want at most %d", got, most)
	}
}

func TestStartsOnlyAsItShould(t *testing.T) {
	t.Parallel()
	_, at := port(t)
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	for code, c := range map[string]relay.Config{
		"relay.media":       {UDP: "127.0.0.1:0"},
		"relay.port":        {UDP: "127.0.0.1:0", TCP: busy.Addr().String(), Media: []netip.AddrPort{at}},
		"relay.certificate": {UDP: "127.0.0.1:0", TLS: "127.0.0.1:0", Certificate: "/none", Media: []netip.AddrPort{at}},
	} {
		if s, err := relay.Open(c); !errors.Is(err, &ward.Error{Code: code}) {
			t.Errorf("%s: %v, %v", code, s, err)
		}
	}
}

// TestAnEndedConnectionIsGone: garbage instead of TLS, and a client that goes, leave nothing behind.
func TestAnEndedConnectionIsGone(t *testing.T) {
	t.Parallel()
	_, at := port(t)
	cert, key := pair(t)
	s := serve(t, at, func(c *relay.Config) { c.TCP, c.TLS, c.Certificate, c.Key = "", "127.0.0.1:0", cert, key })
	address := strings.TrimSuffix(strings.TrimPrefix(s.Grant("v1", time.Now()).URLs[1], "turns:"), "?transport=tcp")
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("GET / HTTP/1.1\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(minute))
	for {
		if _, err := c.Read(make([]byte, 100)); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error("the connection stays open")
			}
			return
		}
	}
}

// pair makes a certificate.
func pair(t *testing.T) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(t.TempDir(), "c.pem"), filepath.Join(t.TempDir(), "k.pem")
	for name, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}
