package runner

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/event"
	"github.com/foobar-play/foobar-play/pkg/playbook"
	"github.com/foobar-play/foobar-play/pkg/template"
	"github.com/foobar-play/foobar-play/pkg/value"
	"github.com/foobar-play/foobar-play/pkg/vars"
)

// context makes the template context of one evaluation.
func (s *session) context(ctx context.Context, scope *vars.Scope, t *playbook.Task, play *playbook.Play) *template.Context {
	return &template.Context{Ctx: ctx, Scope: scope, Find: func(kind, name string) (string, error) {
		return s.loader.FindFile(kind, name, t, play.Dir)
	}}
}

func (s *session) newScope(layers []vars.Layer, t *playbook.Task, play *playbook.Play) *vars.Scope {
	return vars.NewScope(layers, func(sc *vars.Scope) *template.Context {
		return s.context(context.Background(), sc, t, play)
	})
}

// playVars is what a play's own keywords see: no host's variables.
func (s *session) playVars(play *playbook.Play) *vars.Scope {
	return s.newScope([]vars.Layer{
		layerOf("vars of the import", play.ImportVars),
		layerOf("play vars", play.Vars),
		s.extra,
		{Name: "magic", Func: func(name string) (any, bool, error) { return s.magic(name, nil, play) }, Names: magicNames},
	}, nil, play)
}

// taskScope is what a task sees on a host, in Ansible's order of precedence,
// the lowest first.
func (b *batch) taskScope(h *hostRun, t *playbook.Task, f frame) *vars.Scope {
	layers := append([]vars.Layer{
		{Name: "nothing", Func: h.undefined},
		static("connection", map[string]any{"ansible_host": h.name()}),
	}, b.hostLayers(h.hostState, h, f)...)
	layers = append(layers, f.blockVars...)
	if len(t.Vars) > 0 {
		layers = append(layers, layerOf("vars of the task", t.Vars))
	}
	layers = append(layers,
		h.layer("include_vars", &h.included),
		h.layer("set_fact and register", &h.set))
	layers = append(layers, f.roleParams...)
	layers = append(layers, f.includes...)
	layers = append(layers, b.extra, vars.Layer{
		Name: "magic", Names: magicNames,
		Func: func(name string) (any, bool, error) { return b.taskMagic(name, h, t, f) },
	})
	return b.newScope(layers, t, b.play)
}

// hostLayers are the layers below block vars: role defaults, inventory, facts,
// play vars, role vars. run is nil for hosts outside of the batch.
func (b *batch) hostLayers(st *hostState, run *hostRun, f frame) []vars.Layer {
	roles := b.visibleRoles(run, f)
	var layers []vars.Layer
	for _, r := range roles {
		layers = append(layers, layerOf("defaults of role "+r.Name, r.Defaults))
	}
	layers = append(layers, b.inv.Layers(st.inv, b.play.Dir)...)
	layers = append(layers, vars.Layer{Name: "facts", Func: func(name string) (any, bool, error) {
		short, ok := strings.CutPrefix(name, "ansible_")
		if !ok {
			return nil, false, nil
		}
		v, ok := st.get(&st.facts, short)
		return v, ok, nil
	}, Names: func() []string {
		names := value.Keys(st.allFacts())
		for i := range names {
			names[i] = "ansible_" + names[i]
		}
		return names
	}})
	layers = append(layers, layerOf("vars of the import", b.play.ImportVars), layerOf("play vars", b.play.Vars))
	if run != nil {
		layers = append(layers, run.varsFiles...)
	}
	for _, r := range roles {
		layers = append(layers, layerOf("vars of role "+r.Name, r.Vars))
	}
	return layers
}

// visibleRoles are the roles whose defaults and vars a task sees: those the
// play names under roles:, public included ones, and last the task's own.
func (b *batch) visibleRoles(run *hostRun, f frame) []*playbook.Role {
	var out []*playbook.Role
	put := func(r *playbook.Role) {
		out = append(slices.DeleteFunc(out, func(o *playbook.Role) bool { return o.Dir == r.Dir && o.Name == r.Name }), r)
	}
	for _, use := range slices.Concat(b.play.Roles, b.play.Imported) {
		put(use.Role)
	}
	if run != nil {
		for _, use := range run.includedRoles {
			put(use.Role)
		}
	}
	if f.role != nil {
		put(f.role.Role)
	}
	return out
}

