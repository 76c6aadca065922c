package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/foobar-play/foobar-play/test/lab"
)

func newUp(name *string) *cobra.Command {
	var suite string
	cmd := &cobra.Command{
		Use:   "up [HOST...]",
		Short: "Start a lab and leave it running",
		Long: `Starts a lab, by default with the hosts lb01, web01 and web02, and returns when
all of them answer. The first time this builds a base system, which takes a
minute or two. A lab that is up already is left as it is.`,
		RunE: func(cmd *cobra.Command, hosts []string) error {
			l, err := up(cmd, lab.Config{
				Name: *name, Hosts: hosts, Suite: suite, Log: cmd.ErrOrStderr(), Detached: true, IgnoreSignals: true,
			})
			if err != nil {
				return err
			}
			return show(cmd.OutOrStdout(), l)
		},
	}
	cmd.Flags().StringVar(&suite, "suite", lab.DefaultSuite, "the hosts' Debian release")
	return cmd
}

// up starts the lab unless it is running as wanted.
func up(cmd *cobra.Command, cfg lab.Config) (*lab.Lab, error) {
	running, err := lab.Open(cfg.Name)
	if err != nil && !errors.Is(err, lab.ErrNoLab) {
		return nil, err
	}
	if err == nil && slices.ContainsFunc(running.Hosts(), (*lab.Host).Running) {
		var names []string
		for _, h := range running.Hosts() {
			names = append(names, h.Name)
		}
		if len(cfg.Hosts) > 0 && !slices.Equal(names, cfg.Hosts) {
			return nil, fmt.Errorf("start the lab %s: it is up with the hosts %v (lab down first, or choose another --name)", cfg.Name, names)
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "the lab %s is up already\n", cfg.Name)
		return running, nil
	}
	started := time.Now()
	l, err := lab.Start(cmd.Context(), cfg)
	if err == nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "up after %s\n", time.Since(started).Round(time.Millisecond))
	}
	return l, err
}

// show prints how to use the lab.
func show(w io.Writer, l *lab.Lab) error {
	inventory, err := l.Inventory()
	if err != nil {
		return err
	}
	for _, h := range l.Hosts() {
		state := "off"
		if h.Running() {
			state = "on"
		}
		fmt.Fprintf(w, "%-16s %-16s %s\n", h.Name, h.Addr, state)
	}
	_, err = fmt.Fprintf(w, "inventory    %s\nknown_hosts  %s\nkey          %s\nclient       %s\n",
		inventory, l.KnownHosts(), l.KeyFile(), l.Client.Addr)
	return err
}

func newDown(name *string) *cobra.Command {
	return &cobra.Command{
		Use:   "down",
		Short: "Remove a lab and everything that belongs to it",
		Long: `Removes a lab and everything that belongs to it, and what killed processes left
of theirs.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := lab.Clean(cmd.Context(), cmd.ErrOrStderr()); err != nil {
				return err
			}
			l, err := lab.Open(*name)
			if errors.Is(err, lab.ErrNoLab) {
				fmt.Fprintf(cmd.ErrOrStderr(), "the lab %s is not running\n", *name)
				return nil
			}
			if err != nil {
				return err
			}
			return l.Close()
		},
	}
}

func newStatus() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "List the labs on this machine and their hosts",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, info := range lab.List() {
				kind := "of a running test"
				switch {
				case info.Abandoned:
					kind = "left over, removed by the next start"
				case info.Detached:
					kind = "until lab down"
				}
				fmt.Fprintf(cmd.OutOrStdout(), "lab %s, %s (%s)\n", info.Name, info.Subnet, kind)
				l, err := lab.Open(info.Name)
				if err != nil {
					continue // it is just coming or going
				}
				if err := show(cmd.OutOrStdout(), l); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func newInventory(name *string) *cobra.Command {
	return &cobra.Command{
		Use:   "inventory",
		Short: "Print the path of the lab's inventory",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := openLab(*name)
			if err != nil {
				return err
			}
			path, err := l.Inventory()
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), path)
			return err
		},
	}
}
