// Package includevars is the module include_vars: it reads variables from a
// file, or from all files of a directory, while a playbook runs.
//
// It runs on the controller and reads there. Which file a relative name means
// is the engine's rule (vars folder of the role, then of the playbook).
package includevars

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/modules"
)

type options struct {
	File          string   `arg:"file" doc:"The file to read: YAML or JSON. Excludes dir."`
	Dir           string   `arg:"dir" doc:"A directory whose files are all read, in the order of their names, a directory's own files before its subdirectories'."`
	Name          string   `arg:"name" doc:"Put the variables into a map of this name instead of the top level."`
	Depth         int      `arg:"depth" default:"0" doc:"How many levels of dir are read, 1 is dir alone; 0 all."`
	Extensions    []string `arg:"extensions" default:"json,yaml,yml" doc:"Endings of the files that are read from dir."`
	IgnoreFiles   []string `arg:"ignore_files" doc:"Regular expressions; a file of dir whose name ends with a match is left out."`
	FilesMatching string   `arg:"files_matching" doc:"A regular expression; only files of dir whose name holds a match are read."`
	IgnoreUnknown bool     `arg:"ignore_unknown_extensions" default:"false" doc:"Pass over files of dir with other endings; otherwise they are an error."`
}

// Check wants one of file and dir, and expressions that compile.
func (o *options) Check() error {
	if (o.File == "") == (o.Dir == "") {
		return errors.New("give either file or dir")
	}
	if o.File != "" && (o.Depth != 0 || len(o.IgnoreFiles) > 0 || o.FilesMatching != "") {
		return errors.New("depth, ignore_files and files_matching go with dir, not with file")
	}
	if o.Depth < 0 {
		return errors.New("depth is negative")
	}
	_, err := o.filter()
	return err
}

// Module returns the module.
func Module() *modules.Module {
	return modules.Local(modules.Spec{
		Name:  "include_vars",
		Short: "Read variables from a file or a directory of files.",
		Doc: "Left out against Ansible: hash_behaviour (a later file replaces a variable of an earlier one). " +
			"vars/main.yml of a role is read like any other when dir is the role's vars folder.",
		FreeForm: "file",
		ReadOnly: true,
		Returns: []modules.Return{
			{Name: "ansible_facts", Type: "map", Doc: "The variables that were read."},
			{Name: "ansible_included_var_files", Type: "list", Doc: "The files they came from, in the order of reading."},
		},
		Examples: "- include_vars: \"{{ .ansible_facts.os_family }}.yml\"\n- include_vars:\n    dir: tuning\n    name: tuning\n",
	}, run)
}

func run(_ context.Context, ctl modules.Controller, o *options) (modules.Result, error) {
	files, err := o.files(ctl)
	if err != nil {
		return modules.Result{}, err
	}
	vars := map[string]any{}
	read := make([]any, 0, len(files))
	for _, f := range files {
		m, err := ctl.LoadVars(f)
		if err != nil {
			return modules.Result{}, err
		}
		maps.Copy(vars, m)
		read = append(read, f)
	}
	if o.Name != "" {
		vars = map[string]any{o.Name: vars}
	}
	return modules.Result{
		Values:  map[string]any{"ansible_facts": maps.Clone(vars), "ansible_included_var_files": read},
		Effects: &modules.Effects{Include: vars},
	}, nil
}

func (o *options) files(ctl modules.Controller) ([]string, error) {
	if o.File != "" {
		path, err := ctl.Find("vars", o.File)
		return []string{path}, err
	}
	dir, err := ctl.Find("vars", o.Dir)
	if err != nil {
		return nil, err
	}
	keep, err := o.filter()
	if err != nil {
		return nil, err
	}
	return o.walk(dir, 1, keep)
}

// walk lists the files of dir, then of its subdirectories.
func (o *options) walk(dir string, level int, keep func(name string) bool) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read the directory of variables: %w", err)
	}
	var files, dirs []string
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		info, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("%s is a dangling link", path)
		case err != nil:
			return nil, err
		case info.IsDir():
			dirs = append(dirs, path)
			continue
		case !keep(e.Name()):
			continue
		}
		if ext := strings.TrimPrefix(filepath.Ext(path), "."); !slices.Contains(o.Extensions, ext) {
			if o.IgnoreUnknown {
				continue
			}
			return nil, fmt.Errorf("%s ends with none of %s: name other endings in extensions, or set ignore_unknown_extensions",
				path, strings.Join(o.Extensions, ", "))
		}
		files = append(files, path)
	}
	if o.Depth > 0 && level >= o.Depth {
		return files, nil
	}
	for _, d := range dirs {
		more, err := o.walk(d, level+1, keep)
		if err != nil {
			return nil, err
		}
		files = append(files, more...)
	}
	return files, nil
}

func (o *options) filter() (keep func(name string) bool, err error) {
	var ignore []*regexp.Regexp
	for _, p := range o.IgnoreFiles {
		re, err := regexp.Compile(`(?:` + p + `)$`)
		if err != nil {
			return nil, fmt.Errorf("ignore_files: %w", err)
		}
		ignore = append(ignore, re)
	}
	match, err := regexp.Compile(o.FilesMatching)
	if err != nil {
		return nil, fmt.Errorf("files_matching: %w", err)
	}
	return func(name string) bool {
		return match.MatchString(name) &&
			!slices.ContainsFunc(ignore, func(re *regexp.Regexp) bool { return re.MatchString(name) })
	}, nil
}
