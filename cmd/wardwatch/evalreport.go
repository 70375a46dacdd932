package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"wardwatch/internal/counters"
	"wardwatch/ward"
)

// attackKind is a way to cheat.
type attackKind string

const (
	attackPrint       attackKind = "printed photo"
	attackScreenPhoto attackKind = "photo on a screen"
	attackScreenLoop  attackKind = "video on a screen"
	attackLoop        attackKind = "video loop"
	attackFrozen      attackKind = "frozen picture"
	attackEarlier     attackKind = "earlier recording"
	attackMiddle      attackKind = "earlier recording, begun in its middle"
	attackSpeed       attackKind = "earlier recording, slower or faster"
	attackMirrored    attackKind = "earlier recording, mirrored"
	attackCropped     attackKind = "earlier recording, cropped"
	attackCued        attackKind = "earlier recording, steered by hand"
	attackWrong       attackKind = "virtual camera, wrong reactions"
	attackLate        attackKind = "virtual camera, late reactions"
	attackImpostor    attackKind = "impostor"
	attackTwoBeds     attackKind = "two beds, one face"
	attackSwitch      attackKind = "switch of person"
	genuineVisit      attackKind = "" // no attack
)

// attacks are all of them with their Chinese names, in the report's order.
func attacks() [][2]string {
	return [][2]string{
		{string(attackPrint), "打印照片"},
		{string(attackScreenPhoto), "屏幕照片"},
		{string(attackScreenLoop), "屏幕视频"},
		{string(attackLoop), "循环视频"},
		{string(attackFrozen), "静止画面"},
		{string(attackEarlier), "重放以往查访录像"},
		{string(attackMiddle), "重放以往录像，从中间开始"},
		{string(attackSpeed), "重放以往录像，变速"},
		{string(attackMirrored), "重放以往录像，镜像"},
		{string(attackCropped), "重放以往录像，裁切"},
		{string(attackCued), "以往录像由人按指令切换"},
		{string(attackWrong), "虚拟摄像头，错误反应"},
		{string(attackLate), "虚拟摄像头，反应过迟"},
		{string(attackImpostor), "他人冒充"},
		{string(attackTwoBeds), "一人应答两床"},
		{string(attackSwitch), "中途换人"},
	}
}

// replays says whether k shows an earlier visit again, as it was or changed.
func (k attackKind) replays() bool {
	return k == attackEarlier || k == attackMiddle || k == attackSpeed || k == attackMirrored || k == attackCropped
}

// rehearsed says whether k is played in rehearsals only.
func (k attackKind) rehearsed() bool { return k == attackCued || k.replays() && k != attackEarlier }

// evalResult is what became of one visit.
type evalResult struct {
	kind       attackKind
	condition  string // of a genuine one
	network    string
	verdict    ward.Verdict // undecided: left to a human
	seenBefore bool         // the check of that name fired
	slow       bool         // pictures waited too long to be looked at
	err        error        // it came to no end; the rest is void
}

// evalTally counts what became of visits of one kind. Errors are in none of the other numbers.
type evalTally struct {
	Kind       string         `json:"kind"`
	ZH         string         `json:"zh"`
	Wrong      counters.Share `json:"wrong"` // APCER: attacks taken for present. BPCER: genuine visits that were not, human or rejected
	Present    int            `json:"present"`
	Human      int            `json:"human"` // undecided: people decide
	Rejected   int            `json:"rejected"`
	SeenBefore int            `json:"seen_before"` // of all: the check fired
	Slow       int            `json:"slow"`        // of the genuine ones: the machine was too slow to judge them
	Errors     int            `json:"errors"`      // the bedside died, no verdict in time, or an attack that only a slow machine stopped
}

// evalTable are the tallies of one way to run.
type evalTable struct {
	Genuine []evalTally `json:"genuine"` // all first, then by condition and by network
	Attacks []evalTally `json:"attacks"`
	Worst   evalTally   `json:"worst"` // the attack of the highest rate; of equal ones that of the widest interval
}

// evalGoal is one of issue's goals; the rate is judged, the interval shown beside it.
type evalGoal struct {
	ZH   string         `json:"zh"`
	EN   string         `json:"en"`
	Most float64        `json:"most"`
	Got  counters.Share `json:"got"`
	Met  bool           `json:"met"` // false also when nothing was measured
}

// evalReport is what eval rounds found.
type evalReport struct {
	Simulated bool       `json:"simulated"` // always
	ZH        string     `json:"zh"`
	EN        string     `json:"en"`
	Seed      uint64     `json:"seed"`
	AtOnce    int        `json:"at_once"`
	Seconds   float64    `json:"seconds"`
	Visits    evalTable  `json:"visits"`    // real WebRTC into the whole service
	Rehearsed evalTable  `json:"rehearsed"` // see evalSkipped
	Goals     []evalGoal `json:"goals"`
}

const (
	evalNoticeZH  = "模拟结果：所有患者和攻击者均由演示片段中的两名男子扮演，并非经认证的呈现攻击检测。"
	evalNoticeEN  = "SIMULATED: two men of the demo clips play every patient and every attacker; no certified test of presentation attacks."
	evalSkippedZH = "预演：画面经真实视觉程序逐帧测量一次，由真实的核验代码按抽取的随机数判定；不含 WebRTC、解码、录像、账本和“一人多床”核对，虚拟时间；其他核验均通过时才与以往查访比对。"
	evalSkippedEN = "Rehearsed: each picture was measured once by the real worker and judged by the real checks on drawn nonces; without WebRTC, coding, recording, ledger or the check of other beds, in virtual time; compared with earlier visits only where all else passed."
)

