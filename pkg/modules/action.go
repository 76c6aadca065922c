package modules

import (
	"context"

	"github.com/foobar-play/foobar-play/pkg/host"
)

// Kind is what a plan says will happen. Its zero value is Unknown: a module
// that forgets to decide is never taken for "nothing to do".
type Kind int

const (
	// Unknown means that it cannot be known before the run whether something changes.
	Unknown Kind = iota
	// NoChange means that the host is as wanted.
	NoChange
	// WillChange means that Apply will change the host.
	WillChange
)

// Verdict is a plan's decision. Reason says why when Kind is Unknown, and may
// say why otherwise.
type Verdict struct {
	Kind   Kind
	Reason string
}

// Plan is what an action found and would do.
type Plan struct {
	Verdict Verdict
	Changes []Change
	// Values are the return values as far as they are known before the change.
	Values map[string]any
}

// Change is one difference between what is and what is wanted.
type Change struct {
	// Field names what differs: "content", "mode", "state", "rules[3]" …
	Field string `json:"field"`
	// Before and After are values of package value; for content they hold the
	// text only when a diff was asked for.
	Before any `json:"before"`
	After  any `json:"after"`
	// Sensitive values are masked before anybody sees them.
	Sensitive bool `json:"sensitive,omitempty"`
	// Path is the file a content change is about, "" otherwise.
	Path string `json:"path,omitempty"`
}

// Action is what one task does on one host, made by a module for this one use.
// Plan is always called first. Apply is called when the verdict is not
// NoChange: with the real host in a run, with the shadow in a dry run. Verify
// is called after an Apply on the real host: it reads again and returns what
// still differs, which is reported as a defect of the module.
type Action interface {
	Plan(ctx context.Context, r host.Reader) (Plan, error)
	Apply(ctx context.Context, w host.Writer) (Outcome, error)
	Verify(ctx context.Context, r host.Reader) ([]Change, error)
}

// Outcome is what Apply did.
type Outcome struct {
	// Changed is false when it turned out that nothing had to be done; an
	// action with verdict WillChange reports true.
	Changed bool
	// Changes replace the plan's when not nil.
	Changes []Change
	// Values are added to the plan's, replacing equal names.
	Values map[string]any
	// Facts become ansible_facts of the host.
	Facts map[string]any
	// Warnings are shown with the task.
	Warnings []string
}

// Custom makes an action by hand, for what is not "a state to reach" (command,
// git, archive). All three functions are needed; use Unverifiable where reading
// again proves nothing, and Nothing for actions that only read.
func Custom(
	plan func(ctx context.Context, r host.Reader) (Plan, error),
	apply func(ctx context.Context, w host.Writer) (Outcome, error),
	verify func(ctx context.Context, r host.Reader) ([]Change, error),
) Action {
	if plan == nil || apply == nil || verify == nil {
		panic("modules.Custom: plan, apply and verify are all needed")
	}
	return custom{plan, apply, verify}
}

// Unverifiable is the Verify of an action whose effect cannot be read back,
// such as a command.
func Unverifiable(context.Context, host.Reader) ([]Change, error) { return nil, nil }

// Read makes an action that only reads: read gives the return values (and
// facts); nothing ever changes. An *host.UnknownError makes it Unknown in a
// dry run.
func Read(read func(ctx context.Context, r host.Reader) (Outcome, error)) Action {
	return &reading{read: read}
}

type custom struct {
	plan   func(context.Context, host.Reader) (Plan, error)
	apply  func(context.Context, host.Writer) (Outcome, error)
	verify func(context.Context, host.Reader) ([]Change, error)
}

func (c custom) Plan(ctx context.Context, r host.Reader) (Plan, error)       { return c.plan(ctx, r) }
func (c custom) Apply(ctx context.Context, w host.Writer) (Outcome, error)   { return c.apply(ctx, w) }
func (c custom) Verify(ctx context.Context, r host.Reader) ([]Change, error) { return c.verify(ctx, r) }

type reading struct {
	read func(context.Context, host.Reader) (Outcome, error)
	out  Outcome
}

func (a *reading) Plan(ctx context.Context, r host.Reader) (Plan, error) {
	out, err := a.read(ctx, r)
	if err != nil {
		return Plan{}, err
	}
	a.out = out
	return Plan{Verdict: Verdict{Kind: NoChange}, Values: out.Values}, nil
}

func (a *reading) Apply(context.Context, host.Writer) (Outcome, error) { return Outcome{}, nil }

func (a *reading) Verify(context.Context, host.Reader) ([]Change, error) { return nil, nil }
