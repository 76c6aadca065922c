// Package x509certificateinfo is the module x509_certificate_info: it tells
// what a certificate on the host says.
//
// It only reads, with Go's crypto packages; no openssl program is needed. In a
// dry run a certificate that is yet to be made is unknown.
package x509certificateinfo

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/internal/pki"
	"github.com/foobar-play/foobar-play/pkg/value"
)

type options struct {
	Path    string         `arg:"path" doc:"The file of the certificate; of several in it the first one counts."`
	Content string         `arg:"content" doc:"The certificate as text, instead of path."`
	ValidAt map[string]any `arg:"valid_at" doc:"Points in time by names of your own, counted from now (+3w) or as 20270131120000Z; valid_at in the result tells for each whether the certificate is valid then."`
}

// Check wants one source, and points that can be read.
func (o *options) Check() error {
	if (o.Path == "") == (o.Content == "") {
		return errors.New("give either path or content")
	}
	_, err := o.points()
	return err
}

func (o *options) points() (map[string]pki.Point, error) {
	out := map[string]pki.Point{}
	for _, name := range value.Keys(o.ValidAt) {
		p, err := pki.ParsePoint(value.Text(o.ValidAt[name]))
		if err != nil {
			return nil, fmt.Errorf("valid_at.%s: %w", name, err)
		}
		out[name] = p
	}
	return out, nil
}

// Module is the module x509_certificate_info.
func Module() *modules.Module {
	return modules.Define(modules.Spec{
		Name:  "x509_certificate_info",
		Short: "Tell what a certificate says.",
		Doc: "Left out against community.crypto: name_encoding, and the return values authority_cert_issuer, authority_cert_serial_number, " +
			"extensions_by_oid, public_key_data and signature_valid.",
		ReadOnly: true,
		Returns:  returns,
		Examples: "- x509_certificate_info:\n    path: /etc/ssl/www.crt\n    valid_at:\n      soon: +3w\n  register: cert\n",
	}, func(env modules.Env, o *options) (modules.Action, error) {
		return modules.Read(func(ctx context.Context, r host.Reader) (modules.Outcome, error) {
			text, err := pki.Source{Env: env, Path: o.Path, Content: o.Content}.Read(ctx, r, "certificate")
			if err != nil {
				return modules.Outcome{}, err
			}
			cert, err := pki.ParseCertificate(text)
			if err != nil {
				return modules.Outcome{}, err
			}
			values, err := describe(cert, o, time.Now())
			return modules.Outcome{Values: values}, err
		}), nil
	})
}

var returns = []modules.Return{
	{Name: "not_before", Type: "string", Doc: "When validity begins: 20270131120000Z."},
	{Name: "not_after", Type: "string", Doc: "When validity ends."},
	{Name: "expired", Type: "bool", Doc: "Whether validity has ended."},
	{Name: "valid_at", Type: "map", Doc: "For each point asked for, whether the certificate is valid then."},
	{Name: "subject", Type: "map", Doc: "The subject's name by kind (commonName …); of several of a kind the last one."},
	{Name: "subject_ordered", Type: "list", Doc: "The subject's name as pairs, in its order."},
	{Name: "issuer", Type: "map", Doc: "The issuer's name by kind."},
	{Name: "issuer_ordered", Type: "list", Doc: "The issuer's name as pairs."},
	{Name: "subject_alt_name", Type: "list", Doc: "The names it is for, with their prefixes (DNS:, IP:, email:, URI:), sorted; null when there are none."},
	{Name: "subject_alt_name_critical", Type: "bool", Doc: "Whether they are critical."},
	{Name: "key_usage", Type: "list", Doc: "Long names (Digital Signature …), sorted; null when it says nothing."},
	{Name: "key_usage_critical", Type: "bool", Doc: "Whether it is critical."},
	{Name: "extended_key_usage", Type: "list", Doc: "Long names (TLS Web Server Authentication …), or dotted numbers; null when it says nothing."},
	{Name: "extended_key_usage_critical", Type: "bool", Doc: "Whether it is critical."},
	{Name: "basic_constraints", Type: "list", Doc: "CA:TRUE or CA:FALSE, and pathlen:N; null when it says nothing."},
	{Name: "basic_constraints_critical", Type: "bool", Doc: "Whether they are critical."},
	{Name: "ocsp_must_staple", Type: "bool", Doc: "True when it demands a stapled OCSP answer; null when it says nothing."},
	{Name: "ocsp_must_staple_critical", Type: "bool", Doc: "Whether that is critical."},
	{Name: "ocsp_uri", Type: "string", Doc: "Where its OCSP responder is; null when it says nothing."},
	{Name: "issuer_uri", Type: "string", Doc: "Where its issuer's certificate is; null when it says nothing."},
	{Name: "subject_key_identifier", Type: "string", Doc: "Hex in pairs joined by colons; null when there is none."},
	{Name: "authority_key_identifier", Type: "string", Doc: "Hex in pairs joined by colons; null when there is none."},
	{Name: "serial_number", Type: "string", Doc: "In decimal; text, because it does not fit a number."},
	{Name: "signature_algorithm", Type: "string", Doc: "Such as ecdsa-with-SHA256."},
	{Name: "version", Type: "int", Doc: "3, as a rule."},
	{Name: "fingerprints", Type: "map", Doc: "Hashes of the certificate by algorithm: hex in pairs joined by colons."},
	{Name: "public_key", Type: "string", Doc: "The public key in PEM."},
	{Name: "public_key_type", Type: "string", Doc: "RSA, ECC, Ed25519 or unknown."},
	{Name: "public_key_fingerprints", Type: "map", Doc: "Hashes of the public key by algorithm."},
}

