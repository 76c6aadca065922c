package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/event"
	"github.com/foobar-play/foobar-play/pkg/runner"
)

// streams are where the program reads and writes.
type streams struct {
	in  io.Reader
	out io.Writer
	err io.Writer
}

const exitCodes = `Exit codes:
  0    fine
  1    unexpected error
  2    a task failed on a host         } these add up:
  4    a host could not be reached     } 6 means both
  8    something changed, or would     } only with --detailed-exitcode
  64   wrong command line
  65   playbook, role or inventory invalid; nothing was contacted
  130  interrupted`

// usageError is a wrong command line: exit code 64.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

// exitError carries the exit code of a run.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// run executes the command line and returns the exit code.
func run(args []string, io streams) int {
	cmd := newRoot(io)
	cmd.SetArgs(args)
	cmd.SetIn(io.in)
	cmd.SetOut(io.out)
	cmd.SetErr(io.err)
	return exitCode(cmd.Execute(), io.err)
}

func exitCode(err error, w io.Writer) int {
	var code exitError
	var invalid *runner.InvalidError
	var usage usageError
	switch {
	case err == nil:
		return event.ExitOK
	case errors.As(err, &code):
		return int(code)
	case errors.As(err, &invalid):
		diag.Render(w, invalid.Diags, nil)
		return event.ExitInvalid
	case errors.As(err, &usage):
		fmt.Fprintf(w, "foobar-play: %v\nTry 'foobar-play --help'.\n", err)
		return event.ExitUsage
	}
	fmt.Fprintf(w, "foobar-play: %v\n", err)
	return event.ExitUnexpected
}

func newRoot(io streams) *cobra.Command {
	o := &options{io: io}
	cmd := &cobra.Command{
		Use:   "foobar-play [flags] PLAYBOOK…",
		Short: "Run playbooks: Ansible's YAML, Go templates, nothing needed on the servers but sshd",
		Long: `foobar-play runs playbooks against servers over SSH.

Flags are those of ansible-playbook. Their defaults come from FOOBAR_PLAY_*
variables (FOOBAR_PLAY_FORKS=10) and from foobar-play.yml in the project
(forks: 10); --print-config shows each value and where it came from.

` + exitCodes,
		Example: `  foobar-play -i inventory/production playbooks/site.yml
  foobar-play -i inventory/production playbooks/site.yml --check --diff
  foobar-play role nginx_ssl -i inventory/production --limit web --check`,
		Version:       version,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.resolve(cmd.Flags()); err != nil {
				return err
			}
			if o.printConfig {
				return o.writeConfig()
			}
			if len(args) == 0 {
				return usageError{errors.New("name at least one playbook")}
			}
			for _, a := range args {
				if _, err := os.Stat(a); err != nil {
					return usageError{fmt.Errorf("playbook %s: %w", a, unwrapPath(err))}
				}
			}
			req := o.request()
			req.Playbooks = args
			return o.execute(cmd.Context(), req, args...)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"yml", "yaml"}, cobra.ShellCompDirectiveFilterFileExt
		},
	}
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	o.define(cmd.PersistentFlags())
	cmd.AddCommand(newRole(o))
	for _, c := range append(cmd.Commands(), cmd) {
		c.Flags().SortFlags = false // as written: in the help, and to try again
	}
	completeFlags(cmd)
	cmd.InitDefaultCompletionCmd("")
	wrongArguments(cmd)
	return cmd
}

func newRole(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "role NAME [flags]",
		Short: "Run one role against the inventory; with --check, the dry run of that role",
		Long: `Runs one role on the hosts of the inventory (--limit narrows them), as if a
playbook had named it under roles:. With --check nothing is changed.

` + exitCodes,
		ValidArgsFunction: o.completeRole,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("name one role, not %d", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.resolve(cmd.Flags()); err != nil {
				return err
			}
			if o.printConfig {
				return o.writeConfig()
			}
			req := o.request()
			req.Role = args[0]
			return o.execute(cmd.Context(), req, "role", args[0])
		},
	}
}

// wrongArguments makes every command's wrong arguments a usageError.
func wrongArguments(cmd *cobra.Command) {
	check := cmd.Args
	if !cmd.Runnable() { // a folder of commands
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		check = cobra.NoArgs
	}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if check == nil {
			return nil
		}
		if err := check(cmd, args); err != nil {
			return usageError{err}
		}
		return nil
	}
	for _, c := range cmd.Commands() {
		wrongArguments(c)
	}
}

// unwrapPath drops the file name an *os.PathError repeats.
func unwrapPath(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
