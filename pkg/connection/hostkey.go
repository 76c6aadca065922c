package connection

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/lockedfile"
	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"
)

// hostKeys decides about the host key of one hop.
type hostKeys struct {
	hop  *hop
	mode HostKeyMode
	db   *knownhosts.HostKeyDB // nil in mode Off
	// verified is set once the server has proved its key and it was accepted.
	verified bool
	refusal  *Error
}

func newHostKeys(h *hop, mode HostKeyMode) (*hostKeys, error) {
	k := &hostKeys{hop: h, mode: mode}
	if mode == Off {
		return k, nil
	}
	var err error
	k.db, err = readKnownHosts(h.knownHosts)
	return k, err
}

func readKnownHosts(files []string) (*knownhosts.HostKeyDB, error) {
	var there []string
	for _, f := range files {
		_, err := os.Stat(f)
		switch {
		case err == nil:
			there = append(there, f)
		case !errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("read the known host keys: %w", err)
		}
	}
	db, err := knownhosts.NewDB(there...)
	if err != nil {
		return nil, fmt.Errorf("read the known host keys: %w", err)
	}
	return db, nil
}

// known are the kinds of key that known_hosts has for the host.
func (k *hostKeys) known() []string {
	if k.db == nil {
		return nil
	}
	return k.db.HostKeyAlgorithms(k.hop.keyAddr())
}

// algorithms are the kinds of key we let the server prove itself by: the known
// ones, lest it uses one we have never seen; for a new host all, Ed25519 first
// as ssh does, and no certificates, since no authority is known for it.
func (k *hostKeys) algorithms() []string {
	if known := k.known(); len(known) > 0 {
		return known
	}
	all := []string{ssh.KeyAlgoED25519}
	for _, a := range ssh.SupportedAlgorithms().HostKeys {
		if a != ssh.KeyAlgoED25519 && !strings.Contains(a, "-cert-") {
			all = append(all, a)
		}
	}
	return all
}

// check is the ssh.HostKeyCallback.
func (k *hostKeys) check(_ string, remote net.Addr, key ssh.PublicKey) error {
	if err := k.decide(k.db, remote, key); err != nil {
		k.refusal = err
		return err
	}
	k.verified = true
	return nil
}

func (k *hostKeys) decide(db *knownhosts.HostKeyDB, remote net.Addr, key ssh.PublicKey) *Error {
	if k.mode == Off {
		return nil
	}
	err := db.HostKeyCallback()(k.hop.keyAddr(), remote, key)
	if err == nil {
		return nil
	}
	var revoked *xknownhosts.RevokedError
	if errors.As(err, &revoked) {
		return &Error{Kind: HostKeyChanged, Err: err, Msg: fmt.Sprintf(
			"the host key of %s is marked as revoked (%s:%d): do not connect until you know why",
			k.hop.addr(), revoked.Revoked.Filename, revoked.Revoked.Line)}
	}
	var mismatch *xknownhosts.KeyError
	if !errors.As(err, &mismatch) {
		return &Error{Kind: HostKeyChanged, Err: err, Msg: fmt.Sprintf("the host key of %s is not accepted: %v", k.hop.addr(), err)}
	}
	if len(mismatch.Want) > 0 {
		return k.changed(mismatch, key)
	}
	if k.mode == AcceptNew {
		return k.learn(remote, key)
	}
	return k.unknown(err, key)
}

func (k *hostKeys) line(key ssh.PublicKey) string {
	return knownhosts.Line([]string{k.hop.keyAddr()}, key)
}

func (k *hostKeys) unknown(err error, key ssh.PublicKey) *Error {
	file := "~/.ssh/known_hosts"
	if len(k.hop.knownHosts) > 0 {
		file = k.hop.knownHosts[0]
	}
	return &Error{Kind: HostKeyUnknown, Err: err, Msg: fmt.Sprintf(`the host key of %s is not known yet:
  %s %s
Compare it with what the server itself shows for "ssh-keygen -lf /etc/ssh/ssh_host_%s_key.pub". If it is the same, add it:
  echo '%s' >> %s
or let first contacts add their keys by --host-key accept-new`,
		k.hop.addr(), key.Type(), ssh.FingerprintSHA256(key), keyFileWord(key), k.line(key), file)}
}

