// Package debug is the module debug: it shows a message or a value while a
// playbook runs.
//
// It runs on the controller and never changes anything, so a dry run shows the
// same; a value that a dry run cannot know is shown as "known after the run".
package debug

import (
	"context"
	"errors"
	"regexp"

	"github.com/foobar-play/foobar-play/pkg/modules"
)

type options struct {
	Msg       any                `arg:"msg" doc:"What to show: text, a list or a map. Without msg and var: Hello world!"`
	Var       modules.Expression `arg:"var" doc:"A variable or pipeline whose value is shown, such as .ansible_facts.os_family. Excludes msg."`
	Verbosity int                `arg:"verbosity" default:"0" doc:"Show it only with this many -v flags or more; the task is skipped otherwise."`
}

// Check refuses msg together with var.
func (o *options) Check() error {
	if o.Msg != nil && o.Var != "" {
		return errors.New("msg and var exclude each other")
	}
	return nil
}

// Module returns the module.
func Module() *modules.Module {
	return modules.Local(modules.Spec{
		Name:     "debug",
		Short:    "Show a message or the value of a variable.",
		Doc:      "var is a bare pipeline, so a variable is written with its dot: `var: .ansible_facts.os_family`.",
		ReadOnly: true,
		Returns: []modules.Return{
			{Name: "msg", Type: "any", Doc: "The message, with its type; absent when var was given."},
			{Name: "<name>", Type: "any", Doc: "The value of var, under the variable's name without the leading dot, or under the whole pipeline."},
			{Name: "skipped_reason", Type: "string", Doc: "Why nothing was shown: the verbosity was too low."},
		},
		Examples: "- debug:\n    msg: \"{{ .inventory_hostname }} runs {{ .ansible_facts.distribution }}\"\n- debug:\n    var: .groups.web\n    verbosity: 1\n",
	}, run)
}

func run(_ context.Context, ctl modules.Controller, o *options) (modules.Result, error) {
	if ctl.Verbosity() < o.Verbosity {
		return modules.Result{Skipped: true, Values: map[string]any{"skipped_reason": "Verbosity threshold not met."}}, nil
	}
	if o.Var != "" {
		v, err := ctl.Eval(string(o.Var))
		if err != nil {
			return modules.Result{}, err
		}
		return modules.Result{Values: map[string]any{shownAs(string(o.Var)): v}}, nil
	}
	switch msg := o.Msg.(type) {
	case nil:
		return modules.Result{Msg: "Hello world!"}, nil
	case string:
		return modules.Result{Msg: msg}, nil
	default:
		return modules.Result{Values: map[string]any{"msg": msg}}, nil
	}
}

var plainVariable = regexp.MustCompile(`^\.[A-Za-z_][\w.]*$`)

// shownAs is the name under which a value is returned, so that a plain
// variable has the name Ansible gives it.
func shownAs(expr string) string {
	if plainVariable.MatchString(expr) {
		return expr[1:]
	}
	return expr
}