func (s *hostState) layer(name string, which *map[string]any) vars.Layer {
	return vars.Layer{
		Name: name,
		Func: func(n string) (any, bool, error) { v, ok := s.get(which, n); return v, ok, nil },
		Names: func() []string {
			s.mu.RLock()
			defer s.mu.RUnlock()
			return value.Keys(*which)
		},
	}
}

func magicNames() []string { return playbook.MagicNames }

// taskMagic adds what only a task knows to the host's magic variables.
func (b *batch) taskMagic(name string, h *hostRun, t *playbook.Task, f frame) (any, bool, error) {
	switch name {
	case "ansible_check_mode":
		return b.req.Check, true, nil
	case "ansible_diff_mode":
		return b.req.Diff, true, nil
	case "ansible_play_batch", "play_hosts", "ansible_play_hosts":
		return b.liveHosts(name == "ansible_play_batch"), true, nil
	case "ansible_play_hosts_all":
		return list(b.allHosts), true, nil
	case "hostvars":
		return vars.HostVars{Hosts: b.hostNames, Scope: b.hostScope}, true, nil
	case "ansible_role_names", "role_names", "ansible_play_role_names", "ansible_dependent_role_names":
		return b.roleNames(name), true, nil
	}
	role := t.Role
	if role == nil && f.role != nil {
		role = f.role.Role
	}
	if role != nil {
		switch name {
		case "role_name", "ansible_role_name":
			return role.Name, true, nil
		case "role_path":
			return absolute(role.Dir), true, nil
		case "ansible_parent_role_names":
			return list(f.roleNames[:max(0, len(f.roleNames)-1)]), true, nil
		}
	}
	return b.magic(name, h.hostState, b.play)
}

// roleNames lists the roles of the play: those it names, those these depend
// on, or all.
func (b *batch) roleNames(which string) []any {
	var out []string
	for _, use := range b.play.Roles {
		wanted := which == "ansible_role_names" || use.Dependency == (which == "ansible_dependent_role_names")
		if wanted && !slices.Contains(out, use.Role.Name) {
			out = append(out, use.Role.Name)
		}
	}
	return list(out)
}

// magic are the variables every host has; st is nil where a play's keywords
// are evaluated.
func (s *session) magic(name string, st *hostState, play *playbook.Play) (any, bool, error) {
	switch name {
	case "omit":
		return template.Omit, true, nil
	case "groups":
		out := map[string]any{}
		for g, hosts := range s.inv.GroupMap() {
			out[g] = list(hosts)
		}
		return out, true, nil
	case "playbook_dir":
		return absolute(play.Dir), true, nil
	case "ansible_version":
		return s.version(), true, nil
	case "ansible_check_mode":
		return s.req.Check, true, nil
	case "ansible_diff_mode":
		return s.req.Diff, true, nil
	case "ansible_verbosity":
		return s.req.Verbosity, true, nil
	case "ansible_forks":
		return s.req.forks(), true, nil
	case "ansible_run_tags":
		if len(s.req.Tags) == 0 {
			return []any{"all"}, true, nil
		}
		return list(s.req.Tags), true, nil
	case "ansible_skip_tags":
		return list(s.req.SkipTags), true, nil
	case "ansible_limit":
		return s.req.Limit, s.req.Limit != "", nil
	case "ansible_inventory_sources":
		return list(s.inv.Sources()), true, nil
	case "ansible_play_name":
		n, err := s.playName(play)
		return n, err == nil, err
	}
	if st == nil {
		return nil, false, nil
	}
	return s.hostMagic(name, st)
}

func (s *session) hostMagic(name string, st *hostState) (any, bool, error) {
	switch name {
	case "inventory_hostname":
		return st.name(), true, nil
	case "inventory_hostname_short":
		short, _, _ := strings.Cut(st.name(), ".")
		return short, true, nil
	case "group_names":
		return list(st.inv.GroupNames()), true, nil
	case "ansible_facts":
		return st.allFacts(), true, nil
	case "inventory_dir":
		if d := st.inv.InventoryDir(); d != "" {
			return d, true, nil
		}
		return s.inv.Dir(), s.inv.Dir() != "", nil
	case "inventory_file":
		return st.inv.InventoryFile(), true, nil
	}
	return nil, false, nil
}

