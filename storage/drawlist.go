package storage

import (
	"context"
	"fmt"

	"wardwatch/ward"
)

const drawColumns = `SELECT id, institution_id, day, number, state, source, drawn_by, previous, committed_us, due_us, commitment, round_id, leaf FROM draw`

func scanDraw(r row) (ward.Draw, error) {
	var d ward.Draw
	var committed, due int64
	err := r.Scan(&d.ID, &d.InstitutionID, &d.Day, &d.Number, &d.State, &d.Source, &d.By, &d.Previous, &committed, &due, &d.Commitment, &d.RoundID, &d.Leaf)
	d.Committed, d.Due = at(committed), at(due)
	return d, err
}

// Draw returns one draw, or ward.NotFound.
func (s *Store) Draw(ctx context.Context, id ward.DrawID) (ward.Draw, error) {
	d, err := scanDraw(s.read.QueryRowContext(ctx, drawColumns+` WHERE id = $1`, id))
	if err != nil {
		return d, fmt.Errorf("read draw %s: %w", id, drawUnknown(err))
	}
	return d, nil
}

// Draws lists the draws of the institutions (nil: all), whatever became of
// them, newest first, at most limit, older than the draw before when it is not empty.
func (s *Store) Draws(ctx context.Context, insts []ward.InstitutionID, before ward.DrawID, limit int) ([]ward.Draw, error) {
	where, args := scope(insts, nil)
	if before != "" {
		args = append(args, before)
		where += fmt.Sprintf(` AND id < $%d`, len(args))
	}
	args = append(args, limit)
	return listed(ctx, s, "list draws", scanDraw, drawColumns+where+fmt.Sprintf(` ORDER BY id DESC LIMIT $%d`, len(args)), args...)
}

// OpenDraws lists the draws that wait for their seed, the oldest first.
func (s *Store) OpenDraws(ctx context.Context) ([]ward.Draw, error) {
	return listed(ctx, s, "list open draws", scanDraw, drawColumns+` WHERE state = 'committed' ORDER BY id`)
}

// SealedStep is a step of a draw with the exact bytes that were sealed.
type SealedStep struct {
	ward.DrawStep
	SealedRecord
}

// DrawSteps returns the steps of a draw in order.
func (s *Store) DrawSteps(ctx context.Context, id ward.DrawID) ([]SealedStep, error) {
	steps, err := drawSteps(ctx, s.read, id)
	if err != nil {
		return nil, fmt.Errorf("read steps of draw %s: %w", id, err)
	}
	return steps, nil
}

func drawSteps(ctx context.Context, q querier, id ward.DrawID) ([]SealedStep, error) {
	rows, err := q.QueryContext(ctx, `SELECT d.draw_id, d.seq, d.kind, d.at_us, d.leaf, r.kind, r.ref, r.body
		FROM draw_step d JOIN sealed_record r ON r.leaf = d.leaf WHERE d.draw_id = $1 ORDER BY d.seq`, id)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(r row) (SealedStep, error) {
		var v SealedStep
		var when int64
		err := r.Scan(&v.DrawID, &v.Seq, &v.DrawStep.Kind, &when, &v.DrawStep.Leaf, &v.SealedRecord.Kind, &v.Ref, &v.Body)
		v.At, v.SealedRecord.Leaf = at(when), v.DrawStep.Leaf
		return v, err
	})
}

// DrawSecrets returns the committed secret of a draw and the key of its salts.
func (s *Store) DrawSecrets(ctx context.Context, id ward.DrawID) (secret, salts [32]byte, err error) {
	var sealed []byte
	if err = s.read.QueryRowContext(ctx, `SELECT secret FROM draw WHERE id = $1`, id).Scan(&sealed); err != nil {
		return secret, salts, fmt.Errorf("read secret of draw %s: %w", id, drawUnknown(err))
	}
	plain, err := s.seal.open(sealed, "draw.secret."+string(id))
	if err != nil || len(plain) != 64 {
		return secret, salts, fmt.Errorf("read secret of draw %s: %d bytes: %w", id, len(plain), err)
	}
	copy(secret[:], plain)
	copy(salts[:], plain[32:])
	return secret, salts, nil
}
