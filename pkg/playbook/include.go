package playbook

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/source"
	"github.com/foobar-play/foobar-play/pkg/template"
)

// includeKeywords are the keywords that include_tasks and include_role take;
// all others belong under apply.
var includeKeywords = []string{
	"name", "args", "ignore_errors", "loop", "loop_control", "no_log", "register", "run_once", "tags", "timeout", "vars", "when",
}

// givenOptions reads the options of an import or include: a bare name, which is the
// value of option, or a map; args adds to them.
func (r *reader) givenOptions(f source.Field, n *source.Node, option string, known ...string) *source.Node {
	opts := f.Node
	switch f.Node.Kind {
	case source.Map:
	case source.String:
		opts = bareOptions(f.Node, option, known)
	case source.Null:
		opts = &source.Node{Kind: source.Map, Pos: f.Pos}
	default:
		r.wrong(f, "a name or a map of options")
		return nil
	}
	if args := n.Get("args"); args != nil && args.Kind == source.Map {
		merged := *opts
		merged.Fields = append(slices.Clone(opts.Fields), args.Fields...)
		opts = &merged
	}
	for _, o := range opts.Fields {
		if !slices.Contains(known, o.Name) {
			r.hint(o.Pos, diag.DidYouMean(o.Name, known), "%s has no option %q", builtin(f.Name), o.Name)
		}
	}
	return opts
}

// bareOptions reads "name=x tasks_from=y", or a bare name, which is the value of
// option.
func bareOptions(n *source.Node, option string, known []string) *source.Node {
	text, _ := n.Text()
	out := &source.Node{Kind: source.Map, Pos: n.Pos}
	words, _ := splitWords(text)
	for _, w := range words {
		k, v, at, ok := w.option()
		if !ok || !slices.Contains(known, k) {
			out.Fields = []source.Field{{Name: option, Pos: n.Pos, Node: n}}
			return out
		}
		value := &source.Node{Kind: source.String, Scalar: v, Pos: n.Place(at)}
		out.Fields = append(out.Fields, source.Field{Name: k, Pos: n.Place(w.start), Node: value})
	}
	return out
}

// onlyIncludeKeywords reports keywords that an include does not hand on.
func (r *reader) onlyIncludeKeywords(name string, n *source.Node) {
	for _, f := range n.Fields {
		isKeyword := taskSetters.has(f.Name) || blockSetters.has(f.Name) || commonSetters.has(f.Name)
		if isKeyword && !slices.Contains(includeKeywords, f.Name) {
			r.hint(f.Pos, "put it under apply, for the tasks that are included", "%s does not take the keyword %q", name, f.Name)
		}
	}
}

func (r *reader) noLoop(t *Task, name string) {
	if t.Loop != nil {
		r.hint(t.Loop.Pos, "use "+strings.Replace(name, "import", "include", 1), "%s cannot loop: it is resolved before the run", name)
	}
}

// importTasks leaves a block with the file's tasks.
func (r *reader) importTasks(t *Task, f source.Field, n *source.Node) *Task {
	r.noLoop(t, "import_tasks")
	opts := r.givenOptions(f, n, "file", "file")
	name, ok := opts.Field("file")
	if !ok {
		if opts != nil {
			r.errorf(f.Pos, "import_tasks needs the name of a file")
		}
		return nil
	}
	t.Block = &Block{}
	if isTemplate(name.Node) {
		r.hint(name.Node.Pos, "use include_tasks", "import_tasks needs a name without templates: it is resolved before the run")
		return t
	}
	file := r.word(name)
	if file == "" {
		return t
	}
	path, err := t.at.find("tasks", file)
	if err != nil {
		r.notFound(name.Node.Pos, "tasks", err)
		return t
	}
	if slices.Contains(t.at.reading, path) {
		r.hint(name.Node.Pos, chain(append(slices.Clip(t.at.reading), path)), "the task file imports itself")
		return t
	}
	t.Block.Tasks = r.taskFile(path, t.at.inside(t))
	return t
}

