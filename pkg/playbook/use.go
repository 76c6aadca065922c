package playbook

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/source"
	"github.com/foobar-play/foobar-play/pkg/template"
	"github.com/foobar-play/foobar-play/pkg/value"
	"github.com/foobar-play/foobar-play/pkg/vars"
)

// roleEntry is a role as a list of roles, a dependency or an import names it.
type roleEntry struct {
	name string
	pos  diag.Pos
	from entryPoints
	// use holds what the entry itself says: Vars, Keywords, When, DelegateTo.
	use           RoleUse
	delegateFacts *template.Value
	// own are the parameters given here, without those of dependents.
	own map[string]vars.Var
	// once: the role runs once with the same parameters (Ansible's rule for
	// roles of plays and dependencies).
	once bool
}

// roles reads the play's list of roles.
func (r *reader) roles(f source.Field, at place) []*RoleUse {
	if f.Node.Kind == source.Null {
		return nil
	}
	if f.Node.Kind != source.List {
		r.wrong(f, "a list of roles")
		return nil
	}
	var out []*RoleUse
	for _, n := range f.Node.Items {
		if e, ok := r.roleEntry(n); ok {
			out = append(out, r.use(e, at)...)
		}
	}
	return out
}

// useSetters are the keywords of a role entry besides the common ones.
var useSetters = setters[roleEntry]{
	"when":           func(r *reader, e *roleEntry, f source.Field) { e.use.When = r.conditions(f) },
	"delegate_to":    sets((*reader).textual, func(e *roleEntry) **template.Value { return &e.use.DelegateTo }),
	"delegate_facts": sets((*reader).boolean, func(e *roleEntry) **template.Value { return &e.delegateFacts }),
}

// roleEntry reads a role's name, or a map with role or name; what is no
// keyword is a parameter.
func (r *reader) roleEntry(n *source.Node) (roleEntry, bool) {
	e := roleEntry{pos: n.Pos, use: RoleUse{Pos: n.Pos}, once: true}
	if n.Kind != source.Map {
		e.name = r.word(source.Field{Name: "role", Node: n})
		if n.Kind == source.Null {
			r.errorf(n.Pos, "the name of a role is missing")
		}
		return e, e.name != ""
	}
	given := map[string]vars.Var{}
	named := false
	for _, f := range n.Fields {
		switch {
		case f.Name == "role" || f.Name == "name":
			e.name, e.pos, named = r.word(f), f.Node.Pos, true
		case f.Name == "vars":
			for k, v := range r.variables(f) {
				given[k] = v
			}
		case useSetters.set(r, &e, f), commonSetters.set(r, &e.use.Keywords, f):
		case f.Name == "src" || f.Name == "version" || f.Name == "scm":
			r.errorf(f.Pos, "roles are not downloaded: %q has no meaning here", f.Name)
		default:
			r.param(given, f)
		}
	}
	if !named {
		r.errorf(n.Pos, "the name of a role is missing: write role: NAME")
	}
	if len(given) > 0 {
		e.use.Vars, e.own = given, given
	}
	return e, e.name != ""
}

func (r *reader) param(given map[string]vars.Var, f source.Field) {
	if !identifier.MatchString(f.Name) {
		r.errorf(f.Pos, "%q cannot be the name of a variable: letters, digits and _ only, no digit first", f.Name)
		return
	}
	keywords := slices.Concat(useSetters.names(), commonSetters.names(), []string{"vars", "role"})
	if near := diag.DidYouMean(f.Name, keywords); near != "" && len(f.Name) > 3 {
		r.warn(f.Pos, near, "%q is taken as a parameter of the role", f.Name)
	}
	given[f.Name] = vars.Var{Value: r.value(f.Node), Pos: f.Pos}
}

