package playbook

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/template"
	"github.com/foobar-play/foobar-play/pkg/value"
	"github.com/foobar-play/foobar-play/pkg/vars"
)

// TestGood loads every project of testdata/good and compares the tree, and
// whatever warnings there are, with its want.txt.
func TestGood(t *testing.T) {
	dirs, err := filepath.Glob("testdata/good/*")
	if err != nil || len(dirs) == 0 {
		t.Fatalf("%d projects, %v", len(dirs), err)
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			pbs, l := check(t, dir)
			if l.HasErrors() {
				t.Error(l.Err())
			}
			d := &dumper{}
			for _, pb := range pbs {
				for _, p := range pb.Plays {
					d.play(p)
				}
			}
			compare(t, filepath.Join(dir, "want.txt"), strings.ReplaceAll(d.String(), dir+"/", "")+report(dir, l))
		})
	}
}

// dumper writes the tree as text.
type dumper struct {
	strings.Builder
	depth int
}

func (d *dumper) line(format string, args ...any) {
	d.WriteString(strings.Repeat("  ", d.depth) + strings.TrimRight(fmt.Sprintf(format, args...), " ") + "\n")
}

func (d *dumper) inside(title string, n int, body func()) {
	if n == 0 {
		return
	}
	d.line("%s:", title)
	d.depth++
	body()
	d.depth--
}

func shown(v *template.Value) string { return value.Text(v.Node().Value()) }

func (d *dumper) play(p *Play) {
	d.line("play %s hosts=%s dir=%s%s", p.Pos, shown(p.Hosts), filepath.Base(p.Dir), keywords(p.Keywords)+variables(p.Vars)+variables(p.ImportVars))
	d.depth++
	for name, v := range map[string]*template.Value{"name": p.Name} {
		if v != nil {
			d.line("%s %s", name, shown(v))
		}
	}
	if p.Serial != nil || p.Strategy != "linear" || p.Order != "" {
		d.line("strategy %s order %s serial %s", p.Strategy, p.Order, shown(p.Serial))
	}
	for _, f := range p.files {
		d.line("vars file %s%s", f.path, variables(f.vars))
	}
	d.tasks("pre_tasks", p.PreTasks)
	d.inside("roles", len(p.Roles), func() { d.uses(p.Roles) })
	d.tasks("tasks", p.Tasks)
	d.tasks("post_tasks", p.PostTasks)
	d.tasks("handlers", p.Handlers)
	for _, u := range p.Imported {
		d.line("imported role %s (%s)%s", u.Role.Name, u.Entry, variables(u.Role.Defaults))
		d.depth++
		d.tasks("handlers", u.Role.Handlers)
		d.depth--
	}
	if facts := FactsMentioned(p); len(facts) > 0 {
		d.line("facts %v", facts)
	}
	d.depth--
}

func (d *dumper) uses(uses []*RoleUse) {
	for _, u := range uses {
		extra := ""
		if u.Dependency {
			extra = " dependency"
		}
		d.line("role %s (%s)%s%s%s", u.Role.Name, u.Entry, extra, keywords(u.Keywords), variables(u.Vars))
		d.depth++
		if s := variables(u.Role.Defaults); s != "" {
			d.line("defaults%s", s)
		}
		if s := variables(u.Role.Vars); s != "" {
			d.line("vars%s", s)
		}
		d.tasks("tasks", u.Role.Tasks)
		d.tasks("handlers", u.Role.Handlers)
		d.depth--
	}
}

func (d *dumper) tasks(title string, tasks []*Task) {
	d.inside(title, len(tasks), func() {
		for _, t := range tasks {
			d.task(t)
		}
	})
}

func (d *dumper) task(t *Task) {
	what := "meta " + t.Meta
	switch {
	case t.Action != nil:
		what = t.Action.Name + " " + shown(t.Action.Args)
	case t.Block != nil:
		what = "block"
		if t.Block.Role != nil {
			what += " of role " + t.Block.Role.Role.Name + variables(t.Block.Role.Vars)
		}
	case t.Include != nil:
		what = "include " + shown(t.Include.File)
		if a := t.Include.Apply; a != nil {
			what += " apply(" + strings.TrimSpace(keywords(a.Keywords)+fmt.Sprintf(" when=%v", texts(a.When))) + ")"
		}
	}
	if t.Name != nil {
		what = fmt.Sprintf("%q ", shown(t.Name)) + what
	}
	d.line("%s: %s%s", t.Pos, what, details(t))
	d.depth++
	if b := t.Block; b != nil {
		d.tasks("block", b.Tasks)
		d.tasks("rescue", b.Rescue)
		d.tasks("always", b.Always)
	}
	if i := t.Include; i != nil {
		d.tasks("brings", i.tasks)
		d.inside("brings", len(i.uses), func() { d.uses(i.uses) })
	}
	d.depth--
}

func details(t *Task) string {
	out := keywords(t.Keywords) + variables(t.Vars)
	put := func(name string, v any) {
		if s := fmt.Sprint(v); s != "" && s != "[]" {
			out += " " + name + "=" + s
		}
	}
	if t.Role != nil {
		put("role", t.Role.Name)
	}
	put("when", texts(t.When))
	put("all_tags", t.AllTags)
	put("listen", t.Listen)
	put("register", t.Register)
	for _, c := range []struct {
		name string
		v    *template.Value
	}{{"notify", t.Notify}, {"delegate_to", t.DelegateTo}, {"retries", t.Retries}, {"delay", t.Delay}} {
		if c.v != nil {
			put(c.name, shown(c.v))
		}
	}
	for _, c := range []struct {
		name string
		c    *template.Condition
	}{{"changed_when", t.ChangedWhen}, {"failed_when", t.FailedWhen}, {"until", t.Until}} {
		if c.c != nil {
			put(c.name, c.c.String())
		}
	}
	if l := t.Loop; l != nil {
		put("loop", fmt.Sprintf("%s as %s %s flatten=%v dict=%v extended=%v", shown(l.Items), l.Var, l.IndexVar, l.Flatten, l.Dict, l.Extended))
	}
	return out
}

func keywords(k Keywords) string {
	out := ""
	for _, c := range commonFields {
		if v := *c.field(&k); v != nil {
			out += fmt.Sprintf(" %s=%s", c.name, shown(v))
		}
	}
	for _, e := range k.Environment {
		out += " environment=" + shown(e)
	}
	if len(k.Tags) > 0 {
		out += fmt.Sprintf(" tags=%v", k.Tags)
	}
	return out
}

func variables(m map[string]vars.Var) string {
	if len(m) == 0 {
		return ""
	}
	out := " {"
	for i, k := range value.Keys(m) {
		if i > 0 {
			out += ", "
		}
		out += k + ": " + shown(m[k].Value)
	}
	return out + "}"
}
