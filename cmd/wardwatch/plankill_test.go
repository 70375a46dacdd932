package main_test

import (
	"syscall"
	"testing"
	"time"

	"wardwatch/ward"
	"wardwatch/web"
)

// TestPlanAcrossKill kills the service before a planned round is due and
// starts it again twice: the round started once and says that it was late.
func TestPlanAcrossKill(t *testing.T) {
	dir := t.TempDir()
	s := serve(t, dir)
	c := signIn(t, s)
	var inst ward.Institution
	c.must(201, "POST", "/api/v1/institutions", map[string]any{"id": "h1", "name": "第一医院"}, &inst)
	var insured ward.Insured
	c.must(201, "POST", "/api/v1/insured", map[string]any{"name": "张三", "id_number": "110101199001010011"}, &insured)
	c.must(201, "POST", "/api/v1/admissions", map[string]any{"institution_id": "h1", "insured_id": insured.ID, "ward": "内科", "bed": "3", "from": time.Now().Add(-time.Hour).UTC()}, nil)
	due := time.Now().Add(2 * time.Second).UTC()
	var plan ward.Plan
	c.must(201, "POST", "/api/v1/round-plans", map[string]any{"institution_id": "h1", "spec": map[string]any{"reason": "突击", "ward": "内科", "method": "hand", "deadline_minutes": 1, "start": due}}, &plan)
	s.signal(syscall.SIGKILL)
	<-s.ended
	<-time.After(time.Until(due) + time.Second) // what is under test is that this moment passed
	for range 2 {
		s = serve(t, dir)
		c = signIn(t, s)
		var rounds web.Page[ward.Round]
		until(t, "the planned round", time.Minute, func() bool {
			c.must(200, "GET", "/api/v1/rounds", nil, &rounds)
			return len(rounds.Items) > 0
		})
		if r := rounds.Items[0]; len(rounds.Items) != 1 || r.PlanID != plan.ID || !r.Ordered.After(r.Due.Add(time.Second/2)) {
			t.Fatalf("got %+v", rounds.Items)
		}
		s.signal(syscall.SIGKILL)
		<-s.ended
	}
	s = serve(t, dir)
	s.fsck()
}
