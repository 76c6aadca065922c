package playbook

import (
	"fmt"
	"slices"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/source"
	"github.com/foobar-play/foobar-play/pkg/template"
)

// taskSetters are the keywords that only tasks have; those that blocks have
// too are in blockSetters.
var taskSetters = setters[Task]{
	"register": func(r *reader, t *Task, f source.Field) { t.Register = r.variable(f) },
	"changed_when": func(r *reader, t *Task, f source.Field) {
		t.ChangedWhen = r.condition(f)
	},
	"failed_when": func(r *reader, t *Task, f source.Field) { t.FailedWhen = r.condition(f) },
	"until":       func(r *reader, t *Task, f source.Field) { t.Until = r.condition(f) },
	"retries":     sets((*reader).number, func(t *Task) **template.Value { return &t.Retries }),
	"delay":       sets((*reader).number, func(t *Task) **template.Value { return &t.Delay }),
	"listen":      func(r *reader, t *Task, f source.Field) { t.Listen = r.listen(f, t.at) },
}

// blockSetters are the keywords of blocks, which tasks have too.
var blockSetters = setters[Task]{
	"name":           sets((*reader).textual, func(t *Task) **template.Value { return &t.Name }),
	"when":           func(r *reader, t *Task, f source.Field) { t.When = slices.Concat(t.at.when, r.conditions(f)) },
	"vars":           func(r *reader, t *Task, f source.Field) { t.Vars = r.variables(f) },
	"notify":         sets((*reader).texts, func(t *Task) **template.Value { return &t.Notify }),
	"delegate_to":    sets((*reader).textual, func(t *Task) **template.Value { return &t.DelegateTo }),
	"delegate_facts": sets((*reader).boolean, func(t *Task) **template.Value { return &t.DelegateFacts }),
}

// taskExtras are keywords of tasks that are read together with the module or
// the loop.
var taskExtras = []string{"action", "local_action", "args", "loop", "loop_control", "with_items", "with_dict", "with_list", "block", "rescue", "always"}

func (s setters[T]) has(name string) bool { _, ok := s[name]; return ok }

func (r *reader) listen(f source.Field, at place) []string {
	if !at.handler {
		r.errorf(f.Pos, "listen is a keyword of handlers, not of tasks")
	}
	return r.words(f)
}

// tasks reads a list of tasks.
func (r *reader) tasks(f source.Field, at place) []*Task {
	if f.Node.Kind == source.Null {
		return nil
	}
	if f.Node.Kind != source.List {
		r.wrong(f, "a list of tasks")
		return nil
	}
	var out []*Task
	for _, n := range f.Node.Items {
		if t := r.task(n, at); t != nil {
			out = append(out, t)
		}
	}
	return out
}

// newTask makes a task that inherits what its place hands down.
func (r *reader) newTask(pos diag.Pos, at place) *Task {
	return &Task{
		ID: fmt.Sprintf("t%d", r.lastID.Add(1)), Pos: pos, Role: at.role, Dir: at.dir, at: at,
		When: at.when, AllTags: at.tags,
		Notify: at.notify, DelegateTo: at.delegateTo, DelegateFacts: at.delegateFacts,
	}
}

// task reads a task, block, include or import; nil when it is none of these.
func (r *reader) task(n *source.Node, at place) *Task {
	if n.Kind != source.Map {
		r.errorf(n.Pos, "a task is a map such as `- name: …` with a module, found %s", n.Kind)
		return nil
	}
	for _, key := range []string{"block", "rescue", "always"} {
		if n.Get(key) != nil {
			return r.block(n, at)
		}
	}
	t := r.newTask(n.Pos, at)
	what := wanted{task: t}
	for _, f := range n.Fields {
		switch {
		case taskSetters.set(r, t, f), blockSetters.set(r, t, f), commonSetters.set(r, &t.Keywords, f):
		case slices.Contains([]string{"args", "loop_control"}, f.Name):
		case isLoop(f.Name):
			r.loop(t, f)
		default:
			r.candidate(&what, f)
		}
	}
	t.AllTags = union(at.tags, t.Tags)
	r.loopControl(t, n)
	return r.resolve(&what, n)
}

// wanted collects the keys of a task that may name what it does.
type wanted struct {
	task    *Task
	actions []source.Field
	unknown []source.Field
}

func (r *reader) candidate(w *wanted, f source.Field) {
	_, isModule := r.cfg.Modules.Lookup(f.Name)
	if isModule || special(f.Name) != "" || f.Name == "action" || f.Name == "local_action" {
		w.actions = append(w.actions, f)
		return
	}
	w.unknown = append(w.unknown, f)
}

