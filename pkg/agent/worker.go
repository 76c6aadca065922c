package agent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// worker runs modules on this machine. It is what an agent serves, and what a
// Local uses without one.
type worker struct {
	registry *modules.Registry
	real     *host.Real
	shadow   *host.Shadow // of every dry run of this worker's life
	tempDir  string
}

// newWorker makes a worker with a private temporary directory below parent;
// "" is the system's.
func newWorker(reg *modules.Registry, parent string) (*worker, error) {
	dir, err := os.MkdirTemp(parent, tempPrefix)
	if err != nil {
		return nil, fmt.Errorf("make a private directory: %w", err)
	}
	real := host.NewReal()
	return &worker{registry: reg, real: real, shadow: host.NewShadow(real), tempDir: dir}, nil
}

// tempPrefix begins the names of private directories.
const tempPrefix = "tmp-"

// close ends every command that still runs and removes the private directory.
func (w *worker) close() error {
	w.real.KillAll()
	return os.RemoveAll(w.tempDir)
}

// run does one request. A panic of the module is an error of this request.
func (w *worker) run(ctx context.Context, m requestMsg, blobs host.Blobs, onOutput func(string, []byte)) (res modules.Result, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &PanicError{Module: m.Module, Value: fmt.Sprint(p), Stack: string(debug.Stack())}
		}
	}()
	if m.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, m.Timeout, fmt.Errorf("the task did not finish within its timeout of %s: %w", m.Timeout, context.DeadlineExceeded))
		defer cancel()
	}
	mod, ok := w.registry.Lookup(m.Module)
	if !ok || mod.IsLocal() {
		return res, errNoModule(m.Module)
	}
	env := modules.Env{Blobs: blobs, Diff: m.Diff, OnOutput: onOutput, TempDir: w.tempDir}
	var target host.Writer = w.real
	if m.Check {
		target = w.shadow
	}
	if len(m.Env) > 0 {
		task := environment(m.Env)
		env.Environ = append(os.Environ(), task...)
		target = &withEnvironment{Writer: target, task: task}
	}
	action, err := mod.Build(env, m.Args)
	if err != nil {
		return res, err
	}
	res, err = modules.Execute(ctx, mod.Name, action, target, modules.Mode{Check: m.Check})
	if err != nil && ctx.Err() != nil && !errors.Is(err, context.Cause(ctx)) {
		// What the module made of its context's end is less clear than why it
		// ended.
		err = fmt.Errorf("%w (%s)", context.Cause(ctx), err.Error())
	}
	return normalResult(res), err
}

// environment gives a task's variables as "NAME=value", sorted.
func environment(m map[string]string) []string {
	var out []string
	for _, name := range value.Keys(m) {
		out = append(out, name+"="+m[name])
	}
	return out
}

// withEnvironment gives the task's environment to each of its commands. A
// command whose output is read keeps its locale.
type withEnvironment struct {
	host.Writer
	task []string
}

func (w *withEnvironment) Query(ctx context.Context, cmd host.Command) (host.Output, error) {
	return w.Writer.Query(ctx, w.add(cmd))
}

func (w *withEnvironment) Run(ctx context.Context, cmd host.Command) (host.Output, error) {
	return w.Writer.Run(ctx, w.add(cmd))
}

func (w *withEnvironment) add(cmd host.Command) host.Command {
	env := slices.Clone(w.task)
	if !cmd.Locale {
		env = slices.DeleteFunc(env, func(kv string) bool {
			return strings.HasPrefix(kv, "LC_ALL=") || strings.HasPrefix(kv, "LANGUAGE=")
		})
	}
	cmd.Env = append(env, cmd.Env...)
	return cmd
}

// Local runs modules in this very process, as the user who runs it: what
// `connection: local` needs when nobody else is to be become. It behaves as a
// Client does.
type Local struct {
	worker *worker
	store  *BlobStore
	turn   chan struct{} // holds a token while nothing runs

	once sync.Once
	done chan struct{}
	stop context.CancelFunc
	ctx  context.Context
}

// NewLocal makes a Local. It fails when there is no place for temporary files.
func NewLocal(reg *modules.Registry, store *BlobStore) (*Local, error) {
	w, err := newWorker(reg, "")
	if err != nil {
		return nil, err
	}
	l := &Local{worker: w, store: store, turn: make(chan struct{}, 1), done: make(chan struct{})}
	l.ctx, l.stop = context.WithCancel(context.Background())
	l.turn <- struct{}{}
	return l, nil
}

// Do runs one request after the other; see Client.Do.
func (l *Local) Do(ctx context.Context, r Request, onOutput func(stream string, chunk []byte)) (modules.Result, error) {
	select {
	case <-l.turn:
		defer func() { l.turn <- struct{}{} }()
	case <-ctx.Done():
		return modules.Result{}, context.Cause(ctx)
	}
	if l.ctx.Err() != nil {
		return modules.Result{}, errEnded
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(l.ctx, cancel)()
	if onOutput == nil {
		onOutput = func(string, []byte) {}
	}
	return l.worker.run(ctx, r.message(), l.store, onOutput)
}

// Close stops what runs, waits for it within ctx, and removes what was
// temporary.
func (l *Local) Close(ctx context.Context) (err error) {
	l.once.Do(func() {
		l.stop()
		select {
		case <-l.turn:
			l.turn <- struct{}{}
		case <-ctx.Done():
		}
		err = l.worker.close()
		close(l.done)
	})
	return err
}

// Done is closed by Close.
func (l *Local) Done() <-chan struct{} { return l.done }
