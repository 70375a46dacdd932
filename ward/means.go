package ward

import (
	"context"
	"strings"
)

// Via says how the actor of an act was known.
type Via string

// The ways.
const (
	ViaPassword Via = "password"
	ViaOneTime  Via = "one_time"  // a sign-in that an administrator made, for once
	ViaToken    Via = "api_token" // a program
	ViaShare    Via = "share"     // a link for one person outside, with its code
	ViaBedside  Via = "bedside"   // a visit's link, or a ward's tablet
	ViaService  Via = "service"   // the service itself, or a command on its machine
)

// Means are how and from where an act came. Every custody event carries that
// of the request that it is of; events of before this was kept carry none.
type Means struct {
	Via Via `json:"via,omitempty"`
	// Scope are the institutions that the actor was limited to, joined by
	// commas, at most 500 bytes; "*" is all of them.
	Scope   string `json:"scope,omitempty"`
	Address string `json:"address,omitempty"` // IP address of who is signed in; never of a bedside
	Device  string `json:"device,omitempty"`  // browser and system, as the browser says
}

// Result says how an act ended; empty: it was done.
type Result string

// ResultRefused is the Result of an act that was asked for and not done.
const ResultRefused Result = "refused"

type meansKey struct{}

// WithMeans says from where what is done with the context comes.
func WithMeans(ctx context.Context, o Means) context.Context {
	return context.WithValue(ctx, meansKey{}, o)
}

// MeansOf is what WithMeans said; without it the service itself acts.
func MeansOf(ctx context.Context) Means {
	if o, ok := ctx.Value(meansKey{}).(Means); ok {
		return o
	}
	return Means{Via: ViaService}
}

const mostScope = 500

// ScopeOf is the Scope of a user's acts.
func ScopeOf(u User) string {
	if u.AllInstitutions {
		return "*"
	}
	var b strings.Builder
	for i, id := range u.Institutions {
		if b.Len()+len(id) > mostScope-len(",…") {
			b.WriteString(",…")
			break
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(string(id))
	}
	return b.String()
}

// DeviceOf names the browser and the system of a User-Agent header (RFC 9110,
// section 10.1.5) by the names that their makers write there; what is none of
// them is its first product. The bytes are foreign.
func DeviceOf(agent string) string {
	first := func(names ...string) string {
		for _, n := range names {
			token, name, _ := strings.Cut(n, "=")
			if _, rest, ok := strings.Cut(agent, token); ok {
				end := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
				if end < 0 {
					end = len(rest)
				}
				if end = min(end, 5); end > 0 && strings.HasSuffix(token, "/") {
					return name + " " + rest[:end]
				}
				return name
			}
		}
		return ""
	}
	browser := first("MicroMessenger/=WeChat", "Edg/=Edge", "Firefox/=Firefox", "Chrome/=Chrome", "Version/=Safari")
	system := first("Windows NT=Windows", "Android=Android", "iPhone=iPhone", "iPad=iPad", "Mac OS X=macOS", "CrOS=ChromeOS", "HarmonyOS=HarmonyOS", "Linux=Linux")
	if browser == "" {
		product, _, _ := strings.Cut(agent, " ")
		browser = strings.Map(func(r rune) rune {
			if r < ' ' || r > '~' {
				return -1
			}
			return r
		}, product[:min(len(product), 40)])
	}
	return strings.TrimSpace(browser + " " + system)
}
