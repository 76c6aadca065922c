// Package command is the module command: it runs a program without a shell.
//
// It also owns what the whole family (command, shell, raw, script) has in
// common: the guards creates and removes, the return values of a finished
// process, and the rule that such a task is "maybe" in a dry run. The other
// modules hand a Process to it.
//
// It must not know what the programs it runs mean.
package command

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
)

// Options are the options of the module command.
type Options struct {
	Cmd                string   `arg:"cmd" doc:"The program and its arguments, split as a shell splits words; no pipes, redirections or globs."`
	Argv               []string `arg:"argv" doc:"The program and its arguments as a list, taken as they are."`
	ExpandArgumentVars bool     `arg:"expand_argument_vars" default:"true" doc:"Replace $NAME and a leading ~ in the arguments."`
	Guards
	Input
}

// Check demands one of cmd and argv.
func (o *Options) Check() error {
	switch {
	case strings.TrimSpace(o.Cmd) == "" && len(o.Argv) == 0:
		return errors.New("needs the command to run: give it as a string, or as cmd or argv")
	case o.Cmd != "" && len(o.Argv) > 0:
		return errors.New("cmd and argv exclude each other")
	}
	return nil
}

// Module is the module command.
func Module() *modules.Module {
	return modules.Define(modules.Spec{
		Name:  "command",
		Short: "Run a program",
		Doc: `Runs a program directly, without a shell: use the module shell for pipes and redirections.
A dry run does not run it and reports "maybe", unless creates or removes decide that there is nothing to do.
Left out against Ansible: the options free_form (write the string itself) and warn (gone from Ansible too).`,
		FreeForm:      "cmd",
		Returns:       Returns,
		Unforeseeable: true,
		Examples: `- name: Make the database once
  command: /usr/bin/make_database.sh db_user db_name
  args:
    creates: /path/to/database
- name: Say each argument apart
  command:
    argv: [/usr/bin/id, "a name with blanks"]
`,
	}, build)
}

func build(env modules.Env, o *Options) (modules.Action, error) {
	argv := o.Argv
	if len(argv) == 0 {
		var err error
		if argv, err = Words(o.Cmd); err != nil {
			return nil, &modules.ArgError{Option: "cmd", Message: err.Error()}
		}
	}
	if len(argv) == 0 {
		return nil, &modules.ArgError{Option: "cmd", Message: "is empty"}
	}
	shown := make([]any, len(argv))
	for i, a := range argv {
		shown[i] = a
	}
	if o.ExpandArgumentVars {
		argv = expandAll(env, argv)
	}
	return Process{
		Shown:  shown,
		Guards: o.Guards,
		Input:  o.Input,
		Argv: func(context.Context, host.Writer) ([]string, error) {
			return argv, nil
		},
	}.Action(env), nil
}

func expandAll(env modules.Env, argv []string) []string {
	out := make([]string, len(argv))
	for i, a := range argv {
		out[i] = Expand(env, a)
	}
	return out
}

var variable = regexp.MustCompile(`\$(\w+|\{\w+\})`)

// Expand replaces $NAME and ${NAME} by the task's environment and a leading ~
// by its HOME. A variable that is not set stays as it is written.
func Expand(env modules.Env, s string) string {
	s = variable.ReplaceAllStringFunc(s, func(ref string) string {
		if v, ok := env.LookupEnv(strings.Trim(ref, "${}")); ok {
			return v
		}
		return ref
	})
	if home, ok := env.LookupEnv("HOME"); ok && (s == "~" || strings.HasPrefix(s, "~/")) {
		s = home + s[1:]
	}
	return s
}
