package vars

import (
	"regexp"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/source"
	"github.com/foobar-play/foobar-play/pkg/template"
)

// LoadFile reads a file of variables, YAML or JSON: one map, or nothing. The
// list holds all mistakes in it, those in templates included.
func LoadFile(path string, e *template.Engine) (map[string]Var, diag.List) {
	n, list := source.Load(path)
	if n == nil {
		return nil, list
	}
	out, more := FromNode(n, e)
	list.Merge(more)
	return out, list
}

// name is what a variable may be called: what can stand behind a dot.
var name = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// FromNode makes variables of a YAML map (or of nothing).
func FromNode(n *source.Node, e *template.Engine) (map[string]Var, diag.List) {
	var list diag.List
	out := map[string]Var{}
	switch {
	case n == nil || n.Kind == source.Null:
		return out, list
	case n.Kind != source.Map:
		text, _ := n.Text()
		d := diag.Errorf(n.Pos, "variables are a map of names and values, this is %s", n.Kind)
		if strings.HasPrefix(text, "$ANSIBLE_VAULT;") {
			d = diag.Errorf(n.Pos, "this file is encrypted with Ansible Vault, which is not read yet").
				WithHint("decrypt it with `ansible-vault decrypt` and keep it in a file of mode 0600")
		}
		list.Add(d)
		return nil, list
	}
	for _, f := range n.Fields {
		if !name.MatchString(f.Name) {
			list.Add(badName(f.Name, f.Pos))
			continue
		}
		v, more := e.Compile(f.Node)
		list.Merge(more)
		out[f.Name] = Var{Value: v, Pos: f.Pos}
	}
	return out, list
}

func badName(s string, pos diag.Pos) diag.Diagnostic {
	d := diag.Errorf(pos, "%q is no name for a variable: letters, digits and _ only, not a digit first", s)
	if fixed := strings.NewReplacer("-", "_", ".", "_", " ", "_").Replace(s); name.MatchString(fixed) {
		d = d.WithHint("call it %s", fixed)
	}
	return d
}

// Plain makes variables of plain values of package value; nothing in them is a
// template.
func Plain(values map[string]any) map[string]Var {
	out := make(map[string]Var, len(values))
	for k, v := range values {
		out[k] = Var{Value: template.Static(v)}
	}
	return out
}
