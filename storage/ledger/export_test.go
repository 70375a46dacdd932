package ledger

import (
	"encoding/asn1"
	"encoding/base64"
	"math/big"
	"strings"
)

// SM2DER is the signature of a line as OpenSSL takes it.
func SM2DER(line string) []byte {
	f := strings.Fields(line)
	b, err := base64.StdEncoding.DecodeString(f[len(f)-1])
	if err != nil {
		panic(err)
	}
	der, err := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(b[4:36]), new(big.Int).SetBytes(b[36:])})
	if err != nil {
		panic(err)
	}
	return der
}
