package template

import (
	"errors"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/source"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// Expr is a compiled bare pipeline. It is immutable and safe for concurrent
// use.
type Expr struct {
	text string
	pos  diag.Pos
	tmpl *compiled
}

// CompileExpr parses and checks a bare pipeline such as `eq .x 1`, which
// stands at pos on one line. Text within one {{ }} is accepted with a warning.
// The Expr is never nil; after an error in the list, evaluating it fails.
func (e *Engine) CompileExpr(text string, pos diag.Pos) (*Expr, diag.List) {
	var list diag.List
	x := e.expr(text, placeIn(text, pos), &list)
	return x, list
}

func (e *Engine) expr(text string, place func(int) diag.Pos, list *diag.List) *Expr {
	x := &Expr{text: strings.TrimSpace(text), pos: place(len(text) - len(strings.TrimLeft(text, " \t\r\n")))}
	bare, skipped, wrapped := unwrap(text)
	if wrapped {
		list.Add(diag.Diagnostic{
			Severity: diag.Warning, Pos: x.pos,
			Message: "a condition is a bare pipeline, {{ }} is not needed", Hint: "write " + strings.TrimSpace(bare),
		})
		place = shifted(place, skipped)
	}
	p, bad := parseBare(bare, place)
	if bad != nil {
		list.Add(*bad)
		return x
	}
	x.tmpl = e.checked(p, list)
	return x
}

func shifted(place func(int) diag.Pos, by int) func(int) diag.Pos {
	return func(offset int) diag.Pos { return place(offset + by) }
}

// unwrap takes off one pair of {{ }} around the whole text.
func unwrap(text string) (bare string, skipped int, ok bool) {
	trimmed := strings.TrimSpace(text)
	d := delims{}.orUsual()
	spans := actions(trimmed, d)
	if len(spans) != 1 || spans[0] != (span{0, len(trimmed)}) || !strings.HasSuffix(trimmed, d.right) || len(trimmed) < 4 {
		return text, 0, false
	}
	skipped = strings.Index(text, d.left) + len(d.left)
	bare = trimmed[len(d.left) : len(trimmed)-len(d.right)]
	if strings.HasPrefix(bare, "- ") {
		bare, skipped = bare[2:], skipped+2
	}
	return strings.TrimSuffix(bare, " -"), skipped, true
}

var errNotCompiled = errors.New("this has mistakes and was not compiled")

// Eval gives the pipeline's value, or a value.Unknown. Errors are *Error.
func (x *Expr) Eval(ctx *Context) (any, error) {
	v, err := x.eval(ctx, asGo)
	if err != nil {
		return nil, err
	}
	v, err = whole(v)
	return v, positioned(err, x.pos, "")
}

func (x *Expr) eval(ctx *Context, m mode) (any, error) {
	if x.tmpl == nil {
		return nil, positioned(errNotCompiled, x.pos, "")
	}
	return newRun(x.tmpl, ctx, nil).native(m)
}

// Refs lists the variables that the pipeline mentions.
func (x *Expr) Refs() []Ref {
	if x.tmpl == nil {
		return nil
	}
	return x.tmpl.refs
}

// String is the pipeline as written.
func (x *Expr) String() string { return x.text }

// Pos is where it stands.
func (x *Expr) Pos() diag.Pos { return x.pos }

// Condition is what when, until, that and their like hold: terms that must all
// hold. It is immutable and safe for concurrent use; a nil Condition holds.
type Condition struct {
	pos   diag.Pos
	terms []term
}

type term struct {
	expr  *Expr // nil: fixed
	fixed bool
	text  string
	pos   diag.Pos
}

// CompileCondition compiles true or false, one bare pipeline, or a list of
// these. The Condition is never nil.
func (e *Engine) CompileCondition(n *source.Node) (*Condition, diag.List) {
	var list diag.List
	list.AddError(diag.Pos{}, e.badFuncErr)
	c := &Condition{}
	if n == nil {
		return c, list
	}
	c.pos = n.Pos
	if n.Kind != source.List {
		c.add(e, n, &list)
		return c, list
	}
	for _, item := range n.Items {
		c.add(e, item, &list)
	}
	return c, list
}

func (c *Condition) add(e *Engine, n *source.Node, list *diag.List) {
	t := term{pos: n.Pos, text: value.Text(n.Scalar)}
	switch n.Kind {
	case source.Bool, source.Int:
		t.fixed, _ = value.Bool(n.Scalar)
	case source.String:
		s, _ := n.Text()
		if b, ok := value.Word(s); ok && strings.TrimSpace(s) != "" {
			t.fixed = b
			break
		}
		t.expr = e.expr(s, n.Place, list)
		t.text = t.expr.text
	case source.Null:
		list.Add(diag.Errorf(n.Pos, "a condition is missing").WithHint("write one, such as `eq .x 1`, or remove the key"))
	default:
		list.Errorf(n.Pos, "a condition is true, false or a pipeline, not %s", n.Kind)
	}
	c.terms = append(c.terms, t)
}

// Test tells whether all terms hold. The Unknown is not zero (it has a Reason)
// when that cannot be known in a dry run; a term that is false decides even
// so. Errors are *Error.
func (c *Condition) Test(ctx *Context) (holds bool, unknown value.Unknown, err error) {
	holds, unknown, _, err = c.Explain(ctx)
	return holds, unknown, err
}

// Explain is Test that also gives, as written, the term that is false.
func (c *Condition) Explain(ctx *Context) (holds bool, unknown value.Unknown, falseTerm string, err error) {
	if c == nil {
		return true, unknown, "", nil
	}
	pending := false
	for _, t := range c.terms {
		yes, u, err := t.test(ctx)
		switch {
		case err != nil && pending:
			// What was not known may have been what guards this term.
		case err != nil:
			return false, value.Unknown{}, "", err
		case u != nil && !pending:
			pending, unknown = true, *u
		case u == nil && !yes:
			return false, value.Unknown{}, t.text, nil
		}
	}
	return !pending, unknown, "", nil
}

func (t term) test(ctx *Context) (bool, *value.Unknown, error) {
	if t.expr == nil {
		return t.fixed, nil, nil
	}
	v, err := t.expr.eval(ctx, asCondition)
	if err != nil {
		return false, nil, err
	}
	if u, ok := isUnknown(v); ok {
		if u.Reason == "" {
			u.Reason = "it is known only after the run"
		}
		return false, &u, nil
	}
	if g, ok := v.(Getter); ok {
		return len(g.Keys()) > 0, nil, nil
	}
	yes, err := value.Bool(v)
	return yes, nil, positioned(err, t.pos, "")
}

// Refs lists the variables that the terms mention. One that an earlier term
// tests with `defined` is Guarded in the later ones.
func (c *Condition) Refs() []Ref {
	if c == nil {
		return nil
	}
	var out []Ref
	var safe guards
	for i, t := range c.terms {
		if t.expr == nil || t.expr.tmpl == nil {
			continue
		}
		for _, ref := range t.expr.tmpl.refs {
			ref.Conditional = ref.Conditional || i > 0
			ref.Guarded = ref.Guarded || safe.cover(ref.Path)
			out = append(out, ref)
		}
		safe = append(safe, t.expr.guards()...)
	}
	return out
}

// Guards lists the paths (as in Ref.Path) that are certainly defined where the
// condition holds: what it tests with `defined`.
func (c *Condition) Guards() [][]string {
	if c == nil {
		return nil
	}
	var out [][]string
	for _, t := range c.terms {
		if t.expr != nil {
			out = append(out, t.expr.guards()...)
		}
	}
	return out
}

// Pos is where the condition stands.
func (c *Condition) Pos() diag.Pos {
	if c == nil {
		return diag.Pos{}
	}
	return c.pos
}

// String is the condition as written, its terms joined with "and".
func (c *Condition) String() string {
	if c == nil {
		return ""
	}
	texts := make([]string, len(c.terms))
	for i, t := range c.terms {
		texts[i] = t.text
	}
	return strings.Join(texts, " and ")
}
