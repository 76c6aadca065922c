package playbook

import (
	"slices"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/template"
)

// checkNotified finds literal notifications that no handler answers to. When a
// handler's name, or what an include brings, is not known before the run,
// nothing is said.
func (r *reader) checkNotified(p *Play) {
	names, known := handlerNames(p)
	if !known {
		return
	}
	walkPlay(p, func(t *Task) bool {
		for _, v := range items(t.Notify) {
			name, ok := literal(v)
			if !ok || slices.Contains(names, name) {
				continue
			}
			hint := diag.DidYouMean(name, names)
			if len(names) == 0 {
				hint = "the play has no handlers"
			}
			r.hint(v.Pos(), hint, "no handler is called %q or listens to it", name)
		}
		return true
	}, true)
}

// items gives a list's elements, and anything else as its only element.
func items(v *template.Value) []*template.Value {
	if v == nil {
		return nil
	}
	if list := v.Items(); len(list) > 0 {
		return list
	}
	return []*template.Value{v}
}

// handlerNames lists what the play's tasks may notify. known is false when
// there may be more.
func handlerNames(p *Play) (names []string, known bool) {
	known = true
	walkPlay(p, func(t *Task) bool {
		if t.Include != nil && t.Include.open {
			known = false
		}
		if !t.at.handler {
			return true
		}
		names = append(names, t.Listen...)
		if t.Name == nil {
			return true
		}
		name, ok := literal(t.Name)
		if known = known && ok; !known {
			return true
		}
		names = append(names, name)
		if t.Role != nil {
			names = append(names, t.Role.Name+" : "+name)
		}
		return true
	}, true)
	return names, known
}
