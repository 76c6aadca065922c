package inventory

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/vars"
)

// Layers gives the host's variables from the inventory and from the files
// beside it and beside the playbook, lowest first; empty layers are left out.
// The order is 3 to 10 of Ansible's precedence:
//
//	inventory vars of all, then of the host's groups
//	group_vars/all of the inventory, then of the playbook
//	group_vars/* of the inventory, then of the playbook
//	inventory vars of the host
//	host_vars/* of the inventory, then of the playbook
//
// Among groups, parents come before children (by the longest way from "all"),
// then lower ansible_group_priority, then by name. Of several sources the later
// one's files win. The variables of "all" count for the implied localhost too.
//
// playbookDir is the folder of the play's file, "" for none. Files with
// mistakes add nothing; Check reports them. The result must not be changed.
func (inv *Inventory) Layers(h *Host, playbookDir string) []vars.Layer {
	v := inv.view()
	key := layerKey{h, playbookDir}
	if have, ok := v.layers.Load(key); ok {
		return have.([]vars.Layer)
	}
	out := inv.makeLayers(v, h, playbookDir)
	v.layers.Store(key, out)
	return out
}

type layerKey struct {
	host *Host
	dir  string
}

func (inv *Inventory) makeLayers(v *view, h *Host, playbookDir string) []vars.Layer {
	groups := v.groups[h]
	b := layerBuilder{files: inv.files, playbookDir: playbookDir}
	for _, d := range inv.dirs {
		if playbookDir == "" || absolute(d) != absolute(playbookDir) {
			b.dirs = append(b.dirs, d)
		}
	}
	inv.mu.Lock()
	rootVars, hostVars := inv.root.vars, h.vars
	groupVars := make([]map[string]vars.Var, len(groups))
	for i, g := range groups {
		groupVars[i] = g.vars
	}
	inv.mu.Unlock()

	b.add("inventory vars of group all", rootVars)
	for i, g := range groups {
		b.add("inventory vars of group "+g.name, groupVars[i])
	}
	b.fromFiles("group_vars", "all")
	names := make([]string, len(groups))
	for i, g := range groups {
		names[i] = g.name
	}
	b.fromFiles("group_vars", names...)
	b.add("inventory vars of host "+h.name, hostVars)
	b.fromFiles("host_vars", h.name)
	return b.out
}

type layerBuilder struct {
	files       *varFiles
	dirs        []string
	playbookDir string
	out         []vars.Layer
}

func (b *layerBuilder) add(name string, v map[string]vars.Var) {
	if len(v) > 0 {
		b.out = append(b.out, vars.Layer{Name: name, Vars: v})
	}
}

// fromFiles adds the inventory's files for all names, then the playbook's.
func (b *layerBuilder) fromFiles(kind string, names ...string) {
	for _, d := range b.dirs {
		for _, n := range names {
			b.add("inventory "+kind+"/"+n, b.files.get(filepath.Join(d, kind), n).vars)
		}
	}
	if b.playbookDir == "" {
		return
	}
	for _, n := range names {
		b.add("playbook "+kind+"/"+n, b.files.get(filepath.Join(b.playbookDir, kind), n).vars)
	}
}

// Check reads group_vars and host_vars of all groups and hosts there are now,
// beside the inventory and in playbookDir ("" for the former only), and
// returns the mistakes in them. Files are read once, so it is cheap to call
// again after hosts or groups were added. Load has called it with "".
func (inv *Inventory) Check(playbookDir string) diag.List {
	dirs := slices.Clone(inv.dirs)
	if playbookDir != "" && !slices.ContainsFunc(dirs, func(d string) bool { return absolute(d) == absolute(playbookDir) }) {
		dirs = append(dirs, playbookDir)
	}
	var groups, hosts []string
	for _, g := range inv.Groups() {
		groups = append(groups, g.name)
	}
	inv.mu.Lock()
	hosts = hostNames(inv.order)
	inv.mu.Unlock()
	for _, n := range localNames {
		if !slices.Contains(hosts, n) {
			hosts = append(hosts, n)
		}
	}
	var l diag.List
	for _, d := range dirs {
		inv.checkFiles(&l, filepath.Join(d, "group_vars"), groups)
		inv.checkFiles(&l, filepath.Join(d, "host_vars"), hosts)
		inv.strayGroups(&l, filepath.Join(d, "group_vars"), groups)
	}
	return l
}

func (inv *Inventory) checkFiles(l *diag.List, dir string, names []string) {
	if _, err := inv.files.listed(dir); err != nil {
		l.AddError(diag.Pos{File: dir}, err)
	}
	for _, n := range names {
		l.Merge(inv.files.get(dir, n).diags)
	}
}

// strayGroups warns of a file of group_vars whose name misses a group by
// little, when that group has no file. Other files without a group are normal:
// they belong to groups of other inventories, or to ones made at run time.
func (inv *Inventory) strayGroups(l *diag.List, dir string, groups []string) {
	files, _ := inv.files.listed(dir)
	stem := func(name string) string {
		if ext := filepath.Ext(name); slices.Contains(yamlEnds, ext) {
			return strings.TrimSuffix(name, ext)
		}
		return name
	}
	have := map[string]bool{}
	for _, f := range files {
		have[stem(f)] = true
	}
	for _, f := range files {
		if strings.HasPrefix(f, ".") || slices.Contains(groups, stem(f)) {
			continue
		}
		for _, near := range diag.Near(stem(f), groups) {
			if !have[near] && !sameButDigits(stem(f), near) {
				l.Add(warning(diag.Pos{File: filepath.Join(dir, f)}, "is not read: there is no group %q", stem(f)).
					WithHint("did you mean %q?", near))
				break
			}
		}
	}
}

// sameButDigits tells web1 and web2, which are no slip of the pen.
func sameButDigits(a, b string) bool {
	plain := func(s string) string {
		return strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' {
				return -1
			}
			return r
		}, s)
	}
	return plain(a) == plain(b)
}
