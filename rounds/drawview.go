package rounds

import (
	"context"
	"encoding/json"
	"fmt"

	"wardwatch/rounds/draw"
	"wardwatch/ward"
)

// DrawView is a draw as its sealed steps tell it.
type DrawView struct {
	Draw       ward.Draw
	Steps      []ward.DrawStep
	Commitment draw.Commitment
	Result     *draw.Result
	Order      *draw.Order
	End        *draw.End
}

// View reads a draw with all of its steps.
func (d *Drawer) View(ctx context.Context, v ward.Draw) (DrawView, error) {
	out := DrawView{Draw: v}
	steps, err := d.Store.DrawSteps(ctx, v.ID)
	if err != nil {
		return out, err
	}
	if out.Commitment, err = committed(v.ID, steps); err != nil {
		return out, err
	}
	for _, s := range steps {
		out.Steps = append(out.Steps, s.DrawStep)
		record, err := recordOf(s), error(nil)
		switch s.DrawStep.Kind {
		case ward.StepCommit:
		case ward.StepResult:
			out.Result = &draw.Result{}
			err = json.Unmarshal(record, out.Result)
		case ward.StepOrder:
			out.Order = &draw.Order{}
			err = json.Unmarshal(record, out.Order)
		case ward.StepFail, ward.StepAbandon:
			out.End = &draw.End{}
			err = json.Unmarshal(record, out.End)
		}
		if err != nil {
			return out, fmt.Errorf("read step %d of draw %s: %w", s.Seq, v.ID, err)
		}
	}
	return out, nil
}

// Salts returns the salt of each candidate's commitment: with it, whoever
// may know the patient shows which person an admission stood for.
func (d *Drawer) Salts(ctx context.Context, c draw.Commitment) (map[ward.AdmissionID]string, error) {
	_, key, err := d.Store.DrawSecrets(ctx, c.Draw)
	if err != nil {
		return nil, err
	}
	salts := map[ward.AdmissionID]string{}
	for _, s := range c.Strata {
		for _, one := range s.Candidates {
			salts[one.Admission] = draw.PersonSalt(key, one.Admission)
		}
	}
	for _, e := range c.Excluded {
		salts[e.Admission] = draw.PersonSalt(key, e.Admission)
	}
	return salts, nil
}