// use brings a role in: first the roles it depends on, last itself. A role that
// is there already with the same parameters, conditions and tags is left out;
// where only what is inherited differs, the runner decides by RoleUse.Key.
func (r *reader) use(e roleEntry, at place) []*RoleUse {
	dir, ok := r.findRole(e, at)
	if !ok {
		return nil
	}
	mark := roleMark(dir, e)
	if i := slices.Index(at.reading, mark); i >= 0 {
		r.hint(e.pos, roleChain(append(slices.Clip(at.reading[i:]), mark)), "the role depends on itself")
		return nil
	}
	sk := r.skeleton(dir, e.from)
	r.diags.Merge(sk.diags)
	use := e.use
	role := sk.role
	role.Name = roleName(e.name)
	use.Role, use.Entry = &role, entryName(e.from.tasks)

	inner := at.withTags(use.Tags).withWhen(use.When).withDefaults(use.ModuleDefaults)
	inner.reading = append(slices.Clip(at.reading), mark)
	inner.role = &role
	if use.DelegateTo != nil {
		inner.delegateTo, inner.delegateFacts = use.DelegateTo, e.delegateFacts
	}
	use.When, use.Tags = inner.when, inner.tags
	use.DelegateTo = inner.delegateTo
	if e.once && !role.AllowDuplicates {
		use.Key = fmt.Sprintf("%s %s %s %v %v", dir, use.Entry, params(e.own), e.use.Tags, texts(e.use.When))
		exactly := fmt.Sprint(use.Key, use.Tags, texts(use.When))
		if r.used[exactly] {
			return nil
		}
		if r.used != nil {
			r.used[exactly] = true
		}
	}
	out := r.dependencies(&use, sk, inner)
	r.fill(&use, e, inner)
	r.checkParams(&use, use.Vars)
	return append(out, &use)
}

// params writes parameters, the same for the same.
func params(m map[string]vars.Var) string {
	out := ""
	for _, k := range value.Keys(m) {
		out += fmt.Sprintf("%s=%s ", k, value.Text(m[k].Value.Node().Value()))
	}
	return out
}

// roleMark is a role's entry in place.reading.
func roleMark(dir string, e roleEntry) string { return "role " + dir + " " + e.from.tasks }

// roleName is a role's name; of a path its last part.
func roleName(name string) string {
	if filepath.IsAbs(name) || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "~") {
		return filepath.Base(name)
	}
	return name
}

func entryName(tasksFrom string) string {
	if tasksFrom == "" {
		return "main"
	}
	return strings.TrimSuffix(strings.TrimSuffix(tasksFrom, ".yml"), ".yaml")
}

func roleChain(marks []string) string {
	var names []string
	for _, m := range marks {
		if rest, ok := strings.CutPrefix(m, "role "); ok {
			names = append(names, filepath.Base(rest[:strings.LastIndexByte(rest, ' ')]))
		}
	}
	return chain(names)
}

func texts(conditions []*template.Condition) []string {
	out := make([]string, len(conditions))
	for i, c := range conditions {
		out[i] = c.String()
	}
	return out
}

func (r *reader) dependencies(use *RoleUse, sk *skeleton, at place) []*RoleUse {
	var out []*RoleUse
	for _, n := range sk.dependencies {
		e, ok := r.roleEntry(n)
		if !ok {
			continue
		}
		e.use.Dependency = true
		e.use.Vars = merged(e.use.Vars, use.Vars)
		e.use.Keywords = over(e.use.Keywords, use.Keywords)
		uses := r.use(e, at)
		use.Role.Dependencies = append(use.Role.Dependencies, uses...)
		out = append(out, uses...)
	}
	return out
}

// fill reads the role's tasks and handlers as this use has them.
func (r *reader) fill(use *RoleUse, e roleEntry, at place) {
	dir := use.Role.Dir
	if path, ok := r.roleTasks(use, "tasks", e.from.tasks, e.pos); ok {
		use.Role.Tasks = r.taskFile(path, at)
	}
	if path, ok := r.roleTasks(use, "handlers", e.from.handlers, e.pos); ok {
		h := at
		h.handler, h.notify = true, nil
		use.Role.Handlers = r.taskFile(path, h)
	}
	if !slices.ContainsFunc(roleFolders, func(f string) bool { return isDir(filepath.Join(dir, f)) }) {
		r.warn(e.pos, "", "role %q is empty: there is nothing in %s", use.Role.Name, dir)
	}
}

// roleTasks finds tasks/main.yml or handlers/main.yml, or what stands for it.
func (r *reader) roleTasks(use *RoleUse, folder, from string, pos diag.Pos) (string, bool) {
	name := from
	if name == "" {
		name = "main"
	}
	path, ok := roleFile(use.Role.Dir, folder, name)
	if !ok && from != "" {
		r.hint(pos, "searched in "+filepath.Join(use.Role.Dir, folder), "role %q has no %s file %q", use.Role.Name, folder, from)
	}
	return path, ok
}
