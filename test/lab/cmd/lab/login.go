package main

import (
	"os"
	"os/exec"

	"github.com/spf13/cobra"
)

func newSSH(name *string) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ssh HOST [COMMAND...]",
		Short: "Log in to a host over SSH, or run a command there",
		Long: `Logs in as deploy with the lab's key, checking the host's key. With a command
it exits with that command's status. It runs OpenSSH's ssh.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			h, err := findHost(*name, args[0])
			if err != nil {
				return err
			}
			ssh := exec.CommandContext(cmd.Context(), "ssh", append(h.SSHArgs(), command(args)...)...)
			return runAttached(ssh)
		},
	}
	cmd.Flags().SetInterspersed(false) // what follows is the command's
	return cmd
}

func newExec(name *string) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "exec HOST COMMAND...",
		Short: "Run a command as root inside a host, without SSH",
		Long: `Runs a command as root inside a host, whatever the state of its network, and
exits with that command's status.`,
		Args: cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			h, err := findHost(*name, args[0])
			if err != nil {
				return err
			}
			inside, err := h.Command(cmd.Context(), command(args)...)
			if err != nil {
				return err
			}
			return runAttached(inside)
		},
	}
	cmd.Flags().SetInterspersed(false)
	return cmd
}

// command is what follows the host's name, without a separating "--".
func command(args []string) []string {
	if len(args) > 1 && args[1] == "--" {
		return args[2:]
	}
	return args[1:]
}

func runAttached(cmd *exec.Cmd) error {
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	return cmd.Run()
}
