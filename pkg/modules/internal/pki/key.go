package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/md5"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// Key types and the curves of ECC keys, by community.crypto's names.
const (
	RSA     = "RSA"
	ECC     = "ECC"
	Ed25519 = "Ed25519"
)

var curves = map[string]elliptic.Curve{
	"secp224r1": elliptic.P224(), "secp256r1": elliptic.P256(),
	"secp384r1": elliptic.P384(), "secp521r1": elliptic.P521(),
}

// KeyInfo describes a private key without its secret.
type KeyInfo struct {
	Type  string
	Size  int    // bits; 0 for Ed25519
	Curve string // of ECC keys
	// Format is "pkcs1" (RFC 8017, and SEC 1 for ECC keys) or "pkcs8".
	Format string
}

// GenerateKey makes a key; size is for RSA, curve for ECC.
func GenerateKey(kind string, size int, curve string) (crypto.Signer, error) {
	switch kind {
	case RSA:
		return rsa.GenerateKey(rand.Reader, size)
	case ECC:
		c, ok := curves[curve]
		if !ok {
			return nil, fmt.Errorf("there is no curve %q here", curve)
		}
		return ecdsa.GenerateKey(c, rand.Reader)
	case Ed25519:
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	}
	return nil, fmt.Errorf("there is no key type %q", kind)
}

// EncodeKey writes a key as PEM in the format "pkcs1" or "pkcs8".
func EncodeKey(key crypto.Signer, format string) ([]byte, error) {
	block := &pem.Block{Type: "PRIVATE KEY"}
	var err error
	switch k := key.(type) {
	case *rsa.PrivateKey:
		if format == "pkcs1" {
			return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(k)}), nil
		}
	case *ecdsa.PrivateKey:
		if format == "pkcs1" {
			block.Type = "EC PRIVATE KEY"
			block.Bytes, err = x509.MarshalECPrivateKey(k)
			return pem.EncodeToMemory(block), err
		}
	}
	block.Bytes, err = x509.MarshalPKCS8PrivateKey(key)
	return pem.EncodeToMemory(block), err
}

// ParseKey reads a private key in PEM. Errors say what is wrong, never what
// the key is.
func ParseKey(text []byte) (crypto.Signer, KeyInfo, error) {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if strings.Contains(block.Type, "ENCRYPTED") || block.Headers["DEK-Info"] != "" {
			return nil, KeyInfo{}, errors.New("the private key is encrypted with a passphrase, which is not supported here")
		}
		key, format, err := parseKeyBlock(block)
		if err != nil {
			return nil, KeyInfo{}, errors.New("the private key is damaged or of an unknown kind")
		}
		if key != nil {
			info := describeKey(key.Public())
			info.Format = format
			return key, info, nil
		}
	}
	return nil, KeyInfo{}, errors.New("there is no private key in PEM")
}

func parseKeyBlock(block *pem.Block) (key crypto.Signer, format string, err error) {
	switch block.Type {
	case "RSA PRIVATE KEY":
		k, err := x509.ParsePKCS1PrivateKey(block.Bytes)
		return k, "pkcs1", err
	case "EC PRIVATE KEY":
		k, err := x509.ParseECPrivateKey(block.Bytes)
		return k, "pkcs1", err
	case "PRIVATE KEY":
		k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return nil, "", err
		}
		signer, ok := k.(crypto.Signer)
		if !ok {
			return nil, "", errors.New("not a key that signs")
		}
		return signer, "pkcs8", nil
	}
	return nil, "", nil // parameters and the like come first in some files
}

func describeKey(public crypto.PublicKey) KeyInfo {
	switch k := public.(type) {
	case *rsa.PublicKey:
		return KeyInfo{Type: RSA, Size: k.N.BitLen()}
	case *ecdsa.PublicKey:
		for name, c := range curves {
			if c == k.Curve {
				return KeyInfo{Type: ECC, Size: c.Params().BitSize, Curve: name}
			}
		}
	case ed25519.PublicKey:
		return KeyInfo{Type: Ed25519}
	}
	return KeyInfo{Type: fmt.Sprintf("%T", public)}
}

// SamePublic reports whether two public keys are the same.
func SamePublic(a, b crypto.PublicKey) bool {
	k, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.Equal(b)
}

// Fingerprints hashes data with several algorithms: lower-case hex in pairs
// joined by colons, by the algorithms' names.
func Fingerprints(data []byte) map[string]any {
	h1, h256, h5 := sha1.Sum(data), sha256.Sum256(data), md5.Sum(data)
	h384, h512, h224 := sha512.Sum384(data), sha512.Sum512(data), sha256.Sum224(data)
	return map[string]any{
		"md5": Colons(h5[:]), "sha1": Colons(h1[:]), "sha224": Colons(h224[:]),
		"sha256": Colons(h256[:]), "sha384": Colons(h384[:]), "sha512": Colons(h512[:]),
	}
}

// KeyFingerprints are the Fingerprints of a public key.
func KeyFingerprints(public crypto.PublicKey) (map[string]any, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, err
	}
	return Fingerprints(der), nil
}

// Colons writes bytes as hex in pairs joined by colons.
func Colons(b []byte) string {
	parts := make([]string, len(b))
	for i, c := range b {
		parts[i] = hex.EncodeToString([]byte{c})
	}
	return strings.Join(parts, ":")
}

// CurveSize gives the bits of a curve; 0 for an unknown one.
func CurveSize(curve string) int {
	if c, ok := curves[curve]; ok {
		return c.Params().BitSize
	}
	return 0
}
