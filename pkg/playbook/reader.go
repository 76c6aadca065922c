package playbook

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/source"
	"github.com/foobar-play/foobar-play/pkg/template"
	"github.com/foobar-play/foobar-play/pkg/value"
	"github.com/foobar-play/foobar-play/pkg/vars"
)

// reader turns YAML nodes into the tree, collecting all mistakes on its way.
// One reader serves one call of the Loader.
type reader struct {
	*Loader
	diags *diag.List
	// play is the one being read; nil at run time.
	play *Play
	// roles used so far in the play, for those that run only once.
	used map[string]bool
}

func (r *reader) errorf(pos diag.Pos, format string, args ...any) {
	r.diags.Errorf(pos, format, args...)
}

func (r *reader) hint(pos diag.Pos, hint, format string, args ...any) {
	r.diags.Add(diag.Diagnostic{Pos: pos, Message: fmt.Sprintf(format, args...), Hint: hint})
}

func (r *reader) warn(pos diag.Pos, hint, format string, args ...any) {
	r.diags.Add(diag.Diagnostic{Severity: diag.Warning, Pos: pos, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// value compiles whatever is there.
func (r *reader) value(n *source.Node) *template.Value {
	v, l := r.cfg.Engine.Compile(n)
	r.diags.Merge(l)
	if v == nil {
		v = template.Static(nil)
	}
	return v
}

// any is the setter's form of value; nothing written means not set.
func (r *reader) any(f source.Field) *template.Value {
	if f.Node.Kind == source.Null {
		return nil
	}
	return r.value(f.Node)
}

// wrong reports a value of the wrong kind.
func (r *reader) wrong(f source.Field, want string) {
	found := f.Node.Kind.String()
	if s, ok := f.Node.Text(); ok {
		found = fmt.Sprintf("text %q", brief(s))
	}
	r.errorf(f.Node.Pos, "%s takes %s, found %s", f.Name, want, found)
}

func brief(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}

// boolean reads true, false or a template; YAML 1.1's words are understood with
// a warning.
func (r *reader) boolean(f source.Field) *template.Value {
	switch f.Node.Kind {
	case source.Null:
		return nil
	case source.Bool:
		return r.value(f.Node)
	case source.String:
		if isTemplate(f.Node) {
			return r.value(f.Node)
		}
		text, _ := f.Node.Text()
		if b, ok := value.Word(text); ok && text != "" {
			r.warn(f.Node.Pos, fmt.Sprintf("write %v", b), "%s: %q is text in YAML 1.2; it is read as %v", f.Name, text, b)
			return r.value(&source.Node{Kind: source.Bool, Scalar: b, Pos: f.Node.Pos})
		}
	}
	r.wrong(f, "true or false")
	return nil
}

// number reads a number or a template.
func (r *reader) number(f source.Field) *template.Value {
	switch f.Node.Kind {
	case source.Null:
		return nil
	case source.Int, source.Float:
		return r.value(f.Node)
	case source.String:
		if isTemplate(f.Node) || isNumber(f.Node) {
			return r.value(f.Node)
		}
	}
	r.wrong(f, "a number")
	return nil
}

var numeric = regexp.MustCompile(`^\s*[0-9]+(\.[0-9]+)?\s*$`)

func isNumber(n *source.Node) bool {
	s, ok := n.Text()
	return ok && numeric.MatchString(s)
}

// textual reads a scalar or a template.
func (r *reader) textual(f source.Field) *template.Value {
	switch f.Node.Kind {
	case source.Null:
		return nil
	case source.List, source.Map:
		r.wrong(f, "text")
		return nil
	}
	return r.value(f.Node)
}

// word reads text that must not be a template.
func (r *reader) word(f source.Field) string {
	s, ok := f.Node.Text()
	switch {
	case f.Node.Kind == source.Null:
		return ""
	case !ok:
		r.wrong(f, "text")
	case isTemplate(f.Node):
		r.errorf(f.Node.Pos, "%s cannot hold a template: it must be known before the run", f.Name)
	default:
		return strings.TrimSpace(s)
	}
	return ""
}

// words reads a list of literal texts, or one text with commas.
func (r *reader) words(f source.Field) []string {
	items := []*source.Node{f.Node}
	if f.Node.Kind == source.List {
		items = f.Node.Items
	}
	var out []string
	for _, n := range items {
		if n.Kind == source.Null {
			continue
		}
		if n.Kind == source.List || n.Kind == source.Map {
			r.wrong(source.Field{Name: f.Name, Node: n}, "text or a list of texts")
			continue
		}
		if isTemplate(n) {
			r.errorf(n.Pos, "%s cannot hold a template: it must be known before the run", f.Name)
			continue
		}
		for part := range strings.SplitSeq(value.Text(n.Scalar), ",") {
			if part = strings.TrimSpace(part); part != "" {
				out = append(out, part)
			}
		}
	}
	return out
}

// texts reads a text or a list of texts, templates allowed.
func (r *reader) texts(f source.Field) *template.Value {
	switch f.Node.Kind {
	case source.Null:
		return nil
	case source.Map:
		r.wrong(f, "text or a list of texts")
		return nil
	case source.List:
		for _, n := range f.Node.Items {
			if n.Kind != source.String {
				r.wrong(source.Field{Name: f.Name, Node: n}, "text or a list of texts")
			}
		}
	}
	return r.value(f.Node)
}

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// variable reads the name of a variable (register, loop_var).
func (r *reader) variable(f source.Field) string {
	s := r.word(f)
	if s != "" && !identifier.MatchString(s) {
		r.errorf(f.Node.Pos, "%s: %q cannot be the name of a variable: letters, digits and _ only, no digit first", f.Name, s)
		return ""
	}
	return s
}

// conditions reads a condition or a list of them.
func (r *reader) conditions(f source.Field) []*template.Condition {
	items := []*source.Node{f.Node}
	if f.Node.Kind == source.List {
		items = f.Node.Items
	}
	var out []*template.Condition
	for _, n := range items {
		if c := r.condition(source.Field{Name: f.Name, Pos: f.Pos, Node: n}); c != nil {
			out = append(out, c)
		}
	}
	return out
}

// condition reads one bare pipeline, a list of which all must hold, or a
// literal true or false.
func (r *reader) condition(f source.Field) *template.Condition {
	if f.Node.Kind == source.Null {
		return nil
	}
	c, l := r.cfg.Engine.CompileCondition(f.Node)
	r.diags.Merge(l)
	return c
}

// variables reads a map of variables.
func (r *reader) variables(f source.Field) map[string]vars.Var {
	if f.Node.Kind == source.Null {
		return nil
	}
	if f.Node.Kind != source.Map {
		r.wrong(f, "a map of variables")
		return nil
	}
	out := make(map[string]vars.Var, len(f.Node.Fields))
	for _, v := range f.Node.Fields {
		if !identifier.MatchString(v.Name) {
			r.errorf(v.Pos, "%q cannot be the name of a variable: letters, digits and _ only, no digit first", v.Name)
			continue
		}
		out[v.Name] = vars.Var{Value: r.value(v.Node), Pos: v.Pos}
	}
	return out
}

// isTemplate reports whether a node or anything in it waits for evaluation.
func isTemplate(n *source.Node) bool {
	if n == nil {
		return false
	}
	switch n.Kind {
	case source.String:
		s, _ := n.Text()
		return n.Tag == "!vault" || n.Tag != "!unsafe" && strings.Contains(s, "{{")
	case source.List:
		return slices.ContainsFunc(n.Items, isTemplate)
	case source.Map:
		return slices.ContainsFunc(n.Fields, func(f source.Field) bool { return isTemplate(f.Node) })
	}
	return false
}

// literal gives a value's text when it is known before the run.
func literal(v *template.Value) (string, bool) {
	if v == nil || v.Node() == nil {
		return "", false
	}
	s, ok := v.Node().Text()
	return s, ok && !isTemplate(v.Node())
}

// one takes a list as it is, and anything else as a list of one.
func one(n *source.Node) []*source.Node {
	if n.Kind == source.List {
		return n.Items
	}
	return []*source.Node{n}
}
