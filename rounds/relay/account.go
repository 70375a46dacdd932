package relay

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // what the REST draft and browsers' TURN clients use; a MAC is not hurt by collisions
	"encoding/base64"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pion/turn/v5"
	"golang.org/x/time/rate"

	"wardwatch/ward"
)

const (
	// Valid is how long a credential lives: a visit with a talk of ten minutes.
	Valid = 20 * time.Minute
	// DefaultRate is what one credential may have relayed, in bytes a second:
	// 4 Mbit/s of pictures each way, and room for a retransmission.
	DefaultRate = 1_250_000
	// perAccount is how many allocations one credential may hold: a browser
	// makes one for each URL and network interface.
	perAccount = 10
	// inAll bounds the allocations, and so the sockets, of the process.
	inAll = 4000
	// accountsMax bounds the credentials in memory; the oldest gives way.
	accountsMax = 10000
	// perVisit bounds those of one visit: two ends, reloads, and viewers.
	perVisit = 16
)

// Credentials are what a browser needs to use the relay (an RTCIceServer).
type Credentials struct {
	URLs       []string  `json:"urls"`
	Username   string    `json:"username"`
	Credential string    `json:"credential"`
	Expires    time.Time `json:"expires"`
}

// account is who holds a credential.
type account struct {
	name    string // random: the user name crosses the network in clear
	visit   ward.VisitID
	expires time.Time
	budget  *rate.Limiter

	conns []*conn // guarded by accounts.mu
}

// accounts knows every credential that is valid.
type accounts struct {
	secret [32]byte // of this process: credentials end with it
	rate   int

	mu   sync.Mutex // guards the rest
	all  map[string]*account
	open int // allocations of all
}

// Grant returns new credentials for one end of a visit's call. Whoever asks
// must have opened the visit's link, or be allowed to join it.
func (s *Server) Grant(visit ward.VisitID, now time.Time) Credentials {
	a := &account{name: rand.Text(), visit: visit, expires: now.Add(Valid), budget: rate.NewLimiter(rate.Limit(s.config.Rate), s.config.Rate)}
	s.accounts.add(a, now)
	user := strconv.FormatInt(a.expires.Unix(), 10) + ":" + a.name
	return Credentials{URLs: s.urls, Username: user, Credential: s.accounts.password(user), Expires: a.expires.UTC()}
}

// Revoke ends every credential of a visit, and what is relayed with them.
func (s *Server) Revoke(visit ward.VisitID) {
	s.accounts.mu.Lock()
	var conns []*conn
	for name, a := range s.accounts.all {
		if a.visit == visit {
			conns = append(conns, a.conns...)
			delete(s.accounts.all, name)
		}
	}
	s.accounts.mu.Unlock()
	for _, c := range conns {
		_ = c.Close()
	}
}

func (a *accounts) add(n *account, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.all == nil {
		a.all = map[string]*account{}
	}
	var ofAll, ofVisit *account
	same := 0
	for name, x := range a.all {
		if x.expires.Before(now) && len(x.conns) == 0 {
			delete(a.all, name)
			continue
		}
		ofAll = older(ofAll, x)
		if x.visit == n.visit {
			same++
			ofVisit = older(ofVisit, x)
		}
	}
	if same >= perVisit {
		delete(a.all, ofVisit.name)
	} else if len(a.all) >= accountsMax {
		delete(a.all, ofAll.name)
	}
	a.all[n.name] = n
}

func older(a, b *account) *account {
	if a == nil || b.expires.Before(a.expires) {
		return b
	}
	return a
}

// password is that of a user name, after draft-uberti-behave-turn-rest.
func (a *accounts) password(user string) string {
	m := hmac.New(sha1.New, a.secret[:])
	m.Write([]byte(user))
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}

// authenticate implements turn.AuthHandler. It is asked at every request but
// for data, so that an expired or revoked credential cannot be refreshed.
func (a *accounts) authenticate(r *turn.RequestAttributes) (user string, key []byte, ok bool) {
	when, name, found := strings.Cut(r.Username, ":")
	at, err := strconv.ParseInt(when, 10, 64)
	if !found || err != nil {
		return "", nil, false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	x := a.all[name]
	if x == nil || x.expires.Unix() != at || !time.Now().Before(x.expires) {
		return "", nil, false
	}
	return name, turn.GenerateAuthKey(r.Username, r.Realm, a.password(r.Username)), true
}

func (a *accounts) mayAllocate(name string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	x := a.all[name]
	return x != nil && len(x.conns) < perAccount && a.open < inAll
}

// take enters a relayed connection into its account.
func (a *accounts) take(name string, c *conn) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	x := a.all[name]
	if x == nil || len(x.conns) >= perAccount || a.open >= inAll {
		return errQuota
	}
	x.conns = append(x.conns, c)
	a.open++
	c.account = x
	return nil
}

// give takes it out again.
func (a *accounts) give(c *conn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if i := slices.Index(c.account.conns, c); i >= 0 {
		c.account.conns = slices.Delete(c.account.conns, i, i+1)
		a.open--
	}
}

func (a *accounts) closeAll() {
	a.mu.Lock()
	var conns []net.PacketConn
	for _, x := range a.all {
		for _, c := range x.conns {
			conns = append(conns, c)
		}
	}
	a.mu.Unlock()
	for _, c := range conns {
		_ = c.Close()
	}
}
