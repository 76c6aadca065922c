// Command lab runs throw-away Debian servers on this machine, to try
// foobar-play by hand. It is the lab package for the shell: "lab up" leaves a
// lab running, "lab down" removes it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/foobar-play/foobar-play/test/lab"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := newRoot().ExecuteContext(ctx)
	stop()
	if err == nil {
		return
	}
	// A command that ran on a host has said itself what it had to say.
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() > 0 {
		os.Exit(exit.ExitCode())
	}
	fmt.Fprintln(os.Stderr, "lab: "+err.Error())
	os.Exit(1)
}

// newRoot returns the command with all its subcommands.
func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "lab",
		Short: "Throw-away Debian servers on this machine",
		Long: `Throw-away Debian servers on this machine, with systemd, sshd and an address
each. "lab up" starts some and leaves them running, "lab down" removes them
with everything they changed. It needs root.

Users on each server: ` + lab.User + ` (sudo without a password), ` + lab.PasswordUser + ` (sudo with the
password ` + lab.Password + `), ` + lab.PlainUser + ` (no sudo). Root's password, for su: ` + lab.RootPassword + `.`,
		Example: `  lab up
  lab ssh web01 sudo systemctl status
  foobar-play apply -i "$(lab inventory)" site.yml
  lab reset web01
  lab down`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	name := root.PersistentFlags().String("name", "lab", "the lab's name")
	root.AddCommand(newUp(name), newDown(name), newStatus(), newInventory(name), newSSH(name), newExec(name))
	root.AddCommand(newPower(name)...)
	return root
}

// hostCommand is a command about one host or, with several names, each.
func hostCommand(name *string, use, short string, do func(context.Context, *lab.Host) error) *cobra.Command {
	return &cobra.Command{
		Use:   use + " HOST...",
		Short: short,
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, arg := range args {
				h, err := findHost(*name, arg)
				if err != nil {
					return err
				}
				if err := do(cmd.Context(), h); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func newPower(name *string) []*cobra.Command {
	return []*cobra.Command{
		hostCommand(name, "reset", "Throw away what happened to a host and boot it fresh",
			func(ctx context.Context, h *lab.Host) error { return h.Reset(ctx) }),
		hostCommand(name, "stop", "Cut a host's power",
			func(ctx context.Context, h *lab.Host) error { return h.Stop(ctx) }),
		hostCommand(name, "start", "Switch a host on again",
			func(ctx context.Context, h *lab.Host) error { return h.Start(ctx) }),
		hostCommand(name, "cut-off", "Unplug a host's network cable",
			func(ctx context.Context, h *lab.Host) error { return h.CutOff(ctx) }),
		hostCommand(name, "reconnect", "Plug a host's network cable in again",
			func(ctx context.Context, h *lab.Host) error { return h.Reconnect(ctx) }),
	}
}

// findHost opens the lab and looks the host up.
func findHost(name, host string) (*lab.Host, error) {
	l, err := openLab(name)
	if err != nil {
		return nil, err
	}
	h, ok := l.Lookup(host)
	if !ok {
		return nil, fmt.Errorf("find the host %s: the lab %s has no such host (see: lab status)", host, name)
	}
	return h, nil
}

// openLab opens the lab, with a hint when there is none.
func openLab(name string) (*lab.Lab, error) {
	l, err := lab.Open(name)
	if errors.Is(err, lab.ErrNoLab) {
		return nil, fmt.Errorf("%w (start it with: lab up --name %s)", err, name)
	}
	return l, err
}
