package connection

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"golang.org/x/crypto/ssh"
)

// sshProcess is one session channel.
type sshProcess struct {
	conn    *sshConnection
	session *ssh.Session
	stdin   io.WriteCloser
	stdout  io.Reader
	stderr  io.Reader
	ended   func() error
	kill    sync.Once
}

// Start opens a session and runs command in it. The library's calls take no
// context: on cancel the session is closed as soon as it is there.
func (c *sshConnection) Start(ctx context.Context, command string) (Process, error) {
	type started struct {
		p   *sshProcess
		err error
	}
	ready := make(chan started, 1)
	if !c.goUnlessClosed(func() {
		p, err := c.start(command)
		ready <- started{p, err}
	}) {
		return nil, &Error{Host: c.name, Kind: Lost, Msg: "the connection was closed"}
	}
	select {
	case s := <-ready:
		if s.err != nil {
			return nil, s.err
		}
		return s.p, nil
	case <-ctx.Done():
		c.goUnlessClosed(func() {
			if s := <-ready; s.err == nil {
				s.p.Kill()
			}
		})
		return nil, &Error{Host: c.name, Kind: Cancelled, Msg: fmt.Sprintf("starting a process was cancelled: %v", context.Cause(ctx)), Err: context.Cause(ctx)}
	}
}

func (c *sshConnection) start(command string) (*sshProcess, error) {
	session, err := c.client.NewSession()
	if err != nil {
		return nil, c.refused(err)
	}
	p := &sshProcess{conn: c, session: session}
	p.ended = sync.OnceValue(p.wait)
	if err = p.open(command); err != nil {
		session.Close()
		return nil, c.refused(err)
	}
	return p, nil
}

func (p *sshProcess) open(command string) (err error) {
	if p.stdin, err = p.session.StdinPipe(); err != nil {
		return err
	}
	if p.stdout, err = p.session.StdoutPipe(); err != nil {
		return err
	}
	if p.stderr, err = p.session.StderrPipe(); err != nil {
		return err
	}
	return p.session.Start(command)
}

// refused explains why no process was started.
func (c *sshConnection) refused(err error) error {
	var open *ssh.OpenChannelError
	if errors.As(err, &open) {
		return &Error{Host: c.name, Kind: NoSession, Err: err, Msg: fmt.Sprintf(
			"the server refuses another session (%s): raise MaxSessions in its sshd_config, it needs one for each become user of the play", open.Message)}
	}
	if lost := c.gone(err); lost != nil {
		return lost
	}
	return &Error{Host: c.name, Kind: NoSession, Err: err, Msg: fmt.Sprintf("the server does not start a command: %v", err)}
}

func (p *sshProcess) Stdin() io.WriteCloser { return p.stdin }
func (p *sshProcess) Stdout() io.Reader     { return p.stdout }
func (p *sshProcess) Stderr() io.Reader     { return p.stderr }

func (p *sshProcess) Wait() error { return p.ended() }

// wait is Wait's only real call: the library's Wait answers but once.
func (p *sshProcess) wait() error {
	err := p.session.Wait()
	p.session.Close()
	var exit *ssh.ExitError
	var missing *ssh.ExitMissingError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &exit):
		return &ExitError{Code: exit.ExitStatus(), Signal: exit.Signal()}
	case errors.As(err, &missing):
		if lost := p.conn.gone(err); lost != nil {
			return lost
		}
		return &ExitError{Code: -1, Signal: "unknown"}
	}
	return &Error{Host: p.conn.name, Kind: Lost, Msg: fmt.Sprintf("wait for a process: %v", err), Err: err}
}

// Kill asks the server to send SIGKILL (sshd honours it since OpenSSH 8.1),
// and closes the channel, which ends whatever reads its stdin.
func (p *sshProcess) Kill() {
	p.kill.Do(func() {
		p.session.Signal(ssh.SIGKILL)
		p.session.Close()
	})
}
