package template

import (
	"context"
	"errors"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/source"
	"github.com/foobar-play/foobar-play/pkg/value"
)

var errSkeleton = errors.New("pkg/template is being written")

// Omit is what the magic variable `omit` holds.
const Omit = "__omit_place_holder__"

type Scope interface {
	Lookup(name string) (v any, ok bool, err error)
	Names() []string
}

type Getter interface {
	Get(key string) (v any, ok bool, err error)
	Keys() []string
}

type Config struct {
	EnvAllow []string
	Funcs    map[string]any
}

type Engine struct{ cfg Config }

func New(cfg Config) *Engine { return &Engine{cfg} }

type Context struct {
	Ctx   context.Context
	Scope Scope
	Find  func(kind, name string) (path string, err error)
}

type Ref struct {
	Path        []string
	Pos         diag.Pos
	Guarded     bool
	Conditional bool
}

type Value struct{ node *source.Node }
type Field struct {
	Name  string
	Pos   diag.Pos
	Value *Value
}
type Expr struct {
	text string
	pos  diag.Pos
}
type Condition struct{}
type File struct{}
type FileOptions struct {
	Left, Right string
	Extra       map[string]any
}
type Error struct{ Diag diag.Diagnostic }

func (e *Error) Error() string { return e.Diag.Error() }
func (e *Error) Unwrap() error { return e.Diag }

func (e *Engine) Compile(n *source.Node) (*Value, diag.List) { return &Value{n}, diag.List{} }
func (e *Engine) CompileExpr(text string, pos diag.Pos) (*Expr, diag.List) {
	return &Expr{text, pos}, diag.List{}
}
func (e *Engine) CompileCondition(n *source.Node) (*Condition, diag.List) {
	return &Condition{}, diag.List{}
}
func (e *Engine) CompileFile(path string, opts FileOptions) (*File, diag.List) {
	return &File{}, diag.List{}
}
func (e *Engine) RenderFile(ctx *Context, path string, opts FileOptions) ([]byte, error) {
	return nil, errSkeleton
}
func Static(v any) *Value                       { return &Value{source.FromValue(v, diag.Pos{})} }
func (v *Value) Eval(ctx *Context) (any, error) { return nil, errSkeleton }
func (v *Value) Literal() (any, bool)           { return nil, false }
func (v *Value) Node() *source.Node             { return v.node }
func (v *Value) Pos() diag.Pos                  { return v.node.Pos }
func (v *Value) Field(name string) *Value       { return nil }
func (v *Value) Fields() []Field                { return nil }
func (v *Value) Items() []*Value                { return nil }
func (v *Value) Refs() []Ref                    { return nil }
func (e *Expr) Eval(ctx *Context) (any, error)  { return nil, errSkeleton }
func (e *Expr) Refs() []Ref                     { return nil }
func (e *Expr) String() string                  { return e.text }
func (e *Expr) Pos() diag.Pos                   { return e.pos }
func (c *Condition) Refs() []Ref                { return nil }
func (c *Condition) Pos() diag.Pos              { return diag.Pos{} }
func (c *Condition) Test(ctx *Context) (bool, value.Unknown, error) {
	return false, value.Unknown{}, errSkeleton
}
func (f *File) Refs() []Ref { return nil }