func absolute(dir string) string {
	if out, err := filepath.Abs(dir); err == nil {
		return out
	}
	return dir
}

func (b *batch) hostNames() []string {
	var out []string
	for _, h := range b.inv.Hosts() {
		out = append(out, h.Name())
	}
	return out
}

// hostScope is another host as hostvars shows it: no task, no block.
func (b *batch) hostScope(name string) (*vars.Scope, bool, error) {
	st := b.state(name)
	if st == nil {
		return nil, false, nil
	}
	layers := b.hostLayers(st, nil, frame{})
	layers = append(layers, st.layer("include_vars", &st.included), st.layer("set_fact and register", &st.set), b.extra,
		vars.Layer{Name: "magic", Names: magicNames, Func: func(n string) (any, bool, error) { return b.magic(n, st, b.play) }})
	return b.newScope(layers, nil, b.play), true, nil
}

func (b *batch) liveHosts(batchOnly bool) []any {
	out := []any{}
	names := b.allHosts
	if batchOnly {
		names = b.names()
	}
	for _, n := range names {
		if st := b.state(n); st != nil && !st.isLost() {
			out = append(out, n)
		}
	}
	return out
}

func list(in []string) []any {
	out := make([]any, len(in))
	for i, s := range in {
		out[i] = s
	}
	return out
}

// loadVarsFiles reads the play's vars_files for this host. An entry that is a
// list names alternatives: the first that exists is read.
func (h *hostRun) loadVarsFiles(ctx context.Context, f frame) error {
	b := h.batch
	for _, v := range b.play.VarsFiles {
		scope := b.taskScope(h, &playbook.Task{Pos: v.Pos()}, f)
		got, err := v.Eval(b.context(ctx, scope, nil, b.play))
		if err != nil {
			return err
		}
		names, ok := got.([]any)
		if !ok {
			names = []any{got}
		}
		path, err := firstThere(b, names)
		if err != nil {
			return diag.Errorf(v.Pos(), "vars_files: %v", err)
		}
		m, dl := vars.LoadFile(path, b.engine)
		if err := dl.Err(); err != nil {
			return err
		}
		h.varsFiles = append(h.varsFiles, layerOf("vars file "+path, m))
	}
	return nil
}

func firstThere(b *batch, names []any) (string, error) {
	var tried []string
	for _, n := range names {
		p := value.Text(n)
		if !filepath.IsAbs(p) {
			p = filepath.Join(b.play.Dir, p)
		}
		if _, err := os.Stat(p); err == nil {
			return p, nil
		}
		tried = append(tried, p)
	}
	return "", fmt.Errorf("no such file: %s", strings.Join(tried, ", "))
}

// ref names a task in events.
func (b *batch) ref(t *playbook.Task, h *hostRun, f frame) event.TaskRef {
	ref := event.TaskRef{ID: t.ID, Pos: t.Pos, Module: t.ActionName(), Handler: f.handler}
	if t.Role != nil {
		ref.Role = t.Role.Name
	} else if f.role != nil {
		ref.Role = f.role.Role.Name
	}
	ref.Name = b.taskName(t, h, f)
	return ref
}

// taskName is the task's name as templated for the host; where that cannot be
// done, as written.
func (b *batch) taskName(t *playbook.Task, h *hostRun, f frame) string {
	if t.Name == nil {
		return t.ActionName()
	}
	if v, ok := t.Name.Literal(); ok {
		return value.Text(v)
	}
	v, err := t.Name.Eval(b.context(context.Background(), b.taskScope(h, t, f), t, b.play))
	if err != nil {
		return displayName(t)
	}
	return value.Text(v)
}

// displayName is the task's name as written.
func displayName(t *playbook.Task) string {
	if t.Name == nil {
		return t.ActionName()
	}
	if s, ok := t.Name.Node().Text(); ok {
		return s
	}
	return t.ActionName()
}

// withTags gives the task with the tags of dynamic includes and role uses
// around it.
func withTags(t *playbook.Task, tags []string) *playbook.Task {
	if len(tags) == 0 {
		return t
	}
	more := *t
	more.AllTags = append(slices.Clip(t.AllTags), tags...)
	return &more
}
