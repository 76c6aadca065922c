package connection_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/foobar-play/foobar-play/pkg/connection"
)

func TestAuth(t *testing.T) {
	file, pub, _ := newKeyFile(t, "")
	wrong, _, _ := newKeyFile(t, "")
	locked, lockedPub, _ := newKeyFile(t, "sesame")
	withPassword := func(s *server) { s.password = "secret" }

	t.Run("password after keys", func(t *testing.T) {
		s := serve(t, pub, withPassword)
		target := s.target(wrong)
		target.Password = "secret"
		dial(t, target, s.trusting())
	})
	t.Run("keyboard-interactive", func(t *testing.T) {
		s := serve(t, pub, func(s *server) { s.question = "Passwort:"; withPassword(s) })
		target := s.target("")
		target.Password = "secret"
		dial(t, target, s.trusting())
	})
	t.Run("passphrase is asked when the key is accepted", func(t *testing.T) {
		s := serve(t, lockedPub)
		target := s.target(wrong)
		target.KeyFiles = append(target.KeyFiles, locked)
		var asked []string
		target.KeyPassphrase = func(f string) (string, error) { asked = append(asked, f); return "sesame", nil }
		dial(t, target, s.trusting())
		if len(asked) != 1 || asked[0] != locked {
			t.Errorf("asked for %v", asked)
		}
	})
	t.Run("nothing fits", func(t *testing.T) {
		s := serve(t, pub, withPassword)
		target := s.target(wrong)
		target.KeyFiles = append(target.KeyFiles, locked)
		target.Password = "wrong"
		refused(t, target, s.trusting(), connection.AuthFailed, "deploy", wrong, locked, "encrypted", "password")
	})
	t.Run("named key is missing", func(t *testing.T) {
		s := serve(t, pub)
		refused(t, s.target("/nonexistent/key"), s.trusting(), connection.BadConfig, "/nonexistent/key")
	})
	t.Run("rsa", func(t *testing.T) {
		s := serve(t, pub, func(s *server) { s.hostKeys = []ssh.Signer{newRSAKey(t)} })
		dial(t, s.target(file), s.trusting())
	})
}

// keyring serves an ssh-agent and returns its socket.
func keyring(t *testing.T, keys ...any) {
	ring := agent.NewKeyring()
	for i, k := range keys {
		if err := ring.Add(agent.AddedKey{PrivateKey: k, Comment: fmt.Sprint("ring", i)}); err != nil {
			t.Fatal(err)
		}
	}
	dir, err := os.MkdirTemp("", "ring")
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(dir, "agent"))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { agent.ServeAgent(ring, c); c.Close() })
		}
	})
	t.Cleanup(func() { l.Close(); wg.Wait(); os.RemoveAll(dir) })
	t.Setenv("SSH_AUTH_SOCK", l.Addr().String())
}

func TestAgentKeysAfterFiles(t *testing.T) {
	wrong, wrongPub, _ := newKeyFile(t, "")
	_, otherPub, other := newKeyFile(t, "")
	_, pub, held := newKeyFile(t, "")
	keyring(t, &other, &held)
	s := serve(t, pub)
	target, o := s.target(wrong), s.trusting()
	o.UseAgent, target.IdentitiesOnly = true, false
	dial(t, target, o)
	want := []string{ssh.FingerprintSHA256(wrongPub), ssh.FingerprintSHA256(otherPub), ssh.FingerprintSHA256(pub)}
	if fmt.Sprint(s.offered) != fmt.Sprint(want) {
		t.Errorf("offered %v, want %v", s.offered, want)
	}

	s.offered = nil
	target.IdentitiesOnly = true
	refused(t, target, o, connection.AuthFailed, ssh.FingerprintSHA256(wrongPub))
	if len(s.offered) != 1 {
		t.Errorf("IdentitiesOnly offered %v", s.offered)
	}
}

func TestHostKeys(t *testing.T) {
	file, pub, _ := newKeyFile(t, "")
	s := serve(t, pub, func(s *server) { s.hostKeys = []ssh.Signer{newRSAKey(t), newKey(t)} })
	rsaKey, edKey := s.hostKeys[0], s.hostKeys[1]
	other := newKey(t)
	with := func(mode connection.HostKeyMode, file string) connection.Options {
		return connection.Options{HostKey: mode, KnownHosts: []string{file}, SSHConfig: "none"}
	}

	t.Run("each known kind alone is enough", func(t *testing.T) {
		dial(t, s.target(file), with(connection.Strict, s.known(rsaKey)))
		dial(t, s.target(file), with(connection.Strict, s.known(edKey)))
	})
	t.Run("unknown", func(t *testing.T) {
		e := refused(t, s.target(file), with(connection.Strict, s.known()), connection.HostKeyUnknown,
			ssh.FingerprintSHA256(edKey.PublicKey()), "--host-key accept-new", fmt.Sprintf("[127.0.0.1]:%d ", s.port()))
		// The command that the error shows must do what it says.
		_, line, _ := strings.Cut(e.Msg, "echo '")
		line, _, _ = strings.Cut(line, "'")
		dial(t, s.target(file), with(connection.Strict, write(t, "known_hosts", line+"\n")))
	})
	t.Run("changed", func(t *testing.T) {
		known := s.known(other)
		for _, mode := range []connection.HostKeyMode{connection.Strict, connection.AcceptNew} {
			refused(t, s.target(file), with(mode, known), connection.HostKeyChanged,
				ssh.FingerprintSHA256(other.PublicKey()), ssh.FingerprintSHA256(edKey.PublicKey()), known+":1")
		}
		dial(t, s.target(file), with(connection.Off, known))
	})
	t.Run("known kind is gone", func(t *testing.T) {
		s := serve(t, pub)
		refused(t, s.target(file), with(connection.Strict, s.known(newRSAKey(t))), connection.HostKeyChanged, "ssh-rsa", "ssh-ed25519")
	})
	t.Run("revoked", func(t *testing.T) {
		line := "@revoked * " + string(ssh.MarshalAuthorizedKey(edKey.PublicKey()))
		text, err := os.ReadFile(s.known(edKey))
		if err != nil {
			t.Fatal(err)
		}
		refused(t, s.target(file), with(connection.AcceptNew, write(t, "known_hosts", line+string(text))), connection.HostKeyChanged, "revoked")
	})
	t.Run("accept-new learns once", func(t *testing.T) {
		known := filepath.Join(t.TempDir(), "new", "known_hosts")
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				c, err := connection.Dial(context.Background(), s.target(file), with(connection.AcceptNew, known))
				if err != nil {
					t.Error(err)
					return
				}
				c.Close()
			})
		}
		wg.Wait()
		text, err := os.ReadFile(known)
		if err != nil || strings.Count(string(text), "\n") != 1 {
			t.Errorf("known_hosts: %q, %v", text, err)
		}
		dial(t, s.target(file), with(connection.Strict, known))
	})
}
