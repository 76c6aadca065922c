// Package shell is the module shell: a command line run by a shell on the
// host. All it shares with command lives there; it must not know what the
// command line means.
package shell

import (
	"context"
	"errors"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/command"
)

// Options are the options of the module shell.
type Options struct {
	Cmd        string `arg:"cmd,required" doc:"The command line, read by the shell."`
	Executable string `arg:"executable" default:"/bin/sh" doc:"Absolute path of the shell; it is called with -c."`
	command.Guards
	command.Input
}

// Check demands a command line.
func (o *Options) Check() error {
	if strings.TrimSpace(o.Cmd) == "" {
		return errors.New("the command line is empty")
	}
	return nil
}

// Module is the module shell.
func Module() *modules.Module {
	return modules.Define(modules.Spec{
		Name:  "shell",
		Short: "Run a command line in a shell",
		Doc: `Runs a command line with /bin/sh -c, or another shell. Prefer the module command where no shell is needed.
Put values from variables into the command line only quoted (the template function quote).
A dry run does not run it and reports "maybe", unless creates or removes decide that there is nothing to do.
Left out against Ansible: free_form (write the string itself) and warn (gone from Ansible too).`,
		FreeForm:      "cmd",
		Returns:       command.Returns,
		Unforeseeable: true,
		Examples: `- name: Keep what it says
  shell: somescript.sh >> somelog.txt
  args:
    chdir: somedir/
    creates: somelog.txt
- name: Use another shell
  shell:
    cmd: cat < /tmp/*txt
    executable: /bin/bash
`,
	}, build)
}

func build(env modules.Env, o *Options) (modules.Action, error) {
	return command.Process{
		Shown:  o.Cmd,
		Guards: o.Guards,
		Input:  o.Input,
		Argv: func(context.Context, host.Writer) ([]string, error) {
			return []string{o.Executable, "-c", o.Cmd}, nil
		},
	}.Action(env), nil
}
