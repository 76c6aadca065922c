package playbook

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/source"
	"github.com/foobar-play/foobar-play/pkg/template"
	"github.com/foobar-play/foobar-play/pkg/vars"
)

// Config is what a Loader needs to know.
type Config struct {
	Engine  *template.Engine
	Modules *modules.Registry
	// RolesPath are folders searched for roles after the playbook's own "roles"
	// and the project's.
	RolesPath []string
	// ProjectDir is the folder whose "roles" is searched; "" for none.
	ProjectDir string
}

// Loader reads playbooks and roles. It keeps what it has read, so that what a
// run includes again and again is read once. It is safe for concurrent use.
type Loader struct {
	cfg    Config
	lastID atomic.Int64

	files     memo[string, read[*source.Node]]
	varFiles  memo[string, read[map[string]vars.Var]]
	skeletons memo[skeletonKey, *skeleton]
	included  memo[includeKey, read[[]*Task]]
	roleUses  memo[IncludeRoleRequest, read[[]*RoleUse]]
}

// read is what came of reading something, with what is wrong with it.
type read[T any] struct {
	value T
	diags diag.List
}

type includeKey struct {
	path   string
	parent *Task
}

// NewLoader makes a Loader. Folders below the working directory are shown
// relative to it in positions.
func NewLoader(cfg Config) *Loader {
	cfg.ProjectDir = near(cfg.ProjectDir)
	cfg.RolesPath = slices.Clone(cfg.RolesPath)
	for i, dir := range cfg.RolesPath {
		cfg.RolesPath[i] = near(dir)
	}
	return &Loader{cfg: cfg}
}

// near makes an absolute path below the working directory relative.
func near(path string) string {
	if !filepath.IsAbs(path) {
		return path
	}
	wd, err := os.Getwd()
	if err != nil {
		return path
	}
	rel, err := filepath.Rel(wd, path)
	if err != nil || rel == ".." || strings.HasPrefix(rel, "../") {
		return path
	}
	return rel
}

// Load reads playbooks with everything static in them: imported playbooks and
// tasks, roles, and what includes bring whose names are literal. It compiles
// every template and checks every module's options. All mistakes of all files
// are in the list; the tree must not be run when it has errors.
func (l *Loader) Load(paths []string) ([]*Playbook, diag.List) {
	var list diag.List
	var out []*Playbook
	for _, path := range paths {
		r := &reader{Loader: l, diags: &list}
		out = append(out, &Playbook{Path: path, Plays: r.playbook(path, handed{})})
	}
	return out, list
}

// RolePlaybook makes a playbook of one play that applies the role to the hosts
// of the pattern, as `roles: [name]` would in a playbook of Config.ProjectDir.
func (l *Loader) RolePlaybook(name, hosts string) (*Playbook, diag.List) {
	var list diag.List
	r := &reader{Loader: l, diags: &list}
	dir := l.cfg.ProjectDir
	if dir == "" {
		dir = "."
	}
	text := func(s string) *source.Node { return &source.Node{Kind: source.String, Scalar: s} }
	play := &source.Node{Kind: source.Map, Fields: []source.Field{
		{Name: "name", Node: text("role " + name)},
		{Name: "hosts", Node: text(hosts)},
		{Name: "roles", Node: &source.Node{Kind: source.List, Items: []*source.Node{text(name)}}},
	}}
	return &Playbook{Path: "role " + name, Plays: []*Play{r.newPlay(play, dir, handed{})}}, list
}

// Tasks reads a task file for the include_tasks parent at run time; role is the
// role the including task is written in, nil outside. The tasks inherit what is
// around the include (tags, conditions, delegation of blocks, roles and static
// imports), not the include's own keywords: Ansible's rule for includes. The
// same arguments give the same tasks.
func (l *Loader) Tasks(path string, role *Role, parent *Task) ([]*Task, diag.List) {
	return l.tasksOf(path, role, parent, nil)
}

// tasksOf is Tasks; reading are the files being read around, which literal
// includes in the file do not go into again.
func (l *Loader) tasksOf(path string, role *Role, parent *Task, reading []string) ([]*Task, diag.List) {
	got := l.included.get(includeKey{path, parent}, func() read[[]*Task] {
		var out read[[]*Task]
		r := &reader{Loader: l, diags: &out.diags}
		var at place
		if parent != nil {
			at = parent.at
		}
		at.role, at.reading = role, reading
		out.value = r.taskFile(path, at)
		return out
	})
	return got.value, got.diags
}

// IncludeRoleRequest is one include_role, its names evaluated.
type IncludeRoleRequest struct {
	Name                                            string
	TasksFrom, VarsFrom, DefaultsFrom, HandlersFrom string // "" means main
	PlayDir                                         string
	// Parent is the including task.
	Parent *Task
}

// Role reads a role for include_role at run time: the roles it depends on
// first, itself last. What its tasks inherit, and what the same request gives,
// is as for Tasks.
func (l *Loader) Role(req IncludeRoleRequest) ([]*RoleUse, diag.List) {
	return l.roleOf(req, nil)
}

// roleOf is Role; reading is as for tasksOf.
func (l *Loader) roleOf(req IncludeRoleRequest, reading []string) ([]*RoleUse, diag.List) {
	got := l.roleUses.get(req, func() read[[]*RoleUse] {
		var out read[[]*RoleUse]
		r := &reader{Loader: l, diags: &out.diags}
		e, at := req.entry()
		at.reading = reading
		out.value = r.use(e, at)
		return out
	})
	return got.value, got.diags
}

// entry is the request as an entry of a list of roles, and its place.
func (req IncludeRoleRequest) entry() (roleEntry, place) {
	e := roleEntry{name: req.Name, from: entryPoints{req.TasksFrom, req.VarsFrom, req.DefaultsFrom, req.HandlersFrom}}
	var at place
	if req.Parent != nil {
		at = req.Parent.at
		e.pos, e.use.Pos = req.Parent.Include.File.Pos(), req.Parent.Pos
	}
	at.playDir = req.PlayDir
	return e, at
}

// file reads a YAML file, once. A file that is not there is looked for again.
func (l *Loader) file(path string) (*source.Node, diag.List) {
	if !isFile(path) {
		return source.Load(path)
	}
	got := l.files.get(path, func() read[*source.Node] {
		n, list := source.Load(path)
		return read[*source.Node]{n, list}
	})
	return got.value, got.diags
}

// memo makes the value of a key once, also when several ask for it at a time.
type memo[K comparable, V any] struct {
	mu    sync.Mutex
	cells map[K]*cell[V]
}

type cell[V any] struct {
	once  sync.Once
	value V
}

func (m *memo[K, V]) get(k K, make func() V) V {
	m.mu.Lock()
	c, ok := m.cells[k]
	if !ok {
		c = &cell[V]{}
		if m.cells == nil {
			m.cells = map[K]*cell[V]{}
		}
		m.cells[k] = c
	}
	m.mu.Unlock()
	c.once.Do(func() { c.value = make() })
	return c.value
}