// keyFileWord is the word sshd has in the name of a host key file.
func keyFileWord(key ssh.PublicKey) string {
	switch t := key.Type(); {
	case strings.HasPrefix(t, "ecdsa"):
		return "ecdsa"
	case t == ssh.KeyAlgoRSA:
		return "rsa"
	}
	return "ed25519"
}

func (k *hostKeys) changed(mismatch *xknownhosts.KeyError, key ssh.PublicKey) *Error {
	var known []string
	for _, w := range mismatch.Want {
		known = append(known, fmt.Sprintf("  known:   %s %s (%s:%d)", w.Key.Type(), ssh.FingerprintSHA256(w.Key), w.Filename, w.Line))
	}
	return &Error{Kind: HostKeyChanged, Err: mismatch, Msg: fmt.Sprintf(`THE HOST KEY OF %s HAS CHANGED:
%s
  offered: %s %s
Either the server was set up anew, or somebody sits between it and you. Only when you know that it was set up anew, forget the old key:
  ssh-keygen -R '%s' -f %s`,
		k.hop.addr(), strings.Join(known, "\n"), key.Type(), ssh.FingerprintSHA256(key),
		knownhosts.Normalize(k.hop.keyAddr()), mismatch.Want[0].Filename)}
}

// otherKind explains a server that has no key of a kind known_hosts lists.
func (k *hostKeys) otherKind(e *ssh.AlgorithmNegotiationError) *Error {
	var known []string
	for _, key := range k.db.HostKeys(k.hop.keyAddr()) {
		known = append(known, key.Type()+" "+ssh.FingerprintSHA256(key))
	}
	return &Error{Kind: HostKeyChanged, Err: e, Msg: fmt.Sprintf(`the server at %s no longer has a host key of the known kind:
  known:   %s
  offered: kinds %s
If it was set up anew, forget the old key: ssh-keygen -R '%s'`,
		k.hop.addr(), strings.Join(known, ", "), strings.Join(e.RequestedAlgorithms, ", "), knownhosts.Normalize(k.hop.keyAddr()))}
}

// learn adds the key of a host seen for the first time. Under the lock it
// looks again: another run may have added one meanwhile.
func (k *hostKeys) learn(remote net.Addr, key ssh.PublicKey) *Error {
	if len(k.hop.knownHosts) == 0 {
		return nil
	}
	file := k.hop.knownHosts[0]
	failed := func(err error) *Error {
		return &Error{Kind: BadConfig, Err: err, Msg: fmt.Sprintf("add the host key of %s to %s: %v", k.hop.addr(), file, err)}
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return failed(err)
	}
	f, err := lockedfile.OpenFile(file, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return failed(err)
	}
	defer f.Close()
	db, err := readKnownHosts(k.hop.knownHosts)
	if err != nil {
		return failed(err)
	}
	again := &hostKeys{hop: k.hop, mode: Strict}
	if refusal := again.decide(db, remote, key); refusal == nil || refusal.Kind != HostKeyUnknown {
		return refusal
	}
	line := k.line(key) + "\n"
	if unfinished(f) {
		line = "\n" + line
	}
	if _, err := io.WriteString(f, line); err != nil {
		return failed(err)
	}
	return nil
}

// unfinished reports whether the last line of f has no end.
func unfinished(f *lockedfile.File) bool {
	fi, err := f.Stat()
	if err != nil || fi.Size() == 0 {
		return false
	}
	last := make([]byte, 1)
	_, err = f.ReadAt(last, fi.Size()-1)
	return err == nil && last[0] != '\n'
}
