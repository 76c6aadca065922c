package template_test

import (
	"fmt"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/source"
	"github.com/foobar-play/foobar-play/pkg/template"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// variables is the simplest Scope.
type variables map[string]any

func (v variables) Lookup(name string) (any, bool, error) {
	out, ok := v[name]
	return out, ok, nil
}

func (v variables) Names() []string { return value.Keys(v) }

func Example() {
	node, _ := source.Parse("vars.yml", []byte(`
dest: "/etc/{{ .name }}.conf"
ports: "{{ .ports }}"
owner: "{{ .ownr }}"
`))
	engine := template.New(template.Config{})
	args, mistakes := engine.Compile(node)
	fmt.Println("mistakes:", mistakes.Len())
	ctx := &template.Context{Scope: variables{"name": "web", "ports": []any{80, 443}, "owner": "root"}}
	for _, f := range args.Fields() {
		v, err := f.Value.Eval(ctx)
		fmt.Println(f.Name, v, err)
	}
	// Output:
	// mistakes: 0
	// dest /etc/web.conf <nil>
	// ports [80 443] <nil>
	// owner <nil> vars.yml:4:12: .ownr is undefined (did you mean "owner"?)
}

func ExampleEngine_CompileExpr() {
	engine := template.New(template.Config{})
	expr, _ := engine.CompileExpr(`.port | add 1`, diag.Pos{})
	fmt.Println(expr.Eval(&template.Context{Scope: variables{"port": 80}}))
	_, mistakes := engine.CompileExpr(`port == 80`, diag.Pos{File: "tasks.yml", Line: 3, Col: 9})
	fmt.Println(mistakes.Err())
	// Output:
	// 81 <nil>
	// tasks.yml:3:14: `==` is Jinja's: comparisons are functions (write `eq .x "y"`)
}

func ExampleConfig() {
	engine := template.New(template.Config{Funcs: map[string]any{
		"rack": func(host string) (string, error) { return "rack-" + host[len(host)-1:], nil },
	}})
	expr, _ := engine.CompileExpr(`rack .name`, diag.Pos{})
	fmt.Println(expr.Eval(&template.Context{Scope: variables{"name": "web7"}}))
	// Output: rack-7 <nil>
}
