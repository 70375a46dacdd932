package timestamp

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
)

// A response has bytes that nothing signs: the status, versions, algorithms
// and certificates around what is signed. checkForm admits them in one form
// only, so that every changed byte is seen.

type (
	outerResponse struct {
		Status asn1.RawValue
		Token  struct {
			Type    asn1.ObjectIdentifier
			Content signedData `asn1:"explicit,tag:0"`
		}
	}
	signedData struct {
		Version    int
		Digests    []pkix.AlgorithmIdentifier `asn1:"set"`
		Content    asn1.RawValue              // compared by its digest, which is signed
		Certs      asn1.RawValue              `asn1:"tag:0"`
		SignerInfo []signerInfo               `asn1:"set"`
	}
	signerInfo struct {
		Version   int
		Issuer    asn1.RawValue // names the certificate; compared with it
		Digest    pkix.AlgorithmIdentifier
		Attrs     asn1.RawValue `asn1:"tag:0"` // signed
		Algorithm pkix.AlgorithmIdentifier
		Signature []byte
	}
)

var (
	oidSignedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidTSTInfo    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	oidRSA        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	// digests are SHA-256, SHA-384 and SHA-512, each with the signatures that are made with it (RFC 5754, RFC 4055, RFC 5758).
	digests = []struct {
		digest, rsa, ecdsa asn1.ObjectIdentifier
		withRSA, withECDSA x509.SignatureAlgorithm
	}{
		{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}, asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}, x509.SHA256WithRSA, x509.ECDSAWithSHA256},
		{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 12}, asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 3}, x509.SHA384WithRSA, x509.ECDSAWithSHA384},
		{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 13}, asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 4}, x509.SHA512WithRSA, x509.ECDSAWithSHA512},
	}
	// granted is PKIStatusInfo with nothing but status 0.
	granted = []byte{0x30, 3, 2, 1, 0}

	errForm = errors.New("the time stamp is not in a form that can be checked to the last byte")
)

// checkForm says whether response is in its only form: status granted, one
// signer, one digest, its certificate with others, and nothing else. What the
// certificates are worth, Verify finds out.
func checkForm(response []byte) error {
	var r outerResponse
	rest, err := asn1.Unmarshal(response, &r)
	if err != nil || len(rest) != 0 {
		return errors.Join(errForm, err)
	}
	again, err := asn1.Marshal(r)
	s := r.Token.Content
	if err != nil || !bytes.Equal(again, response) || !bytes.Equal(r.Status.FullBytes, granted) || !r.Token.Type.Equal(oidSignedData) ||
		s.Version != 3 || len(s.Digests) != 1 || len(s.SignerInfo) != 1 {
		return errors.Join(errForm, err)
	}
	i := s.SignerInfo[0]
	alg := algorithm(i.Digest, i.Algorithm)
	if i.Version != 1 || !sameAlgorithm(s.Digests[0], i.Digest) || alg == x509.UnknownSignatureAlgorithm || !isTSTInfo(s.Content) || len(i.Attrs.FullBytes) == 0 {
		return errForm
	}
	cert, err := signerOf(s.Certs.Bytes, i.Issuer.FullBytes)
	if err != nil {
		return err
	}
	// What is signed are these very bytes, as a SET (RFC 5652, 5.4); the
	// library would put them in order first.
	attrs := bytes.Clone(i.Attrs.FullBytes)
	attrs[0] = asn1.TagSet | 0x20
	if cert.CheckSignature(alg, attrs, i.Signature) != nil {
		return errForm
	}
	return nil
}

func sameAlgorithm(a, b pkix.AlgorithmIdentifier) bool {
	return a.Algorithm.Equal(b.Algorithm) && bytes.Equal(a.Parameters.FullBytes, b.Parameters.FullBytes)
}

// algorithm is that of signatures sig with digest, both without parameters or
// with NULL.
func algorithm(digest, sig pkix.AlgorithmIdentifier) x509.SignatureAlgorithm {
	for _, a := range []pkix.AlgorithmIdentifier{digest, sig} {
		if p := a.Parameters.FullBytes; len(p) != 0 && !bytes.Equal(p, asn1.NullBytes) {
			return x509.UnknownSignatureAlgorithm
		}
	}
	for _, d := range digests {
		switch {
		case !d.digest.Equal(digest.Algorithm):
		case sig.Algorithm.Equal(oidRSA), sig.Algorithm.Equal(d.rsa):
			return d.withRSA
		case sig.Algorithm.Equal(d.ecdsa):
			return d.withECDSA
		}
	}
	return x509.UnknownSignatureAlgorithm
}

func isTSTInfo(content asn1.RawValue) bool {
	var c struct {
		Type    asn1.ObjectIdentifier
		Content []byte `asn1:"explicit,tag:0"`
	}
	rest, err := asn1.Unmarshal(content.FullBytes, &c)
	if err != nil || len(rest) != 0 || !c.Type.Equal(oidTSTInfo) {
		return false
	}
	again, err := asn1.Marshal(c)
	return err == nil && bytes.Equal(again, content.FullBytes)
}

// signerOf is the one certificate whose issuer and serial number are name.
func signerOf(der, name []byte) (*x509.Certificate, error) {
	certs, err := x509.ParseCertificates(der)
	if err != nil {
		return nil, errors.Join(errForm, err)
	}
	for _, c := range certs {
		this, err := asn1.Marshal(struct {
			Issuer asn1.RawValue
			Serial any
		}{asn1.RawValue{FullBytes: c.RawIssuer}, c.SerialNumber})
		if err == nil && bytes.Equal(this, name) {
			return c, nil
		}
	}
	return nil, errForm
}

// withoutText returns a granted response without the words that some
// authorities add to its status, which nothing signs; any other as it is.
func withoutText(response []byte) []byte {
	var r struct {
		Status struct {
			Status int
			Text   asn1.RawValue `asn1:"optional"`
		}
		Token asn1.RawValue
	}
	if rest, err := asn1.Unmarshal(response, &r); err != nil || len(rest) != 0 || r.Status.Status != 0 {
		return response
	}
	b, err := asn1.Marshal(struct{ Status, Token asn1.RawValue }{asn1.RawValue{FullBytes: granted}, r.Token})
	if err != nil {
		return response
	}
	return b
}
