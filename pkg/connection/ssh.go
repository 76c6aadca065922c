package connection

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/melbahja/goph"
	"github.com/rs/zerolog"
	"golang.org/x/crypto/ssh"
)

const (
	defaultConnectTimeout = 10 * time.Second
	defaultKeepAlive      = 10 * time.Second
	keepAliveMisses       = 3
)

// sshConnection is the chain of clients to a host, its own last.
type sshConnection struct {
	name   string
	client *goph.Client
	jumps  []*goph.Client // in the order they were dialled
	log    zerolog.Logger

	stop   context.CancelFunc // ends the keepalive
	done   chan struct{}
	wg     sync.WaitGroup
	mu     sync.Mutex
	closed bool
	err    error
}

func dialSSH(ctx context.Context, t Target, o Options) (Connection, error) {
	hops, err := route(t, o)
	if err != nil {
		return nil, &Error{Host: t.Name, Kind: BadConfig, Msg: err.Error(), Err: err}
	}
	var clients []*goph.Client
	for i, h := range hops {
		client, err := dialHop(ctx, h, o, clients)
		if err != nil {
			closeAll(clients)
			err.Host = t.Name
			if i < len(hops)-1 {
				err.Msg = fmt.Sprintf("jump host %s: %s", h.alias, err.Msg)
			}
			return nil, err
		}
		clients = append(clients, client)
	}
	last := len(clients) - 1
	c := &sshConnection{name: t.Name, client: clients[last], jumps: clients[:last], log: o.Log, done: make(chan struct{})}
	c.watch(o.KeepAlive)
	return c, nil
}

// closeAll closes from the far end, since each client runs through the one
// before it.
func closeAll(clients []*goph.Client) {
	for i := len(clients) - 1; i >= 0; i-- {
		clients[i].Close()
	}
}

// dialHop connects to one server, through the last of the clients before it,
// within the connect timeout: a context rather than a deadline bounds every
// step, because a connection through a jump host knows no deadlines.
func dialHop(ctx context.Context, h *hop, o Options, before []*goph.Client) (*goph.Client, *Error) {
	timeout := o.ConnectTimeout
	if timeout <= 0 {
		timeout = defaultConnectTimeout
	}
	d := &dialler{outer: ctx, hop: h, timeout: timeout}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	clock := time.AfterFunc(timeout, func() { cancel(context.DeadlineExceeded) })
	defer clock.Stop()
	h.stopClockWhileAsking(clock, timeout)

	keys, err := newHostKeys(h, o.HostKey)
	if err != nil {
		return nil, &Error{Kind: BadConfig, Msg: err.Error(), Err: err}
	}
	creds, err := gather(ctx, h)
	if err != nil {
		return nil, &Error{Kind: BadConfig, Msg: err.Error(), Err: err}
	}
	defer creds.Close()

	conn, err := d.transport(ctx, before)
	if err != nil {
		return nil, d.unreached(ctx, err)
	}
	cfg := &goph.Config{User: h.user, Addr: h.host, Port: uint(h.port), Auth: creds.methods(), Timeout: timeout, Callback: keys.check}
	cut := context.AfterFunc(ctx, func() { conn.Close() })
	sshConn, chans, reqs, err := ssh.NewClientConn(conn, h.addr(), &ssh.ClientConfig{
		User:              cfg.User,
		Auth:              cfg.Auth,
		HostKeyCallback:   cfg.Callback,
		HostKeyAlgorithms: keys.algorithms(),
	})
	if inTime := cut(); err == nil && !inTime {
		sshConn.Close()
		err = context.Cause(ctx)
	}
	if err != nil {
		conn.Close()
		return nil, d.rejected(ctx, err, keys, creds)
	}
	o.Log.Debug().Str("host", h.alias).Str("addr", h.addr()).Str("user", h.user).Msg("connected")
	return &goph.Client{Client: ssh.NewClient(sshConn, chans, reqs), Config: cfg}, nil
}

// stopClockWhileAsking gives a person time to type a passphrase.
func (h *hop) stopClockWhileAsking(clock *time.Timer, timeout time.Duration) {
	ask := h.passphrase
	if ask == nil {
		return
	}
	h.passphrase = func(file string) (string, error) {
		clock.Stop()
		defer clock.Reset(timeout)
		return ask(file)
	}
}

// transport opens the stream that the SSH handshake will run over.
func (d *dialler) transport(ctx context.Context, before []*goph.Client) (net.Conn, error) {
	if len(before) == 0 {
		return (&net.Dialer{}).DialContext(ctx, "tcp", d.hop.addr())
	}
	return before[len(before)-1].DialContext(ctx, "tcp", d.hop.addr())
}

// watch follows the connection's life until it ends.
func (c *sshConnection) watch(interval time.Duration) {
	if interval == 0 {
		interval = defaultKeepAlive
	}
	ctx, stop := context.WithCancel(context.Background())
	c.stop = stop
	if interval > 0 {
		c.wg.Go(func() { c.keepAlive(ctx, interval) })
	}
	c.wg.Go(func() {
		err := c.client.Wait()
		stop()
		c.lost(fmt.Sprintf("the connection was lost: %v", err), err)
		c.client.Close()
		closeAll(c.jumps)
		close(c.done)
	})
}

// keepAlive asks "are you there" and closes the connection when three questions
// in a row stay unanswered.
func (c *sshConnection) keepAlive(ctx context.Context, interval time.Duration) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	answered := make(chan struct{}, 1)
	waiting, misses := false, 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-answered: // a refusal is an answer; a broken connection ends Wait
			waiting, misses = false, 0
		case <-tick.C:
			if !waiting {
				waiting = true
				// The answer may never come; closing the client frees it.
				c.wg.Go(func() {
					_, _, _ = c.client.SendRequest("keepalive@openssh.com", true, nil)
					answered <- struct{}{}
				})
				continue
			}
			if misses++; misses >= keepAliveMisses {
				c.lost(fmt.Sprintf("the connection was lost: no answer for %s", time.Duration(misses)*interval), nil)
				c.client.Close()
				closeAll(c.jumps)
				return
			}
		}
	}
}

// lost records the first reason for the end, unless it was asked for.
func (c *sshConnection) lost(msg string, cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed && c.err == nil {
		c.err = &Error{Host: c.name, Kind: Lost, Msg: msg, Err: cause}
		c.log.Debug().Str("host", c.name).Msg(msg)
	}
}

func (c *sshConnection) Name() string { return c.name }

func (c *sshConnection) Done() <-chan struct{} { return c.done }

func (c *sshConnection) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

func (c *sshConnection) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.stop()
	c.client.Close()
	closeAll(c.jumps)
	c.wg.Wait()
	return nil
}

// goUnlessClosed runs f in a goroutine that Close waits for; false after Close.
func (c *sshConnection) goUnlessClosed(f func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.wg.Go(f)
	}
	return !c.closed
}

// gone is the error of whoever still uses the connection after its end.
func (c *sshConnection) gone(cause error) error {
	select {
	case <-c.done:
	case <-time.After(time.Second): // the end of a channel may be seen just before the connection's
		return nil
	}
	if err := c.Err(); err != nil {
		return err
	}
	return &Error{Host: c.name, Kind: Lost, Msg: "the connection was closed", Err: cause}
}

var _ Connection = (*sshConnection)(nil)
