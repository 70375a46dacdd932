// Package witness is somebody else's eye on ledgers: a small server that
// signs a ledger's checkpoints as long as the ledger has only grown (C2SP
// tlog-witness), and the client that asks it. It sees sizes and hashes, no
// records. It must not know what a ledger seals.
package witness

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"wardwatch/storage/ledger"
)

const (
	// maxRequest bounds a request: 63 hashes and a checkpoint are below 5 kB.
	maxRequest = 16 << 10
	// maxHashes is C2SP's bound of a consistency proof.
	maxHashes = 63
	// sizeType is the content type of the size that a witness has seen.
	sizeType = "text/x.tlog.size"
)

// Witness signs the checkpoints of the logs that it knows.
type Witness struct {
	name string
	key  ed25519.PrivateKey
	logs map[string]string // origin -> key, as ledger.Verifier writes it
	path string
	log  *slog.Logger

	mu   sync.Mutex // of seen, and of its file
	seen map[string]seen
}

// seen is the largest tree of a log that was signed.
type seen struct {
	Size int64  `json:"size"`
	Root string `json:"root"`
}

// Open opens a witness whose memory is the file at path, which is made when
// it is absent. logs are the keys of the logs to sign for, as GET
// /api/v1/ledger/key gives them ("verifier").
func Open(path, name string, key ed25519.PrivateKey, logs []string, log *slog.Logger) (*Witness, error) {
	w := &Witness{name: name, key: key, logs: map[string]string{}, path: path, log: log, seen: map[string]seen{}}
	for _, vkey := range logs {
		v, err := note.NewVerifier(vkey)
		if err != nil {
			return nil, fmt.Errorf("log key %q: %w", vkey, err)
		}
		w.logs[v.Name()] = vkey
	}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return w, w.keep(w.seen)
	}
	if err != nil {
		return nil, fmt.Errorf("open the witness's memory: %w", err)
	}
	if err := json.Unmarshal(b, &w.seen); err != nil {
		return nil, fmt.Errorf("the witness's memory %s is damaged, restore it from its backup; without it a rewritten log would be signed: %w", path, err)
	}
	for origin, s := range w.seen {
		if _, err := tlog.ParseHash(s.Root); err != nil || s.Size < 1 {
			return nil, fmt.Errorf("the witness's memory %s is damaged (%s), restore it from its backup", path, origin)
		}
	}
	return w, nil
}

// ServeHTTP answers POST /add-checkpoint.
func (w *Witness) ServeHTTP(res http.ResponseWriter, req *http.Request) {
	if req.URL.Path != "/add-checkpoint" {
		http.NotFound(res, req)
		return
	}
	if req.Method != http.MethodPost {
		res.Header().Set("Allow", http.MethodPost)
		http.Error(res, "POST a checkpoint", http.StatusMethodNotAllowed)
		return
	}
	b, err := io.ReadAll(http.MaxBytesReader(res, req.Body, maxRequest))
	if err != nil {
		http.Error(res, "the request is too large or was cut off", http.StatusBadRequest)
		return
	}
	r, err := parse(string(b))
	if err != nil {
		http.Error(res, err.Error(), http.StatusBadRequest)
		return
	}
	line, err := w.sign(r)
	var no *refusal
	switch {
	case errors.As(err, &no) && no.status == http.StatusConflict:
		res.Header().Set("Content-Type", sizeType)
		res.WriteHeader(no.status)
		_, _ = io.WriteString(res, strconv.FormatInt(no.size, 10)+"\n")
	case errors.As(err, &no):
		w.log.WarnContext(req.Context(), "checkpoint refused", "origin", r.origin, "status", no.status, "reason", no.reason)
		http.Error(res, no.reason, no.status)
	case err != nil:
		w.log.ErrorContext(req.Context(), "checkpoint not signed", "origin", r.origin, "error", err)
		http.Error(res, "the witness cannot write its memory", http.StatusInternalServerError)
	default:
		_, _ = io.WriteString(res, line)
	}
}

// refusal is an answer other than a signature.
type refusal struct {
	status int
	reason string
	size   int64 // with 409: what was signed last
}

