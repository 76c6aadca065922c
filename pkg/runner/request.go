package runner

import (
	"time"

	"github.com/rs/zerolog"

	"github.com/foobar-play/foobar-play/pkg/connection"
	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/event"
	"github.com/foobar-play/foobar-play/pkg/modules"
)

// Config is what a Runner keeps for all its runs. The zero value is valid: all
// modules that ship, strict host keys, no log.
type Config struct {
	// Modules are added to those that ship; one of the same name replaces it.
	// Modules that run on hosts must also be in the agent's registry: see
	// agent.Main.
	Modules []*modules.Module
	// Funcs are template functions besides those that ship.
	Funcs map[string]any
	// EnvAllow names the environment variables that `lookup "env"` may read.
	EnvAllow []string
	// RolesPath are folders searched for roles after the playbook's own.
	RolesPath []string
	// ProjectDir is where "roles" is searched besides the playbook's folder;
	// "" is the working directory.
	ProjectDir string
	// Connection tells how to reach hosts.
	Connection connection.Options
	// AgentDir holds agents built for other systems; "" for none.
	AgentDir string
	// AgentBinary, when set, names the binary to ship to a host of the given
	// system and architecture, in place of the usual search.
	AgentBinary func(goos, goarch string) (path string, err error)
	// Log gets diagnostics of the engine. The zero value logs nothing.
	Log *zerolog.Logger
	// Version of the program, told in events and ansible_version.
	Version string
}

// Request is one run.
type Request struct {
	// Playbooks to run, in order; or Role, the one role to run on RoleHosts
	// (a pattern; "" means all).
	Playbooks []string
	Role      string
	RoleHosts string

	// Inventory sources: files, folders, executables, or "host1,host2,".
	Inventory []string
	Limit     string
	Tags      []string
	SkipTags  []string
	// ExtraVars as on a command line: k=v pairs, JSON, YAML, or @file.
	ExtraVars []string
	// ExtraValues are extra variables of an embedding program, over ExtraVars.
	ExtraValues map[string]any

	Check         bool
	Diff          bool
	Forks         int // hosts worked on at once; 0 means 50
	ForceHandlers bool
	StartAtTask   string
	// Step, when set, is asked before each task.
	Step func(task event.TaskRef) StepAnswer

	// Defaults for hosts whose variables do not say otherwise.
	RemoteUser     string
	PrivateKey     string
	ConnectionKind string // "ssh", "local" or "" for the host's own
	Become         bool
	BecomeUser     string
	BecomeMethod   string
	// Secrets; never shown.
	ConnectionPassword string
	BecomePassword     string

	Verbosity int
	// Sinks get the run's events, in order, one at a time.
	Sinks []event.Sink
	// Prompt asks a person (pause, vars_prompt); nil when there is nobody.
	Prompt func(text string, echo bool) (string, error)
	// Stop, when closed, starts nothing new and lets running tasks finish
	// within Grace; then they are ended. Cancelling the context ends them at
	// once.
	Stop <-chan struct{}
	// Grace after Stop; 0 means 3 seconds.
	Grace time.Duration
}

// StepAnswer is the answer to Request.Step.
type StepAnswer int

// The answers to Request.Step.
const (
	StepYes      StepAnswer = iota // run this task
	StepNo                         // skip it
	StepContinue                   // run it and ask no more
)

// defaultForks is how many hosts are worked on at once.
const defaultForks = 50

// defaultGrace is short enough that nothing of ours is on a host five seconds
// after a first Ctrl-C.
const defaultGrace = 3 * time.Second

// InvalidError says that playbooks, roles, inventory or variables are wrong.
// No host has been contacted.
type InvalidError struct{ Diags diag.List }

// Error lists every mistake, a line each.
func (e *InvalidError) Error() string {
	if err := e.Diags.Err(); err != nil {
		return err.Error()
	}
	return "the playbook is invalid"
}

func (r Request) forks() int {
	if r.Forks <= 0 {
		return defaultForks
	}
	return r.Forks
}

func (r Request) grace() time.Duration {
	if r.Grace <= 0 {
		return defaultGrace
	}
	return r.Grace
}
