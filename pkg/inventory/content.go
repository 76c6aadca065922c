package inventory

import (
	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/source"
)

// content is what one source says, before it becomes part of an inventory. The
// formats are read into it; loader.merge adds it.
type content struct {
	groups []groupEntry
	// hostVars are variables of hosts that are named elsewhere
	// (_meta.hostvars of a script).
	hostVars []hostEntry
}

// groupEntry is one mention of a group with what was said there.
type groupEntry struct {
	name     string
	pos      diag.Pos
	hosts    []hostEntry
	children []childEntry
	vars     []varEntry
	// varsOnly marks an INI section [name:vars]: it does not make the group.
	varsOnly bool
}

// childEntry names a child. In INI the child must be defined somewhere.
type childEntry struct {
	name string
	pos  diag.Pos
	must bool
}

// hostEntry is one line or key, which ranges may make several hosts.
type hostEntry struct {
	names []string
	port  int // 0: none given
	pos   diag.Pos
	vars  []varEntry
}

// varEntry is one variable; pos is where its name stands.
type varEntry struct {
	name string
	pos  diag.Pos
	node *source.Node
}
