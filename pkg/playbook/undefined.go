package playbook

import (
	"slices"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/source"
	"github.com/foobar-play/foobar-play/pkg/template"
	"github.com/foobar-play/foobar-play/pkg/value"
	"github.com/foobar-play/foobar-play/pkg/vars"
)

// CheckVariables finds variables that nothing can define. known gives the names
// that something outside of the playbooks defines for some host of a play:
// inventory, group and host variables, extra variables.
//
// An error is only what must go wrong whenever the play runs: a name that
// nothing defines, mentioned where it is evaluated for certain and not guarded
// by default, defined or their like; a field that a literal map lacks; a
// required parameter of a role that nobody gives. What stands behind a
// condition is a warning, and only when a near name exists. When it cannot be
// told what may be defined (a vars file, an include or a module whose effect
// is known only at run time), nothing is said.
func CheckVariables(pbs []*Playbook, known func(play *Play) map[string]bool) diag.List {
	var l diag.List
	defined, open := map[string]bool{}, false
	for _, pb := range pbs {
		for _, p := range pb.Plays {
			open = definedByTasks(p, defined) || open
		}
	}
	if open {
		return l
	}
	for _, pb := range pbs {
		for _, p := range pb.Plays {
			c := newVarChecker(p, &l)
			c.outside(defined)
			c.outside(known(p))
			c.play(p)
		}
	}
	return l
}

// harmless are modules that run on the controller and define no variables.
var harmless = []string{"debug", "assert", "fail", "pause", "meta", "group_by"}

// definedByTasks adds the variables that a play's tasks define for the rest of
// the run. open is true when there may be others.
func definedByTasks(p *Play, defined map[string]bool) (open bool) {
	open = p.openVars
	walkPlay(p, func(t *Task) bool {
		if t.Register != "" {
			defined[t.Register] = true
		}
		open = open || t.Meta == "refresh_inventory" || t.Include != nil && t.Include.open || t.Action != nil && t.Action.defines(defined)
		return true
	}, true)
	return open
}

// defines adds the variables that the action defines on hosts.
func (a *Action) defines(defined map[string]bool) (open bool) {
	switch name := a.Module.Name; {
	case name == "set_fact", name == "add_host":
		for _, f := range a.Args.Fields() {
			defined[f.Name] = true
		}
	case name == "include_vars":
		for k := range a.content.vars {
			defined[k] = true
		}
		if v := a.Args.Field("name"); v != nil {
			s, ok := literal(v)
			defined[s] = true
			return !ok
		}
		return a.content.open
	case name == "group_by":
		return true // brings the variables of groups that are not there yet
	case a.Module.IsLocal():
		return !slices.Contains(harmless, name)
	}
	return false
}

// varChecker checks one play.
type varChecker struct {
	diags *diag.List
	// inside are the definitions in the play's files, by name; external are
	// names that something else defines, too.
	inside   map[string][]*template.Value
	external map[string]bool
	// tested are names that some condition of the play asks for.
	tested map[string]bool
	names  []string
	// done are definitions that were followed already.
	done map[*template.Value]bool
}

func newVarChecker(p *Play, l *diag.List) *varChecker {
	c := &varChecker{
		diags: l, inside: map[string][]*template.Value{}, external: map[string]bool{},
		tested: map[string]bool{}, done: map[*template.Value]bool{},
	}
	p.definitions(func(m map[string]vars.Var) {
		for k, v := range m {
			if !slices.Contains(c.inside[k], v.Value) {
				c.inside[k] = append(c.inside[k], v.Value)
			}
		}
	})
	for _, name := range MagicNames {
		c.external[name] = name != "item"
	}
	walkPlay(p, func(t *Task) bool {
		c.conditionsOf(t)
		if l := t.Loop; l != nil && l.Var != "item" {
			c.external[l.Var] = true
		}
		if l := t.Loop; l != nil && l.IndexVar != "" {
			c.external[l.IndexVar] = true
		}
		return true
	}, true)
	return c
}

func (c *varChecker) conditionsOf(t *Task) {
	for _, cond := range t.When {
		for _, r := range cond.Refs() {
			if r.Guarded && len(r.Path) > 0 {
				c.tested[r.Path[0]] = true
			}
		}
	}
}

func (c *varChecker) outside(names map[string]bool) {
	for k := range names {
		c.external[k] = true
	}
}

func (c *varChecker) defined(name string) bool {
	return c.external[name] || len(c.inside[name]) > 0 || strings.HasPrefix(name, "ansible_")
}

// surroundings tell how certainly what stands in them is evaluated.
type surroundings struct {
	doubtful bool // behind a condition, a loop, in a rescue …
	item     bool // a loop around gives item
	guards   [][]string
}

func (c *varChecker) play(p *Play) {
	c.params(slices.Concat(p.Roles, p.Imported))
	c.tasks(p.PreTasks, surroundings{})
	for _, u := range p.Roles {
		c.tasks(u.Role.Tasks, surroundings{})
	}
	c.tasks(p.Tasks, surroundings{})
	c.tasks(p.PostTasks, surroundings{})
	for _, u := range slices.Concat(p.Roles, p.Imported) {
		c.tasks(u.Role.Handlers, surroundings{doubtful: true})
	}
	c.tasks(p.Handlers, surroundings{doubtful: true})
}

