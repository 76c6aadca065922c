package pki

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"
)

// The extensions of RFC 5280, 4.2.1, that are handled here, and the TLS
// feature of RFC 7633.
var (
	OIDSubjectKeyID     = asn1.ObjectIdentifier{2, 5, 29, 14}
	OIDKeyUsage         = asn1.ObjectIdentifier{2, 5, 29, 15}
	OIDSAN              = asn1.ObjectIdentifier{2, 5, 29, 17}
	OIDBasicConstraints = asn1.ObjectIdentifier{2, 5, 29, 19}
	OIDAuthorityKeyID   = asn1.ObjectIdentifier{2, 5, 29, 35}
	OIDExtendedUsage    = asn1.ObjectIdentifier{2, 5, 29, 37}
	OIDMustStaple       = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 24}
)

// mustStaple is the feature list [status_request].
var mustStaple = []byte{0x30, 0x03, 0x02, 0x01, 0x05}

// MustStaple is the extension that demands a stapled OCSP answer.
func MustStaple(critical bool) pkix.Extension {
	return pkix.Extension{Id: OIDMustStaple, Critical: critical, Value: mustStaple}
}

// HasMustStaple reports whether the extension demands a stapled answer.
func HasMustStaple(e pkix.Extension) bool {
	return e.Id.Equal(OIDMustStaple) && bytes.Equal(e.Value, mustStaple)
}

// SANExtension makes the extension from "DNS:…" texts.
func SANExtension(names []string, critical bool) (pkix.Extension, error) {
	raw, err := SANs(names)
	if err != nil {
		return pkix.Extension{}, err
	}
	return extension(OIDSAN, critical, raw)
}

// KeyUsageExtension makes the extension from names such as digitalSignature or
// "Digital Signature".
func KeyUsageExtension(names []string, critical bool) (pkix.Extension, error) {
	var usage x509.KeyUsage
next:
	for _, n := range names {
		for _, k := range keyUsages {
			if n == k.name || n == k.long {
				usage |= k.bit
				continue next
			}
		}
		return pkix.Extension{}, fmt.Errorf("%q is not a key usage: use digitalSignature, keyEncipherment, keyCertSign …", n)
	}
	// A bit string counts its bits from the left and ends with the last set one.
	b := []byte{bits.Reverse8(byte(usage)), bits.Reverse8(byte(usage >> 8))}
	length := bits.Len(uint(usage))
	return extension(OIDKeyUsage, critical, asn1.BitString{Bytes: b[:(length+7)/8], BitLength: length})
}

// ExtendedUsageExtension makes the extension from names such as serverAuth,
// "TLS Web Server Authentication", or dotted numbers.
func ExtendedUsageExtension(names []string, critical bool) (pkix.Extension, error) {
	var oids []asn1.ObjectIdentifier
	for _, n := range names {
		oid, err := extendedUsage(n)
		if err != nil {
			return pkix.Extension{}, err
		}
		oids = append(oids, oid)
	}
	return extension(OIDExtendedUsage, critical, oids)
}

func extendedUsage(name string) (asn1.ObjectIdentifier, error) {
	for _, k := range extendedUsages {
		if name == k.name || name == k.long {
			return k.oid, nil
		}
	}
	var oid asn1.ObjectIdentifier
	for part := range strings.SplitSeq(name, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return nil, fmt.Errorf("%q is not an extended key usage: use serverAuth, clientAuth …, or a dotted number", name)
		}
		oid = append(oid, n)
	}
	return oid, nil
}

// basicConstraints is RFC 5280, 4.2.1.9.
type basicConstraints struct {
	IsCA       bool `asn1:"optional"`
	MaxPathLen int  `asn1:"optional,default:-1"`
}

// BasicConstraintsExtension makes the extension from "CA:TRUE" or "CA:FALSE",
// and "pathlen:N".
func BasicConstraintsExtension(words []string, critical bool) (pkix.Extension, error) {
	bc := basicConstraints{MaxPathLen: -1}
	for _, w := range words {
		key, v, _ := strings.Cut(w, ":")
		n, err := strconv.Atoi(v)
		switch {
		case w == "CA:TRUE":
			bc.IsCA = true
		case w == "CA:FALSE":
		case key == "pathlen" && err == nil && n >= 0:
			bc.MaxPathLen = n
		default:
			return pkix.Extension{}, fmt.Errorf("%q is not a basic constraint: use CA:TRUE, CA:FALSE and pathlen:0", w)
		}
	}
	return extension(OIDBasicConstraints, critical, bc)
}

func extension(oid asn1.ObjectIdentifier, critical bool, v any) (pkix.Extension, error) {
	der, err := asn1.Marshal(v)
	return pkix.Extension{Id: oid, Critical: critical, Value: der}, err
}

// SameExtensions compares two sets of extensions, but for those of the kinds
// left out. The order of extensions, and of the names in a SAN, does not
// matter.
func SameExtensions(a, b []pkix.Extension, leftOut ...asn1.ObjectIdentifier) bool {
	x, y := fold(a, leftOut), fold(b, leftOut)
	if len(x) != len(y) {
		return false
	}
	for k, v := range x {
		if y[k] != v {
			return false
		}
	}
	return true
}

// fold makes extensions comparable: by kind, criticality and content.
func fold(list []pkix.Extension, leftOut []asn1.ObjectIdentifier) map[string]string {
	out := map[string]string{}
	for _, e := range list {
		if slices.ContainsFunc(leftOut, e.Id.Equal) {
			continue
		}
		content := string(e.Value)
		if e.Id.Equal(OIDSAN) {
			content = sortedSAN(e.Value)
		}
		out[e.Id.String()] = strconv.FormatBool(e.Critical) + content
	}
	return out
}

func sortedSAN(der []byte) string {
	var names []asn1.RawValue
	if _, err := asn1.Unmarshal(der, &names); err != nil {
		return string(der)
	}
	parts := make([]string, len(names))
	for i, n := range names {
		parts[i] = string(n.FullBytes)
	}
	slices.Sort(parts)
	return strings.Join(parts, "\x00")
}

// IsSubjectKeyID reports whether the extension is a subject key identifier.
func IsSubjectKeyID(e pkix.Extension) bool { return e.Id.Equal(OIDSubjectKeyID) }
