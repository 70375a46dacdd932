package draw

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"wardwatch/rounds/drand"
	"wardwatch/storage/ledger"
	"wardwatch/ward"
)

// Failure is one thing that is wrong with a proof. Where names it: "proof",
// "key", "checkpoint", "step 1".
type Failure struct {
	Where string `json:"where"`
	ZH    string `json:"zh"`
	EN    string `json:"en"`
}

// Report is what a verification found. Without a Failure, State and what the
// steps say are proven, as far as the ledger's key is the right one.
type Report struct {
	Failures    []Failure
	Fingerprint string // of the key in the proof
	Compared    bool   // with one from elsewhere
	LedgerSize  int64
	State       ward.DrawState
	Commitment  Commitment
	Hash        string // of the commitment: what was shown before the draw
	Sealed      time.Time
	Result      *Result
	Order       *Order
	End         *End
}

// OK says that nothing was wrong.
func (r Report) OK() bool { return len(r.Failures) == 0 }

// Options is what the verifier has from elsewhere.
type Options struct {
	Fingerprint string   // of the ledger's key, hex; empty: none
	Chains      []string // hashes of drand chains that are trusted beside quicknet
}

// Verify replays a draw from its proof alone. It trusts nothing in it but what
// the signature leads to, and names all that is wrong.
func Verify(b []byte, o Options) Report {
	c := &check{o: o}
	p, err := Parse(b)
	if err != nil {
		c.fail("proof", "证明文件被修改、不完整或不是抽取证明。", "The file was changed, is incomplete, or is no proof of a draw.")
		return c.Report
	}
	c.proof = p
	if !c.key() || !c.checkpoint() {
		return c.Report
	}
	if len(p.Steps) == 0 {
		c.fail("proof", "证明中没有任何步骤。", "The proof has no steps.")
	}
	last := int64(-1)
	for i, s := range p.Steps {
		if !c.step(i, s, last) {
			break // what follows rests on it
		}
		last = s.Index
	}
	return c.Report
}

// check is one verification; its steps run in the order of Verify.
type check struct {
	Report
	o     Options
	proof Proof
	tree  ledger.Checkpoint
	first []byte // sealed bytes of the commitment
	prev  string
	where string // of the step
}

func (c *check) fail(where, zh, en string) {
	c.Failures = append(c.Failures, Failure{where, zh, en})
}

// bad is fail for the step that is looked at.
func (c *check) bad(zh, en string) bool {
	c.fail(c.where, zh, en)
	return false
}

func (c *check) key() bool {
	b, err := base64.StdEncoding.DecodeString(c.proof.Key)
	if err != nil || len(b) != ed25519.PublicKeySize || base64.StdEncoding.EncodeToString(b) != c.proof.Key {
		c.fail("key", "不是 Ed25519 公钥。", "It is not an Ed25519 public key.")
		return false
	}
	c.Fingerprint = ledger.Fingerprint(ed25519.PublicKey(b))
	if want := strings.NewReplacer(":", "", " ", "").Replace(strings.ToLower(strings.TrimSpace(c.o.Fingerprint))); want != "" {
		if want != c.Fingerprint {
			c.fail("key", "公钥指纹与给定的指纹不同：该证明不是由该系统签署。", "The key's fingerprint is not the given one: this proof was not signed by that system.")
			return false
		}
		c.Compared = true
	}
	return true
}

func (c *check) checkpoint() bool {
	pub, _ := base64.StdEncoding.DecodeString(c.proof.Key) // key has looked
	tree, err := ledger.OpenCheckpoint(c.proof.Checkpoint, ed25519.PublicKey(pub))
	if err != nil {
		c.fail("checkpoint", "存证日志的签名无效。", "The signature of the ledger is not valid.")
		return false
	}
	c.tree, c.LedgerSize = tree, tree.Size
	return true
}

// step proves one step and what it says.
func (c *check) step(i int, s ProofStep, last int64) bool {
	c.where = fmt.Sprintf("step %d", i+1)
	ref := Ref(c.proof.Draw, int64(i+1))
	var env ledger.Sealed
	if json.Unmarshal([]byte(s.Sealed), &env) != nil || env.Kind != Kind || env.ID != ref {
		return c.bad("不是本次抽取的这一步。", "It is not this step of this draw.")
	}
	in, err := s.proof()
	leaf, leafErr := ledger.LeafOf(Kind, ref, []byte(s.Sealed))
	if err != nil || leafErr != nil || in.Check(leaf, c.tree) != nil {
		return c.bad("该步骤不在已签名的存证日志中：内容或其证明被修改。", "The step is not in the signed ledger: it or its proof was changed.")
	}
	if s.Index <= last {
		return c.bad("该步骤在日志中早于上一步。", "The step is in the ledger before the one that it follows.")
	}
	var h struct{ Head }
	if json.Unmarshal(env.Record, &h) != nil || h.Draw != c.proof.Draw || h.Seq != int64(i+1) || h.Prev != c.prev || !h.At.Equal(env.At) {
		return c.bad("步骤不连续，或时间与封存时间不同。", "The steps do not follow each other, or the moment is not that of the seal.")
	}
	if !h.Step.Follows(c.State) {
		return c.bad("按规则，这一步不能出现在这里。", "By the rules this step cannot come here.")
	}
	if i == 0 {
		c.first, c.Sealed, c.Hash = []byte(s.Sealed), env.At, SumOf([]byte(s.Sealed))
	}
	if !c.content(h.Step, env) {
		return false
	}
	c.prev, c.State = SumOf([]byte(s.Sealed)), h.Step.After()
	return true
}

