package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/pflag"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/runner"
	"github.com/foobar-play/foobar-play/pkg/source"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// projectFile holds a project's defaults for flags.
const projectFile = "foobar-play.yml"

// setting is the value of one flag and where it came from.
type setting struct{ name, value, from string }

// pathFlags name files; relative ones in the project file are relative to it.
var pathFlags = []string{"inventory", "private-key", "known-hosts", "ssh-config", "roles-path", "agent-dir"}

// noDefaults are flags that only make sense on a command line.
var noDefaults = []string{"help", "version", "print-config", "list-hosts", "list-tasks", "list-tags", "syntax-check", "start-at-task", "step"}

// resolve fills flags not given on the command line from FOOBAR_PLAY_*
// variables, then from the project file, and asks for passwords.
func (o *options) resolve(flags *pflag.FlagSet) error {
	file, err := o.loadProject()
	if err != nil {
		return err
	}
	o.given = commandLine(flags)
	var l diag.List
	var problem error
	flags.VisitAll(func(f *pflag.Flag) {
		if slices.Contains(noDefaults, f.Name) {
			return
		}
		s := setting{name: f.Name, from: "default"}
		switch env := envName(f.Name); {
		case f.Changed:
			s.from = "command line"
		case os.Getenv(env) != "":
			s.from = env
			if err := set(f, os.Getenv(env)); err != nil && problem == nil {
				problem = usageError{fmt.Errorf("%s: %w", env, err)}
			}
		case file.Get(f.Name) != nil:
			s.from = file.Get(f.Name).Pos.String()
			if err := o.setFrom(f, file.Get(f.Name)); err != nil {
				l.Errorf(file.Get(f.Name).Pos, "%s: %v", f.Name, err)
			}
		}
		s.value = shownValue(f)
		o.sources = append(o.sources, s)
	})
	unknownKeys(file, flags, &l)
	if l.HasErrors() {
		return &runner.InvalidError{Diags: l}
	}
	if problem != nil {
		return problem
	}
	if err := o.validate(); err != nil {
		return err
	}
	return o.askPasswords()
}

// shownValue is a flag's value, without secrets.
func shownValue(f *pflag.Flag) string {
	list, ok := f.Value.(pflag.SliceValue)
	if !ok || f.Name != "extra-vars" {
		return f.Value.String()
	}
	values := list.GetSlice()
	for i, v := range values {
		values[i] = withoutSecrets(v)
	}
	return "[" + strings.Join(values, ",") + "]"
}

func envName(flag string) string {
	return "FOOBAR_PLAY_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// loadProject finds the project file in the working directory or above it.
func (o *options) loadProject() (*source.Node, error) {
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	for {
		path := filepath.Join(dir, projectFile)
		if _, err := os.Stat(path); err == nil {
			o.project = dir
			n, l := source.Load(path)
			if l.HasErrors() {
				return nil, &runner.InvalidError{Diags: l}
			}
			if n.Kind != source.Map && n.Kind != source.Null {
				l.Errorf(n.Pos, "expected a map of settings, found %s", n.Kind)
				return nil, &runner.InvalidError{Diags: l}
			}
			return n, nil
		} else if !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return nil, nil
		}
		dir = parent
	}
}

// set gives a flag a value that is not from the command line.
func set(f *pflag.Flag, text string) error {
	if word, ok := value.Word(text); ok && f.Value.Type() == "bool" {
		text = strconv.FormatBool(word)
	}
	if f.Value.Set(text) == nil {
		return nil
	}
	switch f.Value.Type() {
	case "bool":
		return fmt.Errorf("expected true or false, found %q", text)
	case "int", "count":
		return fmt.Errorf("expected a whole number, found %q", text)
	}
	return fmt.Errorf("%q cannot be read", text)
}

func (o *options) setFrom(f *pflag.Flag, n *source.Node) error {
	items, wanted := []*source.Node{n}, "a value"
	if _, many := f.Value.(pflag.SliceValue); n.Kind == source.List && many {
		items = n.Items
	} else if many {
		wanted = "a value or a list"
	}
	for _, it := range items {
		if it.Kind == source.Map || it.Kind == source.List {
			return fmt.Errorf("expected %s, found %s", wanted, it.Kind)
		}
		text := value.Text(it.Value())
		if slices.Contains(pathFlags, f.Name) && text != "none" && !filepath.IsAbs(text) && !strings.Contains(text, ",") {
			text = filepath.Join(o.project, text)
		}
		if err := set(f, text); err != nil {
			return err
		}
	}
	return nil
}

func unknownKeys(file *source.Node, flags *pflag.FlagSet, l *diag.List) {
	if file == nil {
		return
	}
	var names []string
	flags.VisitAll(func(f *pflag.Flag) {
		if !slices.Contains(noDefaults, f.Name) {
			names = append(names, f.Name)
		}
	})
	for _, f := range file.Fields {
		switch {
		case slices.Contains(noDefaults, f.Name):
			l.Errorf(f.Pos, "%s can only be given on the command line", f.Name)
		case !slices.Contains(names, f.Name):
			l.Add(diag.Errorf(f.Pos, "there is no setting %q", f.Name).WithHint("%s", diag.DidYouMean(f.Name, names)))
		}
	}
}

// writeConfig shows every setting, its value and its origin.
func (o *options) writeConfig() error {
	tw := tabwriter.NewWriter(o.io.out, 0, 4, 2, ' ', 0)
	for _, s := range o.sources {
		fmt.Fprintf(tw, "%s\t%s\t%s\n", s.name, s.value, s.from)
	}
	return tw.Flush()
}
