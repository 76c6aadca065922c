package playbook

import (
	"fmt"
	"slices"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/source"
	"github.com/foobar-play/foobar-play/pkg/template"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// setters read the keywords of one level into a T.
type setters[T any] map[string]func(r *reader, dst *T, f source.Field)

// commonFields are the keywords that every level has and of which the
// innermost wins.
var commonFields = []struct {
	name  string
	read  func(*reader, source.Field) *template.Value
	field func(k *Keywords) **template.Value
}{
	{"become", (*reader).boolean, func(k *Keywords) **template.Value { return &k.Become }},
	{"become_user", (*reader).textual, func(k *Keywords) **template.Value { return &k.BecomeUser }},
	{"become_method", (*reader).textual, func(k *Keywords) **template.Value { return &k.BecomeMethod }},
	{"become_flags", (*reader).textual, func(k *Keywords) **template.Value { return &k.BecomeFlags }},
	{"become_exe", (*reader).textual, func(k *Keywords) **template.Value { return &k.BecomeExe }},
	{"connection", (*reader).textual, func(k *Keywords) **template.Value { return &k.Connection }},
	{"remote_user", (*reader).textual, func(k *Keywords) **template.Value { return &k.RemoteUser }},
	{"port", (*reader).number, func(k *Keywords) **template.Value { return &k.Port }},
	{"no_log", (*reader).boolean, func(k *Keywords) **template.Value { return &k.NoLog }},
	{"ignore_errors", (*reader).boolean, func(k *Keywords) **template.Value { return &k.IgnoreErrors }},
	{"ignore_unreachable", (*reader).boolean, func(k *Keywords) **template.Value { return &k.IgnoreUnreachable }},
	{"check_mode", (*reader).boolean, func(k *Keywords) **template.Value { return &k.CheckMode }},
	{"diff", (*reader).boolean, func(k *Keywords) **template.Value { return &k.Diff }},
	{"run_once", (*reader).boolean, func(k *Keywords) **template.Value { return &k.RunOnce }},
	{"throttle", (*reader).number, func(k *Keywords) **template.Value { return &k.Throttle }},
	{"timeout", (*reader).number, func(k *Keywords) **template.Value { return &k.Timeout }},
	{"any_errors_fatal", (*reader).boolean, func(k *Keywords) **template.Value { return &k.AnyErrorsFatal }},
	{"module_defaults", (*reader).moduleDefaults, func(k *Keywords) **template.Value { return &k.ModuleDefaults }},
}

// commonSetters are the keywords that every level has.
var commonSetters = func() setters[Keywords] {
	out := setters[Keywords]{
		"environment": func(r *reader, k *Keywords, f source.Field) {
			if v := r.environment(f); v != nil {
				k.Environment = []*template.Value{v}
			}
		},
		"tags": func(r *reader, k *Keywords, f source.Field) { k.Tags = r.words(f) },
	}
	for _, c := range commonFields {
		out[c.name] = sets(c.read, c.field)
	}
	return out
}()

// notYet are keywords of Ansible that are known and not supported, with what to
// do instead.
var notYet = map[string]string{
	"async": "", "poll": "", "collections": "write the full name of a module instead, or leave it out",
	"debugger": "", "vars_prompt": "give the values with --extra-vars", "gather_timeout": "",
	"fact_path": "use a task with the module setup and its fact_path",
}

// renamed are keywords that Ansible had once, with today's.
var renamed = map[string]string{
	"sudo": "become", "sudo_user": "become_user", "su": "become", "su_user": "become_user",
	"user": "remote_user", "always_run": "check_mode: false", "accelerate": "", "include": "import_tasks or include_tasks",
}

// sets makes a setter of one field out of a way to read it.
func sets[T any](read func(*reader, source.Field) *template.Value, field func(*T) **template.Value) func(*reader, *T, source.Field) {
	return func(r *reader, dst *T, f source.Field) { *field(dst) = read(r, f) }
}

// set reads f when it is one of the keywords.
func (s setters[T]) set(r *reader, dst *T, f source.Field) bool {
	read, ok := s[f.Name]
	if ok {
		read(r, dst, f)
	}
	return ok
}

func (s setters[T]) names() []string { return value.Keys(s) }

// unknown reports a key that is no keyword of what ("a play", "a block", …).
func (r *reader) unknown(what string, f source.Field, keywords ...[]string) {
	if instead, ok := notYet[f.Name]; ok {
		r.hint(f.Pos, instead, "keyword %q is not supported yet", f.Name)
		return
	}
	hint := diag.DidYouMean(f.Name, slices.Concat(keywords...))
	if now, ok := renamed[f.Name]; ok && now != "" {
		hint = "it is called " + now + " now"
	}
	r.hint(f.Pos, hint, "%s has no keyword %q", what, f.Name)
}

func (r *reader) environment(f source.Field) *template.Value {
	if f.Node.Kind == source.Null {
		return nil
	}
	for _, n := range one(f.Node) {
		if n.Kind != source.Map && !isTemplate(n) {
			r.wrong(source.Field{Name: f.Name, Node: n}, "a map of variables")
			return nil
		}
	}
	return r.value(f.Node)
}

// moduleDefaults reads options by module.
func (r *reader) moduleDefaults(f source.Field) *template.Value {
	if f.Node.Kind == source.Null {
		return nil
	}
	if f.Node.Kind != source.Map {
		r.wrong(f, "a map of modules and their options")
		return nil
	}
	for _, m := range f.Node.Fields {
		mod, ok := r.cfg.Modules.Lookup(m.Name)
		if !ok {
			r.hint(m.Pos, r.cfg.Modules.DidYouMean(m.Name), "module_defaults: no module %q", m.Name)
			continue
		}
		if m.Node.Kind != source.Map {
			if !isTemplate(m.Node) {
				r.wrong(m, "a map of options")
			}
			continue
		}
		for _, o := range m.Node.Fields {
			if _, ok := mod.Option(o.Name); !ok {
				r.hint(o.Pos, diag.DidYouMean(o.Name, optionNames(mod)), "module %s has no option %q", mod.Name, o.Name)
			}
		}
	}
	return r.value(f.Node)
}

// choice reads one of a few words, which may have Ansible's long form.
func (r *reader) choice(f source.Field, notYet []string, choices ...string) string {
	s := builtin(r.word(f))
	switch {
	case s == "" || slices.Contains(choices, s):
		return s
	case slices.Contains(notYet, s):
		r.errorf(f.Node.Pos, "%s %q is not supported yet", f.Name, s)
	default:
		r.hint(f.Node.Pos, diag.DidYouMean(s, choices), "%s is one of %s, not %q", f.Name, list(choices), s)
	}
	return ""
}

// list writes "a, b or c".
func list(words []string) string {
	if len(words) < 2 {
		return fmt.Sprint(words)
	}
	out := words[0]
	for _, w := range words[1 : len(words)-1] {
		out += ", " + w
	}
	return out + " or " + words[len(words)-1]
}