func (c *check) content(kind ward.DrawStepKind, env ledger.Sealed) bool {
	unread := func() bool { return c.bad("记录无法读取。", "The record cannot be read.") }
	switch kind {
	case ward.StepCommit:
		if into(env.Record, &c.Commitment) != nil {
			return unread()
		}
		return c.commitment(env.At)
	case ward.StepResult:
		c.Result = &Result{}
		if into(env.Record, c.Result) != nil {
			return unread()
		}
		return c.result(env.At)
	case ward.StepOrder:
		c.Order = &Order{}
		if into(env.Record, c.Order) != nil {
			return unread()
		}
		return c.order()
	case ward.StepFail, ward.StepAbandon:
		c.End = &End{}
		if into(env.Record, c.End) != nil {
			return unread()
		}
		return c.end(kind, env.At)
	}
	return unread()
}

func (c *check) result(sealed time.Time) bool {
	var secret [32]byte
	b, err := unhex(c.Result.Secret, 32)
	copy(secret[:], b)
	if sum := sha256.Sum256(secret[:]); err != nil || fmt.Sprintf("%x", sum) != c.Commitment.SecretSHA256 {
		return c.bad("公布的密数不是事先承诺的那个。", "The revealed secret is not the committed one.")
	}
	if _, err := c.Commitment.Source.Value(c.Result.Drand, c.Result.Coin); err != nil {
		return c.bad("随机源的值无效：不是事先指定的信标轮次，或签名不对。", "The value of the source is not valid: it is not the committed round of the beacon, or its signature is wrong.")
	}
	if d := c.Commitment.Source.Drand; d != nil && sealed.Before(d.Chain.TimeOf(d.Round)) {
		return c.bad("结果早于信标轮次的发布时间。", "The result was sealed before the beacon's round came out.")
	}
	if f := c.Commitment.Source.Coin; f != nil && !sealed.Before(f.Until) {
		return c.bad("联系人的作答封存时，作答时间已过。", "The contact's answer was sealed after the time to answer was over.")
	}
	want, err := c.Commitment.Conclude(c.first, c.Result.Drand, c.Result.Coin, secret)
	if err != nil || want.Seed != c.Result.Seed {
		return c.bad("种子不是由承诺、随机源和密数算出的。", "The seed does not follow from the commitment, the source and the secret.")
	}
	if !slices.EqualFunc(want.Beds, c.Result.Beds, func(a, b Drawn) bool { return a.Ward == b.Ward && slices.Equal(a.Admissions, b.Admissions) }) {
		return c.bad("抽中的床位不是由种子算出的。", "The beds are not those that the seed draws.")
	}
	if !slices.Equal(want.Inspectors, c.Result.Inspectors) {
		return c.bad("抽中的稽核员不是由种子算出的。", "The inspectors are not those that the seed draws.")
	}
	return true
}

// order compares what was ordered with the result, less what was left out.
func (c *check) order() bool {
	if !c.Order.Of(*c.Result) {
		return c.bad("查房的床位或稽核员与抽取结果不符，或缺席没有说明理由。", "The round's beds or inspectors are not those that were drawn, or one was left out without a reason.")
	}
	if !slices.Contains(c.Order.Inspectors, c.Order.By) {
		return c.bad("发起查房的人不是本次前往的抽中稽核员。", "The round was not ordered by an inspector who was drawn and goes.")
	}
	return true
}

// Of says whether o is exactly r less what it leaves out with a reason.
func (o Order) Of(r Result) bool {
	beds, inspectors := r.All(), slices.Clone(r.Inspectors)
	for _, l := range o.LeftOut {
		i, j := slices.Index(beds, l.Admission), slices.Index(inspectors, l.Inspector)
		switch {
		case strings.TrimSpace(l.Reason) == "" || (l.Admission == "") == (l.Inspector == ""):
			return false
		case l.Admission != "" && i >= 0:
			beds = slices.Delete(beds, i, i+1)
		case l.Inspector != "" && j >= 0:
			inspectors = slices.Delete(inspectors, j, j+1)
		default:
			return false
		}
	}
	return len(beds) > 0 && len(inspectors) > 0 && slices.Equal(beds, o.Admissions) && slices.Equal(inspectors, o.Inspectors)
}

// All is every drawn stay, in the order drawn, stratum by stratum.
func (r Result) All() []ward.AdmissionID {
	var all []ward.AdmissionID
	for _, d := range r.Beds {
		all = append(all, d.Admissions...)
	}
	return all
}

// trusted says whether a chain's randomness counts.
func (c *check) trusted(chain drand.Chain) bool {
	return chain == drand.Quicknet() || slices.Contains(c.o.Chains, chain.Hash)
}
