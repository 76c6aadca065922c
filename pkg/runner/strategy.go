package runner

import (
	"sync"

	"github.com/foobar-play/foobar-play/pkg/event"
	"github.com/foobar-play/foobar-play/pkg/playbook"
)

// strategy decides when a host may take its next step.
type strategy interface {
	// enter waits until the host may run the task at the path. It returns nil
	// when the play is over for everybody (any_errors_fatal and the like).
	enter(h *hostRun, at path, task step) *group
	// leave tells that the host is done with the step it entered.
	leave(h *hostRun, g *group)
	// quit tells that the host takes no more steps; failed counts against the
	// play.
	quit(h *hostRun, failed bool)
	// over reports whether too many failures ended the play.
	over() bool
}

// step is what a host is about to do.
type step struct {
	task *playbook.Task
	ref  event.TaskRef
	// silent steps (includes) are not announced.
	silent bool
}

// group is the hosts that take a step together. Of a run_once task, first does
// the work, sets out and closes done; the others wait for it.
type group struct {
	first *hostRun
	done  chan struct{}
	once  sync.Once
	out   outcome
}

func newGroup(first *hostRun) *group { return &group{first: first, done: make(chan struct{})} }

// end tells the others that first is done, or will do nothing.
func (g *group) end() { g.once.Do(func() { close(g.done) }) }

// leftBy ends the group when it was first who left.
func (g *group) leftBy(h *hostRun) {
	if g.first == h {
		g.end()
	}
}

// abortRule says when a play is over for everybody.
type abortRule struct {
	maxFailPct float64 // < 0: not set
	total      int
}

func (r abortRule) broken(failed int) bool {
	return failed > 0 && r.maxFailPct >= 0 && float64(failed)*100 > r.maxFailPct*float64(r.total)
}

// linear keeps all hosts in step: the lowest path among the hosts is taken
// next, by all hosts that stand there, and the others wait.
type linear struct {
	rule     abortRule
	announce func(step, int)

	mu      sync.Mutex
	active  int // hosts that have not quit
	running int // hosts inside a step
	failed  int
	waiting map[*hostRun]*waiter
	aborted bool
}

type waiter struct {
	at   path
	step step
	turn chan *group
}

func newLinear(hosts int, rule abortRule, announce func(step, int)) *linear {
	return &linear{rule: rule, announce: announce, active: hosts, waiting: map[*hostRun]*waiter{}}
}

func (l *linear) enter(h *hostRun, at path, s step) *group {
	w := &waiter{at: at, step: s, turn: make(chan *group, 1)}
	l.mu.Lock()
	l.waiting[h] = w
	l.advance()
	l.mu.Unlock()
	return <-w.turn
}

func (l *linear) leave(h *hostRun, g *group) {
	g.leftBy(h)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running--
	l.advance()
}

func (l *linear) quit(h *hostRun, failed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.active--
	if failed {
		l.failed++
	}
	if failed && h.fatal || l.rule.broken(l.failed) {
		l.aborted = true
	}
	l.advance()
}

// advance opens the next step when every active host has arrived. The caller
// holds the lock.
func (l *linear) advance() {
	if l.running > 0 || len(l.waiting) == 0 || len(l.waiting) < l.active {
		return
	}
	if l.aborted {
		for h, w := range l.waiting {
			delete(l.waiting, h)
			w.turn <- nil
		}
		return
	}
	var lowest *waiter
	for _, w := range l.waiting {
		if lowest == nil || w.at.compare(lowest.at) < 0 {
			lowest = w
		}
	}
	var hosts []*hostRun
	var turns []chan *group
	for h, w := range l.waiting {
		if w.at.compare(lowest.at) == 0 {
			hosts = append(hosts, h)
			turns = append(turns, w.turn)
			delete(l.waiting, h)
		}
	}
	sortHosts(hosts)
	g := newGroup(hosts[0])
	l.running = len(turns)
	if !lowest.step.silent {
		l.announce(lowest.step, len(turns))
	}
	for _, t := range turns {
		t <- g
	}
}

// free lets every host go as fast as it can.
type free struct {
	rule     abortRule
	announce func(step, int)

	mu      sync.Mutex
	groups  map[string]*group
	failed  int
	aborted bool
}

func newFree(rule abortRule, announce func(step, int)) *free {
	return &free{rule: rule, announce: announce, groups: map[string]*group{}}
}

func (f *free) enter(h *hostRun, at path, s step) *group {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.aborted {
		return nil
	}
	key := at.key()
	g := f.groups[key]
	if g == nil {
		g = newGroup(h)
		f.groups[key] = g
		if !s.silent {
			f.announce(s, 0)
		}
	}
	return g
}

func (f *free) leave(h *hostRun, g *group) { g.leftBy(h) }

func (f *free) quit(h *hostRun, failed bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if failed {
		f.failed++
	}
	if failed && h.fatal || f.rule.broken(f.failed) {
		f.aborted = true
	}
}

func (l *linear) over() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.aborted
}

func (f *free) over() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.aborted
}
