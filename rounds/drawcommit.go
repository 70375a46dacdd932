package rounds

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"wardwatch/rounds/draw"
	"wardwatch/storage"
	"wardwatch/ward"
)

// maxExclusion is how many characters a reason of a draw may have.
const maxExclusion = 200

// DrawOrder is what is to be drawn, by which rule.
type DrawOrder struct {
	InstitutionID ward.InstitutionID
	Source        ward.DrawSource
	Strata        []DrawStratum // one with an empty Ward: the whole institution
	Excluded      map[ward.AdmissionID]string
	Inspectors    int
	Conflicts     map[ward.UserID]string // inspectors that may not take part, and why
	Previous      ward.DrawID            // the institution's last draw of the day, when there is one
	Reason        string                 // why it is drawn again
	plan          ward.Plan              // whose start it is for, if any
}

// DrawStratum is how many beds of a ward are drawn.
type DrawStratum struct {
	Ward string
	Take int
}

// Commit commits a draw: the candidates, the rule, the exclusions and the hash
// of a fresh secret are sealed before the seed can be known.
func (d *Drawer) Commit(ctx context.Context, by ward.User, o DrawOrder) (ward.Draw, error) {
	if !by.May(ward.MayRound, o.InstitutionID) {
		return ward.Draw{}, &ward.Error{Kind: ward.Forbidden, Code: "draw.forbidden", ZH: "您无权对该机构抽取。", EN: "You may not draw at this institution."}
	}
	secret, secretSum := fresh()
	salts, _ := fresh()
	c := draw.Commitment{Institution: o.InstitutionID, By: by.ID, Algorithm: draw.Algorithm, SecretSHA256: secretSum, Strata: []draw.Stratum{}, Excluded: []draw.Exclusion{}}
	if err := d.candidates(ctx, &c, by, o, salts); err != nil {
		return ward.Draw{}, err
	}
	if err := d.officers(ctx, &c, by, o); err != nil {
		return ward.Draw{}, err
	}
	out, err := d.Store.CommitDraw(ctx, storage.NewDraw{
		InstitutionID: o.InstitutionID, Source: o.Source, By: by.ID, Previous: o.Previous, Secret: secret, Salts: salts, Plan: o.plan.ID, Due: o.plan.Next,
		Record: func(v ward.Draw, previous *ward.Draw) (any, time.Time, error) {
			c.Head = head(v.ID, nil, ward.StepCommit, v.Committed)
			c.Day, c.Number, c.Previous = v.Day, v.Number, nil
			if previous != nil {
				c.Previous = &draw.Previous{Draw: previous.ID, Commitment: previous.Commitment, Reason: o.Reason}
			}
			due := d.source(&c, o.Source, v.Committed)
			return c, due, nil
		},
	})
	if err != nil {
		return out, err
	}
	d.Log.InfoContext(ctx, "draw committed", "draw", out.ID, "institution", out.InstitutionID, "source", out.Source)
	d.sign(ctx)
	return out, nil
}

// source fixes where the seed will come from, and says when it is due.
func (d *Drawer) source(c *draw.Commitment, kind ward.DrawSource, now time.Time) time.Time {
	c.Source = draw.SeedSource{Kind: kind}
	if kind == ward.SourceCoin {
		until := now.Add(coinTime)
		if d.Coin > 0 {
			until = now.Add(d.Coin)
		}
		c.Source.Coin = &draw.CoinSource{Until: until}
		return until
	}
	round := d.Chain.RoundAt(now.Add(d.margin()))
	c.Source.Drand = &draw.DrandSource{Chain: d.Chain, MarginMS: d.margin().Milliseconds(), Round: round}
	return d.Chain.TimeOf(round)
}

// candidates fills in the strata, the exclusions and how many are outside.
func (d *Drawer) candidates(ctx context.Context, c *draw.Commitment, by ward.User, o DrawOrder, salts [32]byte) error {
	total := 0
	for _, s := range slices.SortedFunc(slices.Values(o.Strata), func(a, b DrawStratum) int { return strings.Compare(a.Ward, b.Ward) }) {
		if n := len(c.Strata); n > 0 && c.Strata[n-1].Ward == s.Ward || s.Ward == "" && len(o.Strata) > 1 || s.Take < 1 {
			return drawRule()
		}
		total += s.Take
		c.Strata = append(c.Strata, draw.Stratum{Ward: s.Ward, Take: s.Take, Candidates: []draw.Candidate{}})
	}
	if total == 0 || total > maxVisits {
		return drawRule()
	}
	stays, err := d.Store.Admissions(ctx, []ward.InstitutionID{o.InstitutionID}, "")
	if err != nil {
		return err
	}
	slices.SortFunc(stays, func(a, b ward.Admission) int { return strings.Compare(string(a.ID), string(b.ID)) })
	now, excluded, people := time.Now(), 0, []ward.InsuredID{}
	for _, a := range stays {
		if !a.To.IsZero() && !a.To.After(now) {
			continue
		}
		people = append(people, a.InsuredID)
		i := slices.IndexFunc(c.Strata, func(s draw.Stratum) bool { return s.Ward == "" || s.Ward == a.Ward })
		if i < 0 {
			c.Outside++
			continue
		}
		one := draw.Candidate{Admission: a.ID, Person: draw.Person(draw.PersonSalt(salts, a.ID), a)}
		if why, ok := o.Excluded[a.ID]; ok {
			excluded++
			c.Excluded = append(c.Excluded, draw.Exclusion{Candidate: one, Ward: a.Ward, Reason: why, By: by.ID})
			continue
		}
		c.Strata[i].Candidates = append(c.Strata[i].Candidates, one)
	}
	if excluded != len(o.Excluded) {
		return &ward.Error{Kind: ward.Invalid, Code: "draw.excluded", ZH: "排除的住院登记不在候选范围内。", EN: "An excluded admission is not among the candidates."}
	}
	for _, s := range c.Strata {
		if s.Take > len(s.Candidates) {
			return &ward.Error{Kind: ward.Invalid, Code: "draw.few", ZH: "要抽取的床位多于候选床位。", EN: "More beds are to be drawn than there are candidates."}
		}
	}
	return d.reasons(ctx, o, people)
}

