package runner

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/foobar-play/foobar-play/pkg/agent"
	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/event"
	"github.com/foobar-play/foobar-play/pkg/inventory"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/std"
	"github.com/foobar-play/foobar-play/pkg/playbook"
	"github.com/foobar-play/foobar-play/pkg/template"
	"github.com/foobar-play/foobar-play/pkg/value"
	"github.com/foobar-play/foobar-play/pkg/vars"
)

// Runner runs playbooks. It is safe for concurrent use; runs share nothing but
// the configuration.
type Runner struct {
	cfg      Config
	log      zerolog.Logger
	engine   *template.Engine
	registry *modules.Registry
}

// New makes a Runner. The error is about the configuration: two of
// Config.Modules with one name.
func New(cfg Config) (*Runner, error) {
	list := slices.Clone(std.All())
	list = slices.DeleteFunc(list, func(m *modules.Module) bool {
		return slices.ContainsFunc(cfg.Modules, func(own *modules.Module) bool { return own.Name == m.Name })
	})
	registry, err := modules.NewRegistry(append(list, cfg.Modules...)...)
	if err != nil {
		return nil, err
	}
	log := zerolog.Nop()
	if cfg.Log != nil {
		log = *cfg.Log
	}
	return &Runner{
		cfg: cfg, log: log, registry: registry,
		engine: template.New(template.Config{EnvAllow: cfg.EnvAllow, Funcs: cfg.Funcs}),
	}, nil
}

// Registry gives the modules the runner knows, for agent.Main and listings.
func (r *Runner) Registry() *modules.Registry { return r.registry }

// Run does one request. Failed tasks and unreachable hosts are in the Recap;
// the error is an *InvalidError when something is wrong before any host is
// contacted, and otherwise means that the run itself could not be done.
func (r *Runner) Run(ctx context.Context, req Request) (event.Recap, error) {
	p, err := r.Prepare(ctx, req)
	if err != nil {
		return event.Recap{}, err
	}
	return p.Run(ctx)
}

// session is one run.
type session struct {
	*Runner
	req       Request
	playbooks []*playbook.Playbook
	loader    *playbook.Loader
	inv       *inventory.Inventory
	extra     vars.Layer
	emitter   *emitter
	mask      *masker
	pool      *pool
	store     *agent.BlobStore
	slots     chan struct{} // forks
	warnings  diag.List

	mu     sync.Mutex
	states map[string]*hostState
	// ended by meta: end_play is per play; noHosts when a play lost all hosts.
	noHostsLeft bool
	startAt     bool // --start-at-task is still being looked for
	stepAll     bool // --step was answered with "continue"
	stopping    chan struct{}
}

// run goes through the plays.
func (s *session) run(ctx context.Context) (event.Recap, error) {
	s.store = agent.NewBlobStore()
	defer func() {
		if err := s.store.Close(); err != nil {
			s.log.Warn().Err(err).Msg("remove the content handed over by hosts")
		}
	}()

	ctx, interrupted, release := s.stoppable(ctx)
	defer release()
	s.pool = newPool(s)
	start := time.Now()
	s.emitter.emit(event.RunStarted{Playbooks: s.names(), Check: s.req.Check, Diff: s.req.Diff, Version: s.cfg.Version})
	s.tell(s.warnings)
	err := s.runPlays(ctx)
	if err != nil {
		var l diag.List
		l.AddError(diag.Pos{}, err)
		s.tell(l)
	}
	s.pool.close()
	recap := s.emitter.recap()
	recap.Duration = time.Since(start)
	recap.NoHostsLeft = s.noHostsLeft
	recap.Interrupted = interrupted()
	recap.Broken = err != nil
	s.emitter.emit(event.RunEnded{Recap: recap})
	return recap, err
}

// tell emits diagnostics as messages.
func (s *session) tell(l diag.List) {
	for _, d := range l.All() {
		s.emitter.emit(event.Message{Severity: d.Severity, Text: d.Message, Pos: d.Pos, Hint: d.Hint})
	}
}

func (s *session) runPlays(ctx context.Context) error {
	for _, pb := range s.playbooks {
		for _, play := range pb.Plays {
			if s.stopped() || s.noHostsLeft {
				return nil
			}
			if err := s.runPlay(ctx, play); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *session) names() []string {
	if s.req.Role != "" {
		return []string{"role " + s.req.Role}
	}
	return s.req.Playbooks
}

// stoppable gives a context that ends Grace after Request.Stop is closed.
// interrupted tells whether the run was stopped by it or by the caller.
func (s *session) stoppable(parent context.Context) (ctx context.Context, interrupted func() bool, release func()) {
	ctx, cancel := context.WithCancel(parent)
	s.stopping = make(chan struct{})
	done := make(chan struct{})
	var once sync.Once
	go func() {
		select {
		case <-s.req.Stop:
		case <-parent.Done():
		case <-done:
			return
		}
		once.Do(func() { close(s.stopping) })
		timer := time.NewTimer(s.req.grace())
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel()
		case <-done:
		case <-parent.Done():
		}
	}()
	return ctx, s.stopped, func() { close(done); cancel() }
}

// stopped reports whether nothing new may be started.
func (s *session) stopped() bool {
	select {
	case <-s.stopping:
		return true
	case <-s.req.Stop: // not passed on yet
		return true
	default:
		return false
	}
}

// state gives what the run knows of a host; nil when the inventory lacks it.
func (s *session) state(name string) *hostState {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st, ok := s.states[name]; ok {
		return st
	}
	h := s.inv.Host(name)
	if h == nil {
		return nil
	}
	st := newHostState(h)
	s.states[name] = st
	return st
}

// version is the magic variable ansible_version.
func (s *session) version() map[string]any {
	return map[string]any{"full": s.cfg.Version, "string": s.cfg.Version}
}

// isUnknown finds an Unknown in a value.
func isUnknown(v any) (string, bool) {
	u, ok := value.FindUnknown(v)
	return u.Reason, ok
}
