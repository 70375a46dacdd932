package draw

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"wardwatch/ward"
)

func (c *check) end(kind ward.DrawStepKind, sealed time.Time) bool {
	if kind == ward.StepAbandon && strings.TrimSpace(c.End.Reason) == "" || (kind == ward.StepFail) != (c.End.Why != "") {
		return c.bad("没有说明为何作废或失败。", "It does not say why the draw failed or was abandoned.")
	}
	if kind == ward.StepFail && !c.failure(sealed) {
		return false
	}
	if c.Result != nil {
		return true
	}
	b, err := unhex(c.End.Secret, 32)
	if sum := sha256.Sum256(b); err != nil || fmt.Sprintf("%x", sum) != c.Commitment.SecretSHA256 {
		return c.bad("公布的密数不是事先承诺的那个。", "The revealed secret is not the committed one.")
	}
	return true
}

// failure checks that a draw could fail like this, and names what is wrong.
func (c *check) failure(sealed time.Time) bool {
	s := c.Commitment.Source
	switch {
	case s.Allows(c.End.Why, sealed):
		return true
	case c.End.Why == ContactRefused && s.Coin != nil:
		return c.bad("联系人的拒绝封存时，作答时间已过。", "The contact's refusal was sealed after the time to answer was over.")
	case c.End.Why == ContactSilent && s.Coin != nil:
		return c.bad("作答时间未到，就记为联系人未作答。", "The contact was called silent before the time to answer was over.")
	case c.End.Why == NoBeacon && s.Drand != nil:
		return c.bad("信标轮次尚未发布，就记为没有取得信标。", "The beacon was called missing before its round came out.")
	}
	return c.bad("失败原因不属于该抽取的随机源。", "The reason of the failure does not belong to the source of this draw.")
}

// Allows says whether a draw from this source can fail for a reason at a moment.
func (s SeedSource) Allows(why FailReason, at time.Time) bool {
	switch why {
	case ContactRefused:
		return s.Coin != nil && at.Before(s.Coin.Until)
	case ContactSilent:
		return s.Coin != nil && !at.Before(s.Coin.Until)
	case NoBeacon:
		return s.Drand != nil && !at.Before(s.Drand.Chain.TimeOf(s.Drand.Round))
	}
	return false
}
