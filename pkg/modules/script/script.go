// Package script is the module script: a file of the controller, run on the
// host. Its Prepare step turns the file into a Blob; the agent writes it into
// the run's private directory, runs it and removes it.
//
// It must not know how content travels.
package script

import (
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/command"
)

// Options are the options of the module script.
type Options struct {
	Cmd        string `arg:"cmd,required" doc:"Path of the local script, found as copy finds its files, and its arguments."`
	Executable string `arg:"executable" doc:"Program to run the script with, such as perl; without it the script runs by its #! line."`
	command.Guards

	Args   string `arg:"arguments,internal" doc:"The arguments, as the shell on the host will read them."`
	SHA256 string `arg:"sha256,internal" doc:"Hash of the script."`
	Size   int    `arg:"size,internal" doc:"Size of the script in bytes."`
}

// Check demands a script.
func (o *Options) Check() error {
	if strings.TrimSpace(o.Cmd) == "" {
		return errors.New("needs the path of the script")
	}
	return nil
}

// Module is the module script.
func Module() *modules.Module {
	return modules.Define(modules.Spec{
		Name:  "script",
		Short: "Run a local script on the host",
		Doc: `Brings a script of the controller to the host, runs it and removes it. The arguments are read by /bin/sh on the host.
The script crosses the wire only when creates and removes let it run, and only once per run.
A dry run does not run it and reports "maybe", unless creates or removes decide that there is nothing to do.
Left out against Ansible: free_form (write the string itself) and decrypt (files of the vault are not scripts here).`,
		FreeForm:      "cmd",
		Returns:       command.Returns,
		Unforeseeable: true,
		Examples: `- name: Run a script of the role's files folder
  script: setup.sh --some-argument 1234
  args:
    creates: /the/created/file.txt
- name: Run it with an interpreter
  script: report.pl
  args:
    executable: /usr/bin/perl
`,
	}, build, modules.Prepare(prepare))
}

func prepare(_ context.Context, ctl modules.Controller, o *Options) error {
	name, args, err := split(o.Cmd)
	if err != nil {
		return fmt.Errorf("read the option cmd: %w", err)
	}
	local, err := ctl.Find("files", name)
	if err != nil {
		return fmt.Errorf("find the script: %w", err)
	}
	blob, err := ctl.BlobFile(local)
	if err != nil {
		return fmt.Errorf("read the script: %w", err)
	}
	o.Args, o.SHA256, o.Size = args, blob.SHA256, int(blob.Size)
	return nil
}

// split takes the script's path off a command line; the arguments stay as they
// are written, for the shell.
func split(cmd string) (name, args string, err error) {
	cmd = strings.TrimSpace(cmd)
	for i := 1; i <= len(cmd); i++ {
		if i < len(cmd) && !strings.ContainsRune(" \t\n", rune(cmd[i])) {
			continue
		}
		words, wordErr := command.Words(cmd[:i])
		if wordErr == nil && len(words) == 1 {
			return words[0], strings.TrimSpace(cmd[i:]), nil
		}
		err = wordErr
	}
	return "", "", err
}

func build(env modules.Env, o *Options) (modules.Action, error) {
	name, _, err := split(o.Cmd)
	if err != nil {
		return nil, &modules.ArgError{Option: "cmd", Message: err.Error()}
	}
	file := path.Join(env.TempDir, "script-"+o.SHA256[:min(12, len(o.SHA256))]+"-"+filepath.Base(name))
	return command.Process{
		Shown:  o.Cmd,
		Guards: o.Guards,
		Input:  command.Input{StripEmptyEnds: false},
		Argv: func(ctx context.Context, w host.Writer) ([]string, error) {
			if err := o.bring(ctx, env, w, file); err != nil {
				return nil, err
			}
			return o.argv(file), nil
		},
		Done: func(w host.Writer) error { return w.Remove(file) },
	}.Action(env), nil
}

// bring writes the script where only its user can read and run it.
func (o *Options) bring(ctx context.Context, env modules.Env, w host.Writer, file string) error {
	content, err := env.Blobs.Open(ctx, host.Blob{SHA256: o.SHA256, Size: int64(o.Size)})
	if err != nil {
		return fmt.Errorf("get the script: %w", err)
	}
	defer content.Close()
	mode := uint32(0o700)
	if err := w.WriteFile(file, content, host.Attrs{Mode: &mode}); err != nil {
		return fmt.Errorf("write the script: %w", err)
	}
	return nil
}

func (o *Options) argv(file string) []string {
	line := command.Quote(file)
	if o.Executable != "" {
		line = o.Executable + " " + line
	}
	if o.Args != "" {
		line += " " + o.Args
	}
	return []string{"/bin/sh", "-c", line}
}
