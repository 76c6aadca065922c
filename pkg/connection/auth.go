package connection

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strings"
	"sync"

	"github.com/melbahja/goph"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// identity is one key to offer.
type identity struct {
	signer ssh.Signer
	origin string // "~/.ssh/id_ed25519", "ssh-agent (comment)"
}

// credentials are everything one hop may authenticate with, and the story of
// it for the error when nothing is accepted. Close ends the talk with the
// ssh-agent.
type credentials struct {
	hop     *hop
	agent   net.Conn
	leave   func() bool
	list    []identity
	remarks []string // why a key was not offered

	mu       sync.Mutex
	prompted bool // the password was asked for
}

// gather collects the keys: explicit files first, then those of the ssh
// configuration, then the ssh-agent's. A file named by the caller that cannot
// be used is an error; one from the configuration is a remark.
func gather(ctx context.Context, h *hop) (*credentials, error) {
	c := &credentials{hop: h}
	held, err := c.agentKeys(ctx)
	if err != nil {
		c.remarks = append(c.remarks, err.Error())
	}
	for _, k := range h.keys {
		id, err := c.load(k.path, held)
		switch {
		case err == nil:
			c.add(id)
		case k.optional && errors.Is(err, fs.ErrNotExist):
		case k.optional || errors.Is(err, errNeedsPassphrase):
			c.remarks = append(c.remarks, err.Error())
		default:
			c.Close()
			return nil, err
		}
	}
	if !h.identitiesOnly {
		for _, id := range held {
			c.add(id)
		}
	}
	return c, nil
}

// add appends a key unless the same one is offered already: every offer counts
// against the server's MaxAuthTries.
func (c *credentials) add(id identity) {
	for _, have := range c.list {
		if bytes.Equal(have.signer.PublicKey().Marshal(), id.signer.PublicKey().Marshal()) {
			return
		}
	}
	c.list = append(c.list, id)
}

