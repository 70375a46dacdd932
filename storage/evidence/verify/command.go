package verify

import (
	"io"
	"os"

	"wardwatch/storage/ledger"
	"wardwatch/storage/timestamp"
	"wardwatch/ward"
)

// Command is the command line of `wardwatch verify` and of wardwatch-verify.
type Command struct {
	File    string   `arg:"" help:"The evidence package (zip)."`
	Key     string   `help:"Fingerprint of the ledger key, 64 hex digits, from outside the package." placeholder:"FINGERPRINT"`
	Keyless bool     `help:"Accept the package's own key: proves only that it is consistent in itself."`
	Witness []string `help:"Key of a witness that must have signed; may be repeated." placeholder:"KEY"`
	TSA     string   `help:"Certificates (PEM) of the time-stamping authority that must have stamped it." placeholder:"FILE"`
}

// Help says what the exit code means.
func (Command) Help() string {
	return "Exit codes: 0 verified, 1 changed or not proven, 2 unreadable, 3 no key given, 4 incomplete."
}

// Verify prints the report to w and returns the exit code, or a ward.Error.
func (c Command) Verify(w io.Writer) (int, error) {
	trust, err := c.trust()
	if err != nil {
		return ExitUsage, err
	}
	return File(w, c.File, trust, c.Keyless)
}

func (c Command) trust() (Trust, error) {
	t := Trust{Fingerprint: c.Key}
	for _, vkey := range c.Witness {
		w, err := ledger.ParseWitness(vkey)
		if err != nil {
			return t, &ward.Error{Kind: ward.Invalid, Code: "verify.witness", ZH: "--witness 不是见证方的密钥：" + err.Error(), EN: "--witness is no witness's key: " + err.Error()}
		}
		t.Witnesses = append(t.Witnesses, w)
	}
	if c.TSA == "" {
		return t, nil
	}
	b, err := os.ReadFile(c.TSA)
	if err == nil {
		t.Authorities, err = timestamp.Roots(b)
	}
	if err != nil {
		return t, &ward.Error{Kind: ward.Invalid, Code: "verify.tsa", ZH: "--tsa 无法读取证书：" + err.Error(), EN: "--tsa: the certificates cannot be read: " + err.Error()}
	}
	return t, nil
}
