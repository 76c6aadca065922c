package inventory

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/template"
	"github.com/foobar-play/foobar-play/pkg/vars"
)

// varFiles reads group_vars and host_vars, each file once in its life, and
// only those of groups and hosts that exist. It is safe for concurrent use.
type varFiles struct {
	engine *template.Engine

	mu       sync.Mutex
	listings map[string]*listing
	sets     map[string]*varSet
}

// listing is what a directory such as inventory/group_vars holds.
type listing struct {
	names map[string]bool
	err   error
}

// varSet is what is written about one group or host in one place.
type varSet struct {
	vars  map[string]vars.Var
	diags diag.List
}

func newVarFiles(e *template.Engine) *varFiles {
	return &varFiles{engine: e, listings: map[string]*listing{}, sets: map[string]*varSet{}}
}

// get gives the variables for name in dir, which ends in group_vars or
// host_vars. As in Ansible the first of name, name.yml, name.yaml and name.json
// that exists is the one: a file, or a directory whose files are all read by
// name, those inside of its directories too. Hidden files, those that end in ~,
// and other endings are passed over.
func (f *varFiles) get(dir, name string) *varSet {
	f.mu.Lock()
	defer f.mu.Unlock()
	key := dir + "\x00" + name
	if s := f.sets[key]; s != nil {
		return s
	}
	s := &varSet{vars: map[string]vars.Var{}}
	f.sets[key] = s
	list := f.list(dir)
	var found []string
	for _, end := range append([]string{""}, yamlEnds...) {
		if list.names[name+end] {
			found = append(found, filepath.Join(dir, name+end))
		}
	}
	if len(found) == 0 {
		return s
	}
	for _, other := range found[1:] {
		s.diags.Add(warning(diag.Pos{File: other}, "is not read, because %s is there", found[0]).
			WithHint("put the variables into one of them"))
	}
	f.read(s, found[0])
	return s
}

func (f *varFiles) list(dir string) *listing {
	if l := f.listings[dir]; l != nil {
		return l
	}
	l := &listing{names: map[string]bool{}}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		l.err = err
	}
	for _, e := range entries {
		l.names[e.Name()] = true
	}
	f.listings[dir] = l
	return l
}

// listed gives the names in dir, and why it cannot be read.
func (f *varFiles) listed(dir string) (names []string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.list(dir)
	return slices.Sorted(maps.Keys(l.names)), l.err
}

func (f *varFiles) read(s *varSet, path string) {
	info, err := os.Stat(path)
	if err != nil {
		s.diags.AddError(diag.Pos{File: path}, err)
		return
	}
	if info.IsDir() {
		f.readDir(s, path)
		return
	}
	found, diags := vars.LoadFile(path, f.engine)
	s.diags.Merge(diags)
	for name, v := range found {
		s.diags.Add(checkVar(name, v.Pos, v.Value)...)
		if name == priorityVar {
			s.diags.Add(warning(v.Pos, "%s has no effect here", priorityVar).
				WithHint("set it in the vars of the group in the inventory itself"))
		}
	}
	maps.Copy(s.vars, found)
}

func (f *varFiles) readDir(s *varSet, dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		s.diags.AddError(diag.Pos{File: dir}, err)
		return
	}
	for _, e := range entries {
		name, path := e.Name(), filepath.Join(dir, e.Name())
		if strings.HasPrefix(name, ".") || strings.HasSuffix(name, "~") {
			continue
		}
		info, err := os.Stat(path)
		ext := filepath.Ext(name)
		switch {
		case err != nil:
			s.diags.AddError(diag.Pos{File: path}, err)
		case info.IsDir() && ext != "":
		case info.IsDir(), ext == "", slices.Contains(yamlEnds, ext):
			f.read(s, path)
		}
	}
}