// taskFile reads the tasks of a file.
func (r *reader) taskFile(path string, at place) []*Task {
	n, l := r.file(path)
	r.diags.Merge(l)
	if n == nil || n.Kind == source.Null {
		return nil
	}
	if n.Kind != source.List {
		r.errorf(n.Pos, "a task file is a list of tasks, found %s", n.Kind)
		return nil
	}
	return r.tasks(source.Field{Name: "tasks", Pos: n.Pos, Node: n}, at.into(filepath.Dir(path), path))
}

// includeTasks leaves an include; what a literal name brings is read now, for
// its mistakes.
func (r *reader) includeTasks(t *Task, f source.Field, n *source.Node) *Task {
	r.onlyIncludeKeywords("include_tasks", n)
	opts := r.givenOptions(f, n, "file", "file", "apply")
	name, ok := opts.Field("file")
	if !ok {
		if opts != nil {
			r.errorf(f.Pos, "include_tasks needs the name of a file")
		}
		return nil
	}
	t.Include = &Include{Kind: IncludeTasks, File: r.texts(name), Apply: r.apply(opts, t.at)}
	names, exact := namesOf(t, name.Node)
	var paths []string
	for _, s := range names {
		path, err := t.at.find("tasks", strings.TrimSpace(s))
		if err != nil {
			r.notFound(name.Node.Pos, "tasks", err)
			continue
		}
		paths = append(paths, path)
	}
	if !exact {
		paths, ok = candidates(t.at, "tasks", name.Node)
		t.Include.open = !ok
	}
	for _, path := range paths {
		if slices.Contains(t.at.reading, path) {
			continue // it includes itself, under a condition
		}
		tasks, l := r.tasksOf(path, t.Role, t, t.at.reading)
		t.Include.tasks = append(t.Include.tasks, tasks...)
		if exact {
			r.diags.Merge(l)
		}
	}
	return t
}

// apply reads keywords for included tasks.
func (r *reader) apply(opts *source.Node, at place) *Task {
	f, ok := opts.Field("apply")
	if !ok || f.Node.Kind == source.Null {
		return nil
	}
	if f.Node.Kind != source.Map {
		r.wrong(f, "a map of keywords")
		return nil
	}
	t := r.newTask(f.Node.Pos, place{role: at.role, dir: at.dir, playDir: at.playDir})
	for _, k := range f.Node.Fields {
		if k.Name == "name" || k.Name == "notify" || !blockSetters.set(r, t, k) && !commonSetters.set(r, &t.Keywords, k) {
			r.unknown("apply", k, blockSetters.names(), commonSetters.names())
		}
	}
	t.AllTags = t.Tags
	return t
}

var roleOptions = []string{
	"name", "role", "tasks_from", "vars_from", "defaults_from", "handlers_from", "public", "allow_duplicates", "rolespec_validate",
}

// roleCall is import_role or include_role as it is written.
type roleCall struct {
	name                                            source.Field
	tasksFrom, varsFrom, defaultsFrom, handlersFrom *template.Value
	public, duplicates                              *template.Value
}

func (r *reader) roleCall(f source.Field, opts *source.Node) (roleCall, bool) {
	var c roleCall
	if opts == nil {
		return c, false
	}
	for _, o := range opts.Fields {
		switch o.Name {
		case "name", "role":
			c.name = o
		case "tasks_from":
			c.tasksFrom = r.textual(o)
		case "vars_from":
			c.varsFrom = r.textual(o)
		case "defaults_from":
			c.defaultsFrom = r.textual(o)
		case "handlers_from":
			c.handlersFrom = r.textual(o)
		case "public":
			c.public = r.boolean(o)
		case "allow_duplicates":
			c.duplicates = r.boolean(o)
		case "rolespec_validate":
			r.errorf(o.Pos, "option %q is not supported yet: specs are always checked", o.Name)
		}
	}
	if c.name.Node == nil {
		r.errorf(f.Pos, "%s needs the name of a role", builtin(f.Name))
		return c, false
	}
	return c, true
}

