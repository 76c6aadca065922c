package connection

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"
)

// closeGrace is how long processes may take to clean up after Close.
const closeGrace = 5 * time.Second

// localConnection is this machine.
type localConnection struct {
	name string
	done chan struct{}

	mu     sync.Mutex
	closed bool
	live   map[*localProcess]struct{}
	wg     sync.WaitGroup
}

func newLocal(t Target) Connection {
	return &localConnection{name: t.Name, done: make(chan struct{}), live: map[*localProcess]struct{}{}}
}

// localProcess is a child in a process group of its own, so that a terminal's
// Ctrl-C does not reach it before we do.
type localProcess struct {
	conn           *localConnection
	cmd            *exec.Cmd
	stdin          io.WriteCloser
	stdout, stderr *os.File
	exited         chan struct{}
	err            error
}

func (c *localConnection) Start(ctx context.Context, command string) (Process, error) {
	if err := ctx.Err(); err != nil {
		return nil, &Error{Host: c.name, Kind: Cancelled, Msg: "starting a process was cancelled: " + err.Error(), Err: err}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, &Error{Host: c.name, Kind: Lost, Msg: "the connection was closed"}
	}
	p := &localProcess{conn: c, cmd: exec.Command("/bin/sh", "-c", command), exited: make(chan struct{})}
	if err := p.start(); err != nil {
		return nil, &Error{Host: c.name, Kind: NoSession, Msg: fmt.Sprintf("start a shell: %v", err), Err: err}
	}
	c.live[p] = struct{}{}
	c.wg.Go(p.reap)
	return p, nil
}

// start gives the child pipes whose our ends stay open after it has exited, so
// that its last words can be read.
func (p *localProcess) start() (err error) {
	ownGroup(p.cmd)
	var theirs [2]*os.File
	defer func() {
		for _, f := range theirs {
			if f != nil {
				f.Close()
			}
		}
		if err != nil {
			p.closeOutput()
		}
	}()
	if p.stdout, theirs[0], err = os.Pipe(); err != nil {
		return err
	}
	if p.stderr, theirs[1], err = os.Pipe(); err != nil {
		return err
	}
	p.cmd.Stdout, p.cmd.Stderr = theirs[0], theirs[1]
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return err
	}
	return p.cmd.Start()
}

func (p *localProcess) closeOutput() {
	for _, f := range []*os.File{p.stdout, p.stderr} {
		if f != nil {
			f.Close()
		}
	}
}

func (p *localProcess) reap() {
	err := p.cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code, signal := exitStatus(exit.ProcessState)
		err = &ExitError{Code: code, Signal: signal}
	}
	p.err = err
	close(p.exited)
	p.conn.mu.Lock()
	delete(p.conn.live, p)
	p.conn.mu.Unlock()
}

func (p *localProcess) Stdin() io.WriteCloser { return p.stdin }
func (p *localProcess) Stdout() io.Reader     { return p.stdout }
func (p *localProcess) Stderr() io.Reader     { return p.stderr }

func (p *localProcess) Wait() error {
	<-p.exited
	return p.err
}

// Kill ends the process group. What runs as another user (sudo) cannot be
// killed by us; it ends when its stdin does.
func (p *localProcess) Kill() {
	p.stdin.Close()
	select {
	case <-p.exited:
	default:
		killGroup(p.cmd)
	}
	p.closeOutput()
}

func (c *localConnection) Name() string { return c.name }

func (c *localConnection) Done() <-chan struct{} { return c.done }

func (c *localConnection) Err() error { return nil }

// Close closes the processes' pipes, as the loss of an SSH connection does, and
// kills who has not left after closeGrace.
func (c *localConnection) Close() error {
	c.mu.Lock()
	first := !c.closed
	c.closed = true
	live := make([]*localProcess, 0, len(c.live))
	for p := range c.live {
		live = append(live, p)
	}
	c.mu.Unlock()
	for _, p := range live {
		p.stdin.Close()
		p.closeOutput()
	}
	hard := time.AfterFunc(closeGrace, func() {
		for _, p := range live {
			p.Kill()
		}
	})
	c.wg.Wait()
	hard.Stop()
	if first {
		close(c.done)
	}
	return nil
}
