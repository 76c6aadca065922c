package inventory

import (
	"maps"
	"path/filepath"
	"slices"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/vars"
)

// Host is one machine, by the name the inventory gives it.
type Host struct {
	inv      *Inventory
	name     string
	implicit bool
	file     string // the source that named it first; "" for lists and add_host
	pos      diag.Pos
	groups   []*Group // those that name it themselves
	vars     map[string]vars.Var
}

// Name is inventory_hostname.
func (h *Host) Name() string { return h.name }

// String is Name, for messages.
func (h *Host) String() string { return h.name }

// Implicit reports whether this is the localhost that no inventory names.
func (h *Host) Implicit() bool { return h.implicit }

// Groups lists the groups the host belongs to, by itself or through children,
// without "all", sorted by name: the magic variable group_names.
func (h *Host) Groups() []*Group {
	return slices.Clone(h.inv.view().groupsByName(h))
}

// GroupNames is the magic variable group_names: the names of Groups.
func (h *Host) GroupNames() []string {
	groups := h.inv.view().groupsByName(h)
	out := make([]string, len(groups))
	for i, g := range groups {
		out[i] = g.name
	}
	return out
}

// Pos is where the inventory names the host first; zero when it is implied or
// was added at run time.
func (h *Host) Pos() diag.Pos { return h.pos }

// InventoryFile is the magic variable inventory_file: the absolute path of the
// file that named the host first. It is "" for hosts of a list on the command
// line, hosts added at run time and the implied localhost.
func (h *Host) InventoryFile() string { return h.file }

// InventoryDir is the magic variable inventory_dir: the directory of
// InventoryFile, or "".
func (h *Host) InventoryDir() string {
	if h.file == "" {
		return ""
	}
	return filepath.Dir(h.file)
}

// set stores variables. The map is replaced, because layers handed out share
// it.
func (h *Host) set(more map[string]vars.Var) {
	if len(more) == 0 {
		return
	}
	next := maps.Clone(h.vars)
	if next == nil {
		next = map[string]vars.Var{}
	}
	maps.Copy(next, more)
	h.vars = next
}