// from gives the entry points when all of them are known; ok is false when one
// holds a template.
func (c roleCall) from() (e entryPoints, ok bool) {
	ok = true
	for _, x := range []struct {
		dst *string
		v   *template.Value
	}{{&e.tasks, c.tasksFrom}, {&e.vars, c.varsFrom}, {&e.defaults, c.defaultsFrom}, {&e.handlers, c.handlersFrom}} {
		if x.v == nil {
			continue
		}
		s, literal := literal(x.v)
		*x.dst, ok = s, ok && literal
	}
	return e, ok
}

// importRole leaves a block with the role's tasks, after the blocks of the
// roles it depends on.
func (r *reader) importRole(t *Task, f source.Field, n *source.Node) *Task {
	r.noLoop(t, "import_role")
	c, ok := r.roleCall(f, r.givenOptions(f, n, "name", roleOptions...))
	if !ok {
		return nil
	}
	t.Block = &Block{}
	from, ok := c.from()
	if isTemplate(c.name.Node) || !ok {
		r.hint(c.name.Node.Pos, "use include_role", "import_role needs names without templates: it is resolved before the run")
		return t
	}
	name := r.word(c.name)
	if name == "" {
		return t
	}
	e := roleEntry{name: name, pos: c.name.Node.Pos, from: from, use: RoleUse{Pos: t.Pos, Vars: t.Vars}}
	uses := r.use(e, t.at.inside(t))
	if r.play != nil {
		r.play.Imported = append(r.play.Imported, uses...)
	}
	for i, u := range uses {
		if i == len(uses)-1 && !u.Dependency {
			t.Block.Role = u
			t.Block.Tasks = append(t.Block.Tasks, u.Role.Tasks...)
			break
		}
		b := r.newTask(u.Pos, t.at.inside(t))
		b.Block = &Block{Role: u, Tasks: u.Role.Tasks}
		t.Block.Tasks = append(t.Block.Tasks, b)
	}
	return t
}

// includeRole leaves an include; a role with a literal name is read now, for
// its mistakes.
func (r *reader) includeRole(t *Task, f source.Field, n *source.Node) *Task {
	r.onlyIncludeKeywords("include_role", n)
	opts := r.givenOptions(f, n, "name", append(slices.Clone(roleOptions), "apply")...)
	c, ok := r.roleCall(f, opts)
	if !ok {
		return nil
	}
	t.Include = &Include{
		Kind: IncludeRole, File: r.texts(c.name), TasksFrom: c.tasksFrom, VarsFrom: c.varsFrom,
		DefaultsFrom: c.defaultsFrom, HandlersFrom: c.handlersFrom, Public: c.public, AllowDuplicates: c.duplicates,
		Apply: r.apply(opts, t.at),
	}
	from, literalFrom := c.from()
	names, exact := namesOf(t, c.name.Node)
	if t.Include.open = !exact || !literalFrom; t.Include.open {
		return t
	}
	for _, name := range names {
		req := IncludeRoleRequest{
			Name: name, TasksFrom: from.tasks, VarsFrom: from.vars, DefaultsFrom: from.defaults, HandlersFrom: from.handlers,
			PlayDir: t.at.playDir, Parent: t,
		}
		e, at := req.entry()
		if dir, ok := r.quietly().findRole(e, at); ok && slices.Contains(at.reading, roleMark(dir, e)) {
			continue // it includes itself, under a condition
		}
		uses, l := r.roleOf(req, at.reading)
		r.diags.Merge(l)
		t.Include.uses = append(t.Include.uses, uses...)
		if n := len(uses); n > 0 {
			r.checkParams(uses[n-1], t.Vars)
		}
	}
	return t
}
