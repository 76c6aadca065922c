// Package connection reaches a host: over SSH (goph, x/crypto/ssh) or as this
// machine itself, and starts processes there.
//
// It owns who we are to the host (keys, ssh-agent, passwords), who the host is
// to us (known_hosts, strict by default), ~/.ssh/config, jump hosts, keepalive,
// and the explanation of everything that can go wrong on the way: every error
// of Dial and every loss of a connection is an *Error, which the runner reports
// as "unreachable".
//
// Of ~/.ssh/config it honours HostName, Port, User, IdentityFile, IdentitiesOnly,
// IdentityAgent, ProxyJump, HostKeyAlias, UserKnownHostsFile and
// GlobalKnownHostsFile, with Host, Match host, Match all and Include. A
// ProxyCommand or another Match is an error. StrictHostKeyChecking is not
// honoured: only the run's own option may loosen the check.
//
// A Connection is one transport; many processes may run over it. It must not
// know what the processes are: the agent, its protocol, become and modules are
// above it.
package connection

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/rs/zerolog"
)

// Kinds of Target.
const (
	SSH   = "ssh"
	Local = "local"
)

// Target says which host, and as whom. Only Name is needed; what is empty is
// taken from ~/.ssh/config, then from ssh's own defaults.
type Target struct {
	// Name is the host's inventory name, which errors speak of.
	Name string
	// Kind is SSH ("" too) or Local.
	Kind string
	// Host is what would be given to ssh: an address, a DNS name or an alias of
	// ~/.ssh/config. "" means Name.
	Host string
	Port int
	User string
	// Password is tried after the keys, when it is not empty. Secret.
	Password string
	// KeyFiles are private keys, tried before any other.
	KeyFiles []string
	// IdentitiesOnly offers no key but KeyFiles and ~/.ssh/config's
	// IdentityFile.
	IdentitiesOnly bool
	// KeyPassphrase gives the passphrase of an encrypted key file. It is asked
	// only when the server has accepted the key, from many goroutines when many
	// hosts are dialled. nil: encrypted keys are used through ssh-agent only.
	KeyPassphrase func(file string) (string, error)
	// ProxyJump is as for ssh -J: "[user@]host[:port][,…]"; "none" overrides
	// ~/.ssh/config.
	ProxyJump string
}

// HostKeyMode says what to do about a host key that is not in known_hosts.
// A key that differs from the known one is refused in every mode but Off.
type HostKeyMode int

const (
	// Strict refuses hosts whose key is not known.
	Strict HostKeyMode = iota
	// AcceptNew adds the key of a host never seen before to known_hosts.
	AcceptNew
	// Off accepts any key. Whoever sits between may read and change all.
	Off
)

// String gives the word of the flag --host-key.
func (m HostKeyMode) String() string {
	switch m {
	case Strict:
		return "strict"
	case AcceptNew:
		return "accept-new"
	case Off:
		return "off"
	}
	return fmt.Sprintf("HostKeyMode(%d)", int(m))
}

// ParseHostKeyMode reads "strict", "accept-new" or "off".
func ParseHostKeyMode(s string) (HostKeyMode, error) {
	for _, m := range []HostKeyMode{Strict, AcceptNew, Off} {
		if s == m.String() {
			return m, nil
		}
	}
	return Strict, fmt.Errorf("%q is no host key mode: use strict, accept-new or off", s)
}

// Options are the same for all hosts of a run. The zero value is strict and
// uses no ssh-agent.
type Options struct {
	// ConnectTimeout bounds TCP connect plus SSH handshake and authentication,
	// for each hop. 0: 10 s.
	ConnectTimeout time.Duration
	HostKey        HostKeyMode
	// KnownHosts are the files of known keys; the first is the one AcceptNew
	// adds to. Empty: UserKnownHostsFile of ~/.ssh/config, else
	// ~/.ssh/known_hosts and /etc/ssh/ssh_known_hosts. Missing files are empty.
	KnownHosts []string
	// SSHConfig is read for each host; "" means ~/.ssh/config and
	// /etc/ssh/ssh_config, "none" none.
	SSHConfig string
	// UseAgent also offers the keys of the ssh-agent at $SSH_AUTH_SOCK.
	UseAgent bool
	// KeepAlive is the time between two "are you there"; the connection is
	// given up after three without an answer. 0: 10 s, negative: never.
	KeepAlive time.Duration
	Log       zerolog.Logger
}

// Connection is a way to one host. It is safe for concurrent use.
type Connection interface {
	// Name is the host's inventory name.
	Name() string
	// Start runs a command line of the far side's POSIX shell, without a
	// terminal. ctx bounds the start only; use Process.Kill afterwards. Errors
	// are *Error.
	Start(ctx context.Context, command string) (Process, error)
	// Done is closed when the connection is lost or closed.
	Done() <-chan struct{}
	// Err says why Done is closed, as *Error; nil before, and after Close.
	Err() error
	// Close ends the connection and every process started over it. It returns
	// when all its goroutines have ended.
	Close() error
}

// Process is a command that runs on the host. Stdout and Stderr must be read
// to their end, else the process may block.
type Process interface {
	Stdin() io.WriteCloser
	Stdout() io.Reader
	Stderr() io.Reader
	// Wait waits for the end: nil for exit code 0, *ExitError, or *Error when
	// the connection was lost before.
	Wait() error
	// Kill ends the process (locally its whole group) and frees what it holds
	// on this side. It may be called at any time, also twice.
	Kill()
}

// ExitError is the end of a process other than by exit code 0.
type ExitError struct {
	Code   int    // 128+n when a signal ended it locally
	Signal string // "KILL", "TERM" …; "" when it exited by itself
}

// Error names the code or the signal.
func (e *ExitError) Error() string {
	if e.Signal != "" {
		return "killed by signal " + e.Signal
	}
	return fmt.Sprintf("exit code %d", e.Code)
}

// Dial reaches a host. ctx cancels at any moment. Errors are *Error.
func Dial(ctx context.Context, t Target, o Options) (Connection, error) {
	switch t.Kind {
	case "", SSH:
		return dialSSH(ctx, t, o)
	case Local:
		return newLocal(t), nil
	}
	return nil, &Error{Host: t.Name, Kind: BadConfig, Msg: fmt.Sprintf("there is no connection of kind %q: use ssh or local", t.Kind)}
}