func drawRule() error {
	return &ward.Error{Kind: ward.Invalid, Code: "draw.rule", ZH: "请按病区或全院给出抽取数量：每层至少 1 张、合计不超过 200 张，病区不能重复。", EN: "Say how many to draw of each ward, or of the whole institution: at least 1 each, 200 together, no ward twice."}
}

// reasons checks that every reason is there and names none of the people: the
// commitment is shown to strangers.
func (d *Drawer) reasons(ctx context.Context, o DrawOrder, people []ward.InsuredID) error {
	var all []string
	for _, r := range o.Excluded {
		all = append(all, r)
	}
	for _, r := range o.Conflicts {
		all = append(all, r)
	}
	if o.Previous != "" {
		all = append(all, o.Reason)
	}
	for _, r := range all {
		if strings.TrimSpace(r) == "" || len([]rune(r)) > maxExclusion {
			return &ward.Error{Kind: ward.Invalid, Code: "draw.reason", ZH: "每项排除、回避和再次抽取都须写明理由（不超过 200 字）。", EN: "Every exclusion, conflict of interest and repetition needs a reason (at most 200 characters)."}
		}
	}
	if len(all) == 0 {
		return nil
	}
	return noNames(ctx, d.Store, all, people)
}

// noNames refuses texts that hold the name or number of one of the people.
func noNames(ctx context.Context, s *storage.Store, texts []string, people []ward.InsuredID) error {
	known, err := s.InsuredMany(ctx, people)
	if err != nil {
		return err
	}
	for _, p := range known {
		for _, r := range texts {
			if len([]rune(p.Name)) > 1 && strings.Contains(r, p.Name) || p.IDNumber != "" && strings.Contains(r, p.IDNumber) {
				return &ward.Error{Kind: ward.Invalid, Code: "draw.named", ZH: "理由中不能出现患者姓名或证件号：抽取证明会交给外部核验。", EN: "A reason must not name a patient: strangers verify the proof of the draw."}
			}
		}
	}
	return nil
}

// officers fills in the inspectors who may take part.
func (d *Drawer) officers(ctx context.Context, c *draw.Commitment, by ward.User, o DrawOrder) error {
	available, err := d.Available(ctx, o.InstitutionID)
	if err != nil {
		return err
	}
	c.Inspectors = draw.Inspectors{Take: o.Inspectors, Candidates: []ward.UserID{}, Excluded: []draw.InspectorExclusion{}}
	for _, u := range available {
		if why, ok := o.Conflicts[u.ID]; ok {
			c.Inspectors.Excluded = append(c.Inspectors.Excluded, draw.InspectorExclusion{Inspector: u.ID, Reason: why, By: by.ID})
			continue
		}
		c.Inspectors.Candidates = append(c.Inspectors.Candidates, u.ID)
	}
	if len(c.Inspectors.Excluded) != len(o.Conflicts) || o.Inspectors < 1 || o.Inspectors > len(c.Inspectors.Candidates) {
		return &ward.Error{
			Kind: ward.Invalid, Code: "draw.inspectors",
			ZH: fmt.Sprintf("可参加该机构查房且不回避的稽核员有 %d 名，请抽取 1 至该数。", len(c.Inspectors.Candidates)),
			EN: fmt.Sprintf("%d inspectors may go to this institution and have no conflict of interest; draw 1 to as many.", len(c.Inspectors.Candidates)),
		}
	}
	if o.Source != ward.SourceCoin {
		return nil
	}
	n, err := d.Contacts(ctx, o.InstitutionID)
	if err == nil && n == 0 {
		err = &ward.Error{Kind: ward.Invalid, Code: "draw.contact", ZH: "该机构没有可登录的联系人，不能掷币；请用随机信标。", EN: "This institution has no contact who can sign in; use the beacon instead of a coin flip."}
	}
	return err
}

// Available are the inspectors who may order rounds at an institution, by id.
func (d *Drawer) Available(ctx context.Context, inst ward.InstitutionID) ([]ward.User, error) {
	return d.users(ctx, func(u ward.User) bool { return u.Role == ward.Inspector && u.May(ward.MayRound, inst) })
}

// Contacts is how many can answer a coin flip of an institution.
func (d *Drawer) Contacts(ctx context.Context, inst ward.InstitutionID) (int, error) {
	all, err := d.users(ctx, func(u ward.User) bool { return u.Role == ward.Contact && u.May(ward.MayFlip, inst) })
	return len(all), err
}

func (d *Drawer) users(ctx context.Context, which func(ward.User) bool) ([]ward.User, error) {
	all, err := d.Store.Users(ctx)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(u ward.User) bool { return !which(u) })
	slices.SortFunc(all, func(a, b ward.User) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return all, nil
}
