package lab

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"
)

// keyPair is a key in the forms that OpenSSH keeps in files.
type keyPair struct {
	Private []byte `json:"private"` // PEM
	Public  string `json:"public"`  // type and base64, without a comment
}

func newEd25519() (keyPair, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return keyPair{}, fmt.Errorf("generate a key: %w", err)
	}
	return encodeKey(key)
}

func newECDSA() (keyPair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return keyPair{}, fmt.Errorf("generate a key: %w", err)
	}
	return encodeKey(key)
}

func encodeKey(key crypto.Signer) (keyPair, error) {
	block, err := ssh.MarshalPrivateKey(key, "foobar-play lab")
	if err != nil {
		return keyPair{}, fmt.Errorf("encode a private key: %w", err)
	}
	public, err := ssh.NewPublicKey(key.Public())
	if err != nil {
		return keyPair{}, fmt.Errorf("encode a public key: %w", err)
	}
	line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(public)))
	return keyPair{Private: pem.EncodeToMemory(block), Public: line}, nil
}
