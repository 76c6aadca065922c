// Package raw is the module raw, kept for playbooks that use it: a command
// line run by a shell. It must not know what the command line means.
package raw

import (
	"context"
	"errors"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/command"
)

// Options are the options of the module raw.
type Options struct {
	Cmd        string `arg:"cmd,required" doc:"The command line, read by the shell."`
	Executable string `arg:"executable" default:"/bin/sh" doc:"Absolute path of the shell; it is called with -c."`
}

// Check demands a command line.
func (o *Options) Check() error {
	if strings.TrimSpace(o.Cmd) == "" {
		return errors.New("the command line is empty")
	}
	return nil
}

// Module is the module raw.
func Module() *modules.Module {
	return modules.Define(modules.Spec{
		Name:  "raw",
		Short: "Run a command line without guards",
		Doc: `Runs a command line with /bin/sh -c. In Ansible this is the way to hosts without Python; here no module needs
anything on the host, and raw goes through the agent as every module does: it is shell without creates, removes, chdir and stdin.
A dry run does not run it and reports "maybe".
Left out against Ansible: free_form (write the string itself).`,
		FreeForm:      "cmd",
		Returns:       command.Returns,
		Unforeseeable: true,
		Examples: `- name: Ask a host anything
  raw: uname -a
`,
	}, build)
}

func build(env modules.Env, o *Options) (modules.Action, error) {
	return command.Process{
		Shown: o.Cmd,
		Argv: func(context.Context, host.Writer) ([]string, error) {
			return []string{o.Executable, "-c", o.Cmd}, nil
		},
	}.Action(env), nil
}
