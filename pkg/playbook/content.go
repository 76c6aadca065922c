package playbook

import (
	"errors"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/source"
	"github.com/foobar-play/foobar-play/pkg/template"
	"github.com/foobar-play/foobar-play/pkg/value"
	"github.com/foobar-play/foobar-play/pkg/vars"
)

// content is what a task's options name of the controller's files, as far as
// it is known before the run.
type content struct {
	// templates are those that will be rendered; maybe those that may be,
	// because only a part of the name is known.
	templates, maybe []*template.File
	// vars are what include_vars will read, or may.
	vars map[string]vars.Var
	// open is true when something else may be read.
	open bool
}

// contentOptions tells which option of a module names a file of the
// controller, and the kind of folder it is searched in.
var contentOptions = map[string]struct{ option, kind string }{
	"template":     {"src", "templates"},
	"copy":         {"src", "files"},
	"unarchive":    {"src", "files"},
	"script":       {"cmd", "files"},
	"include_vars": {"file", "vars"},
}

// findContent looks for the files that a task's options name.
func (r *reader) findContent(t *Task, opts *source.Node) {
	mod := t.Action.Module
	c, ok := contentOptions[mod.Name]
	if !ok {
		return
	}
	n := given(mod, opts, c.option)
	if mod.Name == "include_vars" && n == nil {
		r.findVarsDir(t, opts)
		return
	}
	if n == nil || n.Kind != source.String || remote(opts) {
		return
	}
	names, exact := namesOf(t, n)
	for _, name := range names {
		if mod.Name == "script" {
			name = firstWord(name)
		}
		if !strings.Contains(name, "://") {
			r.findOne(t, opts, n, c.kind, name)
		}
	}
	if !exact {
		r.guess(t, opts, n, c.kind)
	}
}

// given finds an option by its name or an alias.
func given(mod *modules.Module, opts *source.Node, option string) *source.Node {
	o, _ := mod.Option(option)
	for _, name := range append([]string{option}, o.Aliases...) {
		if n := opts.Get(name); n != nil {
			return n
		}
	}
	return nil
}

// remote reports whether src may be a file of the host.
func remote(opts *source.Node) bool {
	n := opts.Get("remote_src")
	if n == nil {
		return false
	}
	b, err := value.Bool(n.Scalar)
	return isTemplate(n) || err != nil || b
}

func firstWord(s string) string {
	words, _ := splitWords(s)
	if len(words) == 0 {
		return s
	}
	return strings.Trim(words[0].text, `'"`)
}

func (r *reader) findOne(t *Task, opts, n *source.Node, kind, name string) {
	path, err := t.at.find(kind, name)
	if err != nil {
		r.notFound(n.Pos, kind, err)
		return
	}
	switch kind {
	case "templates":
		if f := r.template(path, opts, true); f != nil {
			t.Action.content.templates = append(t.Action.content.templates, f)
		}
	case "vars":
		t.Action.content.vars = merged(r.varsOf(path), t.Action.content.vars)
	}
}

func (r *reader) notFound(pos diag.Pos, kind string, err error) {
	what := map[string]string{"files": "file", "templates": "template", "vars": "vars file", "tasks": "task file"}[kind]
	var e *NotFoundError
	if errors.As(err, &e) {
		r.hint(pos, "searched: "+joined(e.Searched), "no %s %q", what, e.Name)
		return
	}
	r.errorf(pos, "look for the %s: %v", what, err)
}

// template compiles a template file; its mistakes are reported when loud.
func (r *reader) template(path string, opts *source.Node, loud bool) *template.File {
	text := func(name string) string {
		s, _ := opts.Get(name).Text()
		return s
	}
	f, l := r.cfg.Engine.CompileFile(path, template.FileOptions{
		Left: text("variable_start_string"), Right: text("variable_end_string"),
	})
	if loud {
		r.diags.Merge(l)
	}
	return f
}

// guess takes all files that a name with templates in it may mean.
func (r *reader) guess(t *Task, opts, n *source.Node, kind string) {
	if kind == "files" {
		return
	}
	c := &t.Action.content
	paths, ok := candidates(t.at, kind, n)
	c.open = c.open || !ok
	for _, path := range paths {
		if kind == "vars" {
			c.vars = merged(c.vars, r.quietly().varsOf(path))
		} else if f := r.template(path, opts, false); f != nil {
			c.maybe = append(c.maybe, f)
		} else {
			c.open = true
		}
	}
}

// findVarsDir reads include_vars: dir.
func (r *reader) findVarsDir(t *Task, opts *source.Node) {
	n := given(t.Action.Module, opts, "dir")
	s, ok := n.Text()
	if !ok {
		return
	}
	if isTemplate(n) {
		t.Action.content.open = true
		return
	}
	dir, err := t.at.find("vars", s)
	if err != nil {
		r.notFound(n.Pos, "vars", err)
		return
	}
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && slices.Contains(varsEndings, filepath.Ext(path)) {
			t.Action.content.vars = merged(t.Action.content.vars, r.quietly().varsOf(path))
		}
		return nil
	})
}

// quietly is a reader whose findings are dropped.
func (r *reader) quietly() *reader {
	out := *r
	out.diags = &diag.List{}
	return &out
}

var itemOnly = regexp.MustCompile(`\{\{-?\s*\.([A-Za-z_]\w*)((?:\.\w+)*)\s*-?\}\}`)

// namesOf gives the names that a text comes to: itself when it is literal, and
// one for each item of a literal loop when it holds nothing but loop items.
func namesOf(t *Task, n *source.Node) (names []string, exact bool) {
	s, _ := n.Text()
	if !isTemplate(n) {
		return []string{s}, true
	}
	if t.Loop == nil || t.Loop.Dict || t.Loop.Items == nil || isTemplate(t.Loop.Items.Node()) {
		return nil, false
	}
	for _, item := range one(t.Loop.Items.Node()) {
		name := itemOnly.ReplaceAllStringFunc(s, func(m string) string {
			part := itemOnly.FindStringSubmatch(m)
			v := item
			for _, key := range strings.Split(part[2], ".")[1:] {
				v = v.Get(key)
			}
			if part[1] != t.Loop.Var || v == nil || v.Kind == source.List || v.Kind == source.Map {
				return m
			}
			return value.Text(v.Scalar)
		})
		if strings.Contains(name, "{{") {
			return nil, false
		}
		names = append(names, name)
	}
	return names, true
}

var templatePart = regexp.MustCompile(`\{\{.*?\}\}`)

// candidates are the files that a name with templates in it may mean, each
// template standing for any text without a slash. ok is false when it may mean
// others too.
func candidates(at place, kind string, n *source.Node) (paths []string, ok bool) {
	s, _ := n.Text()
	pattern := templatePart.ReplaceAllString(s, "*")
	if n.Tag != "" || strings.HasPrefix(pattern, "*/") || strings.Trim(pattern, "*") == "" || strings.Contains(pattern, "{{") {
		return nil, false
	}
	for _, dir := range at.searched(kind) {
		found, err := filepath.Glob(inDir(globQuote(dir), pattern))
		if err != nil {
			return nil, false
		}
		for _, path := range found {
			if isFile(path) && !slices.Contains(paths, path) {
				paths = append(paths, path)
			}
		}
	}
	return paths, true
}

func globQuote(s string) string {
	return regexp.MustCompile(`[*?\[\\]`).ReplaceAllString(s, `\$0`)
}
