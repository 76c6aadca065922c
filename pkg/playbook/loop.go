package playbook

import (
	"slices"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/source"
	"github.com/foobar-play/foobar-play/pkg/template"
)

// loop reads loop and with_….
func (r *reader) loop(t *Task, f source.Field) {
	if t.Loop != nil {
		r.errorf(f.Pos, "the task has two loops")
		return
	}
	l := &Loop{Pos: f.Pos, Var: "item"}
	switch f.Name {
	case "loop", "with_list":
		if f.Node.Kind != source.List && !isTemplate(f.Node) {
			r.wrong(f, "a list, or a template that gives one")
			return
		}
	case "with_items":
		l.Flatten = true
	case "with_dict":
		l.Dict = true
		if f.Node.Kind != source.Map && !isTemplate(f.Node) {
			r.wrong(f, "a map, or a template that gives one")
			return
		}
	default:
		if slices.Contains(withForms, f.Name) {
			r.hint(f.Pos, `use loop, such as loop: "{{ .list }}"`, "%s is not supported yet", f.Name)
		} else {
			r.hint(f.Pos, diag.DidYouMean(f.Name, withForms), "a task has no keyword %q", f.Name)
		}
		return
	}
	l.Items = r.value(f.Node)
	t.Loop = l
}

// withForms are Ansible's loops over lookups.
var withForms = []string{
	"with_items", "with_dict", "with_list", "with_fileglob", "with_sequence", "with_subelements", "with_nested",
	"with_together", "with_first_found", "with_lines", "with_indexed_items", "with_flattened", "with_random_choice",
	"with_cartesian", "with_filetree", "with_inventory_hostnames", "with_url", "with_file", "with_env", "with_template",
}

// isLoop reports whether a key of a task is a loop.
func isLoop(key string) bool { return key == "loop" || strings.HasPrefix(key, "with_") }

var loopSetters = setters[Loop]{
	"loop_var":  func(r *reader, l *Loop, f source.Field) { l.Var = r.variable(f) },
	"index_var": func(r *reader, l *Loop, f source.Field) { l.IndexVar = r.variable(f) },
	"label":     sets((*reader).any, func(l *Loop) **template.Value { return &l.Label }),
	"pause":     sets((*reader).number, func(l *Loop) **template.Value { return &l.Pause }),
	"extended": func(r *reader, l *Loop, f source.Field) {
		if f.Node.Kind == source.Bool {
			l.Extended = f.Node.Scalar.(bool)
			return
		}
		if v := r.boolean(f); v != nil {
			l.Extended, _ = v.Node().Scalar.(bool)
		}
	},
}

// loopControl reads loop_control; the loop itself is read already.
func (r *reader) loopControl(t *Task, n *source.Node) {
	f, ok := n.Field("loop_control")
	if !ok || f.Node.Kind == source.Null {
		return
	}
	if f.Node.Kind != source.Map {
		r.wrong(f, "a map")
		return
	}
	l := t.Loop
	if l == nil {
		l = &Loop{}
		if !slices.ContainsFunc(n.Keys(), isLoop) {
			r.warn(f.Pos, "", "loop_control without a loop does nothing")
		}
	}
	for _, c := range f.Node.Fields {
		switch {
		case c.Name == "break_when" || c.Name == "extended_allitems":
			r.errorf(c.Pos, "loop_control %q is not supported yet", c.Name)
		case !loopSetters.set(r, l, c):
			r.hint(c.Pos, diag.DidYouMean(c.Name, loopSetters.names()), "loop_control has no key %q", c.Name)
		}
	}
	if l.Var == "" {
		l.Var = "item"
	}
}
