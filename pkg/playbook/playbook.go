// Package playbook turns playbooks and roles into an immutable tree.
//
// Load reads everything a run can know beforehand: playbooks, their imports,
// roles with their defaults, vars, handlers, dependencies and argument specs,
// statically imported task files, and compiles every template and checks every
// module's options on the way. All mistakes come back in one diag.List, each
// with its place. The tree is shared by all hosts and never changes.
//
// The package does not run anything, and knows nothing of hosts beyond the
// patterns in plays.
package playbook

import (
	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/template"
	"github.com/foobar-play/foobar-play/pkg/vars"
)

// Playbook is one file, its import_playbook files included in place.
type Playbook struct {
	Path  string
	Plays []*Play
}

// Play maps hosts to roles and tasks.
type Play struct {
	Name *template.Value // nil when it has none: use the hosts pattern
	Pos  diag.Pos
	// Dir is the folder of the play's file: playbook_dir and relative names.
	Dir   string
	Hosts *template.Value // a pattern, or a list of patterns

	GatherFacts  *template.Value // nil: default (gather what templates mention)
	GatherSubset *template.Value
	Vars         map[string]vars.Var
	VarsFiles    []*template.Value // each a name, or a list of names: the first that exists
	// ImportVars are the vars of an import_playbook, under the play's own.
	ImportVars map[string]vars.Var

	Serial            *template.Value // a number, "30%", or a list of these
	Strategy          string          // "linear" (default), "free", "host_pinned"
	MaxFailPercentage *template.Value
	ForceHandlers     *template.Value
	Order             string // "", inventory, reverse_inventory, sorted, reverse_sorted

	PreTasks  []*Task
	Roles     []*RoleUse // dependencies included, in the order they run
	Tasks     []*Task
	PostTasks []*Task
	Handlers  []*Task // the play's own; a role's are on its Role
	// Imported are the roles that import_role brings in, dependencies first.
	// Their tasks are blocks among the tasks (Block.Role); their handlers,
	// defaults and vars belong to the play as those of Roles do.
	Imported []*RoleUse

	Keywords

	// files holds what the literal names of VarsFiles read; openVars is true
	// when one of them has no literal name.
	files    []varsFile
	openVars bool
}

// Keywords are what plays, blocks, roles and tasks have in common; a nil value
// is inherited from what is around.
type Keywords struct {
	Become            *template.Value
	BecomeUser        *template.Value
	BecomeMethod      *template.Value
	BecomeFlags       *template.Value
	BecomeExe         *template.Value
	Connection        *template.Value
	RemoteUser        *template.Value
	Port              *template.Value
	Environment       []*template.Value // maps, or lists of maps; outermost first after inheriting
	NoLog             *template.Value
	IgnoreErrors      *template.Value
	IgnoreUnreachable *template.Value
	CheckMode         *template.Value
	Diff              *template.Value
	RunOnce           *template.Value
	Throttle          *template.Value
	Timeout           *template.Value // seconds
	ModuleDefaults    *template.Value
	AnyErrorsFatal    *template.Value
	Tags              []string // own tags only
}

// RoleUse is a role at one place of a play.
type RoleUse struct {
	Role *Role
	Pos  diag.Pos
	// Vars are the parameters given where the role is used, over those of the
	// roles that depend on it; of an import_role, its vars.
	Vars map[string]vars.Var
	// When of the use and of what depends on it. It is in each task's When
	// already; a runner need not test it.
	When []*template.Condition
	// Keywords of the use, over those of the roles that depend on it. Tags are
	// those given at the use; they are in each task's AllTags already.
	Keywords
	// Dependency is true when another role's meta brought it here.
	Dependency bool
	// DelegateTo is in each task's DelegateTo already.
	DelegateTo *template.Value
	// Key is equal for uses of one role with the same parameters, conditions and
	// tags of their own: a host runs only the first of them of which a task has
	// run (Ansible's rule). It is "" when the role may run again and again:
	// allow_duplicates, import_role, include_role.
	Key string
	// Entry is the entry point: the name of the task file without its ending,
	// usually "main", and the key of Role.ArgSpecs.
	Entry string
}

// Role is one role as one use has it: what is read from its files is read once,
// but Tasks and Handlers carry what the place of use hands down, and so are a
// use's own.
type Role struct {
	Name string // as the play names it
	Dir  string
	// Defaults and Vars in Ansible's two precedences.
	Defaults map[string]vars.Var
	Vars     map[string]vars.Var
	Tasks    []*Task
	Handlers []*Task
	// Dependencies are the uses that meta/main.yml brings in, in the order they
	// run. They stand in Play.Roles (or in an import's block) before the role.
	Dependencies    []*RoleUse
	AllowDuplicates bool
	// ArgSpecs of meta/argument_specs.yml by entry point ("main" for
	// tasks/main.yml); nil when there is no such file.
	ArgSpecs map[string]*ArgSpec
}

