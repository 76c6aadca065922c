package playbook

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/source"
)

// call is a module's name and options as a task writes them.
type call struct {
	name    string
	pos     diag.Pos
	options *source.Node // may be nil
}

// action reads a task's module and its options.
func (r *reader) action(t *Task, f source.Field, n *source.Node) *Task {
	c := call{name: f.Name, pos: f.Pos, options: f.Node}
	if f.Name == "action" || f.Name == "local_action" {
		var ok bool
		if c, ok = r.named(f); !ok {
			return nil
		}
		if f.Name == "local_action" {
			if t.DelegateTo != nil && n.Get("delegate_to") != nil {
				r.errorf(f.Pos, "local_action and delegate_to exclude each other")
			}
			t.DelegateTo = r.value(&source.Node{Kind: source.String, Scalar: "localhost", Pos: f.Pos})
		}
		if special(c.name) != "" {
			r.hint(c.pos, "write it as a key of the task", "%s cannot be given as %s", c.name, f.Name)
			return nil
		}
	}
	mod, ok := r.cfg.Modules.Lookup(c.name)
	if !ok {
		r.hint(c.pos, r.cfg.Modules.DidYouMean(c.name), "no module %q", c.name)
		return nil
	}
	opts := r.options(mod, c)
	if args, ok := n.Field("args"); ok && opts != nil {
		opts = r.withArgs(mod, opts, args)
	}
	if opts == nil {
		return nil
	}
	t.Action = &Action{Module: mod, Name: c.name, Pos: c.pos}
	r.checkArgs(t, opts)
	t.Action.Args = r.value(r.compileBare(t.Action, opts))
	r.findContent(t, opts)
	return t
}

// named reads action and local_action: "module k=v", or a map with the key
// module.
func (r *reader) named(f source.Field) (call, bool) {
	switch f.Node.Kind {
	case source.String:
		text, _ := f.Node.Text()
		name, rest, _ := strings.Cut(strings.TrimSpace(text), " ")
		if name == "" || strings.Contains(name, "{{") {
			r.errorf(f.Node.Pos, "%s must name a module", f.Name)
			return call{}, false
		}
		c := call{name: name, pos: f.Node.Pos}
		if rest = strings.TrimSpace(rest); rest != "" {
			pos := f.Node.Place(strings.Index(text, rest))
			c.options = &source.Node{Kind: source.String, Scalar: rest, Pos: pos}
		}
		return c, true
	case source.Map:
		m, ok := f.Node.Field("module")
		if !ok {
			r.errorf(f.Node.Pos, "%s needs the key module", f.Name)
			return call{}, false
		}
		name := r.word(m)
		rest := *f.Node
		rest.Fields = slices.DeleteFunc(slices.Clone(rest.Fields), func(o source.Field) bool { return o.Name == "module" })
		return call{name: name, pos: m.Node.Pos, options: &rest}, name != ""
	}
	r.wrong(f, "a module with its options")
	return call{}, false
}

// options gives a call's options as a map; nil when they cannot be read.
func (r *reader) options(mod *modules.Module, c call) *source.Node {
	if c.options == nil || c.options.Kind == source.Null {
		return &source.Node{Kind: source.Map, Pos: c.pos}
	}
	switch c.options.Kind {
	case source.Map:
		return c.options
	case source.String:
		if mod.FreeForm == "" && strings.HasPrefix(strings.TrimSpace(c.options.Scalar.(string)), "{{") {
			r.hint(c.options.Pos, "write the options out, or use module_defaults", "the options of a module cannot come from one template")
			return nil
		}
		return r.bare(mod, c.options)
	}
	r.errorf(c.options.Pos, "module %s takes a map of options, found %s", mod.Name, c.options.Kind)
	return nil
}

// withArgs adds what stands under args; options of the module itself win.
func (r *reader) withArgs(mod *modules.Module, opts *source.Node, args source.Field) *source.Node {
	switch args.Node.Kind {
	case source.Null:
		return opts
	case source.String:
		if isTemplate(args.Node) {
			r.hint(args.Node.Pos, "write the options out, or use module_defaults", "args cannot be a template")
			return opts
		}
		if args.Node = r.bare(mod, args.Node); args.Node == nil {
			return opts
		}
	case source.Map:
	default:
		r.wrong(args, "a map of options")
		return opts
	}
	out := *opts
	out.Fields = slices.Clone(opts.Fields)
	for _, f := range args.Node.Fields {
		if _, twice := opts.Field(f.Name); !twice {
			out.Fields = append(out.Fields, f)
		}
	}
	return &out
}

