package playbook

import (
	"slices"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/source"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// Types are the types a role's parameter may have, as in Ansible.
var argTypes = []string{"str", "bool", "int", "float", "list", "dict", "path", "raw"}

// argSpecs reads the entry points of a role's argument specs.
func (r *reader) argSpecs(f source.Field) map[string]*ArgSpec {
	if f.Node.Kind != source.Map {
		r.wrong(f, "a map of entry points, such as main")
		return nil
	}
	out := map[string]*ArgSpec{}
	for _, e := range f.Node.Fields {
		if e.Node.Kind != source.Map {
			r.wrong(e, "a map with options")
			continue
		}
		out[e.Name] = r.argSpec(e)
	}
	return out
}

var specKeys = []string{"short_description", "description", "author", "version_added", "options", "seealso"}

// constraints are rules between options, which are not checked yet.
var constraints = []string{"mutually_exclusive", "required_together", "required_one_of", "required_if", "required_by"}

func (r *reader) argSpec(e source.Field) *ArgSpec {
	s := &ArgSpec{Pos: e.Pos}
	for _, f := range e.Node.Fields {
		switch f.Name {
		case "short_description":
			s.Short = value.Text(f.Node.Value())
		case "options":
			s.Options = r.argOptions(f)
		case "description", "author", "version_added", "seealso":
		default:
			r.unknownSpecKey("an argument spec", f, specKeys)
		}
	}
	return s
}

func (r *reader) unknownSpecKey(what string, f source.Field, known []string) {
	if slices.Contains(constraints, f.Name) {
		r.errorf(f.Pos, "argument spec key %q is not supported yet", f.Name)
		return
	}
	r.hint(f.Pos, diag.DidYouMean(f.Name, known), "%s has no key %q", what, f.Name)
}

func (r *reader) argOptions(f source.Field) []ArgOption {
	if f.Node.Kind == source.Null {
		return nil
	}
	if f.Node.Kind != source.Map {
		r.wrong(f, "a map of options")
		return nil
	}
	var out []ArgOption
	for _, o := range f.Node.Fields {
		if o.Node.Kind != source.Map && o.Node.Kind != source.Null {
			r.wrong(o, "a map with type, required, default …")
			continue
		}
		out = append(out, r.argOption(o))
	}
	return out
}

var optionKeys = []string{
	"type", "elements", "required", "default", "choices", "no_log", "description", "options", "version_added", "aliases",
}

func (r *reader) argOption(o source.Field) ArgOption {
	out := ArgOption{Name: o.Name, Type: "str", Pos: o.Pos}
	for _, f := range o.Node.Fields {
		switch f.Name {
		case "type":
			out.Type = r.argType(f)
		case "elements":
			out.Elements = r.argType(f)
		case "required":
			out.Required = r.flag(f)
		case "no_log":
			out.Secret = r.flag(f)
		case "default":
			out.Default = f.Node.Value()
		case "choices":
			if f.Node.Kind != source.List {
				r.wrong(f, "a list")
				continue
			}
			out.Choices, _ = f.Node.Value().([]any)
		case "description":
			out.Doc = text(f.Node.Value())
		case "options":
			out.Options = r.argOptions(f)
		case "version_added":
		case "aliases":
			r.errorf(f.Pos, "argument spec key %q is not supported: a role's parameters have one name", f.Name)
		default:
			r.unknownSpecKey("a parameter", f, optionKeys)
		}
	}
	return out
}

func (r *reader) argType(f source.Field) string {
	if t := r.choice(f, []string{"jsonarg", "json", "bytes", "bits"}, argTypes...); t != "" {
		return t
	}
	return "raw"
}

// flag reads a literal boolean.
func (r *reader) flag(f source.Field) bool {
	v := r.boolean(f)
	if v == nil {
		return false
	}
	b, _ := value.Bool(v.Node().Scalar)
	return b
}

// text joins lines.
func text(v any) string {
	l, ok := v.([]any)
	if !ok {
		return value.Text(v)
	}
	out := ""
	for i, e := range l {
		if i > 0 {
			out += "\n"
		}
		out += value.Text(e)
	}
	return out
}
