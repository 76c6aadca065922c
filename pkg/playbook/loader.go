package playbook

import (
	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/template"
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

// Loader reads playbooks and roles. It keeps files it has read, so that what a
// run includes again and again is read once. It is safe for concurrent use.
type Loader struct {
	cfg Config
}

// NewLoader makes a Loader.
func NewLoader(cfg Config) *Loader { return &Loader{cfg: cfg} }

// Load reads playbooks with everything static in them.
func (l *Loader) Load(paths []string) ([]*Playbook, diag.List) { return nil, diag.List{} }

// RolePlaybook makes a playbook of one play that applies a role to hosts.
func (l *Loader) RolePlaybook(name, hosts string) (*Playbook, diag.List) { return nil, diag.List{} }

// Tasks reads a task file for include_tasks at run time.
func (l *Loader) Tasks(path string, role *Role, parent *Task) ([]*Task, diag.List) {
	return nil, diag.List{}
}

// IncludeRoleRequest is one include_role, its names evaluated.
type IncludeRoleRequest struct {
	Name                                            string
	TasksFrom, VarsFrom, DefaultsFrom, HandlersFrom string // "" means main
	PlayDir                                         string
	Parent                                          *Task
}

// Role reads a role for include_role at run time: the roles it depends on
// first, itself last.
func (l *Loader) Role(req IncludeRoleRequest) ([]*RoleUse, diag.List) { return nil, diag.List{} }

// FindFile resolves a name of a task.
func (l *Loader) FindFile(kind, name string, t *Task, playDir string) (string, error) {
	return "", nil
}

// Walk calls visit for every task of a play.
func Walk(play *Play, visit func(*Task)) {}

// Selected reports whether --tags and --skip-tags let the task run.
func (t *Task) Selected(tags, skip []string) bool { return true }

// CheckVariables finds variables that nothing defines.
func CheckVariables(pbs []*Playbook, known func(play *Play) map[string]bool) diag.List {
	return diag.List{}
}

// FactsMentioned lists the facts that templates of the plays mention; "*" when
// it cannot be told.
func FactsMentioned(plays ...*Play) []string { return nil }

// Validate checks a role's parameters against its argument spec.
func (s *ArgSpec) Validate(role string, pos diag.Pos, get func(name string) (v any, ok bool, err error)) diag.List {
	return diag.List{}
}

// MagicNames lists the variables that are always there.
var MagicNames = []string{}