// checkArgs reports everything wrong with a task's options.
func (r *reader) checkArgs(t *Task, opts *source.Node) {
	mod := t.Action.Module
	m, _ := opts.Value().(map[string]any)
	pending := func(path string) bool {
		f, _, ok := locate(mod, opts, path)
		return ok && f.Node.Kind == source.String && isTemplate(f.Node)
	}
	for _, e := range mod.CheckArgs(m, pending) {
		f, isOption, found := locate(mod, opts, e.Option)
		d := diag.Diagnostic{Pos: t.Action.Pos, Message: e.Message, Hint: e.Hint}
		switch {
		case e.Option == "":
			d.Message = fmt.Sprintf("module %s: %s", mod.Name, e.Message)
		case !found:
			if r.hasDefaults(t, mod) {
				continue // module_defaults may give it
			}
			if f.Name != "" {
				d.Pos = f.Pos // inside of another option
			}
		case isOption:
			d.Pos, d.Message = f.Node.Pos, e.Error()
		default:
			d.Pos = f.Pos
		}
		r.diags.Add(d)
	}
}

func (r *reader) hasDefaults(t *Task, mod *modules.Module) bool {
	for name := range t.at.withDefaults(t.ModuleDefaults).defaults {
		if m, ok := r.cfg.Modules.Lookup(name); ok && m == mod {
			return true
		}
	}
	return false
}

var pathPart = regexp.MustCompile(`\[(\d+)\]|[^.\[\]]+`)

// locate finds the field at an option path such as "rules[2].port". isOption
// is false when the module has no such option.
func locate(mod *modules.Module, n *source.Node, path string) (f source.Field, isOption, found bool) {
	f, isOption = source.Field{Pos: n.Pos, Node: n}, true
	opts := mod.Options()
	for _, m := range pathPart.FindAllStringSubmatch(path, -1) {
		if m[1] != "" {
			i, _ := strconv.Atoi(m[1])
			if i >= len(f.Node.Items) {
				return f, isOption, false
			}
			f = source.Field{Name: f.Name, Pos: f.Node.Items[i].Pos, Node: f.Node.Items[i]}
			continue
		}
		next, ok := f.Node.Field(m[0])
		if !ok {
			return f, isOption, false
		}
		f = next
		if opts != nil {
			o, ok := findOption(opts, m[0])
			isOption, opts = ok, o.Sub
		}
	}
	return f, isOption, true
}

func findOption(opts []modules.Option, name string) (modules.Option, bool) {
	for _, o := range opts {
		if o.Name == name || slices.Contains(o.Aliases, name) {
			return o, true
		}
	}
	return modules.Option{}, false
}

// optionNames lists what users may write.
func optionNames(mod *modules.Module) []string {
	var out []string
	for _, o := range mod.Options() {
		if !o.Internal {
			out = append(append(out, o.Name), o.Aliases...)
		}
	}
	return out
}

// compileBare compiles the options that hold bare pipelines, and returns the
// options with these kept from being evaluated as templates.
func (r *reader) compileBare(a *Action, opts *source.Node) *source.Node {
	out := *opts
	out.Fields = slices.Clone(opts.Fields)
	for i, f := range out.Fields {
		o, _ := a.Module.Option(f.Name)
		switch o.Type {
		case "condition":
			a.tests = append(a.tests, r.conditions(f)...)
		case "expression":
			text, ok := f.Node.Text()
			if !ok {
				continue
			}
			e, l := r.cfg.Engine.CompileExpr(text, f.Node.Pos)
			r.diags.Merge(l)
			if e != nil {
				a.exprs = append(a.exprs, e)
			}
		default:
			continue
		}
		out.Fields[i].Node = unevaluated(f.Node)
	}
	return &out
}

// unevaluated marks every text in a node as no template.
func unevaluated(n *source.Node) *source.Node {
	out := *n
	if n.Kind == source.String {
		out.Tag = "!unsafe"
	}
	out.Items = slices.Clone(n.Items)
	for i, e := range out.Items {
		out.Items[i] = unevaluated(e)
	}
	return &out
}
