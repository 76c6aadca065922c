package playbook

import (
	"regexp"
	"slices"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/source"
	"github.com/foobar-play/foobar-play/pkg/template"
	"github.com/foobar-play/foobar-play/pkg/value"
	"github.com/foobar-play/foobar-play/pkg/vars"
)

// mentions are the variables that one part of a task mentions.
type mentions struct {
	refs []template.Ref
	// certain: the part is evaluated whenever the task runs.
	certain bool
}

// keywordValues lists the values of the keywords.
func (k *Keywords) values() []*template.Value {
	out := slices.Clone(k.Environment)
	for _, c := range commonFields {
		if v := *c.field(k); v != nil {
			out = append(out, v)
		}
	}
	return out
}

// entry lists what decides whether a task runs: its conditions and its loop.
func (t *Task) entry() []mentions {
	var out []mentions
	for i, c := range t.When {
		out = append(out, mentions{c.Refs(), i == 0})
	}
	if t.Loop != nil {
		out = append(out, mentions{t.Loop.Items.Refs(), len(t.When) == 0})
	}
	return out
}

// mentions lists what a task mentions once it runs, its variables' definitions
// apart.
func (t *Task) mentions() []mentions {
	var out []mentions
	put := func(certain bool, values ...*template.Value) {
		for _, v := range values {
			if v != nil {
				out = append(out, mentions{v.Refs(), certain})
			}
		}
	}
	put(false, t.Name, t.Notify, t.Retries, t.Delay, t.DelegateFacts)
	put(true, t.DelegateTo)
	put(true, t.Keywords.values()...)
	for _, c := range []*template.Condition{t.ChangedWhen, t.FailedWhen, t.Until} {
		if c != nil {
			out = append(out, mentions{c.Refs(), true})
		}
	}
	if l := t.Loop; l != nil {
		put(false, l.Label, l.Pause)
	}
	if i := t.Include; i != nil {
		put(true, i.File, i.TasksFrom, i.VarsFrom, i.DefaultsFrom, i.HandlersFrom)
		put(false, i.Public, i.AllowDuplicates)
	}
	if a := t.Action; a != nil {
		out = append(out, a.mentions()...)
	}
	return out
}

func (a *Action) mentions() []mentions {
	out := []mentions{{a.Args.Refs(), true}}
	for i, c := range a.tests {
		out = append(out, mentions{c.Refs(), i == 0})
	}
	for _, e := range a.exprs {
		out = append(out, mentions{e.Refs(), false}) // debug shows what is undefined
	}
	for _, f := range a.content.templates {
		out = append(out, mentions{f.Refs(), true})
	}
	for _, f := range a.content.maybe {
		out = append(out, mentions{f.Refs(), false})
	}
	return out
}

// definitions lists the variables that a play's own files define, play by
// level, the values unevaluated; of tasks only what they bring themselves.
func (p *Play) definitions(visit func(m map[string]vars.Var)) {
	visit(p.ImportVars)
	visit(p.Vars)
	for _, f := range p.files {
		visit(f.vars)
	}
	use := func(u *RoleUse) {
		visit(u.Vars)
		visit(u.Role.Defaults)
		visit(u.Role.Vars)
	}
	for _, u := range p.Roles {
		use(u)
	}
	walkPlay(p, func(t *Task) bool {
		visit(t.Vars)
		if t.Block != nil && t.Block.Role != nil {
			use(t.Block.Role)
		}
		if t.Action != nil {
			visit(t.Action.content.vars)
		}
		if i := t.Include; i != nil {
			if i.Apply != nil {
				visit(i.Apply.Vars)
			}
			for _, u := range i.uses {
				use(u)
			}
		}
		return true
	}, true)
}

// FactsMentioned lists the facts that the plays' templates mention, without
// ansible_ in front, sorted: those of plays, roles, tasks, variables and
// template files, as far as they can be found by name. "*" is in the list when
// more may be mentioned than can be told: ansible_facts as a whole, or a file
// whose name is not known before the run. The list is empty when no fact is
// mentioned.
func FactsMentioned(plays ...*Play) []string {
	found := map[string]bool{}
	for _, p := range plays {
		p.facts(found)
	}
	if !found["*"] {
		delete(found, "*")
	}
	return value.Keys(found)
}

var otherFile = regexp.MustCompile(`(?s)\blookup\s+"template"|\btpl\b.*\blookup\b|\blookup\b.*\btpl\b`)

// rendersFiles reports whether a template in n renders files whose mentions
// are not known.
func rendersFiles(n *source.Node) bool {
	if n == nil {
		return false
	}
	if s, ok := n.Text(); ok {
		return strings.Contains(s, "{{") && otherFile.MatchString(s)
	}
	return slices.ContainsFunc(n.Items, rendersFiles) ||
		slices.ContainsFunc(n.Fields, func(f source.Field) bool { return rendersFiles(f.Node) })
}

func (p *Play) facts(found map[string]bool) {
	add := func(v *template.Value) {
		if v != nil {
			addFacts(found, v.Refs())
			found["*"] = found["*"] || rendersFiles(v.Node())
		}
	}
	if p.openVars {
		found["*"] = true
	}
	for _, v := range append(p.Keywords.values(), p.Name, p.Serial, p.MaxFailPercentage, p.ForceHandlers) {
		add(v)
	}
	for _, u := range slices.Concat(p.Roles, p.Imported) {
		for _, v := range u.Keywords.values() {
			add(v)
		}
	}
	p.definitions(func(m map[string]vars.Var) {
		for _, v := range m {
			add(v.Value)
		}
	})
	walkPlay(p, func(t *Task) bool {
		if t.Include != nil && t.Include.open || t.Action != nil && (t.Action.content.open || rendersFiles(t.Action.Args.Node())) {
			found["*"] = true
		}
		parts := slices.Concat(t.entry(), t.mentions())
		if t.Include != nil && t.Include.Apply != nil {
			parts = slices.Concat(parts, t.Include.Apply.entry(), t.Include.Apply.mentions())
		}
		for _, m := range parts {
			addFacts(found, m.refs)
		}
		return true
	}, true)
}

// addFacts adds the facts that references name, also those of other hosts.
func addFacts(found map[string]bool, refs []template.Ref) {
	for _, r := range refs {
		path := r.Path
		if len(path) == 0 {
			continue
		}
		switch path[0] {
		case "hostvars", "vars":
			i := slices.IndexFunc(path[1:], func(s string) bool { return strings.HasPrefix(s, "ansible_") })
			if i < 0 {
				if len(path) == 1 || path[0] == "vars" && path[1] == "*" {
					found["*"] = true
				}
				continue
			}
			path = path[1+i:]
		}
		name, isFact := strings.CutPrefix(path[0], "ansible_")
		switch {
		case !isFact:
		case name == "facts" && len(path) > 1:
			found[strings.TrimPrefix(path[1], "ansible_")] = true
		case name == "facts":
			found["*"] = true
		case !slices.Contains(MagicNames, path[0]):
			found[name] = true
		}
	}
}
