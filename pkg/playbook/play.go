package playbook

import (
	"errors"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/source"
	"github.com/foobar-play/foobar-play/pkg/template"
	"github.com/foobar-play/foobar-play/pkg/vars"
)

// varsFile is one vars_files name that is known before the run.
type varsFile struct {
	path string
	vars map[string]vars.Var
}

// handed is what an import_playbook hands to the plays it brings.
type handed struct {
	vars    map[string]vars.Var
	when    []*template.Condition
	tags    []string
	reading []string // playbooks being read, outermost first
}

// playbook reads the plays of a file.
func (r *reader) playbook(path string, from handed) []*Play {
	n, l := r.file(path)
	r.diags.Merge(l)
	if n == nil {
		return nil
	}
	if n.Kind == source.Null || n.Kind == source.List && len(n.Items) == 0 {
		r.errorf(diag.Pos{File: path}, "the playbook is empty")
		return nil
	}
	if n.Kind != source.List {
		r.errorf(n.Pos, "a playbook is a list of plays, found %s", n.Kind)
		return nil
	}
	from.reading = append(slices.Clip(from.reading), path)
	var out []*Play
	for _, item := range n.Items {
		if item.Kind != source.Map {
			r.errorf(item.Pos, "a play is a map with hosts and tasks or roles, found %s", item.Kind)
			continue
		}
		if f, ok := importPlaybook(item); ok {
			out = append(out, r.importPlaybook(item, f, filepath.Dir(path), from)...)
			continue
		}
		out = append(out, r.newPlay(item, filepath.Dir(path), from))
	}
	return out
}

func importPlaybook(n *source.Node) (source.Field, bool) {
	for _, f := range n.Fields {
		if builtin(f.Name) == "import_playbook" {
			return f, true
		}
	}
	return source.Field{}, false
}

func (r *reader) importPlaybook(n *source.Node, file source.Field, dir string, from handed) []*Play {
	next := from
	for _, f := range n.Fields {
		switch f.Name {
		case file.Name, "name":
		case "vars":
			next.vars = merged(r.variables(f), from.vars)
		case "when":
			next.when = slices.Concat(from.when, r.conditions(f))
		case "tags":
			next.tags = union(from.tags, r.words(f))
		default:
			r.unknown("import_playbook", f, []string{"name", "vars", "when", "tags"})
		}
	}
	name := r.word(file)
	if name == "" {
		return nil
	}
	path := inDir(dir, name)
	if slices.Contains(from.reading, path) {
		r.hint(file.Node.Pos, chain(append(slices.Clip(from.reading), path)), "the playbook imports itself")
		return nil
	}
	if !isFile(path) {
		r.errorf(file.Node.Pos, "no playbook %s", path)
		return nil
	}
	return r.playbook(path, next)
}

// merged lays the variables inner over outer.
func merged(inner, outer map[string]vars.Var) map[string]vars.Var {
	if len(outer) == 0 {
		return inner
	}
	out := make(map[string]vars.Var, len(inner)+len(outer))
	for k, v := range outer {
		out[k] = v
	}
	for k, v := range inner {
		out[k] = v
	}
	return out
}

var playSetters = setters[Play]{
	"name":         sets((*reader).textual, func(p *Play) **template.Value { return &p.Name }),
	"hosts":        sets((*reader).hosts, func(p *Play) **template.Value { return &p.Hosts }),
	"gather_facts": sets((*reader).boolean, func(p *Play) **template.Value { return &p.GatherFacts }),
	"gather_subset": sets((*reader).texts, func(p *Play) **template.Value {
		return &p.GatherSubset
	}),
	"serial":              sets((*reader).serial, func(p *Play) **template.Value { return &p.Serial }),
	"max_fail_percentage": sets((*reader).number, func(p *Play) **template.Value { return &p.MaxFailPercentage }),
	"force_handlers":      sets((*reader).boolean, func(p *Play) **template.Value { return &p.ForceHandlers }),
	"vars":                func(r *reader, p *Play, f source.Field) { p.Vars = r.variables(f) },
	"vars_files":          (*reader).varsFiles,
	"strategy": func(r *reader, p *Play, f source.Field) {
		p.Strategy = r.choice(f, []string{"debug"}, "linear", "free", "host_pinned")
	},
	"order": func(r *reader, p *Play, f source.Field) {
		p.Order = r.choice(f, []string{"shuffle"}, "inventory", "reverse_inventory", "sorted", "reverse_sorted")
	},
}

// playSections are the keywords read once all others are, in the order they
// run.
var playSections = []string{"pre_tasks", "roles", "tasks", "post_tasks", "handlers"}

