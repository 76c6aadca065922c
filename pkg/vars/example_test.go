package vars_test

import (
	"fmt"

	"github.com/foobar-play/foobar-play/pkg/template"
	"github.com/foobar-play/foobar-play/pkg/vars"
)

func Example() {
	engine := template.New(template.Config{})
	extra, _ := vars.ParseExtra(`port=8443 url='https://{{ .host }}:{{ .port }}'`, engine)
	scope := vars.NewScope([]vars.Layer{
		{Name: "role defaults", Vars: vars.Plain(map[string]any{"host": "localhost", "port": 443})},
		{Name: "command line", Vars: extra},
	}, nil)
	fmt.Println(scope.Lookup("url"))
	fmt.Println(scope.With(vars.Layer{Name: "task", Vars: vars.Plain(map[string]any{"host": "web01"})}).Lookup("url"))
	fmt.Println(scope.Origin("port"))
	// Output:
	// https://localhost:8443 true <nil>
	// https://web01:8443 true <nil>
	// command line -e:1:1 true
}
