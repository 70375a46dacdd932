package verify

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"

	"wardwatch/storage/sealed"
	"wardwatch/ward"
)

// Report is the outcome of a verification.
type Report struct {
	Case, Institution, Title string
	Cause                    string   // of the case; empty: nobody has given one
	Basis, Officers          []string // laws; name and certificate of each officer
	Exported                 time.Time
	By                       string             // who exported, an id
	Witnesses                []ward.CaseWitness // of the taking of the evidence
	Items, Files             int
	Bytes                    int64     // of the package
	Records, Events          int       // proven; custody events among them
	LedgerSize               int64     // leaves under the signature
	Lines                    int       // of text written in visits, proven
	Fingerprint              string    // of the key in the package
	Compared                 bool      // it equals the one that the caller brought, or follows it
	Former                   time.Time // when the key that the caller brought was replaced; zero: it is the package's
	SM2                      string    // fingerprint of the key of the second signature, which is valid; empty: there is none
	Outside                  []Outside
	// Stretches say where there is no recording, and why: proven.
	Stretches []sealed.Stretch
	// Filled are recordings that the device had stored itself and that were
	// taken from it afterwards, and their length: proven, and not recorded as it happened.
	Filled int
	// Derivatives are copies made of items in the package or left out of it, in
	// which parts of the picture are covered: proven, and what they were made of too.
	Derivatives int
	FilledFor   time.Duration
	Made        Made
	// Devices are what the cameras are as things, and who says so: proven to be said.
	Devices []ward.CameraDevice
	// OtherPage says that the package's verify.html is not the one of this
	// version: the package is of another one, or its exporter was tampered with.
	OtherPage bool
	Failures  []Finding
	// Missing are items that the package itself, truthfully, says it lacks.
	Missing []Finding
	More    int // failures beyond those listed
}

// Finding is one thing that is wrong, in words for people.
type Finding struct{ File, ZH, EN string }

// maxFindings bounds the list of a hostile package.
const maxFindings = 200

func (r *Report) fail(file, zh, en string) {
	if len(r.Failures) >= maxFindings {
		r.More++
		return
	}
	r.Failures = append(r.Failures, Finding{file, zh, en})
}

// Authentic says that nothing failed. Without Compared it means only that
// the package agrees with the key that lies in it.
func (r Report) Authentic() bool { return len(r.Failures) == 0 }

// Exit codes of `wardwatch verify`.
const (
	ExitVerified   = 0 // everything proven against the given fingerprint
	ExitFailed     = 1 // something is changed, missing, added or not proven
	ExitUsage      = 2 // the file cannot be read
	ExitUnchecked  = 3 // consistent, but no fingerprint was given
	ExitIncomplete = 4 // proven, but the package declares items that it lacks
)

// Exit is the exit code for r. keyless says that the caller knowingly does
// without a fingerprint.
func (r Report) Exit(keyless bool) int {
	switch {
	case !r.Authentic():
		return ExitFailed
	case !r.Compared && !keyless:
		return ExitUnchecked
	case len(r.Missing) > 0:
		return ExitIncomplete
	default:
		return ExitVerified
	}
}

