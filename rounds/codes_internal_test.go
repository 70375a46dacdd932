package rounds

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"wardwatch/ward"
)

func TestWardCodesBestCounts(t *testing.T) {
	secret, now := []byte("secret"), time.Unix(1_800_000_015, 0)
	key, other, foreign := ward.KeyOfWard(secret, "内一"), ward.KeyOfWard(secret, "内二"), ward.KeyOfWard([]byte("x"), "内一")
	step := ward.CodeStepAt(now)
	forged := []byte(key.Code(step))
	forged[len(forged)-1] ^= 1
	for _, c := range []struct {
		name string
		see  []string
		want ward.Outcome
		zh   string
	}{
		{"nothing", nil, ward.NotDone, "未看到病区码。"},
		{"a poster", []string{"https://example.com"}, ward.NotDone, "未看到病区码。"},
		{"present", []string{key.Code(step)}, ward.Pass, ""},
		{"of the step before", []string{key.Code(step - 1)}, ward.Pass, ""},
		{"of two steps before", []string{key.Code(step - 2)}, ward.Fail, "看到的是本病区已过期的病区码（可能为重放）。"},
		{"of the future", []string{key.Code(step + 1)}, ward.Fail, "看到的是本病区已过期的病区码（可能为重放）。"},
		{"next ward", []string{other.Code(step)}, ward.Fail, "看到的是其他病区的病区码。"},
		{"another hospital", []string{foreign.Code(step)}, ward.Fail, "看到的是其他病区的病区码。"},
		{"forged", []string{string(forged)}, ward.Fail, "看到的病区码系伪造。"},
		{"old, then present, then next ward", []string{key.Code(step - 9), key.Code(step), other.Code(step)}, ward.Pass, ""},
	} {
		j := &wardCodes{key: key}
		for _, text := range c.see {
			if _, err := j.see(t.Context(), text, now); err != nil {
				t.Fatal(err)
			}
		}
		if got := j.check(); got.Outcome != c.want || c.zh != "" && got.DetailZH != c.zh {
			t.Errorf("%s: got %s %s, want %s %s", c.name, got.Outcome, got.DetailZH, c.want, c.zh)
		}
	}
}

func TestBedCodes(t *testing.T) {
	down := errors.New("no database")
	whose := func(_ context.Context, number string) (its, others bool, err error) {
		if number == "down" {
			return false, false, down
		}
		return strings.EqualFold(number, "ZY1") || number == "ACC", number == "ZY2" || number == "ACC", nil
	}
	for _, c := range []struct {
		see  string
		want ward.Outcome
		err  error
	}{
		{"ZY1", ward.Pass, nil},
		{"zy1 ", ward.Pass, nil},
		{"H1|张三| ZY1 |内一", ward.Pass, nil},
		{"ZY2", ward.Fail, nil},
		{"ZY2|ACC", ward.Pass, nil}, // an account of two stays, this one among them
		{"H1|ZY2", ward.Fail, nil},
		{"ZY3", ward.Unsure, nil},
		{"ZY11", ward.Unsure, nil},
		{"", ward.Unsure, nil},
		{"a,b,c,d,e,f,g,h,ZY1", ward.Unsure, nil},
		{ward.KeyOfWard(nil, "x").Code(1), ward.NotDone, nil},
		{"down", ward.Unsure, down},
	} {
		j := &bedCodes{whose: whose}
		done, err := j.see(t.Context(), c.see, time.Now())
		if got := j.check(); got.Outcome != c.want || done != (c.want == ward.Pass) || !errors.Is(err, c.err) {
			t.Errorf("%q: got %s, %v, %v, want %s", c.see, got.Outcome, done, err, c.want)
		}
	}
}

func TestPositionSays(t *testing.T) {
	for want, reports := range map[ward.Outcome][]placeEvent{
		ward.Pass:    {{State: ward.PositionGiven, Position: ward.Inside}},
		ward.Fail:    {{State: ward.PositionGiven, Position: ward.Outside, Band: 2000}},
		ward.Unsure:  {{State: ward.PositionGiven, Position: ward.Vague}, {State: ward.PositionGiven, Position: ward.Shifted, Band: 500}},
		ward.NotDone: {{}, {State: ward.PositionRefused}, {State: ward.PositionUnavailable}, {State: ward.PositionGiven, Position: ward.BadFix}},
	} {
		for _, r := range reports {
			if o, zh, en := positionSays(r); o != want || zh == "" || en == "" {
				t.Errorf("%+v: got %s %q %q, want %s", r, o, zh, en, want)
			}
		}
	}
}
