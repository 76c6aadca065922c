// Package ping is the module ping: it shows that a host is reached, logs in
// and runs the agent. It must not touch the host.
package ping

import (
	"context"
	"errors"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
)

// Options are the options of the module ping.
type Options struct {
	Data string `arg:"data" default:"pong" doc:"What to answer; crash makes the task fail, to try out the handling of errors."`
}

// Module is the module ping.
func Module() *modules.Module {
	return modules.Define(modules.Spec{
		Name:     "ping",
		Short:    "Try whether a host is reached",
		Doc:      "Answers pong when the host is reached and the agent runs there. It sends no ICMP.",
		ReadOnly: true,
		Returns:  []modules.Return{{Name: "ping", Type: "string", Doc: "The value of data."}},
		Examples: "- name: Are you there?\n  ping:\n",
	}, build)
}

func build(_ modules.Env, o *Options) (modules.Action, error) {
	return modules.Read(func(context.Context, host.Reader) (modules.Outcome, error) {
		if o.Data == "crash" {
			return modules.Outcome{}, errors.New("boom")
		}
		return modules.Outcome{Values: map[string]any{"ping": o.Data}}, nil
	}), nil
}
