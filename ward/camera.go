package ward

import (
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The bounds of a camera's settings, and what stands for a setting that is
// left out.
const (
	MinSegmentSeconds     = 2
	MaxSegmentSeconds     = 3600
	DefaultSegmentSeconds = 60
	MaxRetentionDays      = 3650
	DefaultRetentionDays  = 90 // ordinary recordings; held evidence is kept apart

	maxName       = 64   // characters, of a camera or place
	maxURL        = 1024 // bytes
	maxCredential = 128  // characters, of a user or password
)

// Fault is what is wrong with one setting: Field is its JSON name, Err has
// Kind Invalid and Code "camera." and the field's name or more.
type Fault struct {
	Field string
	Err   *Error
}

// WithDefaults fills in what was left out and writes the rest in its one
// form: a fingerprint in lower case without colons, no hours where the
// policy has none.
func (c Camera) WithDefaults() Camera {
	if c.SegmentSeconds == 0 {
		c.SegmentSeconds = DefaultSegmentSeconds
	}
	if c.RetentionDays == 0 {
		c.RetentionDays = DefaultRetentionDays
	}
	if c.Transport == "" {
		c.Transport = TransportAuto
	}
	if c.Record == "" {
		c.Record = RecordAlways
	}
	if c.Record != RecordHours {
		c.RecordFrom, c.RecordTo = "", ""
	}
	c.TLSFingerprint = strings.ToLower(strings.NewReplacer(":", "", " ", "").Replace(c.TLSFingerprint))
	return c
}

// Faults lists everything that is wrong with the camera's settings, in the
// order of the form. What other rows say (its place, its id) is not looked at.
func (c Camera) Faults() []Fault {
	f := &faults{}
	f.when(!ValidID(string(c.ID)), "id", "id", "编号只能用小写字母、数字、-、_，以字母或数字开头，最长 64 个字符。", "The id may hold a-z, 0-9, - and _, begins with a letter or digit, and has at most 64 characters.")
	f.when(!ValidName(c.Name), "name", "name", "请填写摄像头名称，最长 64 个字，不含换行等控制字符。", "Give the camera a name of at most 64 characters, without line breaks.")
	f.address("url", c.URL)
	if c.SubURL != "" {
		f.address("sub_url", c.SubURL)
		f.when(c.SubURL == c.URL, "sub_url", "sub_url_same", "子码流地址与主码流相同；没有子码流时请留空。", "The sub stream's address is the main stream's; leave it empty when there is no sub stream.")
	}
	if c.ReplayURL != "" {
		u, _ := c.ReplayAt(time.Unix(0, 0), time.Unix(0, 0))
		f.address("replay_url", u)
		f.when(strings.ContainsAny(u, "{}"), "replay_url", "replay_url_marks", "回放地址里的占位符只能是 {from}、{to}、{from_local}、{to_local}。", "The marks in the replay address are {from}, {to}, {from_local} and {to_local}.")
	}
	f.when(!validCredential(c.User) || strings.Contains(c.User, ":"), "user", "user", "用户名最长 128 个字符，不能含冒号或控制字符。", "A user name has at most 128 characters, no colon and no control characters.")
	f.when(!validCredential(string(c.Password)), "password", "password", "密码最长 128 个字符，不能含控制字符。", "A password has at most 128 characters and no control characters.")
	f.when(c.Transport != TransportAuto && c.Transport != TransportTCP && c.Transport != TransportUDP, "transport", "transport", "传输方式只能是 auto、tcp 或 udp。", "The transport is auto, tcp or udp.")
	f.tls(c)
	f.record(c)
	f.when(c.SegmentSeconds < MinSegmentSeconds || c.SegmentSeconds > MaxSegmentSeconds, "segment_seconds", "segment_seconds", "分段时长为 2 到 3600 秒。", "A segment lasts 2 to 3600 seconds.")
	f.when(c.RetentionDays < 1 || c.RetentionDays > MaxRetentionDays, "retention_days", "retention_days", "保留天数为 1 到 3650 天。", "Retention is 1 to 3650 days.")
	return f.list
}

type faults struct{ list []Fault }

func (f *faults) when(wrong bool, field, code, zh, en string) {
	if wrong {
		f.list = append(f.list, Fault{field, &Error{Kind: Invalid, Code: "camera." + code, ZH: zh, EN: en}})
	}
}

// address checks one RTSP address. A bare @ may stand nowhere in it: what is
// left of a password that holds a slash would be stored with the address.
func (f *faults) address(field, raw string) {
	u, err := url.Parse(raw)
	switch {
	case strings.Contains(raw, "@"):
		f.when(true, field, field+"_credentials", "地址里不能有 @：请把用户名和密码填在各自的栏目（路径里确有 @ 时写成 %40）。", "No @ in the address: put the user and password in their own fields (an @ that belongs to the path is written %40).")
	case err != nil || len(raw) > maxURL || !validAuthority(u) || u.Fragment != "" || strings.ContainsFunc(raw, blank):
		f.when(true, field, field, "地址应为 rtsp://主机:端口/路径（或 rtsps://），不含空格，最长 1024 个字符。", "The address must look like rtsp://host:port/path (or rtsps://), without blanks, at most 1024 characters.")
	}
}

func validAuthority(u *url.URL) bool {
	if u.Scheme != "rtsp" && u.Scheme != "rtsps" || u.Opaque != "" || u.Hostname() == "" || len(u.Hostname()) > 253 {
		return false
	}
	if p := u.Port(); p != "" {
		n, err := strconv.ParseUint(p, 10, 16)
		return err == nil && n > 0
	}
	return !strings.HasSuffix(u.Host, ":")
}

func blank(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }

// ValidName says whether s can be the name of a camera or place: 1 to 64
// characters, not only blanks, no control characters.
func ValidName(s string) bool {
	return strings.TrimSpace(s) != "" && utf8.RuneCountInString(s) <= maxName && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

func validCredential(s string) bool {
	return utf8.RuneCountInString(s) <= maxCredential && !strings.ContainsFunc(s, unicode.IsControl)
}

func validFingerprint(s string) bool {
	return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == ""
}

func (f *faults) tls(c Camera) {
	if c.TLSFingerprint == "" {
		return
	}
	f.when(!validFingerprint(c.TLSFingerprint), "tls_fingerprint", "tls_fingerprint", "证书指纹应为 SHA-256 的 64 位十六进制数。", "The fingerprint is a SHA-256: 64 hexadecimal digits.")
	f.when(!strings.HasPrefix(strings.ToLower(c.URL), "rtsps:") && !strings.HasPrefix(strings.ToLower(c.SubURL), "rtsps:") && !strings.HasPrefix(strings.ToLower(c.ReplayURL), "rtsps:"), "tls_fingerprint", "tls_fingerprint_plain", "只有 rtsps:// 地址才有证书指纹，请改地址或清空指纹。", "Only an rtsps:// address has a fingerprint; change the address or empty the fingerprint.")
}

func validTimeOfDay(s string) bool {
	_, err := time.Parse("15:04", s)
	return err == nil && len(s) == len("15:04")
}

func (f *faults) record(c Camera) {
	f.when(c.Record != RecordAlways && c.Record != RecordHours && c.Record != RecordNever, "record", "record", "录像策略只能是 always、hours 或 never。", "The record policy is always, hours or never.")
	if c.Record != RecordHours {
		return
	}
	f.when(!validTimeOfDay(c.RecordFrom), "record_from", "record_from", "按时段录像时，请填写开始时刻，形如 08:00。", "To record by hours, give the time it begins, like 08:00.")
	f.when(!validTimeOfDay(c.RecordTo), "record_to", "record_to", "按时段录像时，请填写结束时刻，形如 18:30。", "To record by hours, give the time it ends, like 18:30.")
	f.when(c.RecordFrom != "" && c.RecordFrom == c.RecordTo, "record_to", "record_hours", "开始与结束时刻相同；全天录像请选 always。", "It begins and ends at the same time; choose always to record all day.")
}

// Target is where a camera's password goes, and what its receiver must prove.
type Target struct {
	Scheme, Host, Port string
	Fingerprint        string // of rtsps only
}

// Targets lists where the camera's password goes: one to three.
func (c Camera) Targets() []Target {
	var all []Target
	replay, _ := c.ReplayAt(time.Unix(0, 0), time.Unix(0, 0))
	for _, raw := range []string{c.URL, c.SubURL, replay} {
		u, err := url.Parse(raw)
		if raw == "" || err != nil {
			continue
		}
		t := Target{Scheme: u.Scheme, Host: strings.ToLower(u.Hostname()), Port: u.Port()}
		if t.Scheme == "rtsps" {
			t.Fingerprint = c.TLSFingerprint
		}
		if t.Port == "" {
			t.Port = map[string]string{"rtsp": "554", "rtsps": "322"}[t.Scheme]
		}
		all = append(all, t)
	}
	return all
}

// MayInherit says whether the password stored for c may be used by to, which
// somebody changed it into without typing the password: only when it goes to
// nobody who did not have it. Otherwise whoever may change a camera could
// point it at a server of their own and be sent the password.
func (c Camera) MayInherit(to Camera) bool {
	had := map[Target]bool{}
	for _, t := range c.Targets() {
		had[t] = true
	}
	for _, t := range to.Targets() {
		if !had[t] {
			return false
		}
	}
	return true
}

// The forms in which a replay address tells a moment: UTC as in a Range
// header (RFC 2326 3.7; Hikvision's), and the device's own time (Dahua's),
// which is Asia/Shanghai.
const (
	replayUTC   = "20060102T150405Z"
	replayLocal = "2006_01_02_15_04_05"
)

// ReplayAt is the address at which the device plays what it stored from from
// to to, moments of its own clock, to the second. The marks {from} and {to}
// stand for them in UTC, like 20261122T020000Z, {from_local} and {to_local}
// for 2026_11_22_10_00_00 in Asia/Shanghai. marked is false when there are
// none: then the stretch is asked for by the Range header (ONVIF Profile G).
func (c Camera) ReplayAt(from, to time.Time) (address string, marked bool) {
	local := time.FixedZone("CST", 8*3600)
	address = strings.NewReplacer("{from}", from.UTC().Format(replayUTC), "{to}", to.UTC().Format(replayUTC),
		"{from_local}", from.In(local).Format(replayLocal), "{to_local}", to.In(local).Format(replayLocal)).Replace(c.ReplayURL)
	return address, address != c.ReplayURL
}

// SplitCredentials takes the user and password out of an address that was
// typed with them, rtsp://user:password@host/path; found says whether it was.
// A password with a bare slash, ? or # is beyond it: the address that is left
// then has an @, which Faults refuses.
func SplitCredentials(raw string) (address, user, password string, found bool) {
	scheme, rest, ok := strings.Cut(raw, "://")
	if !ok {
		return raw, "", "", false
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	at := strings.LastIndex(rest[:end], "@")
	if at < 0 {
		return raw, "", "", false
	}
	user, password, _ = strings.Cut(rest[:at], ":")
	return scheme + "://" + rest[at+1:], unescaped(user), unescaped(password), true
}

// unescaped is s with %40 as @, or s when it was never escaped.
func unescaped(s string) string {
	if plain, err := url.PathUnescape(s); err == nil {
		return plain
	}
	return s
}

// ErrPasswordLost is what whoever needs the password of a camera whose stored
// one cannot be read is told.
func ErrPasswordLost() *Error {
	return &Error{
		Kind: Invalid, Code: "camera.password_lost",
		ZH: "所存密码无法读取（密钥文件 seal.key 已更换），请重新填写密码，或恢复原密钥文件。",
		EN: "The stored password cannot be read (the key file seal.key is another one); enter it again, or restore the old key file.",
	}
}

// SubFault says why a camera's sub stream is not looked at, and its main stream is.
type SubFault string

// The faults of a sub stream. NoSubFault: there is none, or no sub stream.
const (
	NoSubFault SubFault = ""
	SubAway    SubFault = "away"    // it cannot be had, or it ended
	SubBusy    SubFault = "busy"    // the device has no connection to spare
	SubKeyless SubFault = "keyless" // no key frames for too long
	SubSmall   SubFault = "small"   // too few pixels to find people in
	SubDiffers SubFault = "differs" // it shows something else than the main stream, or stands still
)
