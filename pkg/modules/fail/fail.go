// Package fail is the module fail: a task that always fails, usually under a
// when, with a message for the person at the terminal.
//
// It runs on the controller and fails in a dry run as well, because the run
// would fail there.
package fail

import (
	"context"

	"github.com/foobar-play/foobar-play/pkg/modules"
)

type options struct {
	Msg string `arg:"msg" default:"Failed as requested from task" doc:"Why the task fails."`
}

// Module returns the module.
func Module() *modules.Module {
	return modules.Local(modules.Spec{
		Name:     "fail",
		Short:    "Fail with a message.",
		ReadOnly: true,
		Returns:  []modules.Return{{Name: "msg", Type: "string", Doc: "The message."}},
		Examples: "- fail:\n    msg: only Debian is supported\n  when: ne .ansible_facts.os_family \"Debian\"\n",
	}, func(_ context.Context, _ modules.Controller, o *options) (modules.Result, error) {
		return modules.Result{}, &modules.Failure{Msg: o.Msg}
	})
}