func (r *refusal) Error() string { return r.reason }

// sign remembers the checkpoint, durably, before it signs it: a crash in
// between costs an answer and never lets two histories be signed.
func (w *Witness) sign(r request) (string, error) {
	vkey, ok := w.logs[r.origin]
	if !ok {
		return "", &refusal{status: http.StatusNotFound, reason: "this witness does not know the log"}
	}
	c, err := ledger.OpenSigned(r.checkpoint, vkey)
	if err != nil {
		return "", &refusal{status: http.StatusForbidden, reason: "the log's signature is missing or not valid"}
	}
	if r.old > c.Size {
		return "", &refusal{status: http.StatusBadRequest, reason: "the old size is larger than the checkpoint's"}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	last := w.seen[r.origin]
	if r.old != last.Size {
		return "", &refusal{status: http.StatusConflict, reason: "another size was signed last", size: last.Size}
	}
	if err := grown(last, c, r.proof); err != nil {
		return "", err
	}
	next := maps.Clone(w.seen)
	next[r.origin] = seen{Size: c.Size, Root: c.Root.String()}
	if next[r.origin] != last {
		if err := w.keep(next); err != nil {
			return "", err
		}
		w.seen = next
	}
	return ledger.Cosign(r.checkpoint, w.name, w.key, time.Now())
}

// grown says whether the tree of c begins with all that was seen.
func grown(last seen, c ledger.Checkpoint, proof tlog.TreeProof) error {
	rewritten := &refusal{status: http.StatusUnprocessableEntity, reason: "the log was rewritten, or the proof is wrong: what was signed before is not the begin of this checkpoint"}
	switch last.Size {
	case 0, c.Size:
		if len(proof) != 0 {
			return rewritten
		}
		if last.Size == c.Size && last.Root != c.Root.String() {
			return &refusal{status: http.StatusConflict, reason: "another tree of this size was signed", size: last.Size}
		}
		return nil
	}
	old, err := tlog.ParseHash(last.Root)
	if err != nil {
		return err
	}
	if tlog.CheckTree(proof, c.Size, c.Root, last.Size, old) != nil {
		return rewritten
	}
	return nil
}

// keep writes the memory: a new file, on disk, then its name.
func (w *Witness) keep(next map[string]seen) error {
	b, err := json.MarshalIndent(next, "", " ")
	if err != nil {
		return err
	}
	dir := filepath.Dir(w.path)
	f, err := os.CreateTemp(dir, ".witness-*")
	if err != nil {
		return fmt.Errorf("write the witness's memory: %w", err)
	}
	_, err = f.Write(append(b, '\n'))
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), w.path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write the witness's memory: %w", err), os.Remove(f.Name()))
	}
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("write the witness's memory: %w", err)
	}
	return errors.Join(d.Sync(), d.Close())
}

// request is the body of add-checkpoint.
type request struct {
	old        int64
	proof      tlog.TreeProof
	origin     string
	checkpoint string
}

func (r request) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "old %d\n", r.old)
	for _, h := range r.proof {
		b.WriteString(h.String() + "\n")
	}
	return b.String() + "\n" + r.checkpoint
}

func parse(s string) (request, error) {
	head, checkpoint, ok := strings.Cut(s, "\n\n")
	lines := strings.Split(head, "\n")
	number, isOld := strings.CutPrefix(lines[0], "old ")
	old, err := strconv.ParseInt(number, 10, 64)
	if !ok || !isOld || err != nil || old < 0 || number != strconv.FormatInt(old, 10) {
		return request{}, errors.New("the first line must be: old SIZE; then hashes, an empty line, and the checkpoint")
	}
	if len(lines)-1 > maxHashes {
		return request{}, fmt.Errorf("at most %d hashes", maxHashes)
	}
	r := request{old: old, checkpoint: checkpoint}
	for _, l := range lines[1:] {
		h, err := tlog.ParseHash(l)
		if err != nil {
			return request{}, errors.New("a line of the proof is not a hash in base64")
		}
		r.proof = append(r.proof, h)
	}
	r.origin, _, _ = strings.Cut(checkpoint, "\n")
	return r, nil
}