// newPlay reads one play: first its keywords, then the tasks that inherit them.
func (r *reader) newPlay(n *source.Node, dir string, from handed) *Play {
	p := &Play{Pos: n.Pos, Dir: dir, ImportVars: from.vars, Strategy: "linear"}
	r.play, r.used = p, map[string]bool{}
	for _, f := range n.Fields {
		switch {
		case slices.Contains(playSections, f.Name):
		case playSetters.set(r, p, f), commonSetters.set(r, &p.Keywords, f):
		default:
			r.unknownInPlay(f)
		}
	}
	if p.Strategy == "" {
		p.Strategy = "linear"
	}
	if _, ok := n.Field("hosts"); !ok {
		r.errorf(p.Pos, "the play has no hosts")
	}
	if p.Hosts == nil {
		p.Hosts = template.Static("")
	}
	p.Tags = union(from.tags, p.Tags)
	r.sections(p, n, from)
	return p
}

func (r *reader) sections(p *Play, n *source.Node, from handed) {
	at := place{dir: p.Dir, playDir: p.Dir, tags: p.Tags, when: from.when}.withDefaults(p.ModuleDefaults)
	at.reading = []string{n.Pos.File}
	for _, section := range playSections {
		f, ok := n.Field(section)
		if !ok {
			continue
		}
		switch section {
		case "pre_tasks":
			p.PreTasks = r.tasks(f, at)
		case "roles":
			p.Roles = r.roles(f, at)
		case "tasks":
			p.Tasks = r.tasks(f, at)
		case "post_tasks":
			p.PostTasks = r.tasks(f, at)
		case "handlers":
			h := at
			h.handler = true
			p.Handlers = r.tasks(f, h)
		}
	}
	r.checkNotified(p)
}

func (r *reader) unknownInPlay(f source.Field) {
	keywords := slices.Concat(playSetters.names(), commonSetters.names(), playSections, []string{"import_playbook"})
	if _, isModule := r.cfg.Modules.Lookup(f.Name); isModule {
		r.hint(f.Pos, "put it under tasks", "%q is a module: it stands in a task, not in a play", f.Name)
		return
	}
	if taskSetters.has(f.Name) || special(f.Name) != "" {
		r.hint(f.Pos, "put it under tasks", "%q is a keyword of tasks, not of plays", f.Name)
		return
	}
	r.unknown("a play", f, keywords)
}

// hosts reads a pattern or a list of patterns.
func (r *reader) hosts(f source.Field) *template.Value {
	items := one(f.Node)
	for _, n := range items {
		s, ok := n.Text()
		switch {
		case n.Kind == source.Null || ok && s == "":
			r.errorf(n.Pos, "hosts is empty: name a host, a group, or all")
		case n.Kind == source.List || n.Kind == source.Map:
			r.wrong(source.Field{Name: f.Name, Node: n}, "a pattern or a list of patterns")
		}
	}
	if len(items) == 0 {
		r.errorf(f.Node.Pos, "hosts is empty: name a host, a group, or all")
	}
	return r.value(f.Node)
}

var batchSize = regexp.MustCompile(`^\s*[0-9]+(\.[0-9]+)?%?\s*$`)

// serial reads numbers and percentages.
func (r *reader) serial(f source.Field) *template.Value {
	if f.Node.Kind == source.Null {
		return nil
	}
	for _, n := range one(f.Node) {
		s, ok := n.Text()
		if n.Kind == source.Int && n.Scalar.(int) >= 0 || ok && (isTemplate(n) || batchSize.MatchString(s)) {
			continue
		}
		r.wrong(source.Field{Name: f.Name, Node: n}, `a number of hosts, a percentage such as "30%", or a list of these`)
	}
	return r.value(f.Node)
}

// varsFiles reads the names, and the files whose names are known.
func (r *reader) varsFiles(p *Play, f source.Field) {
	if f.Node.Kind == source.Null {
		return
	}
	for _, n := range one(f.Node) {
		p.VarsFiles = append(p.VarsFiles, r.texts(source.Field{Name: f.Name, Node: n}))
		if isTemplate(n) {
			p.openVars = true
			continue
		}
		r.varsFile(p, n)
	}
}

// varsFile reads the first of the files that exists.
func (r *reader) varsFile(p *Play, n *source.Node) {
	var searched []string
	for _, name := range one(n) {
		s, ok := name.Text()
		if !ok {
			return // reported by texts
		}
		path, err := place{playDir: p.Dir}.find("vars", s)
		if err == nil {
			p.files = append(p.files, varsFile{path, r.varsOf(path)})
			return
		}
		var missing *NotFoundError
		if !errors.As(err, &missing) {
			r.errorf(name.Pos, "look for the vars file: %v", err)
			return
		}
		searched = append(searched, missing.Searched...)
	}
	r.hint(n.Pos, "searched: "+joined(searched), "no such vars file")
}
