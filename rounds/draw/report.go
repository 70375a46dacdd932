package draw

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"wardwatch/ward"
)

// Exit codes of `wardwatch draw verify`.
const (
	ExitVerified  = 0
	ExitFailed    = 1 // something is changed or does not follow
	ExitUsage     = 2 // the file cannot be read
	ExitUnchecked = 3 // consistent, but no fingerprint was given
)

// Exit is the exit code for r.
func (r Report) Exit() int {
	switch {
	case !r.OK():
		return ExitFailed
	case !r.Compared:
		return ExitUnchecked
	default:
		return ExitVerified
	}
}

// states says in words where a draw stands.
var states = map[ward.DrawState]string{
	ward.DrawCommitted: "已承诺，等待随机源 committed, the seed is awaited",
	ward.DrawDrawn:     "已抽取 drawn",
	ward.DrawOrdered:   "已抽取并发起查房 drawn, and its round is ordered",
	ward.DrawFailed:    "未成功 failed",
	ward.DrawAbandoned: "已作废 abandoned",
}

// Print writes r for people, Chinese first.
func Print(w io.Writer, r Report) error {
	var b strings.Builder
	line := func(format string, a ...any) {
		for i, v := range a {
			if s, ok := v.(string); ok {
				a[i] = clean(s)
			}
		}
		fmt.Fprintf(&b, format+"\n", a...)
	}
	switch r.Exit() {
	case ExitVerified:
		line("核验通过 VERIFIED")
	case ExitUnchecked:
		line("未与外部指纹核对 CONSISTENT, BUT NOT CHECKED AGAINST AN OUTSIDE FINGERPRINT")
	default:
		line("核验不通过 FAILED")
		for _, f := range r.Failures {
			line("  %s: %s %s", f.Where, f.ZH, f.EN)
		}
	}
	if r.OK() {
		r.facts(line)
	}
	if r.Fingerprint != "" {
		line("公钥指纹 key fingerprint: %s", r.Fingerprint)
	}
	if r.Fingerprint != "" && !r.Compared {
		line("  请与从其他途径取得的指纹比较，或用 --key 指定。")
		line("  Compare it with the fingerprint that you were given elsewhere, or pass that with --key.")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (r Report) facts(line func(string, ...any)) {
	c := r.Commitment
	line("抽取 draw:        %s 第 %d 次 no. %d, %s", c.Day, c.Number, c.Number, string(c.Institution))
	line("状态 state:       %s", states[r.State])
	line("承诺 commitment:  %s", r.Hash)
	line("封存时间 sealed:  %s（日志长度 ledger size: %d）", r.Sealed.In(time.FixedZone("", 8*60*60)).Format(time.RFC3339), r.LedgerSize)
	if p := c.Previous; p != nil {
		line("再次抽取 repeats: %s：%s", string(p.Draw), p.Reason)
	}
	switch {
	case c.Source.Drand != nil:
		line("随机源 source:    drand %s 第 %d 轮 round %d", c.Source.Drand.Chain.BeaconID, c.Source.Drand.Round, c.Source.Drand.Round)
	case c.Source.Coin != nil:
		line("随机源 source:    机构联系人掷币 coin flip with the institution's contact")
	}
	for i, s := range c.Strata {
		line("候选 candidates:  %s %d 取 take %d", wardOr(s.Ward), len(s.Candidates), s.Take)
		if r.Result != nil {
			line("  抽中 drawn:     %s", join(r.Result.Beds[i].Admissions))
		}
	}
	for _, e := range c.Excluded {
		line("排除 excluded:    %s：%s (%s)", string(e.Admission), e.Reason, string(e.By))
	}
	line("稽核员 inspectors: %d 取 take %d", len(c.Inspectors.Candidates), c.Inspectors.Take)
	if r.Result != nil {
		line("  抽中 drawn:     %s", join(r.Result.Inspectors))
	}
	for _, e := range c.Inspectors.Excluded {
		line("回避 conflict:    %s：%s (%s)", string(e.Inspector), e.Reason, string(e.By))
	}
	if o := r.Order; o != nil {
		line("查房 round:       %s (%s)", string(o.Round), string(o.By))
		for _, l := range o.LeftOut {
			line("  未去 left out:  %s：%s", string(l.Admission)+string(l.Inspector), l.Reason)
		}
	}
	if e := r.End; e != nil {
		line("原因 why:         %s %s (%s)", string(e.Why), e.Reason, string(e.By))
	}
}

func wardOr(w string) string {
	if w == "" {
		return "全院 whole institution"
	}
	return w
}

func join[T ~string](all []T) string {
	texts := make([]string, len(all))
	for i, v := range all {
		texts[i] = string(v)
	}
	return strings.Join(texts, ", ")
}

// clean replaces what could play tricks with a terminal.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, s)
}
