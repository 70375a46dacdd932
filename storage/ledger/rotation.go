package ledger

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Rotation is the statement by which the key of a log was replaced: the old
// key says who comes after it, and the new one that it agrees. Who trusts the
// old key's fingerprint is led to the new key by it.
type Rotation struct {
	Log      string // its name, see Origin
	From, To ed25519.PublicKey
	Size     int64     // leaves of the last checkpoint by From
	At       time.Time // to the second
	Until    time.Time // From also signs until then, for those who only know it
	By, With []byte    // the signatures of From and To
}

const rotationHead = "wardwatch/rotation/v1"

func (r Rotation) text() string {
	return strings.Join([]string{
		rotationHead, r.Log, base64.StdEncoding.EncodeToString(r.From), base64.StdEncoding.EncodeToString(r.To),
		strconv.FormatInt(r.Size, 10), strconv.FormatInt(r.At.Unix(), 10), strconv.FormatInt(r.Until.Unix(), 10),
	}, " ")
}

// Rotate makes the statement with both keys.
func Rotate(log string, from, to ed25519.PrivateKey, size int64, now, until time.Time) Rotation {
	r := Rotation{Log: log, From: publicOf(from), To: publicOf(to), Size: size, At: now.UTC().Truncate(time.Second), Until: until.UTC().Truncate(time.Second)}
	r.By, r.With = ed25519.Sign(from, []byte(r.text())), ed25519.Sign(to, []byte(r.text()))
	return r
}

func publicOf(k ed25519.PrivateKey) ed25519.PublicKey {
	pub, _ := k.Public().(ed25519.PublicKey)
	return pub
}

// String is the statement as it stands in a file of them: one line.
func (r Rotation) String() string {
	return r.text() + " " + base64.StdEncoding.EncodeToString(r.By) + " " + base64.StdEncoding.EncodeToString(r.With) + "\n"
}

// ParseRotations reads and verifies statements, one a line, each in its only
// form: of one log, each from the key to which the one before it leads, with
// sizes that do not fall.
func ParseRotations(text string) ([]Rotation, error) {
	var all []Rotation
	for line := range strings.Lines(text) {
		r, err := parseRotation(line)
		if err != nil {
			return nil, err
		}
		if n := len(all); n > 0 && (!all[n-1].To.Equal(r.From) || all[n-1].Log != r.Log || all[n-1].Size > r.Size) {
			return nil, errors.New("rotation: does not follow the one before it")
		}
		all = append(all, r)
	}
	if len(all) > 0 && Origin(all[0].From) != all[0].Log {
		return nil, errors.New("rotation: the first key is not the one that the log is named after")
	}
	return all, nil
}

func parseRotation(line string) (Rotation, error) {
	f := strings.Split(strings.TrimSuffix(line, "\n"), " ")
	if len(f) != 9 || f[0] != rotationHead || !isOrigin(f[1]) {
		return Rotation{}, errors.New("rotation: not a statement")
	}
	r := Rotation{Log: f[1]}
	var err error
	var at, until int64
	bytes := func(s string, n int) []byte {
		b, e := base64.StdEncoding.DecodeString(s)
		if e != nil || len(b) != n {
			err = fmt.Errorf("rotation: %q is not %d bytes", s, n)
		}
		return b
	}
	number := func(s string) int64 {
		n, e := strconv.ParseInt(s, 10, 64)
		if e != nil || n < 0 {
			err = fmt.Errorf("rotation: %q is not a number", s)
		}
		return n
	}
	r.From, r.To, r.By, r.With = bytes(f[2], ed25519.PublicKeySize), bytes(f[3], ed25519.PublicKeySize), bytes(f[7], ed25519.SignatureSize), bytes(f[8], ed25519.SignatureSize)
	r.Size, at, until = number(f[4]), number(f[5]), number(f[6])
	if err != nil {
		return Rotation{}, err
	}
	r.At, r.Until = time.Unix(at, 0).UTC(), time.Unix(until, 0).UTC()
	if r.String() != line {
		return Rotation{}, errors.New("rotation: not in its only form")
	}
	if !ed25519.Verify(r.From, []byte(r.text()), r.By) || !ed25519.Verify(r.To, []byte(r.text()), r.With) {
		return Rotation{}, errors.New("rotation: a signature is not valid")
	}
	return r, nil
}
