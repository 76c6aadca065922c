// Package assert is the module assert: a task that fails unless conditions
// hold, and says which one does not.
//
// It runs on the controller. In a dry run a condition that cannot be known yet
// makes the task "maybe"; one that is false whatever comes fails it, as the
// run would.
package assert

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/value"
)

type options struct {
	That       modules.Condition `arg:"that,required" doc:"Conditions that must all hold: bare pipelines, as in when."`
	FailMsg    any               `arg:"fail_msg,alias=msg" doc:"What to say when one does not hold: text, or a list of lines. Without it the condition is named."`
	SuccessMsg any               `arg:"success_msg" doc:"What to say when all hold: text, or a list of lines. Default: All assertions passed"`
	Quiet      bool              `arg:"quiet" default:"false" doc:"Return no message when all conditions hold."`
}

// Check refuses an empty list and messages that are not text.
func (o *options) Check() error {
	if len(o.That) == 0 {
		return errors.New("that needs at least one condition")
	}
	for name, msg := range map[string]any{"fail_msg": o.FailMsg, "success_msg": o.SuccessMsg} {
		if _, isMap := msg.(map[string]any); isMap {
			return fmt.Errorf("%s must be text or a list of lines, not a map", name)
		}
	}
	return nil
}

// Module returns the module.
func Module() *modules.Module {
	return modules.Local(modules.Spec{
		Name:     "assert",
		Short:    "Fail unless conditions hold.",
		ReadOnly: true,
		Returns: []modules.Return{
			{Name: "msg", Type: "string", Doc: "success_msg or fail_msg."},
			{Name: "assertion", Type: "string", Doc: "When the task failed: the first condition that did not hold."},
			{Name: "evaluated_to", Type: "bool", Doc: "When the task failed: false."},
		},
		Examples: "- assert:\n    that:\n      - ge .web_workers 1\n      - .domain | match \"[a-z.]+\"\n    fail_msg: web_workers and domain are needed\n",
	}, run)
}

func run(_ context.Context, ctl modules.Controller, o *options) (modules.Result, error) {
	pending := ""
	for _, cond := range o.That {
		ok, err := ctl.Test(cond)
		reason, unknown := host.IsUnknown(err)
		switch {
		case unknown:
			if pending == "" {
				pending = reason
			}
		case err != nil && pending != "":
			// The condition may lean on one before it that is not known yet.
		case err != nil:
			return modules.Result{}, fmt.Errorf("evaluate %q: %w", cond, err)
		case !ok:
			return modules.Result{}, o.failure(cond)
		}
	}
	if pending != "" {
		return modules.Result{Unknown: pending}, nil
	}
	if o.Quiet {
		return modules.Result{}, nil
	}
	return modules.Result{Msg: text(o.SuccessMsg, "All assertions passed")}, nil
}

func (o *options) failure(cond string) error {
	return &modules.Failure{
		Msg:    text(o.FailMsg, "Assertion failed: "+cond),
		Values: map[string]any{"assertion": cond, "evaluated_to": false},
	}
}

func text(msg any, otherwise string) string {
	switch x := msg.(type) {
	case nil:
		return otherwise
	case []any:
		lines := make([]string, len(x))
		for i, l := range x {
			lines[i] = value.Text(l)
		}
		return strings.Join(lines, "\n")
	}
	return value.Text(msg)
}
