package drand

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
)

// maxAnswer bounds what a relay may answer with: a round is some 300 bytes.
const maxAnswer = 4 << 10

// Fetch asks all relays for a round and returns the first signature that
// verifies: a relay that never answers holds up nothing while another does.
// What a relay says is believed only by the signature, so it does not matter
// who runs it or who is on the way.
func (c Chain) Fetch(ctx context.Context, client *http.Client, relays []string, round int64) ([]byte, error) {
	if len(relays) == 0 {
		return nil, errors.New("no relay to ask")
	}
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel() // the first answer ends the others
	type answer struct {
		sig []byte
		err error
	}
	answers := make(chan answer, len(relays))
	for _, relay := range relays {
		all.Go(func() {
			sig, err := c.ask(ctx, client, relay, round)
			if err != nil {
				err = fmt.Errorf("ask %s for round %d: %w", relay, round, err)
			}
			answers <- answer{sig, err}
		})
	}
	errs := make([]error, 0, len(relays))
	for range relays {
		a := <-answers
		if a.err == nil {
			return a.sig, nil
		}
		errs = append(errs, a.err)
	}
	return nil, errors.Join(errs...)
}

func (c Chain) ask(ctx context.Context, client *http.Client, relay string, round int64) (_ []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%s/%s/public/%d", strings.TrimSuffix(relay, "/"), c.Hash, round), nil)
	if err != nil {
		return nil, err
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", res.StatusCode)
	}
	b, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	got, sig, err := ParseBeacon(b)
	if err != nil {
		return nil, err
	}
	if got != round {
		return nil, fmt.Errorf("it answered with round %d", got)
	}
	return sig, c.Verify(round, sig)
}