// builtin gives the short name of what Ansible's core also calls by its long
// name.
func builtin(name string) string {
	for _, prefix := range []string{"ansible.builtin.", "ansible.legacy."} {
		if short, ok := strings.CutPrefix(name, prefix); ok {
			return short
		}
	}
	return name
}

// special gives the short name of an action that is no module, or "".
func special(name string) string {
	switch short := builtin(name); short {
	case "import_tasks", "include_tasks", "import_role", "include_role", "import_playbook", "include", "meta":
		return short
	}
	return ""
}

// resolve settles what the task does.
func (r *reader) resolve(w *wanted, n *source.Node) *Task {
	t := w.task
	if len(w.actions) == 0 {
		r.noAction(w)
		return nil
	}
	for _, f := range w.unknown {
		r.unknown("a task", f, taskKeywords())
	}
	for _, f := range w.actions[1:] {
		r.hint(f.Pos, "make a task of each", "two modules in one task: %q and %q", w.actions[0].Name, f.Name)
	}
	f := w.actions[0]
	switch special(f.Name) {
	case "":
		return r.action(t, f, n)
	case "meta":
		return r.meta(t, f)
	case "include":
		r.hint(f.Pos, "use include_tasks or import_tasks", "include was removed from Ansible and is not supported")
	case "import_playbook":
		r.errorf(f.Pos, "import_playbook stands beside plays, not among tasks")
	case "import_tasks":
		return r.importTasks(t, f, n)
	case "include_tasks":
		return r.includeTasks(t, f, n)
	case "import_role":
		return r.importRole(t, f, n)
	case "include_role":
		return r.includeRole(t, f, n)
	}
	return nil
}

// taskKeywords lists the keywords a task may have.
func taskKeywords() []string {
	return slices.Concat(taskSetters.names(), blockSetters.names(), commonSetters.names(), taskExtras)
}

// noAction reports a task without a known module.
func (r *reader) noAction(w *wanted) {
	if len(w.unknown) == 0 {
		r.errorf(w.task.Pos, "the task has no module")
		return
	}
	for _, f := range w.unknown {
		if _, later := notYet[f.Name]; later {
			r.unknown("a task", f)
			continue
		}
		names := append(r.cfg.Modules.Names(), "import_tasks", "include_tasks", "import_role", "include_role", "meta")
		short := f.Name
		if i := strings.LastIndexByte(short, '.'); i >= 0 {
			short = short[i+1:]
		}
		r.hint(f.Pos, diag.DidYouMean(short, append(names, taskKeywords()...)), "no module or keyword %q", f.Name)
	}
}

var metas = []string{
	"flush_handlers", "end_play", "end_host", "end_batch", "noop", "clear_host_errors",
	"refresh_inventory", "clear_facts", "reset_connection",
}

func (r *reader) meta(t *Task, f source.Field) *Task {
	t.Meta = r.choice(f, []string{"end_role"}, metas...)
	if t.Meta == "" {
		if f.Node.Kind == source.Null {
			r.wrong(f, list(metas))
		}
		return nil
	}
	return t
}

// block reads a block with its rescue and always.
func (r *reader) block(n *source.Node, at place) *Task {
	t := r.newTask(n.Pos, at)
	t.Block = &Block{}
	for _, f := range n.Fields {
		switch {
		case slices.Contains([]string{"block", "rescue", "always"}, f.Name):
		case blockSetters.set(r, t, f), commonSetters.set(r, &t.Keywords, f):
		default:
			r.unknownInBlock(f)
		}
	}
	t.AllTags = union(at.tags, t.Tags)
	inner := at.inside(t)
	f, ok := n.Field("block")
	if !ok {
		r.errorf(n.Pos, "rescue and always need a block")
	} else {
		t.Block.Tasks = r.tasks(f, inner)
	}
	if f, ok := n.Field("rescue"); ok {
		t.Block.Rescue = r.tasks(f, inner)
	}
	if f, ok := n.Field("always"); ok {
		t.Block.Always = r.tasks(f, inner)
	}
	return t
}

func (r *reader) unknownInBlock(f source.Field) {
	_, isModule := r.cfg.Modules.Lookup(f.Name)
	switch {
	case isModule:
		r.hint(f.Pos, "indent it as a task of the block", "%q is a module: a block holds tasks, and runs nothing itself", f.Name)
	case isLoop(f.Name):
		r.hint(f.Pos, "put the tasks into a file and loop over include_tasks", "a block cannot loop")
	case taskSetters.has(f.Name) || slices.Contains(taskExtras, f.Name):
		r.errorf(f.Pos, "%q is a keyword of tasks, not of blocks", f.Name)
	default:
		r.unknown("a block", f, blockSetters.names(), commonSetters.names(), []string{"block", "rescue", "always"})
	}
}
