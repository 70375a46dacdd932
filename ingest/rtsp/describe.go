package rtsp

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/sdp"
)

// maxRedirects is how often a camera may send its client to another path.
const maxRedirects = 3

// ErrElsewhere is the error of a camera that sends its client away: another
// address would get the credentials.
var ErrElsewhere = errors.New("the camera redirects to another address, which is not followed; store that address instead")

// Describe asks what there is. A part of the description that cannot be read
// is left out and named in odd; at least one medium is there.
func (c *Client) Describe(ctx context.Context) (d *description.Session, odd []string, err error) {
	// OPTIONS tells the methods. Cameras that refuse it work without.
	a, err := c.do(ctx, base.Options, c.cfg.URL, nil)
	if err != nil {
		return nil, nil, err
	}
	c.alive.offer(a.Header["Public"])
	u := c.cfg.URL
	for try := 0; ; try++ {
		a, err = c.asking(ctx, base.Describe, u, base.Header{"Accept": {"application/sdp"}})
		where := ""
		if a != nil {
			where = strings.Join(a.Header["Location"], "")
		}
		if err == nil || a == nil || a.StatusCode < 300 || a.StatusCode >= 400 || where == "" {
			break
		}
		to, bad := base.ParseURL(where)
		if bad != nil || to.Scheme != u.Scheme || HostPort(to) != HostPort(u) || try == maxRedirects {
			return nil, nil, fmt.Errorf("redirect %d: %w", try+1, ErrElsewhere)
		}
		u = to.CloneWithoutCredentials()
	}
	if err != nil {
		return nil, nil, err
	}
	d, odd, root, err := ParseDescription(a.Body)
	if err != nil {
		return nil, nil, err
	}
	c.say.Lock()
	defer c.say.Unlock()
	c.control = baseURL(u, root, strings.Join(a.Header["Content-Base"], ""))
	d.BaseURL = c.control
	return d, odd, nil
}

// baseURL is what relative addresses in the description are relative to:
// the description's own control address, Content-Base, or what was asked for
// (RFC 2326 C.1.1). Only its path counts: cameras behind NAT name an address
// that leads nowhere, or to somebody else.
func baseURL(asked *base.URL, control, contentBase string) *base.URL {
	for _, s := range []string{control, contentBase} {
		if s == "" || s == "*" {
			continue
		}
		if strings.HasPrefix(s, "/") {
			s = asked.Scheme + "://" + asked.Host + s
		}
		u, err := base.ParseURL(s)
		if err != nil {
			continue
		}
		u = u.CloneWithoutCredentials()
		u.Scheme, u.Host = asked.Scheme, asked.Host
		return u
	}
	return asked
}

// sections begins each medium of a description.
var sections = regexp.MustCompile(`(?m)^m=`)

// odds are lines of a medium that cameras get wrong, and that can be done
// without: parameter sets come with the pictures.
var odds = regexp.MustCompile(`(?m)^(a=fmtp:|a=framesize|a=cliprect|a=x-|a=key-mgmt|a=mid:|b=|i=|c=).*\r?\n`)

// ParseDescription reads an SDP (RFC 4566). What is wrong in one medium does
// not spoil the others: it is read without its parameters, or left out and
// named in odd. control is the session's control attribute.
func ParseDescription(text []byte) (d *description.Session, odd []string, control string, err error) {
	d, control, err = parseSDP(string(text))
	if err == nil {
		return d, nil, control, nil
	}
	first := err
	starts := sections.FindAllStringIndex(string(text), 32)
	if len(starts) == 0 {
		return nil, nil, "", fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	head := string(text[:starts[0][0]])
	all := &description.Session{}
	for i, at := range starts {
		end := len(text)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		part := string(text[at[0]:end])
		line, _, _ := strings.Cut(part, "\n")
		one, root, err := parseSDP(head + part)
		if err != nil {
			one, root, err = parseSDP("v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n" + odds.ReplaceAllString(part, ""))
			odd = append(odd, strings.TrimSpace(line))
		}
		if err != nil {
			continue
		}
		all.Medias = append(all.Medias, one.Medias...)
		if root != "" {
			control = root
		}
	}
	if len(all.Medias) == 0 {
		return nil, nil, "", fmt.Errorf("%w: %w", ErrAnswer, first)
	}
	return all, odd, control, nil
}

func parseSDP(text string) (*description.Session, string, error) {
	var s sdp.SessionDescription
	if err := s.Unmarshal([]byte(text)); err != nil {
		return nil, "", err
	}
	var d description.Session
	if err := d.Unmarshal(&s); err != nil {
		return nil, "", err
	}
	control, _ := s.Attribute("control")
	return &d, control, nil
}
