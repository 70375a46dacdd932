package ward

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // RFC 6238 names it; no code that we show uses it
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"strconv"
	"strings"
	"time"
)

// WardCodeStep is how long one code of a ward's display lasts. A code counts
// in its own step and in the next one: a display is redrawn some seconds late.
const WardCodeStep = 30 * time.Second

const wardCodeDigits = 8

// OTPHash is a hash that RFC 6238 allows.
type OTPHash string

// The hashes of RFC 6238. Wardwatch shows codes of OTPSHA256.
const (
	OTPSHA1   OTPHash = "sha1"
	OTPSHA256 OTPHash = "sha256"
	OTPSHA512 OTPHash = "sha512"
)

// TOTP is the time-based one-time password of RFC 6238 with 8 digits and
// steps of 30 s from the Unix epoch.
func TOTP(h OTPHash, secret []byte, step int64) string {
	var digest func() hash.Hash
	switch h {
	case OTPSHA1:
		digest = sha1.New
	case OTPSHA256:
		digest = sha256.New
	case OTPSHA512:
		digest = sha512.New
	}
	m := hmac.New(digest, secret)
	_ = binary.Write(m, binary.BigEndian, step) // a hash never fails
	sum := m.Sum(nil)
	at := sum[len(sum)-1] & 0xf
	n := binary.BigEndian.Uint32(sum[at:]) & 0x7fffffff
	return fmt.Sprintf("%0*d", wardCodeDigits, n%100_000_000)
}

// CodeStepAt is the step that t lies in.
func CodeStepAt(t time.Time) int64 { return t.Unix() / int64(WardCodeStep/time.Second) }

// RoomKey is the secret of one ward, and the tag that names it in a code.
// Both come from the institution's secret and tell nothing about it.
type RoomKey struct {
	secret []byte
	tag    string
}

// KeyOfWard derives a ward's key from its institution's secret.
func KeyOfWard(institution []byte, ward string) RoomKey {
	derive := func(use string) []byte {
		m := hmac.New(sha256.New, institution)
		m.Write([]byte("wardwatch ward code " + use + "\x00" + ward))
		return m.Sum(nil)
	}
	return RoomKey{derive("secret"), base32.StdEncoding.EncodeToString(derive("tag")[:5])}
}

const wardCodeHead = "WW1"

// Code is what the ward's display shows as a QR code in a step:
// "WW1.TAG.STEP.CODE". The step is told so that an old code can be called
// old; it proves nothing.
func (k RoomKey) Code(step int64) string {
	return strings.Join([]string{wardCodeHead, k.tag, strconv.FormatInt(step, 10), TOTP(OTPSHA256, k.secret, step)}, ".")
}

// CodeResult says what a code that a camera saw is worth.
type CodeResult string

// The results, from nothing to a proof.
const (
	WardCodeNone    CodeResult = "none"    // no ward's code
	WardCodeForged  CodeResult = "forged"  // names this ward, but was not made by us
	WardCodeOther   CodeResult = "other"   // another ward's
	WardCodeExpired CodeResult = "expired" // this ward's, of an earlier (or later) time
	WardCodeMatch   CodeResult = "match"
)

// IsWardCode says whether text has the form of some ward's code.
func IsWardCode(text string) bool {
	_, _, _, err := splitWardCode(text)
	return err == nil
}

var errNoWardCode = errors.New("no ward code")

// Judge says what text, read from a picture that arrived at now, is worth.
func (k RoomKey) Judge(text string, now time.Time) CodeResult {
	tag, step, code, err := splitWardCode(text)
	switch {
	case err != nil:
		return WardCodeNone
	case tag != k.tag:
		return WardCodeOther
	case !hmac.Equal([]byte(TOTP(OTPSHA256, k.secret, step)), []byte(code)):
		return WardCodeForged
	}
	if at := CodeStepAt(now); step != at && step != at-1 {
		return WardCodeExpired
	}
	return WardCodeMatch
}

func splitWardCode(text string) (tag string, step int64, code string, err error) {
	f := strings.Split(text, ".")
	if len(text) > 64 || len(f) != 4 || f[0] != wardCodeHead || len(f[3]) != wardCodeDigits {
		return "", 0, "", errNoWardCode
	}
	if step, err = strconv.ParseInt(f[2], 10, 64); err != nil {
		return "", 0, "", errNoWardCode
	}
	return f[1], step, f[3], nil
}