// add counts one result.
func (t *evalTally) add(r evalResult) {
	switch {
	case r.err != nil:
		t.Errors++
		return
	case r.verdict == ward.Present:
		t.Present++
	case r.verdict == ward.Undecided:
		t.Human++
	default:
		t.Rejected++
	}
	if r.seenBefore {
		t.SeenBefore++
	}
	if r.slow {
		t.Slow++
	}
	wrong := t.Present
	if r.kind == genuineVisit {
		wrong = t.Human + t.Rejected
	}
	t.Wrong = counters.ShareOf(wrong, t.Present+t.Human+t.Rejected)
}

// count makes the table of results.
func count(all []evalResult) (t evalTable) {
	tally := func(kind, zh string, fits func(evalResult) bool) (x evalTally) {
		x.Kind, x.ZH, x.Wrong.High = kind, zh, 1
		for _, r := range all {
			if fits(r) {
				x.add(r)
			}
		}
		return x
	}
	some := func(x evalTally) bool { return x.Wrong.Of+x.Errors > 0 }
	if x := tally("all", "全部", func(r evalResult) bool { return r.kind == genuineVisit }); some(x) {
		t.Genuine = append(t.Genuine, x)
	}
	for _, c := range evalConditions() {
		if x := tally(c.name, c.zh, func(r evalResult) bool { return r.kind == genuineVisit && r.condition == c.name }); some(x) {
			t.Genuine = append(t.Genuine, x)
		}
	}
	for _, n := range evalNetworks() {
		if x := tally(n.name, n.zh, func(r evalResult) bool { return r.kind == genuineVisit && r.network == n.name }); some(x) {
			t.Genuine = append(t.Genuine, x)
		}
	}
	for _, k := range attacks() {
		x := tally(k[0], k[1], func(r evalResult) bool { return string(r.kind) == k[0] })
		if !some(x) {
			continue
		}
		t.Attacks = append(t.Attacks, x)
		if w := t.Worst.Wrong; w.Of == 0 || x.Wrong.Rate > w.Rate || x.Wrong.Rate == w.Rate && x.Wrong.High > w.High {
			t.Worst = x
		}
	}
	return t
}

// judge compares with the goals of both ways to run, as far as each ran.
func (r *evalReport) judge() {
	goal := func(zh, en string, most float64, got counters.Share) {
		r.Goals = append(r.Goals, evalGoal{ZH: zh, EN: en, Most: most, Got: got, Met: got.Of > 0 && got.Rate <= most})
	}
	for _, way := range []struct {
		zh, en string
		table  evalTable
	}{{"", "", r.Visits}, {"（预演）", ", rehearsed", r.Rehearsed}} {
		if len(way.table.Attacks) > 0 {
			goal("最差攻击通过率 ≤ 7 %"+way.zh, "worst attack ≤ 7 %"+way.en, .07, way.table.Worst.Wrong)
		}
		passed, of, played := 0, 0, false
		for _, a := range way.table.Attacks {
			if attackKind(a.Kind).replays() {
				passed, of, played = passed+a.Present, of+a.Wrong.Of, true
			}
		}
		if played {
			goal("重放或注入以往查访：0"+way.zh, "replay or injection of an earlier round: 0"+way.en, 0, counters.ShareOf(passed, of))
		}
		if len(way.table.Genuine) > 0 {
			goal("真实患者未直接通过 ≤ 5 %"+way.zh, "genuine not passed ≤ 5 %"+way.en, .05, way.table.Genuine[0].Wrong)
		}
	}
}

// met says whether every goal was.
func (r evalReport) met() bool {
	for _, g := range r.Goals {
		if !g.Met {
			return false
		}
	}
	return len(r.Goals) > 0
}

// print writes the tables.
func (r evalReport) print(out io.Writer) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(t, "%s\n%s\n95 %% (Wilson). seed %d, %d at once, %.0f s\n", r.ZH, r.EN, r.Seed, r.AtOnce, r.Seconds)
	r.Visits.print(t, "真实 WebRTC 查访 / visits over real WebRTC")
	r.Rehearsed.print(t, evalSkippedZH+"\n"+evalSkippedEN)
	_, _ = fmt.Fprintln(t)
	for _, g := range r.Goals {
		met := "达到 / met"
		if !g.Met {
			met = "未达到 / MISSED"
		}
		_, _ = fmt.Fprintf(t, "%s\t%s / %s\t%s\n", met, g.ZH, g.EN, g.Got)
	}
	return t.Flush()
}

func (x evalTable) print(t io.Writer, title string) {
	if len(x.Genuine)+len(x.Attacks) == 0 {
		return
	}
	_, _ = fmt.Fprintf(t, "\n%s\n", title)
	row := func(a evalTally) {
		_, _ = fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%s %s\n", a.Wrong, a.Present, a.Human, a.Rejected, a.Errors, a.Slow, a.SeenBefore, a.ZH, a.Kind)
	}
	const columns = "present\thuman\trejected\terrors/void\tslow\tseen before\t"
	if len(x.Genuine) > 0 {
		_, _ = fmt.Fprintln(t, "BPCER (human + rejected)\t"+columns+"真实患者 genuine")
	}
	for _, a := range x.Genuine {
		row(a)
	}
	if len(x.Attacks) > 0 {
		_, _ = fmt.Fprintln(t, "APCER (present)\t"+columns+"攻击 attack")
	}
	for _, a := range x.Attacks {
		row(a)
	}
	if len(x.Attacks) > 0 {
		_, _ = fmt.Fprintf(t, "%s\t\t\t\t\t\t\t最差 worst: %s %s\n", x.Worst.Wrong, x.Worst.ZH, x.Worst.Kind)
	}
}
