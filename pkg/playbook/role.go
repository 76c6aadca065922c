package playbook

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/source"
	"github.com/foobar-play/foobar-play/pkg/value"
	"github.com/foobar-play/foobar-play/pkg/vars"
)

// entryPoints are the files of a role that one use takes; "" means main.
type entryPoints struct{ tasks, vars, defaults, handlers string }

// skeleton is what a role's files say whatever the place of use: everything
// but tasks and handlers.
type skeleton struct {
	role         Role
	dependencies []*source.Node
	diags        diag.List
}

type skeletonKey struct{ dir, vars, defaults string }

// skeleton reads a role's defaults, vars and meta, once.
func (l *Loader) skeleton(dir string, from entryPoints) *skeleton {
	return l.skeletons.get(skeletonKey{dir, from.vars, from.defaults}, func() *skeleton {
		s := &skeleton{role: Role{Dir: dir}}
		r := &reader{Loader: l, diags: &s.diags}
		s.role.Defaults = r.roleVars(dir, "defaults", from.defaults)
		s.role.Vars = r.roleVars(dir, "vars", from.vars)
		r.roleMeta(s)
		return s
	})
}

// yamlEndings are tried in this order for a role's files.
var yamlEndings = []string{"", ".yml", ".yaml", ".json"}

// varsEndings are those of files of variables in a directory.
var varsEndings = []string{".yml", ".yaml", ".json"}

// roleFile finds a file of a role: name with or without its ending.
func roleFile(dir, folder, name string) (string, bool) {
	for _, ending := range yamlEndings {
		path := filepath.Join(dir, folder, name+ending)
		if isFile(path) {
			return path, true
		}
	}
	return "", false
}

// roleVars reads defaults/main.yml or vars/main.yml, or all files of a folder
// main.
func (r *reader) roleVars(dir, folder, from string) map[string]vars.Var {
	name := from
	if name == "" {
		name = "main"
	}
	if path, ok := roleFile(dir, folder, name); ok {
		return r.varsOf(path)
	}
	sub := filepath.Join(dir, folder, name)
	if !isDir(sub) {
		if from != "" {
			r.errorf(diag.Pos{File: filepath.Join(dir, folder)}, "the role has no file %s in %s", from, folder)
		}
		return nil
	}
	var out map[string]vars.Var
	entries, err := os.ReadDir(sub)
	if err != nil {
		r.diags.AddError(diag.Pos{File: sub}, err)
	}
	for _, e := range entries {
		if slices.Contains(varsEndings, filepath.Ext(e.Name())) {
			out = merged(r.varsOf(filepath.Join(sub, e.Name())), out)
		}
	}
	return out
}

// varsOf reads a file of variables.
func (r *reader) varsOf(path string) map[string]vars.Var {
	v := r.varFiles.get(path, func() read[map[string]vars.Var] {
		m, l := vars.LoadFile(path, r.cfg.Engine)
		return read[map[string]vars.Var]{m, l}
	})
	r.diags.Merge(v.diags)
	return v.value
}

var metaKeys = []string{"dependencies", "allow_duplicates", "argument_specs", "galaxy_info", "collections"}

// roleMeta reads meta/main.yml and meta/argument_specs.yml.
func (r *reader) roleMeta(s *skeleton) {
	if path, ok := roleFile(s.role.Dir, "meta", "main"); ok {
		n, l := r.file(path)
		r.diags.Merge(l)
		r.metaMain(s, n)
	}
	for _, name := range []string{"argument_specs", "argument_spec"} {
		path, ok := roleFile(s.role.Dir, "meta", name)
		if !ok {
			continue
		}
		n, l := r.file(path)
		r.diags.Merge(l)
		if f, ok := n.Field("argument_specs"); ok {
			s.role.ArgSpecs = r.argSpecs(f)
		} else if n != nil && n.Kind != source.Null {
			r.errorf(n.Pos, "the file must have the key argument_specs at its top")
		}
	}
}

func (r *reader) metaMain(s *skeleton, n *source.Node) {
	if n == nil || n.Kind == source.Null {
		return
	}
	if n.Kind != source.Map {
		r.errorf(n.Pos, "a role's meta/main.yml is a map, found %s", n.Kind)
		return
	}
	for _, f := range n.Fields {
		switch f.Name {
		case "dependencies":
			if f.Node.Kind != source.List && f.Node.Kind != source.Null {
				r.wrong(f, "a list of roles")
				continue
			}
			s.dependencies = f.Node.Items
		case "allow_duplicates":
			if v := r.boolean(f); v != nil {
				s.role.AllowDuplicates, _ = value.Bool(v.Node().Scalar)
			}
		case "argument_specs":
			s.role.ArgSpecs = r.argSpecs(f)
		case "galaxy_info", "collections", "standalone":
		default:
			r.hint(f.Pos, diag.DidYouMean(f.Name, metaKeys), "a role's meta has no key %q", f.Name)
		}
	}
}

// roleFolders are what makes a folder beside the playbook a role.
var roleFolders = []string{"tasks", "handlers", "defaults", "vars", "meta", "templates", "files"}

// roleBases lists the folders in which roles are searched.
func (r *reader) roleBases(at place) []string {
	bases := []string{filepath.Join(at.playDir, "roles")}
	if r.cfg.ProjectDir != "" {
		bases = append(bases, filepath.Join(r.cfg.ProjectDir, "roles"))
	}
	bases = append(bases, r.cfg.RolesPath...)
	if at.role != nil {
		bases = append(bases, filepath.Dir(at.role.Dir))
	}
	var out []string
	for _, b := range bases {
		if !slices.ContainsFunc(out, func(o string) bool { return samePath(o, b) }) {
			out = append(out, b)
		}
	}
	return out
}

func samePath(a, b string) bool {
	x, errX := filepath.Abs(a)
	y, errY := filepath.Abs(b)
	return errX == nil && errY == nil && x == y
}

// findRole finds a role's folder by name or path.
func (r *reader) findRole(e roleEntry, at place) (dir string, ok bool) {
	bases := r.roleBases(at)
	var searched []string
	for _, b := range bases {
		if path := inDir(b, e.name); isDir(path) {
			return path, true
		}
		searched = append(searched, b)
	}
	beside := inDir(at.playDir, e.name)
	isRole := slices.ContainsFunc(roleFolders, func(f string) bool { return isDir(filepath.Join(beside, f)) })
	if isRole {
		return beside, true
	}
	hint := "searched: " + joined(searched)
	if near := diag.DidYouMean(e.name, rolesIn(bases)); near != "" {
		hint = near + " " + hint
	}
	r.hint(e.pos, hint, "no role %q", e.name)
	return "", false
}

func rolesIn(bases []string) []string {
	var out []string
	for _, b := range bases {
		entries, _ := os.ReadDir(b)
		for _, e := range entries {
			if !strings.HasPrefix(e.Name(), ".") && isDir(filepath.Join(b, e.Name())) {
				out = append(out, e.Name())
			}
		}
	}
	return out
}

// chain shows how things lead to each other.
func chain(names []string) string { return strings.Join(names, " → ") }
