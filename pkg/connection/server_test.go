package connection_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"

	"github.com/foobar-play/foobar-play/pkg/connection"
)

// server is an SSH server in this process. Commands run in a local shell.
type server struct {
	t        *testing.T
	listener net.Listener
	cfg      *ssh.ServerConfig
	hostKeys []ssh.Signer

	users    map[string]ssh.PublicKey // who may log in by key
	password string
	question string // asked for the password, keyboard-interactive
	deaf     bool   // leaves global requests (keepalive) unanswered
	noExec   bool
	asked    chan struct{} // a keepalive was answered

	mu      sync.Mutex
	offered []string // fingerprints, in order
	conns   []net.Conn
	wg      sync.WaitGroup
}

// serve starts a server that lets user "deploy" in by the key.
func serve(t *testing.T, key ssh.PublicKey, tune ...func(*server)) *server {
	t.Helper()
	s := &server{t: t, users: map[string]ssh.PublicKey{"deploy": key}, hostKeys: []ssh.Signer{newKey(t)}, asked: make(chan struct{})}
	for _, f := range tune {
		f(s)
	}
	s.cfg = &ssh.ServerConfig{MaxAuthTries: 6}
	if key != nil {
		s.cfg.PublicKeyCallback = s.checkKey
	}
	if s.question != "" {
		s.cfg.KeyboardInteractiveCallback = func(_ ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
			a, err := ask("", "", []string{s.question}, []bool{false})
			if err != nil || len(a) != 1 || a[0] != s.password {
				return nil, errors.New("no")
			}
			return nil, nil
		}
	} else if s.password != "" {
		s.cfg.PasswordCallback = func(_ ssh.ConnMetadata, p []byte) (*ssh.Permissions, error) {
			if string(p) == s.password {
				return nil, nil
			}
			return nil, errors.New("no")
		}
	}
	for _, k := range s.hostKeys {
		s.cfg.AddHostKey(k)
	}
	var err error
	if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	s.wg.Go(s.accept)
	t.Cleanup(s.close)
	return s
}

func (s *server) checkKey(c ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := ssh.FingerprintSHA256(key); len(s.offered) == 0 || s.offered[len(s.offered)-1] != f {
		s.offered = append(s.offered, f)
	}
	if want := s.users[c.User()]; want != nil && bytes.Equal(want.Marshal(), key.Marshal()) {
		return nil, nil
	}
	return nil, errors.New("no")
}

func (s *server) close() {
	s.listener.Close()
	s.drop()
	s.wg.Wait()
}

// drop cuts every connection.
func (s *server) drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		c.Close()
	}
}

func (s *server) port() int { return s.listener.Addr().(*net.TCPAddr).Port }

func (s *server) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns = append(s.conns, c)
		s.mu.Unlock()
		s.wg.Go(func() { s.handle(c) })
	}
}

func (s *server) handle(c net.Conn) {
	defer c.Close()
	conn, chans, reqs, err := ssh.NewServerConn(c, s.cfg)
	if err != nil {
		return
	}
	s.wg.Go(func() {
		for r := range reqs {
			if s.deaf {
				continue
			}
			r.Reply(false, nil)
			select {
			case s.asked <- struct{}{}:
			default:
			}
		}
	})
	for nc := range chans {
		switch {
		case nc.ChannelType() == "direct-tcpip":
			s.forward(nc)
		case s.noExec:
			nc.Reject(ssh.Prohibited, "no more sessions")
		default:
			ch, reqs, err := nc.Accept()
			if err == nil {
				s.wg.Go(func() { s.session(ch, reqs) })
			}
		}
	}
	conn.Wait()
}

func (s *server) forward(nc ssh.NewChannel) {
	var to struct {
		Host  string
		Port  uint32
		From  string
		FPort uint32
	}
	ssh.Unmarshal(nc.ExtraData(), &to)
	out, err := net.Dial("tcp", net.JoinHostPort(to.Host, strconv.Itoa(int(to.Port))))
	if err != nil {
		nc.Reject(ssh.ConnectionFailed, err.Error())
		return
	}
	ch, reqs, err := nc.Accept()
	if err != nil {
		out.Close()
		return
	}
	s.wg.Go(func() { ssh.DiscardRequests(reqs) })
	s.wg.Go(func() { io.Copy(ch, out); ch.Close() })
	s.wg.Go(func() { io.Copy(out, ch); out.Close() })
}

func (s *server) session(ch ssh.Channel, reqs <-chan *ssh.Request) {
	defer ch.Close()
	var cmd *exec.Cmd
	for r := range reqs {
		switch r.Type {
		case "exec":
			var p struct{ Command string }
			ssh.Unmarshal(r.Payload, &p)
			cmd = exec.Command("/bin/sh", "-c", p.Command)
			stdin, _ := cmd.StdinPipe()
			cmd.Stdout, cmd.Stderr = ch, ch.Stderr()
			cmd.WaitDelay = time.Second
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			err := cmd.Start()
			r.Reply(err == nil, nil)
			s.wg.Go(func() { io.Copy(stdin, ch); stdin.Close() })
			s.wg.Go(func() {
				cmd.Wait()
				ch.SendRequest("exit-status", false, ssh.Marshal(struct{ Code uint32 }{uint32(cmd.ProcessState.ExitCode())}))
				ch.Close()
			})
		case "signal":
			cmd.Process.Kill()
		default:
			if r.WantReply {
				r.Reply(false, nil)
			}
		}
	}
	if cmd != nil && cmd.Process != nil {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
}

// known writes a known_hosts file that lists keys for the server.
func (s *server) known(keys ...ssh.Signer) string {
	s.t.Helper()
	var text string
	for _, k := range keys {
		text += knownhosts.Line([]string{s.listener.Addr().String()}, k.PublicKey()) + "\n"
	}
	return write(s.t, "known_hosts", text)
}

// target is the server as user deploy, with a key file.
func (s *server) target(keyFile string) connection.Target {
	t := connection.Target{Name: "web01", Host: "127.0.0.1", Port: s.port(), User: "deploy", IdentitiesOnly: true}
	if keyFile != "" {
		t.KeyFiles = []string{keyFile}
	}
	return t
}

// trusting are options under which the server's first host key is known.
func (s *server) trusting() connection.Options {
	return connection.Options{KnownHosts: []string{s.known(s.hostKeys[0])}, SSHConfig: "none"}
}

func newKey(t *testing.T) ssh.Signer {
	t.Helper()
	_, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(priv)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newRSAKey(t *testing.T) ssh.Signer {
	t.Helper()
	priv, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(priv)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// newKeyFile makes a private key file, encrypted when phrase is not empty.
func newKeyFile(t *testing.T, phrase string) (path string, pub ssh.PublicKey, priv ed25519.PrivateKey) {
	t.Helper()
	_, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var block *pem.Block
	if phrase == "" {
		block, err = ssh.MarshalPrivateKey(priv, "")
	} else {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(priv, "", []byte(phrase))
	}
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(priv)
	if err != nil {
		t.Fatal(err)
	}
	return write(t, "id_"+fmt.Sprint(len(phrase)), string(pem.EncodeToMemory(block))), signer.PublicKey(), priv
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
