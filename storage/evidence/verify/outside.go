package verify

import (
	"crypto/x509"
	"strings"
	"time"

	"wardwatch/storage/evidence/pack"
	"wardwatch/storage/ledger"
	"wardwatch/storage/timestamp"
)

// Trust is what a verifier has from outside the package.
type Trust struct {
	// Fingerprint of the ledger's key, hex (case, colons and spaces do not
	// matter); empty: none, and Compared stays false.
	Fingerprint string
	// Witnesses must all have signed.
	Witnesses []ledger.Witness
	// Authorities must have issued the certificate of a time stamp, which
	// must then be there; nil: a stamp that is there is read, its certificate is not.
	Authorities *x509.CertPool
}

// Outside is somebody else's word on the checkpoint.
type Outside struct {
	Name    string // of a witness; empty: the time stamp
	At      time.Time
	Checked bool // by a key or certificate that the verifier brought
}

// outsideNames are those of the optional files that are there.
func (c *check) outsideNames() []string {
	var names []string
	for _, n := range []string{pack.CosignedName, pack.StampName, pack.SM2Name} {
		if c.byName[n] != nil {
			names = append(names, n)
		}
	}
	return names
}

// outside checks what others say of the checkpoint.
func (c *check) outside(trust Trust) {
	if c.tree.Size == 0 {
		return // its own signature has failed already
	}
	c.cosigned(trust.Witnesses)
	c.stamped(trust.Authorities)
	c.sm2()
}

// sm2 checks the second signature, whose key the manifest vouches for.
func (c *check) sm2() {
	key, signed := c.byName[pack.SM2KeyName] != nil, c.byName[pack.SM2Name] != nil
	if !key && !signed {
		return
	}
	if key != signed {
		c.report.fail(pack.SM2Name, "缺少 SM2 签名或其公钥。", "The SM2 signature or its key is missing.")
		return
	}
	public, ok := c.small(pack.SM2KeyName)
	line, ok2 := c.small(pack.SM2Name)
	if !ok || !ok2 {
		return
	}
	if err := ledger.CheckSM2(c.note, string(line), public); err != nil {
		c.report.fail(pack.SM2Name, "SM2 签名无效。", "The SM2 signature: "+err.Error())
		return
	}
	c.report.SM2 = ledger.SM2Fingerprint(public)
}

func (c *check) cosigned(witnesses []ledger.Witness) {
	var lines []string
	if c.byName[pack.CosignedName] != nil {
		b, ok := c.small(pack.CosignedName)
		if !ok {
			return
		}
		lines = strings.SplitAfter(string(b), "\n")
		if len(b) == 0 || lines[len(lines)-1] != "" {
			c.report.fail(pack.CosignedName, "见证签名的格式不对。", "It is not a list of cosignatures.")
			return
		}
		lines = lines[:len(lines)-1]
	}
	byName := map[string]string{}
	for _, l := range lines {
		rest, ok := strings.CutPrefix(l, "— ")
		name, _, more := strings.Cut(rest, " ")
		if !ok || !more || byName[name] != "" {
			c.report.fail(pack.CosignedName, "见证签名的格式不对。", "It is not a list of cosignatures.")
			return
		}
		byName[name] = l
	}
	trusted := map[string]ledger.Witness{}
	for _, w := range witnesses {
		trusted[w.Name] = w
		if byName[w.Name] == "" {
			c.report.fail(pack.CosignedName, "缺少见证方 "+w.Name+" 的签名。", "The witness "+w.Name+" has not signed.")
		}
	}
	for _, l := range lines {
		name, _, _ := strings.Cut(strings.TrimPrefix(l, "— "), " ")
		w, checked := trusted[name]
		said := Outside{Name: name, Checked: checked}
		if checked {
			var err error
			if said.At, err = w.CheckCosignature(c.note, l); err != nil {
				c.report.fail(pack.CosignedName, "见证方 "+name+" 的签名无效。", "The signature of the witness "+name+" is not valid.")
				continue
			}
		}
		c.report.Outside = append(c.report.Outside, said)
	}
}

func (c *check) stamped(authorities *x509.CertPool) {
	if c.byName[pack.StampName] == nil {
		if authorities != nil {
			c.report.fail(pack.StampName, "缺少时间戳。", "There is no time stamp.")
		}
		return
	}
	b, ok := c.small(pack.StampName)
	if !ok {
		return
	}
	at, err := timestamp.Verify(b, []byte(c.note), authorities)
	if err != nil {
		c.report.fail(pack.StampName, "时间戳无效。", "The time stamp is not valid: "+err.Error())
		return
	}
	c.report.Outside = append(c.report.Outside, Outside{At: at, Checked: authorities != nil})
}
