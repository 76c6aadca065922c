// Package inventory knows the hosts and groups of a run and their variables.
//
// It owns: reading inventories (YAML, INI, directories of several files,
// executables that print JSON, lists such as "web01,web02,"), group_vars and
// host_vars beside them and beside the playbook, host patterns
// (web:&prod:!web02), the order in which a host's inventory variables override
// each other, hosts and groups added while a run goes on, and the list of
// connection variables.
//
// The rules are Ansible's, measured against ansible-core 2.14; where a rule of
// ours differs, the doc comment at its place says so. Mistakes are collected
// in one diag.List with their places, INI included.
//
// It must not know what a play or a task is, nor how a host is reached.
// Templates in values are compiled here and evaluated above.
package inventory

import (
	"context"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/template"
	"github.com/foobar-play/foobar-play/pkg/vars"
)

// Options tune Load. The zero value is valid.
type Options struct {
	// Engine compiles the values of variables; nil means one with the default
	// configuration.
	Engine *template.Engine
	// Log is told what was read and skipped, at debug level, and what an
	// inventory script wrote to stderr. The zero Logger is silent.
	Log zerolog.Logger
	// ScriptTimeout bounds each call of an inventory script; 0 means two
	// minutes.
	ScriptTimeout time.Duration
}

// Inventory holds hosts and groups. It is safe for concurrent use; AddHost and
// AddToGroup may change it while others read.
type Inventory struct {
	opts    Options
	sources []string
	dirs    []string // of the sources, where group_vars and host_vars are looked for
	files   *varFiles
	root    *Group // "all"
	loose   *Group // "ungrouped"

	// mu guards everything below, and the fields of hosts and groups that are
	// not fixed when they are made.
	mu       sync.Mutex
	hosts    map[string]*Host
	order    []*Host // as they were first named
	groups   map[string]*Group
	gorder   []*Group // as they were first named, "all" and "ungrouped" first
	implicit map[string]*Host

	// seen is what was derived from the above; nil after a change.
	seen atomic.Pointer[view]
}

// Load reads the sources, later ones over earlier ones. A source is a file, a
// directory, an executable, or a list of hosts with a comma in it ("web01," is
// a list of one). No source gives an inventory with nothing but the implied
// localhost.
//
// The inventory is never nil; when the list has errors it holds what could be
// read and must not be run. The variables beside the sources are checked too;
// for those beside a playbook call Check.
func Load(ctx context.Context, sources []string, o Options) (*Inventory, diag.List) {
	inv := empty(o)
	l := &loader{ctx: ctx, inv: inv}
	for _, s := range sources {
		l.source(s)
	}
	l.finish()
	l.diags.Merge(inv.Check(""))
	return inv, l.diags
}

func empty(o Options) *Inventory {
	if o.Engine == nil {
		o.Engine = template.New(template.Config{})
	}
	if o.ScriptTimeout == 0 {
		o.ScriptTimeout = 2 * time.Minute
	}
	inv := &Inventory{
		opts:     o,
		files:    newVarFiles(o.Engine),
		hosts:    map[string]*Host{},
		groups:   map[string]*Group{},
		implicit: map[string]*Host{},
	}
	inv.root, inv.loose = inv.group("all"), inv.group("ungrouped")
	inv.root.defined, inv.loose.defined = true, true
	link(inv.root, inv.loose)
	return inv
}

// Hosts lists all hosts in inventory order: those that "all" names itself, then
// those of its children in the order they were first named, then of theirs,
// level by level. An implied localhost is not among them.
func (inv *Inventory) Hosts() []*Host { return slices.Clone(inv.view().hosts[inv.root]) }

// Host finds a host by its inventory name; nil when there is none.
//
// "localhost", "127.0.0.1" and "::1" are always there: as the host of the
// inventory with that name, else as one with another of the three names, else
// as an implied host whose ansible_connection is local and which belongs to no
// group, "all" included (whose variables it has nevertheless).
func (inv *Inventory) Host(name string) *Host {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	return inv.find(name)
}

var localNames = []string{"localhost", "127.0.0.1", "::1"}

// find is Host under the lock.
func (inv *Inventory) find(name string) *Host {
	if h := inv.hosts[name]; h != nil || !slices.Contains(localNames, name) {
		return h
	}
	for _, n := range localNames {
		if h := inv.hosts[n]; h != nil {
			return h
		}
	}
	if inv.implicit[name] == nil {
		inv.implicit[name] = &Host{inv: inv, name: name, implicit: true, vars: map[string]vars.Var{
			"ansible_connection": {Value: template.Static("local")},
		}}
	}
	return inv.implicit[name]
}

// Group finds a group; nil when there is none. "all" and "ungrouped" always
// exist.
func (inv *Inventory) Group(name string) *Group {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	return inv.groups[name]
}

// Groups lists the groups as they were first named, "all" and "ungrouped"
// first.
func (inv *Inventory) Groups() []*Group {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	return slices.Clone(inv.gorder)
}

// GroupMap is the magic variable `groups`: the names of every group's hosts,
// those of its children included, in inventory order. It must not be changed.
func (inv *Inventory) GroupMap() map[string][]string { return inv.view().groupMap }

// Sources lists what was given to Load.
func (inv *Inventory) Sources() []string { return slices.Clone(inv.sources) }

// Dir is the absolute directory of the first source that is a file or a
// directory, "" when there is none.
func (inv *Inventory) Dir() string {
	if len(inv.dirs) == 0 {
		return ""
	}
	return absolute(inv.dirs[0])
}

// host finds or makes a host, under the lock or before the inventory is
// shared.
func (inv *Inventory) host(name string) *Host {
	h := inv.hosts[name]
	if h == nil {
		h = &Host{inv: inv, name: name}
		inv.hosts[name] = h
		inv.order = append(inv.order, h)
	}
	return h
}

// group finds or makes a group, likewise.
func (inv *Inventory) group(name string) *Group {
	g := inv.groups[name]
	if g == nil {
		g = &Group{inv: inv, name: name, priority: 1}
		inv.groups[name] = g
		inv.gorder = append(inv.gorder, g)
	}
	return g
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}