func (c *credentials) agentKeys(ctx context.Context) ([]identity, error) {
	if c.hop.agentSocket == "" {
		return nil, nil
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", c.hop.agentSocket)
	if err != nil {
		return nil, fmt.Errorf("ssh-agent: %w", err)
	}
	c.agent = conn
	c.leave = context.AfterFunc(ctx, func() { conn.Close() }) // a stuck ssh-agent must not stop us
	client := agent.NewClient(conn)
	keys, err := client.List()
	if err != nil {
		return nil, fmt.Errorf("ssh-agent: list its keys: %w", err)
	}
	signers, err := client.Signers()
	if err != nil {
		return nil, fmt.Errorf("ssh-agent: list its keys: %w", err)
	}
	comments := map[string]string{}
	for _, k := range keys {
		comments[string(k.Marshal())] = k.Comment
	}
	var out []identity
	for _, s := range signers {
		out = append(out, identity{s, "ssh-agent: " + comments[string(s.PublicKey().Marshal())]})
	}
	return out, nil
}

var errNeedsPassphrase = errors.New("it is encrypted: add it to the ssh-agent with ssh-add, or run where the passphrase can be asked for")

// load reads a key file. An encrypted one is served by the ssh-agent when that
// holds it, else its passphrase is asked for once the server has accepted the
// public key. A certificate beside the file is offered with it.
func (c *credentials) load(path string, held []identity) (identity, error) {
	signer, err := goph.GetSigner(path, "")
	var locked *ssh.PassphraseMissingError
	if errors.As(err, &locked) {
		signer, err = c.unlock(path, locked.PublicKey, held)
	}
	if errors.Is(err, fs.ErrNotExist) {
		// The file may be just the name of a key that the agent holds.
		if pub, pubErr := readPublicKey(path + ".pub"); pubErr == nil {
			if s := find(held, pub); s != nil {
				return identity{s, path + " (by ssh-agent)"}, nil
			}
		}
	}
	if err != nil {
		return identity{}, fmt.Errorf("key file %s: %w", path, err)
	}
	return identity{withCertificate(path, signer), path}, nil
}

func (c *credentials) unlock(path string, pub ssh.PublicKey, held []identity) (ssh.Signer, error) {
	if pub == nil {
		pub, _ = readPublicKey(path + ".pub")
	}
	if pub != nil {
		if s := find(held, pub); s != nil {
			return s, nil
		}
	}
	ask := c.hop.passphrase
	if ask == nil {
		return nil, errNeedsPassphrase
	}
	open := sync.OnceValues(func() (ssh.Signer, error) {
		phrase, err := ask(path)
		if err != nil {
			return nil, err
		}
		return goph.GetSigner(path, phrase)
	})
	if pub == nil { // old PEM without a .pub file: nothing can be offered before it is open
		return open()
	}
	return &lazySigner{pub, open}, nil
}

// lazySigner opens an encrypted key at its first use.
type lazySigner struct {
	pub  ssh.PublicKey
	open func() (ssh.Signer, error)
}

func (l *lazySigner) PublicKey() ssh.PublicKey { return l.pub }

func (l *lazySigner) Sign(rand io.Reader, data []byte) (*ssh.Signature, error) {
	return l.SignWithAlgorithm(rand, data, "")
}

func (l *lazySigner) SignWithAlgorithm(rand io.Reader, data []byte, algorithm string) (*ssh.Signature, error) {
	s, err := l.open()
	if err != nil {
		return nil, err
	}
	if a, ok := s.(ssh.AlgorithmSigner); ok && algorithm != "" {
		return a.SignWithAlgorithm(rand, data, algorithm)
	}
	return s.Sign(rand, data)
}

func find(held []identity, pub ssh.PublicKey) ssh.Signer {
	for _, id := range held {
		if bytes.Equal(id.signer.PublicKey().Marshal(), pub.Marshal()) {
			return id.signer
		}
	}
	return nil
}

func readPublicKey(path string) (ssh.PublicKey, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	pub, _, _, _, err := ssh.ParseAuthorizedKey(text)
	return pub, err
}

func withCertificate(path string, signer ssh.Signer) ssh.Signer {
	pub, err := readPublicKey(path + "-cert.pub")
	if err != nil {
		return signer
	}
	cert, ok := pub.(*ssh.Certificate)
	if !ok {
		return signer
	}
	certified, err := ssh.NewCertSigner(cert, signer)
	if err != nil {
		return signer
	}
	return certified
}

// methods are the ways to authenticate, in order. All keys are in one method,
// because x/crypto tries only the first method of a kind.
func (c *credentials) methods() goph.Auth {
	var out goph.Auth
	if len(c.list) > 0 {
		out = append(out, ssh.PublicKeysCallback(func() ([]ssh.Signer, error) {
			signers := make([]ssh.Signer, len(c.list))
			for i, id := range c.list {
				signers[i] = id.signer
			}
			return signers, nil
		}))
	}
	if c.hop.password != "" {
		out = append(out, ssh.PasswordCallback(func() (string, error) {
			c.asked()
			return c.hop.password, nil
		}), ssh.KeyboardInteractive(c.answer))
	}
	return out
}

// answer gives the password to every question that hides what is typed.
func (c *credentials) answer(_, _ string, questions []string, echos []bool) ([]string, error) {
	answers := make([]string, len(questions))
	for i := range questions {
		if !echos[i] {
			c.asked()
			answers[i] = c.hop.password
		}
	}
	return answers, nil
}

func (c *credentials) asked() {
	c.mu.Lock()
	c.prompted = true
	c.mu.Unlock()
}

// story tells what was tried, for the error.
func (c *credentials) story() string {
	var lines []string
	for _, id := range c.list {
		pub := id.signer.PublicKey()
		lines = append(lines, fmt.Sprintf("  offered key %s (%s %s)", id.origin, pub.Type(), ssh.FingerprintSHA256(pub)))
	}
	for _, r := range c.remarks {
		lines = append(lines, "  not offered: "+r)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.prompted:
		lines = append(lines, "  sent the password, and the server did not accept it")
	case c.hop.password != "":
		lines = append(lines, "  a password is set, but the server did not ask for one")
	case len(c.list) == 0:
		lines = append(lines, "  no key was found and no password is set")
	}
	return strings.Join(lines, "\n")
}

// Close ends the talk with the ssh-agent.
func (c *credentials) Close() {
	if c.agent != nil {
		c.leave()
		c.agent.Close()
	}
}
