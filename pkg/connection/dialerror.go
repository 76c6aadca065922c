package connection

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"
)

// dialler explains what went wrong while one hop was dialled.
type dialler struct {
	outer   context.Context // the caller's
	hop     *hop
	timeout time.Duration
}

// cut reports an end by the clock or by the caller; nil when it was neither.
func (d *dialler) cut(ctx context.Context, err error, stage string) *Error {
	if d.outer.Err() != nil {
		return &Error{Kind: Cancelled, Err: context.Cause(d.outer), Msg: fmt.Sprintf("connecting to %s was cancelled: %v", d.hop.addr(), context.Cause(d.outer))}
	}
	if ctx.Err() != nil {
		return &Error{Kind: Timeout, Err: err, Msg: fmt.Sprintf("%s %s within %s", d.hop.addr(), stage, d.timeout)}
	}
	return nil
}

// unreached explains a failure before any SSH was spoken.
func (d *dialler) unreached(ctx context.Context, err error) *Error {
	if e := d.cut(ctx, err, "did not answer"); e != nil {
		return e
	}
	var dns *net.DNSError
	var open *ssh.OpenChannelError
	switch {
	case errors.As(err, &dns):
		return &Error{Kind: UnknownName, Err: err, Msg: fmt.Sprintf("the name %s does not resolve: %s; set ansible_host, or HostName in the ssh configuration", d.hop.host, dns.Err)}
	case errors.Is(err, syscall.ECONNREFUSED):
		return &Error{Kind: Refused, Err: err, Msg: fmt.Sprintf("nothing listens on %s (connection refused): is sshd running, and is the port right?", d.hop.addr())}
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return &Error{Kind: NoRoute, Err: err, Msg: fmt.Sprintf("there is no way to %s: %v", d.hop.addr(), err)}
	case errors.Is(err, syscall.ETIMEDOUT):
		return &Error{Kind: Timeout, Err: err, Msg: fmt.Sprintf("%s did not answer (the system gave up)", d.hop.addr())}
	case errors.As(err, &open):
		return &Error{Kind: jumpKind(open), Err: err, Msg: fmt.Sprintf("the jump host cannot reach %s: %s", d.hop.addr(), open.Message)}
	}
	return &Error{Kind: NoRoute, Err: err, Msg: fmt.Sprintf("connect to %s: %v", d.hop.addr(), err)}
}

func jumpKind(e *ssh.OpenChannelError) ErrorKind {
	if e.Reason == ssh.Prohibited {
		return NoSession
	}
	return NoRoute
}

// rejected explains a failure of the SSH handshake or the authentication. Where
// it stood is known from what was called back, not from the error's text.
func (d *dialler) rejected(ctx context.Context, err error, keys *hostKeys, creds *credentials) *Error {
	if keys.refusal != nil {
		return keys.refusal
	}
	stage := "accepted the connection but did not finish the SSH handshake"
	if keys.verified {
		stage = "did not finish the authentication"
	}
	if e := d.cut(ctx, err, stage); e != nil {
		return e
	}
	var algorithms *ssh.AlgorithmNegotiationError
	switch {
	case errors.As(err, &algorithms) && !keys.verified:
		if algorithms.What == "host key" && len(keys.known()) > 0 {
			return keys.otherKind(algorithms)
		}
		return &Error{Kind: Handshake, Err: err, Msg: fmt.Sprintf("%s and we have no %s algorithm in common: it has %s, we have %s",
			d.hop.addr(), algorithms.What, strings.Join(algorithms.RequestedAlgorithms, ", "), strings.Join(algorithms.SupportedAlgorithms, ", "))}
	case !keys.verified && closedByPeer(err):
		return &Error{Kind: Handshake, Err: err, Msg: fmt.Sprintf("%s closed the connection before the SSH handshake was done: is it an SSH server, and does it let this address in (MaxStartups, fail2ban, a firewall)?", d.hop.addr())}
	case !keys.verified:
		return &Error{Kind: Handshake, Err: err, Msg: fmt.Sprintf("SSH handshake with %s: %v", d.hop.addr(), err)}
	case closedByPeer(err):
		return &Error{Kind: AuthFailed, Err: err, Msg: fmt.Sprintf("%s closed the connection while %s was being authenticated; when many keys were offered (MaxAuthTries), name the right one by --private-key and set IdentitiesOnly:\n%s",
			d.hop.addr(), d.hop.user, creds.story())}
	}
	return &Error{Kind: AuthFailed, Err: err, Msg: fmt.Sprintf("%s accepts none of our ways to log in as %s:\n%s\nName the user by -u and the key by --private-key, or give a password by -k",
		d.hop.addr(), d.hop.user, creds.story())}
}

func closedByPeer(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}