func describe(c *x509.Certificate, o *options, now time.Time) (map[string]any, error) {
	out := map[string]any{
		"not_before":               pki.FormatTime(c.NotBefore),
		"not_after":                pki.FormatTime(c.NotAfter),
		"expired":                  now.After(c.NotAfter),
		"serial_number":            c.SerialNumber.String(),
		"signature_algorithm":      algorithm(c.SignatureAlgorithm),
		"version":                  c.Version,
		"fingerprints":             pki.Fingerprints(c.Raw),
		"ocsp_uri":                 first(c.OCSPServer),
		"issuer_uri":               first(c.IssuingCertificateURL),
		"subject_key_identifier":   identifier(c.SubjectKeyId),
		"authority_key_identifier": identifier(c.AuthorityKeyId),
	}
	points, err := o.points()
	if err != nil {
		return nil, err
	}
	valid := map[string]any{}
	for name, p := range points {
		at := p.From(now)
		valid[name] = !at.Before(c.NotBefore) && !at.After(c.NotAfter)
	}
	out["valid_at"] = valid
	if err := addNames(out, c); err != nil {
		return nil, err
	}
	addExtensions(out, c)
	return out, addKey(out, c)
}

func addNames(out map[string]any, c *x509.Certificate) error {
	for field, der := range map[string][]byte{"subject": c.RawSubject, "issuer": c.RawIssuer} {
		n, err := pki.ParseName(der)
		if err != nil {
			return err
		}
		out[field], out[field+"_ordered"] = n.Map(), n.List()
	}
	return nil
}

func addExtensions(out map[string]any, c *x509.Certificate) {
	var usages []string
	for _, u := range c.ExtKeyUsage {
		usages = append(usages, pki.ExtendedUsageName(u.OID().String()))
	}
	for _, oid := range c.UnknownExtKeyUsage {
		usages = append(usages, pki.ExtendedUsageName(oid.String()))
	}
	var constraints []string
	if c.BasicConstraintsValid {
		constraints = []string{"CA:" + strings.ToUpper(fmt.Sprint(c.IsCA))}
		if c.MaxPathLen > 0 || c.MaxPathLenZero {
			constraints = append(constraints, fmt.Sprintf("pathlen:%d", c.MaxPathLen))
		}
	}
	for name, words := range map[string][]string{
		"subject_alt_name":   pki.SANTexts(c.DNSNames, c.EmailAddresses, c.IPAddresses, c.URIs),
		"key_usage":          pki.KeyUsageNames(c.KeyUsage),
		"extended_key_usage": usages,
		"basic_constraints":  constraints,
	} {
		out[name] = nil
		if len(words) > 0 {
			out[name] = value.Normalize(words)
		}
	}
	out["ocsp_must_staple"] = nil
	for field, oid := range map[string]string{
		"subject_alt_name_critical": pki.OIDSAN.String(), "key_usage_critical": pki.OIDKeyUsage.String(),
		"extended_key_usage_critical": pki.OIDExtendedUsage.String(), "basic_constraints_critical": pki.OIDBasicConstraints.String(),
		"ocsp_must_staple_critical": pki.OIDMustStaple.String(),
	} {
		out[field] = critical(c.Extensions, oid)
	}
	for _, e := range c.Extensions {
		if pki.HasMustStaple(e) {
			out["ocsp_must_staple"] = true
		}
	}
}

func critical(list []pkix.Extension, oid string) bool {
	for _, e := range list {
		if e.Id.String() == oid {
			return e.Critical
		}
	}
	return false
}

func addKey(out map[string]any, c *x509.Certificate) error {
	der, err := x509.MarshalPKIXPublicKey(c.PublicKey)
	if err != nil {
		return fmt.Errorf("read the certificate's public key: %w", err)
	}
	out["public_key"] = string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	out["public_key_fingerprints"] = pki.Fingerprints(der)
	switch c.PublicKey.(type) {
	case *rsa.PublicKey:
		out["public_key_type"] = pki.RSA
	case *ecdsa.PublicKey:
		out["public_key_type"] = pki.ECC
	case ed25519.PublicKey:
		out["public_key_type"] = pki.Ed25519
	default:
		out["public_key_type"] = "unknown"
	}
	return nil
}

// algorithm gives OpenSSL's name, which community.crypto returns.
func algorithm(a x509.SignatureAlgorithm) string {
	names := map[x509.SignatureAlgorithm]string{
		x509.SHA256WithRSA: "sha256WithRSAEncryption", x509.SHA384WithRSA: "sha384WithRSAEncryption", x509.SHA512WithRSA: "sha512WithRSAEncryption",
		x509.ECDSAWithSHA256: "ecdsa-with-SHA256", x509.ECDSAWithSHA384: "ecdsa-with-SHA384", x509.ECDSAWithSHA512: "ecdsa-with-SHA512",
		x509.PureEd25519: "ED25519", x509.SHA1WithRSA: "sha1WithRSAEncryption",
	}
	if n, ok := names[a]; ok {
		return n
	}
	return a.String()
}

func first(list []string) any {
	if len(list) == 0 {
		return nil
	}
	return list[0]
}

func identifier(id []byte) any {
	if len(id) == 0 {
		return nil
	}
	return pki.Colons(id)
}
