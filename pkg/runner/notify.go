package runner

import (
	"context"
	"fmt"
	"slices"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/playbook"
	"github.com/foobar-play/foobar-play/pkg/template"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// handler is a task that runs when it was notified.
type handler struct {
	task *playbook.Task
	use  *playbook.RoleUse // nil for the play's own
}

// collectHandlers lists the play's handlers in the order they run: those of
// its roles, then its own.
func (b *batch) collectHandlers() {
	for _, use := range slices.Concat(b.play.Roles, b.play.Imported) {
		b.addRoleHandlers(use)
	}
	for _, t := range b.play.Handlers {
		b.handlers = append(b.handlers, flatten(t, nil)...)
	}
}

// addRoleHandlers adds a role's handlers unless they are there.
func (b *batch) addRoleHandlers(use *playbook.RoleUse) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, t := range use.Role.Handlers {
		for _, h := range flatten(t, use) {
			if !slices.ContainsFunc(b.handlers, func(o handler) bool { return o.task == h.task }) {
				b.handlers = append(b.handlers, h)
			}
		}
	}
}

// flatten gives the tasks of a handler block.
func flatten(t *playbook.Task, use *playbook.RoleUse) []handler {
	if t.Block == nil {
		return []handler{{t, use}}
	}
	var out []handler
	for _, c := range t.Block.Tasks {
		out = append(out, flatten(c, use)...)
	}
	return out
}

func (b *batch) handlerList() []handler {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.handlers
}

// notify makes handlers due: the last one defined with the name ("name" or
// "role : name"), and all that listen to it. reason is why it is only maybe
// due, "" when it is certain. A name nobody has is an error.
func (h *hostRun) notify(c *template.Context, v *template.Value, reason string) ([]string, error) {
	got, err := v.Eval(c)
	if err != nil {
		return nil, err
	}
	names, ok := got.([]any)
	if !ok {
		names = []any{got}
	}
	names = slices.DeleteFunc(slices.Clone(names), func(n any) bool { _, unknown := isUnknown(n); return unknown })
	var due []string
	for _, n := range names {
		name := value.Text(n)
		found := h.find(c, name)
		if len(found) == 0 {
			return nil, diag.Errorf(v.Pos(), "no handler is called %q or listens to it", name).
				WithHint("handlers of this play: %v", h.handlerNames(c))
		}
		for _, t := range found {
			if old, is := h.notified[t]; !is || old != "" {
				h.notified[t] = reason
			}
		}
		due = append(due, name)
	}
	return due, nil
}

func (h *hostRun) find(c *template.Context, name string) []*playbook.Task {
	var named *playbook.Task
	var out []*playbook.Task
	for _, x := range h.batch.handlerList() {
		if slices.Contains(x.names(c), name) {
			named = x.task
		} else if slices.Contains(x.task.Listen, name) {
			out = append(out, x.task)
		}
	}
	if named != nil {
		out = append(out, named)
	}
	return out
}

func (x handler) names(c *template.Context) []string {
	if x.task.Name == nil {
		return nil
	}
	got, err := x.task.Name.Eval(c)
	if err != nil {
		return nil
	}
	name := value.Text(got)
	if x.use == nil {
		return []string{name}
	}
	return []string{name, x.use.Role.Name + " : " + name}
}

func (h *hostRun) handlerNames(c *template.Context) []string {
	var out []string
	for _, x := range h.batch.handlerList() {
		if n := x.names(c); len(n) > 0 {
			out = append(out, n[0])
		}
		out = append(out, x.task.Listen...)
	}
	return out
}

// mostRuns is how often a handler runs in one flush: again when it is notified
// after it ran, but not for ever when handlers notify each other in a circle.
const mostRuns = 2

// flush runs the host's due handlers in the order they are defined, until none
// is due.
func (h *hostRun) flush(ctx context.Context, f frame) fate {
	ran := map[*playbook.Task]int{}
	for pass := 0; len(h.notified) > 0; pass++ {
		for i, x := range h.batch.handlerList() {
			reason, due := h.notified[x.task]
			if !due {
				continue
			}
			delete(h.notified, x.task)
			if ran[x.task]++; ran[x.task] > mostRuns {
				h.batch.notice("handlers notify each other in a circle; this one is not run again", x.task.Pos)
				continue
			}
			hf := f.withPath(f.at.add(pass).add(i))
			if x.use != nil {
				hf = hf.inRole(x.use)
				hf.when = nil
			}
			hf.handler, hf.maybe = true, reason
			if got := h.walkTask(ctx, x.task, hf); got != goOn {
				return got
			}
		}
	}
	return goOn
}

// maybeDue is the reason a handler's effect is uncertain in a dry run.
func maybeDue(reason string) string {
	return fmt.Sprintf("it is only notified if a task changes something, which is not known: %s", reason)
}
