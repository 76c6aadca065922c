// Package pause is the module pause: it waits for a time or for the person at
// the terminal.
//
// It runs on the controller, once for a batch of hosts. A dry run neither
// waits nor asks; the answer is then unknown.
package pause

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/value"
)

type options struct {
	Seconds *int   `arg:"seconds" doc:"How long to wait. Excludes minutes."`
	Minutes *int   `arg:"minutes" doc:"How long to wait, in minutes."`
	Prompt  string `arg:"prompt" doc:"What to ask. With a time, waiting ends when it is answered or the time is over."`
	Echo    bool   `arg:"echo" default:"true" doc:"Show what is typed; false for passwords."`
}

// Check refuses two times and negative ones.
func (o *options) Check() error {
	switch {
	case o.Seconds != nil && o.Minutes != nil:
		return errors.New("seconds and minutes exclude each other")
	case o.Seconds != nil && *o.Seconds < 0, o.Minutes != nil && *o.Minutes < 0:
		return errors.New("the time to wait is negative")
	}
	return nil
}

// Module returns the module.
func Module() *modules.Module {
	return modules.Local(modules.Spec{
		Name:  "pause",
		Short: "Wait for a time, or for an answer at the terminal.",
		Doc: "Without seconds or minutes it asks, and fails when there is no terminal (Ansible goes on). " +
			"A dry run does not wait.",
		ReadOnly: true,
		RunsOnce: true,
		Returns: []modules.Return{
			{Name: "user_input", Type: "string", Doc: "What was typed."},
			{Name: "start", Type: "string", Doc: "When waiting began, RFC 3339."},
			{Name: "stop", Type: "string", Doc: "When it ended, RFC 3339."},
			{Name: "delta", Type: "int", Doc: "How long it took, in whole seconds."},
			{Name: "echo", Type: "bool", Doc: "Whether what was typed was shown."},
			{Name: "rc", Type: "int", Doc: "Always 0."},
			{Name: "stdout", Type: "string", Doc: "How long it paused, in words."},
		},
		Examples: "- pause:\n    prompt: Take the old server off the network, then press Enter\n- pause:\n    seconds: 5\n",
	}, run)
}

func run(ctx context.Context, ctl modules.Controller, o *options) (modules.Result, error) {
	if ctl.Check() {
		return modules.Result{Values: map[string]any{
			"user_input": value.Unknown{Reason: "a dry run does not ask"}, "echo": o.Echo, "rc": 0,
		}}, nil
	}
	start := time.Now()
	input, err := o.wait(ctx, ctl)
	if err != nil {
		return modules.Result{}, err
	}
	stop := time.Now()
	took := stop.Sub(start)
	return modules.Result{Values: map[string]any{
		"user_input": input,
		"start":      start.Format(time.RFC3339Nano),
		"stop":       stop.Format(time.RFC3339Nano),
		"delta":      int(math.Floor(took.Seconds())),
		"echo":       o.Echo,
		"rc":         0,
		"stdout":     fmt.Sprintf("Paused for %.2f seconds", took.Seconds()),
	}}, nil
}

func (o *options) duration() (time.Duration, bool) {
	switch {
	case o.Seconds != nil:
		return time.Duration(*o.Seconds) * time.Second, true
	case o.Minutes != nil:
		return time.Duration(*o.Minutes) * time.Minute, true
	}
	return 0, false
}

func (o *options) wait(ctx context.Context, ctl modules.Controller) (string, error) {
	d, limited := o.duration()
	if !limited {
		text := o.Prompt
		if text == "" {
			text = "Press Enter to continue, Ctrl-C to stop"
		}
		return ctl.Prompt(ctx, text, o.Echo)
	}
	limit, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	if o.Prompt != "" {
		input, err := ctl.Prompt(limit, o.Prompt, o.Echo)
		if err == nil {
			return input, nil
		}
	}
	<-limit.Done()
	return "", ctx.Err()
}
