package witness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"wardwatch/storage/ledger"
)

// Peer is a witness that is asked.
type Peer struct {
	URL string // base, http:// or https://
	Key ledger.Witness
}

// ErrRewritten says that a witness saw another history of this log, or a
// longer one: the log was rewritten, or rolled back to a backup.
var ErrRewritten = errors.New("the witness has seen another history of the ledger")

// Ask asks the peer to cosign checkpoint, whose tree has size leaves, and
// returns its line, verified, with the time in it. since is what the peer is
// believed to have signed last, 0 for nothing; prove makes the consistency
// proof from another size. ErrRewritten is worth an alarm; any other error is
// worth another try.
func (p Peer) Ask(ctx context.Context, client *http.Client, checkpoint string, since, size int64, prove func(old int64) (tlog.TreeProof, error)) (string, time.Time, error) {
	for range 2 {
		r := request{old: since, checkpoint: checkpoint}
		if 0 < since && since < size {
			var err error
			if r.proof, err = prove(since); err != nil {
				return "", time.Time{}, err
			}
		}
		status, answer, err := p.post(ctx, client, r)
		if err != nil {
			return "", time.Time{}, fmt.Errorf("ask witness %s: %w", p.Key.Name, err)
		}
		switch status {
		case http.StatusOK:
			at, err := p.Key.CheckCosignature(checkpoint, answer)
			return answer, at, err
		case http.StatusConflict:
			last, err := strconv.ParseInt(strings.TrimSpace(answer), 10, 64)
			switch {
			case err != nil || last < 0:
				return "", time.Time{}, fmt.Errorf("ask witness %s: it answers no size", p.Key.Name)
			case last > size || last == since:
				return "", time.Time{}, fmt.Errorf("%w: witness %s signed %d leaves, this checkpoint has %d", ErrRewritten, p.Key.Name, last, size)
			}
			since = last
		case http.StatusUnprocessableEntity:
			return "", time.Time{}, fmt.Errorf("%w: witness %s", ErrRewritten, p.Key.Name)
		default:
			return "", time.Time{}, fmt.Errorf("ask witness %s: status %d: %s", p.Key.Name, status, strings.TrimSpace(answer))
		}
	}
	return "", time.Time{}, fmt.Errorf("ask witness %s: it changes its mind about what it signed last", p.Key.Name)
}

func (p Peer) post(ctx context.Context, client *http.Client, r request) (_ int, _ string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(p.URL, "/")+"/add-checkpoint", strings.NewReader(r.String()))
	if err != nil {
		return 0, "", err
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	b, err := io.ReadAll(io.LimitReader(res.Body, maxRequest))
	return res.StatusCode, string(b), err
}
