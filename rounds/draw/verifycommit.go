package draw

import (
	"slices"
	"strings"
	"time"

	"wardwatch/ward"
)

// MinMargin is the least time between a commitment and its beacon's round.
const MinMargin = time.Second

// commitment checks that a commitment leaves nothing to choose afterwards.
func (c *check) commitment(sealed time.Time) bool {
	m := c.Commitment
	if m.Algorithm != Algorithm {
		return c.bad("抽取算法未知，请使用更新的核验工具。", "The algorithm is unknown; use a newer verifier.")
	}
	if _, err := unhex(m.SecretSHA256, 32); err != nil {
		return c.bad("承诺中没有密数的哈希。", "It commits to no secret.")
	}
	if p := m.Previous; (m.Number == 1) != (p == nil) || m.Number < 1 || p != nil && (p.Draw == "" || p.Commitment == "" || strings.TrimSpace(p.Reason) == "") {
		return c.bad("当日的再次抽取没有指明上一次抽取或理由。", "It repeats a draw of that day and does not name it, or gives no reason.")
	}
	if m.Day != ward.ChinaDay(sealed) {
		return c.bad("抽取日期与封存时间不符。", "The day is not that of the seal.")
	}
	if !m.rule() {
		return c.bad("候选名单、分层或回避名单有误（重复、乱序、数量不足或缺少理由）。", "The lists of candidates or exclusions are wrong: double, out of order, too few, or without a reason.")
	}
	return c.source(sealed)
}

// rule says whether the lists are well-formed: only then is the result one
// that the seed alone decides.
func (c Commitment) rule() bool {
	seen := map[ward.AdmissionID]bool{}
	once := func(v Candidate) bool {
		known := seen[v.Admission]
		seen[v.Admission] = true
		_, err := unhex(v.Person, 32)
		return !known && v.Admission != "" && err == nil
	}
	if len(c.Strata) == 0 || !slices.IsSortedFunc(c.Strata, func(a, b Stratum) int { return strings.Compare(a.Ward, b.Ward) }) {
		return false
	}
	total := 0
	for i, s := range c.Strata {
		if i > 0 && c.Strata[i-1].Ward == s.Ward || s.Take < 0 || s.Take > len(s.Candidates) {
			return false
		}
		total += s.Take
		for j, v := range s.Candidates {
			if !once(v) || j > 0 && s.Candidates[j-1].Admission >= v.Admission {
				return false
			}
		}
	}
	for _, e := range c.Excluded {
		if !once(e.Candidate) || strings.TrimSpace(e.Reason) == "" || e.By == "" {
			return false
		}
	}
	return total > 0 && c.Inspectors.rule()
}

func (n Inspectors) rule() bool {
	seen := map[ward.UserID]bool{}
	for i, u := range n.Candidates {
		if u == "" || i > 0 && n.Candidates[i-1] >= u {
			return false
		}
		seen[u] = true
	}
	for _, e := range n.Excluded {
		if e.Inspector == "" || seen[e.Inspector] || strings.TrimSpace(e.Reason) == "" || e.By == "" {
			return false
		}
		seen[e.Inspector] = true
	}
	return n.Take > 0 && n.Take <= len(n.Candidates)
}

// source checks that the seed's source was fixed before anybody could know it.
func (c *check) source(sealed time.Time) bool {
	s := c.Commitment.Source
	switch {
	case s.Kind == ward.SourceDrand && s.Drand != nil && s.Coin == nil:
		d := s.Drand
		margin := time.Duration(d.MarginMS) * time.Millisecond
		switch {
		case d.Chain.Check() != nil:
			return c.bad("随机信标的链标识与其公钥不符。", "The beacon's chain is not the one that its hash names.")
		case !c.trusted(d.Chain):
			return c.bad("随机信标不是 League of Entropy 的 quicknet；如信任该链，请给出其链哈希："+d.Chain.Hash, "The beacon is not the League of Entropy's quicknet; if you trust this chain, give its hash: "+d.Chain.Hash)
		case d.MarginMS < MinMargin.Milliseconds() || margin > time.Hour:
			return c.bad("承诺与信标轮次之间的间隔过短或过长。", "The margin between the commitment and the beacon's round is too short or too long.")
		case d.Round != d.Chain.RoundAt(sealed.Add(margin)):
			return c.bad("信标轮次不是封存之后按规则的第一轮，可能是挑选的。", "The beacon's round is not the first one after the seal and the margin: it may have been chosen.")
		}
		return true
	case s.Kind == ward.SourceCoin && s.Coin != nil && s.Drand == nil:
		if !s.Coin.Until.After(sealed) {
			return c.bad("掷币期限早于承诺。", "The time for the coin flip ended before the commitment.")
		}
		return true
	}
	return c.bad("随机源未知，请使用更新的核验工具。", "The source of the seed is unknown; use a newer verifier.")
}
