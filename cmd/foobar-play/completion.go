package main

import (
	"path/filepath"

	"github.com/spf13/cobra"
)

func completeFlags(cmd *cobra.Command) {
	for flag, words := range map[string][]string{
		"output": {"text", "jsonl"}, "host-key": {"strict", "accept-new", "off"},
		"color": {"auto", "always", "never"}, "become-method": {"sudo", "su"}, "connection": {"ssh", "local"},
	} {
		// The error can only be a flag that is not defined.
		if err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)); err != nil {
			panic(err)
		}
	}
}

// completeRole offers the roles of the working directory and of --roles-path.
func (o *options) completeRole(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, dir := range append([]string{"roles"}, o.rolesPath...) {
		// The error can only be a folder whose name is no pattern.
		found, _ := filepath.Glob(filepath.Join(dir, "*", "tasks"))
		for _, tasks := range found {
			names = append(names, filepath.Base(filepath.Dir(tasks)))
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
