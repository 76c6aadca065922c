package pki

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
)

// digests are the hashes a signature can use.
var digests = map[string]map[string]x509.SignatureAlgorithm{
	"sha256": {RSA: x509.SHA256WithRSA, ECC: x509.ECDSAWithSHA256},
	"sha384": {RSA: x509.SHA384WithRSA, ECC: x509.ECDSAWithSHA384},
	"sha512": {RSA: x509.SHA512WithRSA, ECC: x509.ECDSAWithSHA512},
}

// SignatureAlgorithm says how a key signs with a digest; Ed25519 keys have one
// way only.
func SignatureAlgorithm(public crypto.PublicKey, digest string) (x509.SignatureAlgorithm, error) {
	kind := describeKey(public).Type
	if kind == Ed25519 {
		return x509.PureEd25519, nil
	}
	alg, ok := digests[digest][kind]
	if !ok {
		return 0, fmt.Errorf("a %s key cannot sign with the digest %q", kind, digest)
	}
	return alg, nil
}

// Request is what a certificate signing request asks for.
type Request struct {
	Subject    Name
	Extensions []pkix.Extension
}

// Sign makes the request in PEM, signed with the key it is for.
func (r Request) Sign(key crypto.Signer, digest string) ([]byte, error) {
	subject, err := r.Subject.DER()
	if err != nil {
		return nil, fmt.Errorf("encode the subject: %w", err)
	}
	alg, err := SignatureAlgorithm(key.Public(), digest)
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		RawSubject: subject, ExtraExtensions: r.Extensions, SignatureAlgorithm: alg,
	}, key)
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), nil
}

// ParseRequest reads a request in PEM and checks its signature.
func ParseRequest(text []byte) (*x509.CertificateRequest, error) {
	block := findPEM(text, "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST")
	if block == nil {
		return nil, errors.New("there is no certificate request in PEM")
	}
	csr, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read the certificate request: %w", err)
	}
	if err := csr.CheckSignature(); err != nil {
		return nil, fmt.Errorf("the certificate request's signature is wrong: %w", err)
	}
	return csr, nil
}

// ParseCertificate reads the first certificate of a PEM file.
func ParseCertificate(text []byte) (*x509.Certificate, error) {
	block := findPEM(text, "CERTIFICATE")
	if block == nil {
		return nil, errors.New("there is no certificate in PEM")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read the certificate: %w", err)
	}
	return cert, nil
}

func findPEM(text []byte, kinds ...string) *pem.Block {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		for _, k := range kinds {
			if block.Type == k {
				return block
			}
		}
	}
	return nil
}

// Misfit says in which way an existing request is not the wanted one for the
// key; "" when it is.
func (r Request) Misfit(csr *x509.CertificateRequest, public crypto.PublicKey) (string, error) {
	subject, err := r.Subject.DER()
	if err != nil {
		return "", fmt.Errorf("encode the subject: %w", err)
	}
	switch {
	case !SamePublic(csr.PublicKey, public):
		return "it is for another key", nil
	case !SameSubject(csr.RawSubject, subject):
		return "its subject differs", nil
	case !SameExtensions(csr.Extensions, r.Extensions):
		return "its extensions differ", nil
	}
	return "", nil
}

// SameSubject compares two encoded names by their parts; how a text is encoded
// does not matter.
func SameSubject(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	x, errX := ParseName(a)
	y, errY := ParseName(b)
	if errX != nil || errY != nil || len(x) != len(y) {
		return false
	}
	for i := range x {
		if x[i] != y[i] {
			return false
		}
	}
	return true
}
