package main

import (
	"os/exec"
	"reflect"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

func TestCommandLine(t *testing.T) {
	for _, c := range []struct{ given, want string }{
		{"-i hosts -i more -f 3", "-i hosts -i more -f 3"},
		{"--check -D --diff=false", "-C --diff=false"},
		{"-vvv", "--verbose=3"},
		{"-t a,b --tags c", "-t a -t b -t c"},
		{"--limit web --step --start-at-task x -u deploy", "-u deploy"},
		{"-e a=1 -e db_password=x -e @secrets.yml -e {\"apiToken\":1}", "-e a=1 -e … -e @secrets.yml -e …"},
		{"", ""},
	} {
		o := &options{}
		flags := pflag.NewFlagSet("", pflag.ContinueOnError)
		o.define(flags)
		if err := flags.Parse(strings.Fields(c.given)); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(commandLine(flags), " "); got != c.want {
			t.Errorf("%s: %q, want %q", c.given, got, c.want)
		}
	}
}

func TestShellQuote(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no shell to ask")
	}
	words := []string{"", "plain", "a b", "it's", "$HOME", "`id`", "a\\b", "!x", "*", "tab\there", "line\nbreak", "ü", `"`, "-e", "~", "a;b", "…", "#x", "a=b{c}"}
	script := "printf '%s\\0'"
	for _, w := range words {
		script += " " + shellQuote(w)
	}
	out, err := exec.Command(sh, "-c", script).Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00"); !reflect.DeepEqual(got, words) {
		t.Errorf("got %q", got)
	}
}
