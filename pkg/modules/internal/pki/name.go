package pki

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/value"
)

// attribute is one kind of part of a distinguished name.
type attribute struct {
	long, short string
	oid         asn1.ObjectIdentifier
}

var attributes = []attribute{
	{"commonName", "CN", asn1.ObjectIdentifier{2, 5, 4, 3}},
	{"surname", "SN", asn1.ObjectIdentifier{2, 5, 4, 4}},
	{"serialNumber", "serialNumber", asn1.ObjectIdentifier{2, 5, 4, 5}},
	{"countryName", "C", asn1.ObjectIdentifier{2, 5, 4, 6}},
	{"localityName", "L", asn1.ObjectIdentifier{2, 5, 4, 7}},
	{"stateOrProvinceName", "ST", asn1.ObjectIdentifier{2, 5, 4, 8}},
	{"streetAddress", "street", asn1.ObjectIdentifier{2, 5, 4, 9}},
	{"organizationName", "O", asn1.ObjectIdentifier{2, 5, 4, 10}},
	{"organizationalUnitName", "OU", asn1.ObjectIdentifier{2, 5, 4, 11}},
	{"title", "title", asn1.ObjectIdentifier{2, 5, 4, 12}},
	{"postalCode", "postalCode", asn1.ObjectIdentifier{2, 5, 4, 17}},
	{"givenName", "GN", asn1.ObjectIdentifier{2, 5, 4, 42}},
	{"userId", "UID", asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 1}},
	{"domainComponent", "DC", asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 25}},
	{"emailAddress", "E", emailOID},
}

var emailOID = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}

// Name is a distinguished name: its parts in their order.
type Name []NamePart

// NamePart is one "organizationName=Example".
type NamePart struct{ Kind, Value string }

// NewPart makes a part; kind is a long or short name (commonName, CN). The
// error says that there is none of that name.
func NewPart(kind, text string) (NamePart, error) {
	for _, a := range attributes {
		if a.long == kind || a.short == kind {
			return NamePart{a.long, text}, nil
		}
	}
	return NamePart{}, fmt.Errorf("%q is not a part of a name: use commonName, organizationName, countryName …", kind)
}

// DER encodes the name, one part to a set.
func (n Name) DER() ([]byte, error) {
	rdns := pkix.RDNSequence{}
	for _, p := range n {
		for _, a := range attributes {
			if a.long != p.Kind {
				continue
			}
			var v any = p.Value
			if a.oid.Equal(emailOID) || a.long == "domainComponent" {
				v = asn1.RawValue{Tag: asn1.TagIA5String, Bytes: []byte(p.Value)}
			}
			rdns = append(rdns, pkix.RelativeDistinguishedNameSET{{Type: a.oid, Value: v}})
		}
	}
	return asn1.Marshal(rdns)
}

// ParseName reads an encoded name; parts of an unknown kind are named by their
// dotted number.
func ParseName(der []byte) (Name, error) {
	var rdns pkix.RDNSequence
	if _, err := asn1.Unmarshal(der, &rdns); err != nil {
		return nil, fmt.Errorf("read a distinguished name: %w", err)
	}
	var out Name
	for _, set := range rdns {
		for _, atv := range set {
			out = append(out, NamePart{kindOf(atv.Type), value.Text(atv.Value)})
		}
	}
	return out, nil
}

func kindOf(oid asn1.ObjectIdentifier) string {
	for _, a := range attributes {
		if a.oid.Equal(oid) {
			return a.long
		}
	}
	return oid.String()
}

// Map gives the parts by kind; of several of a kind the last one counts.
func (n Name) Map() map[string]any {
	out := map[string]any{}
	for _, p := range n {
		out[p.Kind] = p.Value
	}
	return out
}

// List gives the parts as pairs, in their order.
func (n Name) List() []any {
	out := make([]any, len(n))
	for i, p := range n {
		out[i] = []any{p.Kind, p.Value}
	}
	return out
}

// String writes the name as "commonName=x, organizationName=y".
func (n Name) String() string {
	parts := make([]string, len(n))
	for i, p := range n {
		parts[i] = p.Kind + "=" + p.Value
	}
	return strings.Join(parts, ", ")
}
