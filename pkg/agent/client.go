package agent

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/foobar-play/foobar-play/pkg/connection"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// leaveTime is how long an agent may take to end what it runs and to leave.
// Killed before, it would leave its commands behind.
const leaveTime = 5 * time.Second

// cancelGrace is how long Do waits for the answer to a cancelled request: the
// host first asks a command to end, then makes it.
const cancelGrace = 5 * time.Second

// Request is one task for one host.
type Request struct {
	// Module is a name as playbooks have it, Args its options, values of
	// package value.
	Module string
	Args   map[string]any
	// Check is a dry run, Diff asks for content in the changes.
	Check, Diff bool
	// Env is the task's environment, for its commands and its HTTP proxies.
	Env map[string]string
	// Timeout ends the task on the host; 0: none.
	Timeout time.Duration
}

func (r Request) message() requestMsg {
	args, _ := value.Normalize(r.Args).(map[string]any)
	return requestMsg{Module: r.Module, Args: args, Check: r.Check, Diff: r.Diff, Env: maps.Clone(r.Env), Timeout: r.Timeout}
}

// Client is the controller's half: one agent on one host. It is safe for
// concurrent use; the agent runs requests in the order they are made.
type Client struct {
	host    string // inventory name
	conn    connection.Connection
	proc    connection.Process
	stderr  *tail
	store   *BlobStore
	log     zerolog.Logger
	info    HostInfo
	wire    *wire
	streams *streams
	ctx     context.Context // ends with the conversation
	cancel  context.CancelFunc
	wg      sync.WaitGroup
	done    chan struct{}
	err     error // why done is closed

	mu      sync.Mutex
	closing bool
	last    uint64
	calls   map[uint64]*call
}

// call is a request that waits for its reply.
type call struct {
	reply    chan replyMsg
	onOutput func(string, []byte)
}

// begin starts the conversation with an agent that has just announced itself.
func begin(c *Client, in *bufio.Reader) (*Client, error) {
	c.wire = newWire(in, c.proc.Stdin())
	c.streams = newStreams(c.wire)
	c.calls = map[uint64]*call{}
	c.done = make(chan struct{})
	c.ctx, c.cancel = context.WithCancel(context.Background())
	if err := c.greet(); err != nil {
		c.wire.end(err)
		c.cancel()
		return nil, err
	}
	c.wg.Go(c.listen)
	c.wg.Go(c.ping)
	go c.finish()
	return c, nil
}

// greet reads the hello.
func (c *Client) greet() error {
	k, body, err := c.wire.receive()
	if err != nil {
		return fmt.Errorf("read the agent's hello: %w", err)
	}
	var hello helloMsg
	if k != kindHello {
		return fmt.Errorf("the agent's first frame is of kind %d", k)
	}
	if err := decode(body, &hello); err != nil {
		return err
	}
	if hello.Version != protocolVersion {
		return fmt.Errorf("the agent speaks version %d of the protocol, we speak %d: its program was built from another version", hello.Version, protocolVersion)
	}
	c.info = hello.Info
	return nil
}

// Info describes the host and the user as the agent found them.
func (c *Client) Info() HostInfo { return c.info }

// Done is closed when the agent is gone, for whatever reason.
func (c *Client) Done() <-chan struct{} { return c.done }

// Do runs a request and waits for its result. onOutput, when not nil, gets the
// output of long commands as it comes, from another goroutine but never after
// Do has returned; it must not block for long.
//
// The error is the task's own (*modules.Failure with return values,
// *modules.DefectError, modules.ArgErrors, *PanicError, or another), or
// *connection.Error when the host was lost: what the task did is then unknown.
// When ctx ends the task is cancelled on the host, and the error matches
// ctx's.
func (c *Client) Do(ctx context.Context, r Request, onOutput func(stream string, chunk []byte)) (modules.Result, error) {
	cl := &call{reply: make(chan replyMsg, 1), onOutput: onOutput}
	c.mu.Lock()
	c.last++
	id := c.last
	c.calls[id] = cl
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		delete(c.calls, id)
		c.mu.Unlock()
	}()
	m := r.message()
	m.ID, m.Stream = id, onOutput != nil
	if err := c.wire.send(ctx, kindRequest, m); err != nil {
		return modules.Result{}, c.sendError(ctx, r, err)
	}
	select {
	case reply := <-cl.reply:
		return result(reply)
	case <-c.done:
		return c.lastWord(cl)
	case <-ctx.Done():
	}
	return c.abandon(ctx, id, cl)
}

