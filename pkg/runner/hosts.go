package runner

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/go-multierror"

	"github.com/foobar-play/foobar-play/pkg/agent"
	"github.com/foobar-play/foobar-play/pkg/connection"
	"github.com/foobar-play/foobar-play/pkg/modules"
)

// executor runs modules as one user on one host.
type executor interface {
	Do(ctx context.Context, r agent.Request, onOutput func(stream string, chunk []byte)) (modules.Result, error)
	Close(ctx context.Context) error
	// Done is closed when it can run nothing any more.
	Done() <-chan struct{}
}

// pool holds one connection a host, and on it one agent a user. Both are made
// on first use.
type pool struct {
	s        *session
	binaries *agent.Binaries

	mu    sync.Mutex
	hosts map[string]*link
}

// link is a host's connection and its agents.
type link struct {
	mu   sync.Mutex
	conn connection.Connection
	// err of the last attempt to connect, made at tried: hosts that wait for
	// the same dead one get it without trying themselves.
	err    error
	tried  time.Time
	agents map[agent.Become]executor

	rehearsal rehearsal
}

func newPool(s *session) *pool {
	find := s.cfg.AgentBinary
	if find == nil {
		find = agent.SelfBinary(s.cfg.AgentDir)
	}
	return &pool{s: s, binaries: agent.NewBinaries(find), hosts: map[string]*link{}}
}

// executor gives what runs modules on the target. Errors are
// *connection.Error (unreachable) and *agent.BecomeError.
func (p *pool) executor(ctx context.Context, t target) (executor, error) {
	return p.executorOn(ctx, p.link(t.conn.Name), t)
}

func (p *pool) link(name string) *link {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.hosts[name]
	if l == nil {
		l = &link{agents: map[agent.Become]executor{}}
		p.hosts[name] = l
	}
	return l
}

func (p *pool) executorOn(ctx context.Context, l *link, t target) (executor, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forgetDead()
	if ex := l.agents[t.become]; ex != nil {
		return ex, nil
	}
	ex, err := p.start(ctx, l, t)
	if err != nil {
		return nil, err
	}
	l.agents[t.become] = ex
	return ex, nil
}

func (p *pool) start(ctx context.Context, l *link, t target) (executor, error) {
	if t.conn.Kind == connection.Local && t.become.Method == "" {
		return agent.NewLocal(p.s.registry, p.s.store)
	}
	if l.err != nil && time.Since(l.tried) < sameAttempt {
		return nil, l.err
	}
	if l.conn == nil {
		conn, err := connection.Dial(ctx, t.conn, p.s.cfg.Connection)
		if err != nil {
			if ctx.Err() == nil {
				l.err, l.tried = err, time.Now()
			}
			return nil, err
		}
		l.conn, l.err = conn, nil
	}
	return agent.Start(ctx, l.conn, agent.Options{Binaries: p.binaries, Store: p.s.store, Become: t.become, Log: p.s.log})
}

// sameAttempt is how long the outcome of an attempt to connect stands.
const sameAttempt = 2 * time.Second

// forgetDead lets go of a connection and of agents that have ended, so that a
// play that goes on (ignore_unreachable) connects again.
func (l *link) forgetDead() {
	for k, ex := range l.agents {
		if isClosed(ex.Done()) {
			delete(l.agents, k)
		}
	}
	if l.conn != nil && isClosed(l.conn.Done()) {
		l.conn = nil
		clear(l.agents)
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// drop closes a host's connection; the next task makes a new one.
func (p *pool) drop(name string) {
	p.mu.Lock()
	l := p.hosts[name]
	delete(p.hosts, name)
	p.mu.Unlock()
	if l != nil {
		if err := l.close(); err != nil {
			p.s.log.Debug().Err(err).Str("host", name).Msg("close connection")
		}
	}
}

// closeTimeout bounds the good-bye to each host.
const closeTimeout = 3 * time.Second

// close ends all agents and connections, at the same time.
func (p *pool) close() {
	p.mu.Lock()
	hosts := p.hosts
	p.hosts = map[string]*link{}
	p.mu.Unlock()
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		errs *multierror.Error
	)
	for name, l := range hosts {
		wg.Go(func() {
			if err := l.close(); err != nil {
				mu.Lock()
				errs = multierror.Append(errs, fmt.Errorf("%s: %w", name, err))
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs.ErrorOrNil(), p.binaries.Close()); err != nil {
		p.s.log.Debug().Err(err).Msg("close connections")
	}
}

func (l *link) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	var errs *multierror.Error
	for _, ex := range l.agents {
		if err := ex.Close(ctx); err != nil {
			errs = multierror.Append(errs, err)
		}
	}
	if l.conn != nil {
		if err := l.conn.Close(); err != nil {
			errs = multierror.Append(errs, err)
		}
	}
	return errs.ErrorOrNil()
}
