package agent

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/foobar-play/foobar-play/pkg/connection"
)

const (
	// firstWord is how long the host may take from the start of the command to
	// its first line, and to the end of a login or a password check.
	firstWord = 60 * time.Second
	// maxNoise bounds what login scripts may print before our first line.
	maxNoise = 256 << 10
)

// Options of Start.
type Options struct {
	// Binaries has the agent's program for each platform.
	Binaries *Binaries
	// Store has the content that modules ask for, and takes what they hand over.
	Store  *BlobStore
	Become Become
	Log    zerolog.Logger
}

// Start brings an agent up over the connection, as the become user, and ships
// its program when the host does not have it. With a program in place that is
// one session and one round trip. ctx bounds the start. Errors are
// *BecomeError or *connection.Error.
func Start(ctx context.Context, conn connection.Connection, o Options) (*Client, error) {
	s := &starter{conn: conn, o: o, have: o.Binaries.likely()}
	c, err := s.attempt(ctx)
	if err != nil && s.ran && !s.shipped && ctx.Err() == nil && conn.Err() == nil {
		// What was there does not run (another architecture, damaged).
		o.Log.Debug().Str("host", conn.Name()).Err(err).Msg("the agent that was there does not start, ship it again")
		s = &starter{conn: conn, o: o, force: true}
		c, err = s.attempt(ctx)
	}
	return c, err
}

// starter is one attempt to start an agent.
type starter struct {
	conn   connection.Connection
	o      Options
	have   []*program // tried first
	nonce  string
	prompt string
	proc   connection.Process
	stderr *tail
	force  bool // ship the program even if the host has one of its name
	// shipped and ran tell how far it got: ran without shipped means that a
	// program which was there already was started.
	shipped, ran bool
	gzip         bool // the host can unpack

	mu            sync.Mutex
	started       bool // the script runs: become is over
	given, denied bool // the password was sent; it was asked for once more
}

func (s *starter) attempt(ctx context.Context) (*Client, error) {
	s.nonce = rand.Text()
	s.prompt = "foobar-play password " + s.nonce + ":"
	s.stderr = &tail{}
	var names []string
	for _, p := range s.have {
		names = append(names, p.name)
	}
	command, err := s.o.Become.command(bootstrap(s.nonce, names, s.o.Become.Method != ""), s.prompt)
	if err != nil {
		return nil, &BecomeError{Host: s.conn.Name(), Msg: err.Error()}
	}
	if s.proc, err = s.conn.Start(ctx, command); err != nil {
		return nil, err
	}
	listened := make(chan struct{})
	go func() {
		defer close(listened)
		s.listen()
	}()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	late := time.AfterFunc(firstWord, func() { cancel(errLate) })
	defer late.Stop()
	cut := context.AfterFunc(ctx, s.proc.Kill)
	in := bufio.NewReaderSize(s.proc.Stdout(), 64<<10)
	c, err := s.converse(ctx, in, late)
	if cut() && err == nil {
		return c, nil
	}
	if c != nil {
		c.wire.end(errEnded)
	}
	return nil, s.explain(ctx, err, listened)
}

var errLate = fmt.Errorf("nothing was heard of it for %s", firstWord)

// converse follows the script to the agent's hello.
func (s *starter) converse(ctx context.Context, in *bufio.Reader, late *time.Timer) (*Client, error) {
	var need *program
	for {
		word, rest, err := s.line(in)
		if err != nil {
			return nil, err
		}
		late.Stop()
		s.mu.Lock()
		s.started = true
		s.mu.Unlock()
		switch word {
		case "RUN":
			s.ran = true
			late.Reset(firstWord)
		case "AGENT":
			return begin(&Client{host: s.conn.Name(), conn: s.conn, proc: s.proc, stderr: s.stderr, store: s.o.Store, log: s.o.Log}, in)
		case "NEED":
			if need, err = s.offer(rest); err != nil {
				return nil, err
			}
		case "SEND":
			if err := s.ship(need); err != nil {
				return nil, err
			}
		case "ERR":
			more, _ := io.ReadAll(io.LimitReader(in, maxNoise))
			return nil, errors.New(strings.TrimSpace(rest + "\n" + string(more)))
		}
	}
}

// line reads up to the script's next line; what login scripts print around it
// is passed over.
func (s *starter) line(in *bufio.Reader) (word, rest string, err error) {
	mark := "foobar-play " + s.nonce + " "
	for noise := 0; noise < maxNoise; {
		line, err := in.ReadString('\n')
		if err != nil {
			return "", "", err
		}
		noise += len(line)
		if _, said, ok := strings.Cut(line, mark); ok {
			word, rest, _ = strings.Cut(strings.TrimSpace(said), " ")
			return word, rest, nil
		}
	}
	return "", "", fmt.Errorf("the login scripts on the host print more than %d KiB", maxNoise>>10)
}
