// Package modules is the contract between the engine and what a task does.
//
// A Module is a name, a typed options struct, and one of two ways to act:
// Define makes a module that runs on the host as an Action (Plan, Apply,
// Verify); Local makes one that runs on the controller (debug, set_fact, …).
// Most host modules are a Resource handed to Managed, which supplies Plan,
// Apply and Verify once for all of them, so that dry run, diff, idempotence
// and verification are properties of the engine.
//
// A new module is one package under pkg/modules and one line in
// pkg/modules/std. There is no registration by init and no global registry.
//
// The package must not know of playbooks, templates, connections or the
// runner; a module sees its options, a host.Reader or host.Writer, and, on the
// controller, a Controller.
package modules

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/host"
)

// Module is one thing a task can do. Make it with Define or Local; it is
// immutable and safe for concurrent use.
type Module struct {
	Spec
	options *optionSet

	build   func(env Env, args map[string]any) (Action, error)
	prepare func(ctx context.Context, ctl Controller, args map[string]any) (map[string]any, error)
	finish  func(ctx context.Context, ctl Controller, args map[string]any, res *Result) error
	local   func(ctx context.Context, ctl Controller, args map[string]any) (Result, error)
	check   func(args map[string]any) error
}

// Spec describes a module to its users. Options are documented on the fields
// of the options struct.
type Spec struct {
	// Name is Ansible's short name ("copy") wherever Ansible has one.
	Name string
	// Short is one line; Doc says more: what is left out against Ansible's
	// module of the same name, and traps.
	Short string
	Doc   string
	// FreeForm names the option that takes a task's bare string
	// ("command: ls -l"), "" when the module takes none. A module without
	// FreeForm still understands "k=v k=v" strings.
	FreeForm string
	// Returns documents the return values.
	Returns []Return
	// Examples is YAML: a list of tasks.
	Examples string
	// Effects of a dry run: ReadOnly modules never change the host and are
	// run as they are (stat, slurp, ping, setup, debug …).
	ReadOnly bool
	// RunsOnce modules are run for one host of the batch, as if the task had
	// run_once (pause, add_host).
	RunsOnce bool
	// AlwaysVerdict is for documentation: modules such as command, whose
	// effect cannot be foreseen, are "maybe" in a dry run.
	Unforeseeable bool
}

// Return documents one return value.
type Return struct {
	Name string
	Type string // "string", "bool", "int", "list", "map", …
	Doc  string // what it holds, with units, and when it is there
}

// Env is what the agent gives to an action besides the host.
type Env struct {
	// Blobs gives content named in the options.
	Blobs host.Blobs
	// Environ is the environment the task's commands get ("NAME=value"); nil
	// means the agent's own.
	Environ []string
	// Diff asks for content in Change.Before and Change.After.
	Diff bool
	// OnOutput, never nil, gets the output of long commands as it comes.
	OnOutput func(stream string, chunk []byte)
	// TempDir makes files of the run's own: a private directory (0700) that
	// the agent removes when the run ends.
	TempDir string
}

// LookupEnv looks a variable of Environ up.
func (e Env) LookupEnv(name string) (v string, ok bool) {
	if e.Environ == nil {
		return os.LookupEnv(name)
	}
	for _, kv := range slices.Backward(e.Environ) {
		if v, ok := strings.CutPrefix(kv, name+"="); ok {
			return v, true
		}
	}
	return "", false
}

// Options lists the module's options in the order of the struct's fields.
func (m *Module) Options() []Option { return m.options.list }

// Option finds an option by name or alias.
func (m *Module) Option(name string) (Option, bool) { return m.options.find(name) }

// IsLocal reports whether the module runs on the controller.
func (m *Module) IsLocal() bool { return m.local != nil }

// Build decodes args and makes the action of one task on one host. Errors are
// *ArgError.
func (m *Module) Build(env Env, args map[string]any) (Action, error) {
	if m.build == nil {
		return nil, fmt.Errorf("module %s does not run on hosts", m.Name)
	}
	return m.build(env, args)
}

// Prepare runs on the controller before the task is sent: it resolves files,
// templates and scripts of the controller into Blobs. It returns the args to
// send.
func (m *Module) Prepare(ctx context.Context, ctl Controller, args map[string]any) (map[string]any, error) {
	if m.prepare == nil {
		return args, nil
	}
	return m.prepare(ctx, ctl, args)
}

// Finish runs on the controller after the host has answered (fetch stores the
// file there). It may amend the result.
func (m *Module) Finish(ctx context.Context, ctl Controller, args map[string]any, res *Result) error {
	if m.finish == nil {
		return nil
	}
	return m.finish(ctx, ctl, args, res)
}

// RunLocal runs a controller module.
func (m *Module) RunLocal(ctx context.Context, ctl Controller, args map[string]any) (Result, error) {
	if m.local == nil {
		return Result{}, fmt.Errorf("module %s does not run on the controller", m.Name)
	}
	return m.local(ctx, ctl, args)
}

// Checker is an optional capability of an options struct: rules between
// options ("one of src and content"). It is called after decoding, before any
// host is contacted when all values are known by then. The error is for the
// user: "src and content exclude each other".
type Checker interface{ Check() error }

// Define makes a module that runs on hosts. A is the options struct, see
// Option for its tags.
func Define[A any](spec Spec, build func(env Env, args *A) (Action, error), caps ...Capability[A]) *Module {
	m := newModule[A](spec, caps)
	m.build = func(env Env, args map[string]any) (Action, error) {
		a, err := decodeInto[A](m, args)
		if err != nil {
			return nil, err
		}
		return build(env, a)
	}
	return m
}

// Local makes a module that runs on the controller.
func Local[A any](spec Spec, run func(ctx context.Context, ctl Controller, args *A) (Result, error), caps ...Capability[A]) *Module {
	m := newModule[A](spec, caps)
	m.local = func(ctx context.Context, ctl Controller, args map[string]any) (Result, error) {
		a, err := decodeInto[A](m, args)
		if err != nil {
			return Result{}, err
		}
		return run(ctx, ctl, a)
	}
	return m
}

// Capability is something optional a module can do; see Prepare and Finish.
type Capability[A any] func(*Module)

// Prepare adds a step on the controller before the task is sent. It may change
// the options, which are encoded again afterwards.
func Prepare[A any](step func(ctx context.Context, ctl Controller, args *A) error) Capability[A] {
	return func(m *Module) {
		m.prepare = func(ctx context.Context, ctl Controller, args map[string]any) (map[string]any, error) {
			a, err := decodeInto[A](m, args)
			if err != nil {
				return nil, err
			}
			if err := step(ctx, ctl, a); err != nil {
				return nil, err
			}
			return m.options.encode(a), nil
		}
	}
}

// Finish adds a step on the controller after the host has answered.
func Finish[A any](step func(ctx context.Context, ctl Controller, args *A, res *Result) error) Capability[A] {
	return func(m *Module) {
		m.finish = func(ctx context.Context, ctl Controller, args map[string]any, res *Result) error {
			a, err := decodeInto[A](m, args)
			if err != nil {
				return err
			}
			return step(ctx, ctl, a, res)
		}
	}
}

func newModule[A any](spec Spec, caps []Capability[A]) *Module {
	m := &Module{Spec: spec, options: optionsOf[A](spec.Name)}
	m.check = func(args map[string]any) error {
		_, err := decodeInto[A](m, args)
		return err
	}
	for _, c := range caps {
		c(m)
	}
	return m
}
