package sweep

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"wardwatch/internal/demo"
	"wardwatch/ward"
)

const (
	atATime = 4 // requests of the setting up: a photo costs the vision worker a look
	wardOf  = "模拟病区"
)

func institution(n int) string { return fmt.Sprintf("sweep-%03d", n+1) }

// setUp registers everything, and the inspector.
func (s *sweep) setUp(ctx context.Context) (err error) {
	if s.admin, err = signIn(ctx, s.Base, s.OneTime); err != nil {
		return err
	}
	var made struct {
		OneTime string `json:"one_time"`
	}
	err = s.post(ctx, s.admin, "/users", map[string]any{"login": "sweep", "name": "模拟稽核员", "role": ward.Inspector, "all_institutions": true}, &made)
	if err != nil {
		return err
	}
	if s.inspector, err = signIn(ctx, s.Base, made.OneTime); err != nil {
		return err
	}
	for i := range s.Institutions {
		in := ward.Institution{ID: ward.InstitutionID(institution(i)), Name: fmt.Sprintf("模拟医院 %d", i+1)}
		if err := s.post(ctx, s.admin, "/institutions", in, nil); err != nil {
			return err
		}
	}
	all, ctx := errgroup.WithContext(ctx)
	all.SetLimit(atATime)
	for _, x := range s.beds {
		all.Go(func() error { return s.admit(ctx, x) })
	}
	return all.Wait()
}

// signIn waits for the vision workers of a service that has just begun: enrolment needs them.
func signIn(ctx context.Context, base, oneTime string) (*demo.Client, error) {
	c, err := demo.NewClient(base, nil)
	if err != nil {
		return nil, err
	}
	return c, c.Do(ctx, http.MethodPost, "/api/v1/sign-in", map[string]string{"one_time": oneTime}, nil)
}

// admit registers the patient of one bed with his photo.
func (s *sweep) admit(ctx context.Context, x *bed) error {
	id := fmt.Sprintf("sweep-%05d", x.number+1)
	if err := s.post(ctx, s.admin, "/insured", map[string]any{"id": id, "name": "模拟", "id_number": "110101195003070019"}, nil); err != nil {
		return err
	}
	if err := s.enrol(ctx, id, s.Men[x.man].Photo); err != nil {
		return err
	}
	var a ward.Admission
	err := s.post(ctx, s.admin, "/admissions", map[string]any{
		"institution_id": institution(x.institution), "insured_id": id, "ward": wardOf, "bed": fmt.Sprint(x.number/s.Institutions + 1), "physician": "模拟", "from": time.Now().Add(-time.Hour).UTC(),
	}, &a)
	x.admission = a.ID
	return err
}

// enrol sends the photo again while the service's vision workers are starting.
func (s *sweep) enrol(ctx context.Context, id string, photo []byte) error {
	for {
		err := s.admin.Do(ctx, http.MethodPut, "/api/v1/insured/"+id+"/photo", photo, nil)
		if p, ok := errors.AsType[*demo.Problem](err); !ok || p.Status != http.StatusServiceUnavailable {
			return err
		}
		select {
		case <-time.After(500 * time.Millisecond):
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		}
	}
}

// order orders every bed, in a round of its own: the two men lie in all of
// them, and one person at two beds of a round is a finding.
func (s *sweep) order(ctx context.Context) error {
	for _, x := range s.beds {
		var made struct {
			Visits []struct {
				Visit ward.Visit `json:"visit"`
				Link  string     `json:"link"`
			} `json:"visits"`
		}
		x.ordered = time.Now()
		x.deadline = x.ordered.Add(s.Within).UTC()
		err := s.post(ctx, s.inspector, "/rounds", map[string]any{
			"institution_id": institution(x.institution), "ward": wardOf, "reason": "模拟", "admission_ids": []ward.AdmissionID{x.admission}, "deadline": x.deadline,
		}, &made)
		if err != nil {
			return err
		}
		if len(made.Visits) != 1 {
			return fmt.Errorf("%d visits of one bed", len(made.Visits))
		}
		x.visit, x.round, x.link = made.Visits[0].Visit.ID, made.Visits[0].Visit.RoundID, made.Visits[0].Link
	}
	return nil
}

func (s *sweep) post(ctx context.Context, c *demo.Client, path string, in, out any) error {
	return c.Do(ctx, http.MethodPost, "/api/v1"+path, in, out)
}
