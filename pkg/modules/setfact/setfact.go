// Package setfact is the module set_fact: it sets variables of a host for the
// rest of the run.
//
// It runs on the controller; values keep their type, and a value that a dry
// run cannot know stays unknown in the variable.
package setfact

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"

	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/value"
)

type options struct {
	Cacheable bool           `arg:"cacheable" default:"false" doc:"Make the variables ansible_facts of the host too."`
	Vars      map[string]any `arg:"*"`
}

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// Check wants at least one variable, and names that can be variables.
func (o *options) Check() error {
	if len(o.Vars) == 0 {
		return errors.New("set_fact needs at least one variable to set: name: value")
	}
	for _, name := range value.Keys(o.Vars) {
		if !identifier.MatchString(name) {
			return fmt.Errorf("%q cannot be the name of a variable: letters, digits and _ only, no digit first", name)
		}
	}
	return nil
}

// Module returns the module.
func Module() *modules.Module {
	return modules.Local(modules.Spec{
		Name:  "set_fact",
		Short: "Set variables of the host for the rest of the run.",
		Doc: "Every key besides cacheable is a variable; its value keeps its type. The variables have set_fact's precedence. " +
			"There is no fact cache between runs: cacheable only puts the variables among the host's ansible_facts.",
		ReadOnly: true,
		Returns:  []modules.Return{{Name: "ansible_facts", Type: "map", Doc: "The variables that were set."}},
		Examples: "- set_fact:\n    primary: \"{{ index .groups.db 0 }}\"\n    ports: [80, 443]\n",
	}, func(_ context.Context, _ modules.Controller, o *options) (modules.Result, error) {
		res := modules.Result{
			Values:  map[string]any{"ansible_facts": maps.Clone(o.Vars)},
			Effects: &modules.Effects{SetVars: o.Vars},
		}
		if o.Cacheable {
			res.Facts = maps.Clone(o.Vars)
		}
		return res, nil
	})
}