// ArgSpec is one entry point's documented and typed parameters.
type ArgSpec struct {
	Short   string
	Options []ArgOption
	Pos     diag.Pos
}

// ArgOption is one parameter of a role (Ansible's role argument validation).
type ArgOption struct {
	Name     string
	Type     string // str, bool, int, float, list, dict, path, raw
	Elements string
	Required bool
	Default  any
	Choices  []any
	Secret   bool // no_log
	Doc      string
	Options  []ArgOption // of a dict, or of a list of dicts
	Pos      diag.Pos
}

// Task is a task, a block, an include or a meta action: exactly one of Action,
// Block, Include and Meta is set.
type Task struct {
	// ID is unique among the tasks of a Loader; the same tree node keeps it in
	// every event.
	ID   string
	Name *template.Value // nil when it has none
	Pos  diag.Pos
	// Role is the role the task is written in, nil outside.
	Role *Role
	// Dir is the folder of the file the task is written in.
	Dir string

	Action  *Action
	Block   *Block
	Include *Include
	Meta    string // flush_handlers, end_play, end_host, noop, clear_host_errors, refresh_inventory, clear_facts, reset_connection, end_batch

	Vars map[string]vars.Var
	// When holds the conditions, all of which must hold, in this order: those
	// inherited from import_playbook, roles, static imports and blocks around,
	// then the task's own. So a block's When is in each of its tasks' When and
	// need not be tested for the block itself.
	When []*template.Condition

	Loop          *Loop
	Register      string
	Notify        *template.Value // a name or a list of names
	Listen        []string        // of handlers
	ChangedWhen   *template.Condition
	FailedWhen    *template.Condition
	Until         *template.Condition
	Retries       *template.Value
	Delay         *template.Value // seconds
	DelegateTo    *template.Value
	DelegateFacts *template.Value

	// AllTags are the task's tags with those inherited from play, roles,
	// blocks and static imports.
	AllTags []string
	Keywords

	// at is where the task stands: what it hands on to what it includes.
	at place
}

// Action is a module and its options.
type Action struct {
	Module *modules.Module
	Name   string // as written: "ansible.builtin.copy"
	// Args is the map of options; a bare string is already split or moved to
	// the module's free-form option.
	Args *template.Value
	// Pos of the module's name.
	Pos diag.Pos

	// tests and exprs are the options that hold bare pipelines.
	tests []*template.Condition
	exprs []*template.Expr
	// content is what the options name of the controller's files.
	content content
}

// Block groups tasks, with rescue and always.
type Block struct {
	// Role is set on the block that an import_role left behind, and on those
	// in it for the roles it depends on: the role whose defaults and vars its
	// tasks see. What the import itself says (vars, become …) is on the Task.
	Role   *RoleUse
	Tasks  []*Task
	Rescue []*Task
	Always []*Task
}

// Loop is a task's loop and its loop_control.
type Loop struct {
	Items    *template.Value
	Pos      diag.Pos
	Var      string // default "item"
	IndexVar string
	Label    *template.Value
	Pause    *template.Value // seconds
	Extended bool
	// Flatten is true for with_items: one level of nested lists is flattened.
	// Dict is true for with_dict.
	Flatten bool
	Dict    bool
}

// IncludeKind says what an Include brings.
type IncludeKind int

// The kinds of Include. Static imports (import_tasks, import_role,
// import_playbook) are resolved by Load and leave blocks behind.
const (
	IncludeTasks IncludeKind = iota
	IncludeRole
)

// ActionName is what the task does, as written: a module's name,
// "include_tasks", "include_role", "meta flush_handlers", or "block".
func (t *Task) ActionName() string {
	switch {
	case t.Action != nil:
		return t.Action.Name
	case t.Meta != "":
		return "meta " + t.Meta
	case t.Include != nil && t.Include.Kind == IncludeRole:
		return "include_role"
	case t.Include != nil:
		return "include_tasks"
	}
	return "block"
}

// Include is include_tasks or include_role: resolved when a host reaches it,
// through Loader.Tasks and Loader.Role.
type Include struct {
	Kind IncludeKind
	File *template.Value // include_tasks; include_role: the role's name
	// Of include_role.
	TasksFrom, VarsFrom, DefaultsFrom, HandlersFrom *template.Value
	Public                                          *template.Value
	AllowDuplicates                                 *template.Value
	// Apply are keywords for the included tasks, nil when there are none: its
	// Keywords, Vars, DelegateTo, own When and own tags (AllTags). They are not
	// in what Loader.Tasks and Loader.Role return.
	Apply *Task

	// What a literal name brings, read for validation.
	tasks []*Task
	uses  []*RoleUse
	// open is true when that is not known.
	open bool
}
