package ward

import "slices"

// Decide is the verdict of a finished session from its checks, by policy.
// rounds/DECIDE.md has the whole table; it is made from this function.
//
// Present takes a passed live check and a passed face, whatever the policy
// says, and every other check that it requires. Somebody else's live face is
// a mismatch. A check that is advisory never ends a visit by failing: its
// failure counts as unsure, and that somebody answers for two beds, shows
// an earlier visit again, or reflects other colours than the screen's, always leaves it to people. A check that was not done never passes; a part of
// the live check that was not drawn is none. Where the policy says so, a face that
// matches one enrolled by proxy is unsure: nobody saw whose face that is.
func Decide(checks []Check, policy CheckPolicy) Verdict {
	done := map[CheckKind]Outcome{}
	for _, c := range checks {
		done[c.Kind] = c.Outcome
		if c.Proxy && policy.ProxyUnsure && c.Outcome == Pass {
			done[c.Kind] = Unsure
		}
	}
	outcome := func(k CheckKind) Outcome {
		o, ok := done[k]
		switch {
		case !ok:
			return NotDone
		case o == Fail && policy.Need(k) == Advisory:
			return Unsure
		}
		return o
	}
	v := decideFace(outcome(CheckLive), outcome(CheckFace))
	if v != Present {
		return v
	}
	for kind, o := range done {
		if o == Fail && kind.doubts() {
			return Undecided
		}
	}
	for kind, need := range policy.Checks {
		if _, drawn := done[kind]; !drawn && slices.Contains(LiveParts(), kind) {
			continue
		}
		if need == Required && outcome(kind) != Pass {
			return Undecided
		}
	}
	return Present
}

// decideFace is the verdict as far as the live check and the face go.
func decideFace(live, face Outcome) Verdict {
	switch live {
	case Pass:
		switch face {
		case Pass:
			return Present
		case Fail:
			return Mismatch
		case Unsure, NotDone:
			return Undecided
		}
	case Fail:
		if face == Fail {
			return Mismatch
		}
		return Unable // no proof of a live person
	case Unsure:
		if face == Fail {
			return Mismatch
		}
		return Undecided
	case NotDone:
		return Interrupted
	}
	return Interrupted
}
