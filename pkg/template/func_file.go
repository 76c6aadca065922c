package template

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template/parse"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// fileTable: what is read from the controller: lookup and query.
func fileTable() []*function {
	return []*function{
		{name: "lookup", min: 1, max: -1, check: checkLookup, call: func(r *run, a []any) (any, error) {
			found, err := r.lookup(a)
			if err != nil || len(found) == 0 {
				return "", err
			}
			if len(found) == 1 {
				return found[0], nil
			}
			return joinText(r, []any{",", found})
		}},
		{name: "query", min: 1, max: -1, check: checkLookup, call: func(r *run, a []any) (any, error) {
			return r.lookup(a)
		}},
	}
}

// lookups are the kinds of lookup. They give one value per term.
//
//	lookup "file" "name"           the file's text, from the role's files
//	lookup "template" "name"       a template file, rendered
//	lookup "env" "NAME"            an environment variable of the allow-list
//	lookup "vars" "name" [default] a variable by its computed name
//	lookup "first_found" list      the first name that exists, as a path
//	query "fileglob" "dir/*.conf"  the files that match, as paths, sorted
var lookups = map[string]func(r *run, terms []any) ([]any, error){
	"file":        func(r *run, terms []any) ([]any, error) { return each(terms, r.fileText) },
	"template":    func(r *run, terms []any) ([]any, error) { return each(terms, r.rendered) },
	"env":         func(r *run, terms []any) ([]any, error) { return each(terms, r.getenv) },
	"vars":        (*run).varsByName,
	"first_found": (*run).firstFound,
	"fileglob":    (*run).fileGlob,
}

// leftOut are Ansible's lookups that are not there, and why.
var leftOut = map[string]string{
	"pipe":     "it runs a command on the controller each time; register a delegated task instead",
	"lines":    "it runs a command on the controller each time; register a delegated task instead",
	"password": "it makes secrets in passing; keep them in vars",
	"url":      "it contacts the network each time; use the module uri",
	"items":    "write the list itself in `loop`", "dict": "write `.map | dict2items`",
	"sequence": "write `untilStep 1 11 1`", "random_choice": "it differs on each call", "flattened": "write `flatten`",
}

func checkLookup(_ *Engine, args []parse.Node) error {
	if len(args) == 0 {
		return nil
	}
	if kind, ok := args[0].(*parse.StringNode); ok {
		return lookupKind(kind.Text)
	}
	return nil
}

func lookupKind(kind string) error {
	if lookups[strings.TrimPrefix(kind, "ansible.builtin.")] != nil {
		return nil
	}
	kinds := value.Keys(lookups)
	hint := leftOut[kind]
	if hint == "" {
		hint = prefer(diag.DidYouMean(kind, kinds), "there are "+strings.Join(kinds, ", "))
	}
	return &hinted{fmt.Sprintf("there is no lookup %q", kind), hint}
}

func (r *run) lookup(a []any) ([]any, error) {
	kind, err := textOf(a[0])
	if err == nil {
		err = lookupKind(kind)
	}
	if err != nil {
		return nil, err
	}
	return lookups[strings.TrimPrefix(kind, "ansible.builtin.")](r, a[1:])
}

// each makes one value of each term; lists are taken apart.
func each(terms []any, f func(string) (any, error)) ([]any, error) {
	out := []any{}
	for _, t := range flat(nil, terms, -1) {
		name, err := textOf(t)
		if err != nil {
			return nil, err
		}
		v, err := f(name)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

func (r *run) find(kind, name string) (string, error) {
	if r.ctx.Find == nil {
		return "", errors.New("files cannot be looked up here")
	}
	return r.ctx.Find(kind, name)
}

// fileText is a file's text without white space at its end, as in Ansible.
func (r *run) fileText(name string) (any, error) {
	path, err := r.find("files", name)
	if err != nil {
		return nil, err
	}
	text, err := readFile(path)
	return strings.TrimRight(string(text), " \t\r\n"), err
}

func (r *run) rendered(name string) (any, error) {
	path, err := r.find("templates", name)
	if err != nil {
		return nil, err
	}
	f, list := r.eng.CompileFile(path, FileOptions{})
	if err := list.Err(); err != nil {
		return nil, err
	}
	inner := newRun(f.tmpl, r.ctx, r.root.extra)
	inner.steps = r.steps
	if inner.depth = r.depth + 1; inner.depth > maxDepth {
		return nil, fmt.Errorf("template %s looks itself up without end", name)
	}
	if err := r.step(r.here); err != nil {
		return nil, err
	}
	v, err := inner.text()
	if u, ok := isUnknown(v); ok {
		return nil, &unknownStop{u}
	}
	return v, err
}

func (r *run) getenv(name string) (any, error) {
	if !slices.Contains(r.eng.env, name) {
		return nil, &hinted{
			fmt.Sprintf("the environment variable %s may not be read", name),
			"allow it by name in the configuration, or hand the value over with -e",
		}
	}
	return os.Getenv(name), nil
}

// varsByName reads variables by name; a last term that is no name of one is
// the default.
func (r *run) varsByName(terms []any) ([]any, error) {
	if len(terms) < 1 || len(terms) > 2 {
		return nil, errors.New(`write lookup "vars" "name", with a default behind it if it may be undefined`)
	}
	name, err := textOf(terms[0])
	if err != nil {
		return nil, err
	}
	v, ok, err := r.root.Get(name)
	switch {
	case err != nil:
		return nil, err
	case ok:
		v, err = whole(native(v))
		return []any{v}, err
	case len(terms) == 2:
		return []any{terms[1]}, nil
	}
	u := &undefined{path: "." + name, container: r.root, key: name, pos: r.pos(r.here)}
	return nil, u.err()
}

func (r *run) firstFound(terms []any) ([]any, error) {
	var errs []error
	names := flat(nil, terms, -1)
	for _, t := range names {
		name, err := textOf(t)
		if err != nil {
			return nil, err
		}
		path, err := r.find("files", name)
		if err == nil {
			if _, err = os.Stat(path); err == nil {
				return []any{path}, nil
			}
		}
		if !errors.Is(err, fs.ErrNotExist) && r.ctx.Find == nil {
			return nil, err
		}
		errs = append(errs, err)
	}
	return nil, fmt.Errorf("none of %s exists: %w", value.Text(names), errors.Join(errs...))
}

// fileGlob matches regular files in a directory of the role's files.
func (r *run) fileGlob(terms []any) ([]any, error) {
	out := []any{}
	for _, t := range flat(nil, terms, -1) {
		glob, err := textOf(t)
		if err != nil {
			return nil, err
		}
		dir, err := r.find("files", filepath.Dir(glob))
		if err != nil {
			continue // no such directory: nothing matches
		}
		entries, err := os.ReadDir(dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, entry := range entries {
			ok, err := filepath.Match(filepath.Base(glob), entry.Name())
			if err != nil {
				return nil, fmt.Errorf("pattern %s: %w", quoted(glob), err)
			}
			path := filepath.Join(dir, entry.Name())
			if info, err := os.Stat(path); ok && err == nil && info.Mode().IsRegular() {
				out = append(out, path)
			}
		}
	}
	return out, nil
}
