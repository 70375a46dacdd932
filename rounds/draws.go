package rounds

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"wardwatch/rounds/drand"
	"wardwatch/rounds/draw"
	"wardwatch/storage"
	"wardwatch/storage/ledger"
	"wardwatch/ward"
)

const (
	// drawMargin is how long after the commitment the beacon's round comes out
	// at least: the ledger's signature over it is shown before anybody knows the seed.
	drawMargin = 20 * time.Second
	// coinTime is how long the institution's contact may take.
	coinTime = 10 * time.Minute
	// beaconTime is how long a draw waits for its round, by network or by file.
	beaconTime = 24 * time.Hour
	fetchTime  = 10 * time.Second
)

// Drawer makes auditable draws and concludes them when their seed is there. Set
// the fields, call Run; the other methods may be called from any goroutine.
type Drawer struct {
	Store  *storage.Store
	Chain  drand.Chain
	Relays []string     // of the chain, asked at once; none: rounds come by file
	Client *http.Client // nil: one that follows no redirects
	Margin time.Duration
	Coin   time.Duration // 0: coinTime
	Log    *slog.Logger
}

func (d *Drawer) margin() time.Duration {
	if d.Margin > 0 {
		return d.Margin
	}
	return drawMargin
}

// Run concludes the open draws, also those that a dead process left, until ctx ends.
func (d *Drawer) Run(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	wait := map[ward.DrawID]time.Time{} // until when a draw's relays are left alone
	for {
		open, err := d.Store.OpenDraws(ctx)
		if err != nil && ctx.Err() == nil {
			d.Log.ErrorContext(ctx, "open draws not read", "error", err)
		}
		for _, o := range open {
			if time.Now().Before(wait[o.ID]) {
				continue
			}
			if err := d.goOn(ctx, o); err != nil && ctx.Err() == nil && !overtaken(err) {
				d.Log.WarnContext(ctx, "draw waits", "draw", o.ID, "error", err)
				wait[o.ID] = time.Now().Add(min(time.Minute, max(sweepEvery, time.Since(o.Due)/4)))
			}
		}
		if len(open) == 0 {
			clear(wait)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// overtaken says that somebody else took the step.
func overtaken(err error) bool { return errors.Is(err, &ward.Error{Code: "draw.state"}) }

// goOn concludes one open draw, or ends it, when it is due.
func (d *Drawer) goOn(ctx context.Context, o ward.Draw) error {
	now := time.Now()
	switch {
	case now.Before(o.Due):
		return nil
	case o.Source == ward.SourceCoin:
		_, err := d.end(ctx, o.ID, ward.StepFail, draw.End{Why: draw.ContactSilent})
		return err
	case o.Source != ward.SourceDrand:
		return fmt.Errorf("draw %s: source %q is not known", o.ID, o.Source)
	case now.After(o.Due.Add(beaconTime)):
		_, err := d.end(ctx, o.ID, ward.StepFail, draw.End{Why: draw.NoBeacon})
		return err
	case len(d.Relays) == 0:
		return nil
	}
	c, err := d.commitment(ctx, o.ID)
	if err != nil {
		return err
	}
	ask, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	sig, err := c.Source.Drand.Chain.Fetch(ask, d.client(), d.Relays, c.Source.Drand.Round)
	if err != nil {
		return err
	}
	_, err = d.conclude(ctx, o.ID, &draw.DrandValue{Signature: hex.EncodeToString(sig)}, nil)
	return err
}

func (d *Drawer) client() *http.Client {
	if d.Client != nil {
		return d.Client
	}
	return &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// commitment reads what a draw committed to.
func (d *Drawer) commitment(ctx context.Context, id ward.DrawID) (draw.Commitment, error) {
	steps, err := d.Store.DrawSteps(ctx, id)
	if err != nil {
		return draw.Commitment{}, err
	}
	return committed(id, steps)
}

func committed(id ward.DrawID, steps []storage.SealedStep) (draw.Commitment, error) {
	if len(steps) == 0 {
		return draw.Commitment{}, fmt.Errorf("draw %s has no steps", id)
	}
	c, err := draw.ReadCommitment(recordOf(steps[0]))
	if err != nil {
		return c, fmt.Errorf("read commitment of draw %s: %w", id, err)
	}
	return c, nil
}

// recordOf is the record inside a step's sealed bytes.
func recordOf(s storage.SealedStep) json.RawMessage {
	var e ledger.Sealed
	if json.Unmarshal(s.Body, &e) != nil {
		return nil
	}
	return e.Record
}

// head is the head of a draw's next step.
func head(id ward.DrawID, steps []storage.SealedStep, kind ward.DrawStepKind, now time.Time) draw.Head {
	h := draw.Head{Draw: id, Seq: int64(len(steps)) + 1, Step: kind, At: now}
	if n := len(steps); n > 0 {
		h.Prev = draw.SumOf(steps[n-1].Body)
	}
	return h
}

// conclude seals the result that the value gives.
func (d *Drawer) conclude(ctx context.Context, id ward.DrawID, v *draw.DrandValue, coin *draw.CoinValue) (ward.Draw, error) {
	secret, _, err := d.Store.DrawSecrets(ctx, id)
	if err != nil {
		return ward.Draw{}, err
	}
	out, err := d.Store.StepDraw(ctx, storage.DrawChange{ID: id, Kind: ward.StepResult, Record: func(_ ward.Draw, steps []storage.SealedStep, now time.Time) (any, error) {
		c, err := committed(id, steps)
		if err != nil {
			return nil, err
		}
		if coin != nil && c.Source.Coin != nil && !now.Before(c.Source.Coin.Until) {
			return nil, late() // it ran out while the answer waited for the ledger
		}
		r, err := c.Conclude(steps[0].Body, v, coin, secret)
		r.Head = head(id, steps, ward.StepResult, now)
		return r, err
	}})
	if err == nil {
		d.Log.InfoContext(ctx, "draw concluded", "draw", id, "institution", out.InstitutionID)
		d.sign(ctx)
	}
	return out, err
}

// end seals that a draw failed or was abandoned, and reveals its secret.
func (d *Drawer) end(ctx context.Context, id ward.DrawID, kind ward.DrawStepKind, e draw.End) (ward.Draw, error) {
	secret, _, err := d.Store.DrawSecrets(ctx, id)
	if err != nil {
		return ward.Draw{}, err
	}
	out, err := d.Store.StepDraw(ctx, storage.DrawChange{ID: id, Kind: kind, Record: func(was ward.Draw, steps []storage.SealedStep, now time.Time) (any, error) {
		c, err := committed(id, steps)
		if err != nil {
			return nil, err
		}
		switch {
		case kind != ward.StepFail || c.Source.Allows(e.Why, now):
		case e.Why == draw.ContactRefused:
			return nil, late()
		default: // the row's due is cut to microseconds: the next turn ends it
			return nil, &ward.Error{Kind: ward.Conflict, Code: "draw.state", ZH: "该抽取的当前状态不允许此操作，请刷新。", EN: "The draw's state does not allow this; reload."}
		}
		e.Head = head(id, steps, kind, now)
		if was.State == ward.DrawCommitted {
			e.Secret = hex.EncodeToString(secret[:])
		}
		return e, nil
	}})
	if err == nil {
		d.Log.InfoContext(ctx, "draw ended", "draw", id, "state", out.State, "why", e.Why)
	}
	return out, err
}

// sign has the ledger signed at once: what was sealed is then shown with a
// signature, and not only at the next turn of the checkpointer, which tries again.
func (d *Drawer) sign(ctx context.Context) {
	if _, _, err := d.Store.Checkpoint(ctx); err != nil && ctx.Err() == nil {
		d.Log.ErrorContext(ctx, "ledger not signed", "error", err)
	}
}

// Proof is the proof of a draw as it stands.
func (d *Drawer) Proof(ctx context.Context, id ward.DrawID) ([]byte, error) {
	steps, err := d.Store.DrawSteps(ctx, id)
	if err != nil {
		return nil, err
	}
	note, size, err := d.Store.Checkpoint(ctx)
	if err != nil {
		return nil, err
	}
	p := draw.NewProof(id, d.Store.PublicKey(), note)
	for _, s := range steps {
		in, err := d.Store.Proof(ctx, s.DrawStep.Leaf, size, note)
		if err != nil {
			return nil, err
		}
		p.Add(s.Body, in)
	}
	return p.Bytes()
}

// fresh returns 32 random bytes and their SHA-256 in hex.
func fresh() (b [32]byte, sum string) {
	_, _ = rand.Read(b[:])
	h := sha256.Sum256(b[:])
	return b, hex.EncodeToString(h[:])
}
