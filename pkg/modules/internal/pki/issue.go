package pki

import (
	"crypto"
	"crypto/rand"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"
)

// Issuer signs certificates. A nil Certificate means that each certificate
// signs itself with Key.
type Issuer struct {
	Certificate *x509.Certificate
	Key         crypto.Signer
}

// Check finds out whether the issuer can sign certificates that verify.
func (i Issuer) Check() error {
	switch c := i.Certificate; {
	case c == nil:
		return nil
	case !SamePublic(c.PublicKey, i.Key.Public()):
		return errors.New("the CA's certificate and private key do not belong together")
	case !c.BasicConstraintsValid || !c.IsCA:
		return errors.New("the CA's certificate is not that of a CA: it needs the basic constraint CA:TRUE")
	case c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageCertSign == 0:
		return errors.New("the CA's certificate may not sign others: its key usage needs keyCertSign")
	}
	return nil
}

// Template is what a certificate shall say.
type Template struct {
	RawSubject          []byte
	Public              crypto.PublicKey
	Extensions          []pkix.Extension
	NotBefore, NotAfter time.Time
	Digest              string
	// SubjectKeyID and AuthorityKeyID add these identifiers where the
	// extensions have none.
	SubjectKeyID, AuthorityKeyID bool
}

// identifiers are the extensions that an issuer adds or replaces.
var identifiers = []asn1.ObjectIdentifier{OIDSubjectKeyID, OIDAuthorityKeyID}

// Issue makes a certificate in PEM with a random serial number of 159 bits.
func (i Issuer) Issue(t Template) ([]byte, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 159))
	if err != nil {
		return nil, err
	}
	alg, err := SignatureAlgorithm(i.Key.Public(), t.Digest)
	if err != nil {
		return nil, err
	}
	cert := &x509.Certificate{
		SerialNumber: serial.Add(serial, big.NewInt(1)), RawSubject: t.RawSubject, NotBefore: t.NotBefore, NotAfter: t.NotAfter,
		ExtraExtensions: slices.Clone(t.Extensions), SignatureAlgorithm: alg,
	}
	id, err := keyID(t.Public)
	if err != nil {
		return nil, err
	}
	if t.SubjectKeyID && !hasExtension(t.Extensions, OIDSubjectKeyID) {
		cert.SubjectKeyId = id
	}
	parent := i.Certificate
	if parent == nil {
		parent = cert
	}
	if t.AuthorityKeyID && !hasExtension(t.Extensions, OIDAuthorityKeyID) {
		if err := addAuthority(cert, i, id); err != nil {
			return nil, err
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, withoutKeyID(parent), t.Public, i.Key)
	if err != nil {
		return nil, fmt.Errorf("make the certificate: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
}

// addAuthority names the issuer's key, by the identifier its certificate has.
func addAuthority(cert *x509.Certificate, i Issuer, own []byte) error {
	id := own
	if i.Certificate != nil {
		id = i.Certificate.SubjectKeyId
	}
	if len(id) == 0 {
		return nil
	}
	ext, err := extension(OIDAuthorityKeyID, false, struct {
		ID []byte `asn1:"tag:0"`
	}{id})
	cert.ExtraExtensions = append(cert.ExtraExtensions, ext)
	return err
}

// withoutKeyID keeps CreateCertificate from adding an authority identifier of
// its own accord.
func withoutKeyID(parent *x509.Certificate) *x509.Certificate {
	if parent.Raw == nil {
		return parent
	}
	p := *parent
	p.SubjectKeyId = nil
	return &p
}

func hasExtension(list []pkix.Extension, oid asn1.ObjectIdentifier) bool {
	return slices.ContainsFunc(list, func(e pkix.Extension) bool { return e.Id.Equal(oid) })
}

// keyID is the identifier of RFC 5280, 4.2.1.2, method 1.
func keyID(public crypto.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, err
	}
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(der, &info); err != nil {
		return nil, err
	}
	sum := sha1.Sum(info.Key.Bytes)
	return sum[:], nil
}

// Misfit says in which way an existing certificate is not the wanted one; ""
// when it is. Points in time are not compared.
func (i Issuer) Misfit(cert *x509.Certificate, t Template) string {
	switch {
	case !SamePublic(cert.PublicKey, t.Public):
		return "it is for another key"
	case !SameSubject(cert.RawSubject, t.RawSubject):
		return "its subject differs"
	case !SameExtensions(cert.Extensions, t.Extensions, identifiers...):
		return "its extensions differ"
	case t.SubjectKeyID != (len(cert.SubjectKeyId) > 0) && !hasExtension(t.Extensions, OIDSubjectKeyID):
		return "its subject key identifier differs"
	}
	if i.Certificate == nil {
		if cert.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature) != nil {
			return "it is not signed by its own key"
		}
		return ""
	}
	if !SameSubject(cert.RawIssuer, i.Certificate.RawSubject) || cert.CheckSignatureFrom(i.Certificate) != nil {
		return "it is not signed by this CA"
	}
	return ""
}
