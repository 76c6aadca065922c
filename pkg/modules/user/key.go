package user

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"fmt"
	"path"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/host/accounts"
	"github.com/foobar-play/foobar-play/pkg/value"
)

func (r *resource) keyFile(home string) string {
	file := r.SSHKeyFile
	if file == "" {
		file = ".ssh/id_" + r.SSHKeyType
	}
	if path.IsAbs(file) {
		return file
	}
	return path.Join(home, file)
}

// keyValues adds the return values about the SSH key.
func (r *resource) keyValues(v map[string]any) {
	if home, ok := v["home"].(string); ok {
		v["ssh_key_file"] = r.keyFile(home)
	}
	if r.now.keyPub == "" {
		v["ssh_public_key"] = value.Unknown{Reason: "the key is generated in the run"}
		v["ssh_fingerprint"] = v["ssh_public_key"]
		return
	}
	v["ssh_public_key"] = r.now.keyPub
	if pub, comment, _, _, err := ssh.ParseAuthorizedKey([]byte(r.now.keyPub)); err == nil {
		v["ssh_fingerprint"] = fmt.Sprintf("%d %s %s (%s)", bits(pub), ssh.FingerprintSHA256(pub), comment, keyName(pub.Type()))
	}
}

func keyName(t string) string {
	switch {
	case strings.HasPrefix(t, "ecdsa"):
		return "ECDSA"
	case t == ssh.KeyAlgoED25519:
		return "ED25519"
	}
	return "RSA"
}

func bits(pub ssh.PublicKey) int {
	c, ok := pub.(ssh.CryptoPublicKey)
	if !ok {
		return 0
	}
	switch k := c.CryptoPublicKey().(type) {
	case *rsa.PublicKey:
		return k.N.BitLen()
	case *ecdsa.PublicKey:
		return k.Params().BitSize
	}
	return 256
}

// makeKey writes a new key pair, the user's own and private.
func (r *resource) makeKey(w host.Writer, u accounts.User) error {
	file := r.keyFile(u.Home)
	private, public := []byte("pretended\n"), "pretended\n"
	if !host.Pretending(w) {
		var err error
		if private, public, err = r.generate(w); err != nil {
			return fmt.Errorf("generate an SSH key: %w", err)
		}
	}
	dir := path.Dir(file)
	if there, err := host.Exists(w, dir); err != nil {
		return err
	} else if !there {
		if err := w.Mkdir(dir, 0o700); err != nil {
			return err
		}
		if err := w.Chown(dir, u.UID, u.GID); err != nil {
			return err
		}
	}
	for _, f := range []struct {
		name, content string
		mode          uint32
	}{{file, string(private), 0o600}, {file + ".pub", public, 0o644}} {
		err := w.WriteFile(f.name, strings.NewReader(f.content), host.Attrs{Mode: &f.mode, UID: &u.UID, GID: &u.GID})
		if err != nil {
			return err
		}
	}
	r.now.keyPub, r.made = "", true
	if !host.Pretending(w) {
		r.now.keyPub = strings.TrimSpace(public)
	}
	return nil
}

// generate makes the pair in OpenSSH's formats.
func (r *resource) generate(h host.Reader) (private []byte, public string, err error) {
	key, err := newKey(r.SSHKeyType, r.SSHKeyBits)
	if err != nil {
		return nil, "", err
	}
	comment := r.SSHKeyComment
	if comment == "" {
		name, _ := host.ReadFile(h, "/proc/sys/kernel/hostname")
		comment = strings.TrimSpace("ansible-generated on " + string(name))
	}
	var block *pem.Block
	if r.SSHKeyPassphrase != "" {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(key, comment, []byte(r.SSHKeyPassphrase))
	} else {
		block, err = ssh.MarshalPrivateKey(key, comment)
	}
	if err != nil {
		return nil, "", err
	}
	pub, err := ssh.NewPublicKey(key.(crypto.Signer).Public())
	if err != nil {
		return nil, "", err
	}
	line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(pub))) + " " + comment + "\n"
	return pem.EncodeToMemory(block), line, nil
}

func newKey(kind string, size int) (crypto.PrivateKey, error) {
	switch kind {
	case "ed25519":
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return &key, err
	case "ecdsa":
		curves := map[int]elliptic.Curve{0: elliptic.P256(), 256: elliptic.P256(), 384: elliptic.P384(), 521: elliptic.P521()}
		curve, ok := curves[size]
		if !ok {
			return nil, fmt.Errorf("ssh_key_bits of an ecdsa key must be 256, 384 or 521, not %d", size)
		}
		return ecdsa.GenerateKey(curve, rand.Reader)
	}
	if size == 0 {
		size = 3072
	}
	return rsa.GenerateKey(rand.Reader, size)
}