// Print writes r for people, Chinese first. Names from the package are
// quoted where they could play tricks with a terminal.
func Print(w io.Writer, r Report) error {
	var b strings.Builder
	line := func(format string, a ...any) { fmt.Fprintf(&b, format+"\n", a...) }
	switch r.Exit(false) {
	case ExitVerified:
		line("核验通过 VERIFIED")
	case ExitUnchecked:
		line("未与外部指纹核对 CONSISTENT, BUT NOT CHECKED AGAINST AN OUTSIDE FINGERPRINT")
	case ExitIncomplete:
		line("核验通过，但证据不全 VERIFIED, BUT THE PACKAGE SAYS THAT IT IS INCOMPLETE")
	default:
		line("核验不通过 FAILED")
	}
	if r.Case != "" {
		line("案号 case:        %s %s", clean(r.Case), clean(r.Title))
		line("机构 institution: %s", clean(r.Institution))
		if r.Cause != "" {
			line("案由 cause:       %s（%s）", clean(r.Cause), clean(strings.Join(r.Basis, "；")))
		}
		if len(r.Officers) > 0 {
			line("执法人员 officers: %s", clean(strings.Join(r.Officers, "，")))
		}
		r.printWitnesses(line)
		line("证据 items:       %d; 文件 files: %d; 字节 bytes: %d", r.Items, r.Files, r.Bytes)
		line("封存记录 records: %d，其中保管事件 custody events among them: %d; 日志长度 ledger size: %d", r.Records, r.Events, r.LedgerSize)
	}
	if r.Lines > 0 {
		line("文字交流 lines of text: %d", r.Lines)
	}
	if r.Derivatives > 0 {
		line("遮挡件 redacted:   %d", r.Derivatives)
	}
	if r.Filled > 0 {
		line("补录 backfilled:  %d 个录像文件 recordings, %.1f 秒 s", r.Filled, r.FilledFor.Seconds())
		line("  事后从设备自身存储取回，用以填补缺口，并非当时录制（清单中 role 为 backfill）。")
		line("  Taken afterwards from what the device itself had stored, to fill gaps; not recorded as it happened (role backfill in the manifest).")
	}
	for _, d := range r.Devices {
		line("摄像头 camera:     %s 厂商 manufacturer %s, 型号 model %s, 固件 firmware %s, 序列号 serial %s; %s 起 since, %s", clean(string(d.CameraID)), said(d.Manufacturer), said(d.Model), said(d.Firmware), said(d.Serial), local(d.At), saidBy(d.Source))
	}
	r.Made.print(line)
	for _, s := range r.Stretches {
		line("时段 stretch:     %s %s – %s, 录得 recorded %.1f 秒 s, 补录 backfilled %.1f 秒 s", clean(s.Source.String()), local(s.From), local(s.To), float64(s.RecordedMS)/1000, float64(s.FilledMS)/1000)
		if len(s.Segments) == 0 {
			line("  整个时段没有录像 THERE IS NO RECORDING of this stretch")
		}
		for _, g := range s.Gaps {
			line("  无录像 no recording: %s – %s, 原因 cause: %s", local(g.From), local(g.To), clean(string(g.Cause)))
		}
	}
	if !r.Exported.IsZero() {
		line("导出 exported:    %s", r.Exported.In(time.FixedZone("", 8*60*60)).Format(time.RFC3339))
	}
	if r.Fingerprint != "" {
		line("公钥指纹 key fingerprint: %s", r.Fingerprint)
	}
	if !r.Compared && r.Fingerprint != "" {
		line("  请与从其他途径取得的指纹比较，或用 --key 指定。包内公钥不能证明自己。")
		line("  Compare it with the fingerprint that you were given elsewhere, or pass that with --key. A key cannot vouch for itself.")
	}
	if !r.Former.IsZero() {
		line("  给定的是旧密钥的指纹；该密钥于 %s 声明由上述密钥接替。", r.Former.Format(time.DateOnly))
		line("  The given fingerprint is of a former key, which stated on %s that the key above follows it.", r.Former.Format(time.DateOnly))
	}
	if r.SM2 != "" {
		line("SM2 签名有效 SM2 signature valid; 公钥文件指纹 fingerprint of sm2.pub: %s", r.SM2)
	}
	for _, o := range r.Outside {
		what, state := "时间戳 time stamp", "证书未核对，请用 --tsa 指定 certificate not checked, pass --tsa"
		if o.Name != "" {
			what, state = "见证 witness "+clean(o.Name), "密钥未给出，未核对 key not given, not checked"
		}
		if o.Checked {
			state = "已核对 checked"
		}
		if !o.At.IsZero() {
			state = o.At.In(time.FixedZone("", 8*60*60)).Format(time.RFC3339) + " " + state
		}
		line("%s: %s", what, state)
	}
	if len(r.Outside) == 0 && r.Fingerprint != "" {
		line("无外部见证和时间戳 no witness and no time stamp from outside")
	}
	if r.OtherPage {
		line("包内的 verify.html 与本程序所带的不同（由别的版本导出）；要用网页核验，请使用从别处取得的。")
		line("The package's verify.html is not the one of this program (another version exported it); to verify in a browser, take the page from elsewhere.")
	}
	list := func(title string, fs []Finding) {
		if len(fs) > 0 {
			line("%s", title)
		}
		for _, f := range fs {
			line("  %s: %s %s", clean(f.File), clean(f.ZH), clean(f.EN))
		}
	}
	list("不通过的项目 what failed:", r.Failures)
	if r.More > 0 {
		line("  另有 %d 项 and %d more", r.More, r.More)
	}
	list("缺失的证据 what the package says it lacks:", r.Missing)
	_, err := io.WriteString(w, b.String())
	return err
}

// local writes a time as people in China read it, to the second.
func local(t time.Time) string { return t.In(time.FixedZone("", 8*60*60)).Format(time.RFC3339) }

// clean quotes s when it holds anything that does not print.
func clean(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(s)
	}
	return s
}

// said is a text of a camera's label, or that nobody said.
func said(s string) string {
	if s == "" {
		return "–"
	}
	return clean(s)
}

func saidBy(s ward.DeviceSource) string {
	if s == ward.DeviceByCamera {
		return "由摄像头自报 told by the camera itself"
	}
	return "由管理员登记 written down by an administrator"
}

func (r Report) printWitnesses(line func(format string, a ...any)) {
	if len(r.Witnesses) == 0 {
		line("持有人、见证人 holder, witness: 案卷中没有记载 nothing on record")
	}
	for _, w := range r.Witnesses {
		as := "持有人 holder"
		if w.Capacity == ward.CapacityWitness {
			as = "见证人 witness"
		}
		if w.Signature == "" {
			line("%s: %s，没有签名 NO SIGNATURE，原因 because: %s", as, clean(w.Name+" "+w.Post), clean(w.Absent))
		} else {
			line("%s: %s，签名文件 signature in the file of SHA-256 %s", as, clean(w.Name+" "+w.Post), clean(w.SHA256))
		}
	}
}
