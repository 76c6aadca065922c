package pki

import (
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// SAN kinds, by their tags in RFC 5280, 4.2.1.6.
const (
	tagEmail = 1
	tagDNS   = 2
	tagURI   = 6
	tagIP    = 7
)

// SANs reads "DNS:www.example.com", "IP:192.0.2.1", "email:x@example.com" and
// "URI:https://…". The prefix is needed.
func SANs(list []string) ([]asn1.RawValue, error) {
	var out []asn1.RawValue
	for _, text := range list {
		v, err := san(strings.TrimSpace(text))
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

func san(text string) (asn1.RawValue, error) {
	kind, name, _ := strings.Cut(text, ":")
	v := asn1.RawValue{Class: asn1.ClassContextSpecific, Bytes: []byte(name)}
	switch kind {
	case "DNS":
		v.Tag = tagDNS
	case "email":
		v.Tag = tagEmail
	case "URI":
		v.Tag = tagURI
		if _, err := url.Parse(name); err != nil {
			return v, fmt.Errorf("%q is not a URI", name)
		}
	case "IP":
		v.Tag = tagIP
		ip, err := netip.ParseAddr(name)
		if err != nil || ip.Zone() != "" {
			return v, fmt.Errorf("%q is not an IP address", name)
		}
		v.Bytes = ip.AsSlice()
	default:
		return v, fmt.Errorf("%q needs a prefix: DNS:, IP:, email: or URI: (others are not supported)", text)
	}
	if name == "" || strings.IndexFunc(name, func(r rune) bool { return r > 126 || r < 33 }) >= 0 {
		return v, fmt.Errorf("%q is empty or holds characters that a certificate's names cannot have (write a domain in its ASCII form)", text)
	}
	return v, nil
}

// SANTexts writes the names of a certificate or request as SANs reads them,
// sorted.
func SANTexts(dns, emails []string, ips []net.IP, uris []*url.URL) []string {
	var out []string
	for _, d := range dns {
		out = append(out, "DNS:"+d)
	}
	for _, e := range emails {
		out = append(out, "email:"+e)
	}
	for _, ip := range ips {
		out = append(out, "IP:"+ip.String())
	}
	for _, u := range uris {
		out = append(out, "URI:"+u.String())
	}
	slices.Sort(out)
	return out
}

// KeyUsages and their bits in RFC 5280, 4.2.1.3; long names are OpenSSL's.
var keyUsages = []struct {
	name, long string
	bit        x509.KeyUsage
}{
	{"digitalSignature", "Digital Signature", x509.KeyUsageDigitalSignature},
	{"nonRepudiation", "Non Repudiation", x509.KeyUsageContentCommitment},
	{"keyEncipherment", "Key Encipherment", x509.KeyUsageKeyEncipherment},
	{"dataEncipherment", "Data Encipherment", x509.KeyUsageDataEncipherment},
	{"keyAgreement", "Key Agreement", x509.KeyUsageKeyAgreement},
	{"keyCertSign", "Certificate Sign", x509.KeyUsageCertSign},
	{"cRLSign", "CRL Sign", x509.KeyUsageCRLSign},
	{"encipherOnly", "Encipher Only", x509.KeyUsageEncipherOnly},
	{"decipherOnly", "Decipher Only", x509.KeyUsageDecipherOnly},
}

var extendedUsages = []struct {
	name, long string
	oid        asn1.ObjectIdentifier
}{
	{"serverAuth", "TLS Web Server Authentication", asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 1}},
	{"clientAuth", "TLS Web Client Authentication", asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 2}},
	{"codeSigning", "Code Signing", asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 3}},
	{"emailProtection", "E-mail Protection", asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 4}},
	{"timeStamping", "Time Stamping", asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 8}},
	{"OCSPSigning", "OCSP Signing", asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 9}},
	{"anyExtendedKeyUsage", "Any Extended Key Usage", asn1.ObjectIdentifier{2, 5, 29, 37, 0}},
}

// KeyUsageNames lists the usages, by their long names, sorted.
func KeyUsageNames(u x509.KeyUsage) []string {
	var out []string
	for _, k := range keyUsages {
		if u&k.bit != 0 {
			out = append(out, k.long)
		}
	}
	slices.Sort(out)
	return out
}

// ExtendedUsageName gives the long name of an extended usage's dotted number,
// or the number.
func ExtendedUsageName(dotted string) string {
	for _, k := range extendedUsages {
		if k.oid.String() == dotted {
			return k.long
		}
	}
	return dotted
}
