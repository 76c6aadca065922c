package modules

import (
	"context"
	"fmt"

	"github.com/foobar-play/foobar-play/pkg/host"
)

// Resource is a thing on a host with a state S that a task wants to be a
// certain way. Current and Apply touch the host; Desired and Diff are pure.
type Resource[S any] interface {
	// Current reads the state. "Absent" is a state, and needs positive
	// evidence; a failed read is an error.
	Current(ctx context.Context, r host.Reader) (S, error)
	// Desired computes the wanted state from the current one, so that options
	// left out keep what is there. Desired(Desired(x)) equals Desired(x).
	Desired(cur S) (S, error)
	// Diff lists what differs; empty means nothing to do.
	Diff(cur, want S) []Change
	// Apply makes the host so.
	Apply(ctx context.Context, w host.Writer, cur, want S) error
}

// Reporter is an optional capability of a Resource: the task's return values.
// changed is false when nothing had to be done. It is called with what is
// planned before Apply, and once more after it.
type Reporter[S any] interface {
	Values(cur, want S, changed bool) map[string]any
}

// Warner is an optional capability of a Resource: what to tell the user besides
// the result. It is called after Apply.
type Warner interface{ Warnings() []string }

// Managed supplies Plan, Apply and Verify for a Resource.
//
// In a dry run, a Current that cannot be known (*host.UnknownError) makes the
// verdict Unknown; Apply is then still called, on the shadow, with the zero S
// as current state, so that later tasks see the wanted state.
func Managed[S any](res Resource[S]) Action { return &managed[S]{res: res} }

type managed[S any] struct {
	res       Resource[S]
	cur, want S
}

func (m *managed[S]) Plan(ctx context.Context, r host.Reader) (Plan, error) {
	cur, err := m.res.Current(ctx, r)
	if reason, unknown := host.IsUnknown(err); unknown {
		return m.unknown(reason)
	}
	if err != nil {
		return Plan{}, err
	}
	want, err := m.res.Desired(cur)
	if reason, unknown := host.IsUnknown(err); unknown {
		return m.unknown(reason)
	}
	if err != nil {
		return Plan{}, err
	}
	m.cur, m.want = cur, want
	changes := m.res.Diff(cur, want)
	p := Plan{Changes: changes, Values: m.values(len(changes) > 0)}
	p.Verdict.Kind = NoChange
	if len(changes) > 0 {
		p.Verdict.Kind = WillChange
	}
	return p, nil
}

func (m *managed[S]) unknown(reason string) (Plan, error) {
	var zero S
	m.cur = zero
	want, err := m.res.Desired(zero)
	if err != nil {
		// Without the current state nothing can be said about the wanted one:
		// that is still "unknown", not a failure of the task.
		want = zero
	}
	m.want = want
	return Plan{
		Verdict: Verdict{Kind: Unknown, Reason: reason},
		Values:  m.values(true),
	}, nil
}

func (m *managed[S]) Apply(ctx context.Context, w host.Writer) (Outcome, error) {
	if err := m.res.Apply(ctx, w, m.cur, m.want); err != nil {
		return Outcome{}, err
	}
	out := Outcome{Changed: true, Values: m.values(true)}
	if warner, ok := m.res.(Warner); ok {
		out.Warnings = warner.Warnings()
	}
	return out, nil
}

func (m *managed[S]) Verify(ctx context.Context, r host.Reader) ([]Change, error) {
	now, err := m.res.Current(ctx, r)
	if err != nil {
		return nil, fmt.Errorf("read the state again: %w", err)
	}
	want, err := m.res.Desired(now)
	if err != nil {
		return nil, err
	}
	return m.res.Diff(now, want), nil
}

func (m *managed[S]) values(changed bool) map[string]any {
	if rep, ok := m.res.(Reporter[S]); ok {
		return rep.Values(m.cur, m.want, changed)
	}
	return nil
}