// params finds required parameters of roles that nothing gives.
func (c *varChecker) params(uses []*RoleUse) {
	for _, u := range uses {
		spec := u.Role.ArgSpecs[u.Entry]
		if spec == nil || len(u.When) > 0 {
			continue
		}
		for _, o := range spec.Options {
			if o.Required && !c.defined(o.Name) {
				c.diags.Add(o.missing(u.Role.Name, u.Pos))
				c.external[o.Name] = true
			}
		}
	}
}

func (c *varChecker) tasks(tasks []*Task, s surroundings) {
	for _, t := range tasks {
		c.task(t, s)
	}
}

func (c *varChecker) task(t *Task, s surroundings) {
	s.doubtful = s.doubtful || slices.Contains(t.AllTags, "never") || mayFail(t)
	conditional := s
	conditional.doubtful = s.doubtful || len(t.When) > 0
	for _, cond := range t.When {
		conditional.guards = append(slices.Clip(conditional.guards), cond.Guards()...)
	}
	if b := t.Block; b != nil {
		inner := s
		inner.doubtful = s.doubtful || len(b.Rescue) > 0
		c.tasks(b.Tasks, inner)
		inner.doubtful = true
		c.tasks(b.Rescue, inner)
		c.tasks(b.Always, s)
		return
	}
	inLoop := conditional
	if l := t.Loop; l != nil {
		inLoop.item = inLoop.item || l.Var == "item"
		n := l.Items.Node()
		inLoop.doubtful = inLoop.doubtful || isTemplate(n) || len(one(n)) == 0
	}
	entry := s
	entry.item = inLoop.item
	for _, m := range t.entry() {
		c.refs(m.refs, entry, m.certain)
	}
	for _, m := range t.mentions() {
		c.refs(m.refs, inLoop, m.certain)
	}
	if i := t.Include; i != nil {
		c.tasks(i.tasks, inLoop)
		for _, u := range i.uses {
			c.tasks(u.Role.Tasks, inLoop)
			inHandlers := s
			inHandlers.doubtful = true
			c.tasks(u.Role.Handlers, inHandlers)
		}
	}
}

// mayFail reports whether the task's failure is no failure of the play.
func mayFail(t *Task) bool {
	if t.IgnoreErrors == nil {
		return false
	}
	v, ok := t.IgnoreErrors.Literal()
	return !ok || v == true
}

func (c *varChecker) refs(refs []template.Ref, s surroundings, certain bool) {
	for _, r := range refs {
		if len(r.Path) == 0 || r.Guarded || covered(s.guards, r.Path) {
			continue
		}
		c.ref(r, s, certain && !s.doubtful && !r.Conditional)
	}
}

func covered(guards [][]string, path []string) bool {
	return slices.ContainsFunc(guards, func(g []string) bool {
		n := min(len(g), len(path))
		return slices.Equal(g[:n], path[:n])
	})
}

func (c *varChecker) ref(r template.Ref, s surroundings, certain bool) {
	name := r.Path[0]
	switch {
	case name == "item" && s.item:
	case name == "item" && !c.external["item"] && len(c.inside["item"]) == 0:
		if certain {
			c.diags.Add(diag.Errorf(r.Pos, "undefined variable item").WithHint("the task has no loop"))
		}
	case !c.defined(name):
		c.undefined(r.Pos, name, certain)
	case certain && !c.external[name] && len(c.inside[name]) == 1:
		c.follow(c.inside[name][0], r, s)
	}
}

func (c *varChecker) undefined(pos diag.Pos, name string, certain bool) {
	hint := diag.DidYouMean(name, c.suggestions())
	switch {
	case c.tested[name]:
	case certain:
		c.diags.Add(diag.Diagnostic{Pos: pos, Message: "undefined variable " + name, Hint: hint})
	case hint != "":
		c.diags.Add(diag.Diagnostic{Severity: diag.Warning, Pos: pos, Message: "nothing defines the variable " + name, Hint: hint})
	}
}

func (c *varChecker) suggestions() []string {
	if c.names == nil {
		c.names = slices.Concat(value.Keys(c.external), value.Keys(c.inside))
	}
	return c.names
}

// follow checks a definition that is used for certain: the fields that are
// taken of it are there, and what it mentions in turn is defined.
func (c *varChecker) follow(def *template.Value, r template.Ref, s surroundings) {
	for _, key := range r.Path[1:] {
		n := def.Node()
		if key == "*" || n == nil || n.Kind != source.Map {
			break // a key that is computed, or a value that is
		}
		next := def.Field(key)
		if next == nil {
			c.diags.Add(diag.Errorf(r.Pos, "undefined variable %s: the map has no key %q", strings.Join(r.Path, "."), key).
				WithHint("%s", diag.DidYouMean(key, n.Keys())))
			return
		}
		def = next
	}
	if c.done[def] {
		return
	}
	c.done[def] = true
	if n := def.Node(); n != nil && n.Kind == source.String {
		s.item = true // a lazy value sees the item of whoever uses it
		c.refs(def.Refs(), s, true)
	}
}
