package main

import (
	"strings"
	"testing"

	"github.com/foobar-play/foobar-play/test/lab"
)

func TestEveryCommandHasHelp(t *testing.T) {
	for _, cmd := range newRoot().Commands() {
		if cmd.Short == "" || cmd.RunE == nil {
			t.Errorf("%s has no help or does nothing", cmd.Name())
		}
	}
}

func TestNoLabSaysHowToStartOne(t *testing.T) {
	lab.Require(t)
	for _, args := range [][]string{{"inventory"}, {"ssh", "web01"}, {"exec", "web01", "true"}, {"reset", "web01"}} {
		root := newRoot()
		root.SetArgs(append([]string{"--name", "never-started"}, args...))
		if err := root.Execute(); err == nil || !strings.Contains(err.Error(), "lab up --name never-started") {
			t.Errorf("%v: %v", args, err)
		}
	}
}

func TestCommandDropsSeparator(t *testing.T) {
	for args, want := range map[string]string{
		"web01": "", "web01 ls -l": "ls -l", "web01 -- ls -l": "ls -l", "web01 ls -- x": "ls -- x",
	} {
		if got := strings.Join(command(strings.Fields(args)), " "); got != want {
			t.Errorf("%q runs %q, want %q", args, got, want)
		}
	}
}