func (c *Client) sendError(ctx context.Context, r Request, err error) error {
	var big *tooBigError
	switch {
	case errors.As(err, &big):
		return fmt.Errorf("send the options of %s: %w; give large content as a file", r.Module, err)
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	select {
	case <-c.done:
		return c.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// lastWord prefers a reply that came just before the end.
func (c *Client) lastWord(cl *call) (modules.Result, error) {
	select {
	case reply := <-cl.reply:
		return result(reply)
	default:
		return modules.Result{}, c.err
	}
}

// abandon cancels a request on the host and gives it a while to answer.
func (c *Client) abandon(ctx context.Context, id uint64, cl *call) (modules.Result, error) {
	grace, stop := context.WithTimeout(c.ctx, cancelGrace)
	defer stop()
	if c.wire.send(grace, kindCancel, idMsg{id}) == nil {
		select {
		case reply := <-cl.reply:
			if reply.Error == nil { // it was done already
				return result(reply)
			}
			res, err := result(reply)
			return res, fmt.Errorf("%w (%s)", context.Cause(ctx), err.Error())
		case <-c.done:
		case <-grace.Done():
		}
	}
	return modules.Result{}, context.Cause(ctx)
}

func result(m replyMsg) (modules.Result, error) {
	if m.Error != nil {
		return m.Result, decodeError(m.Error)
	}
	return m.Result, nil
}

// finish waits for the end, finds its reason and lets go of everything.
func (c *Client) finish() {
	<-c.wire.ended
	c.cancel()
	go c.proc.Stdin().Close() // may wait for a network that is gone
	exited := make(chan error, 1)
	go func() { exited <- c.proc.Wait() }()
	var exit error
	left := true
	select {
	case exit = <-exited:
	case <-time.After(leaveTime):
		left = false
	}
	c.err = c.reason(left, exit)
	c.proc.Kill()
	c.wg.Wait()
	close(c.done)
}

// reason explains the end: our own wish, a lost connection, or an agent that
// left by itself.
func (c *Client) reason(left bool, exit error) error {
	c.mu.Lock()
	closing := c.closing
	c.mu.Unlock()
	e := &connection.Error{Host: c.host, Kind: connection.Lost, Err: c.wire.err}
	var lost *connection.Error
	switch {
	case closing:
		e.Msg = "the agent was told to end"
	case errors.As(exit, &lost):
		return lost
	case c.conn.Err() != nil:
		return c.conn.Err()
	case !left || !isEnd(c.wire.err):
		e.Msg = fmt.Sprintf("the conversation with the agent broke: %v", c.wire.err)
	default:
		e.Msg = "the agent on the host ended unexpectedly"
		if exit != nil {
			e.Msg += " (" + exit.Error() + ")"
		}
	}
	if said := c.stderr.String(); said != "" && !closing {
		e.Msg += ":\n" + said
	}
	return e
}

// Close tells the agent to end what it runs and to leave, and waits for it. When
// ctx ends first, Close returns its error, and what is left to do goes on: the
// agent gets a few seconds, then it is killed.
func (c *Client) Close(ctx context.Context) error {
	c.mu.Lock()
	first := !c.closing
	c.closing = true
	c.mu.Unlock()
	if first {
		if c.wire.send(ctx, kindShutdown, idMsg{}) != nil {
			c.wire.end(errEnded)
		}
		time.AfterFunc(leaveTime, func() { c.wire.end(errEnded) })
	}
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
		c.wire.end(errEnded)
		return context.Cause(ctx)
	}
}
