package vars

import (
	"errors"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/template"
)

var errSkeleton = errors.New("pkg/vars is being written")

type Var struct {
	Value *template.Value
	Pos   diag.Pos
}

type Layer struct {
	Name  string
	Vars  map[string]Var
	Func  func(name string) (v any, ok bool, err error)
	Names func() []string
}

type Scope struct{ layers []Layer }

func NewScope(base []Layer, newCtx func(s *Scope) *template.Context) *Scope { return &Scope{base} }
func (s *Scope) With(layers ...Layer) *Scope {
	return &Scope{append(append([]Layer{}, s.layers...), layers...)}
}
func (s *Scope) Lookup(name string) (any, bool, error) { return nil, false, errSkeleton }
func (s *Scope) Names() []string                       { return nil }
func (s *Scope) Origin(name string) (layer string, pos diag.Pos, ok bool) {
	return "", diag.Pos{}, false
}

// HostVars is the magic variable `hostvars`.
type HostVars struct {
	Hosts func() []string
	Scope func(host string) (s *Scope, ok bool, err error)
}

func (h HostVars) Get(host string) (any, bool, error) { return nil, false, errSkeleton }
func (h HostVars) Keys() []string                     { return nil }

func LoadFile(path string, e *template.Engine) (map[string]Var, diag.List) { return nil, diag.List{} }
func ParseExtra(text string, e *template.Engine) (map[string]Var, diag.List) {
	return nil, diag.List{}
}
