package modules

import (
	"fmt"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// Registry finds modules by name. It is immutable once made and safe for
// concurrent use; two registries are independent of each other.
type Registry struct {
	byName map[string]*Module
}

// collections are the prefixes under which Ansible's playbooks name modules
// that we ship.
var collections = []string{
	"ansible.builtin.", "ansible.legacy.", "ansible.posix.", "community.general.", "community.crypto.",
	"community.mysql.",
}

// NewRegistry makes a registry. Two modules of one name are an error.
func NewRegistry(list ...*Module) (*Registry, error) {
	r := &Registry{byName: make(map[string]*Module, len(list))}
	for _, m := range list {
		if _, twice := r.byName[m.Name]; twice {
			return nil, fmt.Errorf("module %s is registered twice", m.Name)
		}
		r.byName[m.Name] = m
	}
	return r, nil
}

// Lookup finds a module by its name, also under ansible.builtin and the other
// collections Ansible users know.
func (r *Registry) Lookup(name string) (*Module, bool) {
	if m, ok := r.byName[name]; ok {
		return m, ok
	}
	for _, c := range collections {
		if short, ok := strings.CutPrefix(name, c); ok {
			m, ok := r.byName[short]
			return m, ok
		}
	}
	return nil, false
}

// Names lists the modules' names, sorted.
func (r *Registry) Names() []string { return value.Keys(r.byName) }

// DidYouMean suggests modules for a name that is not there; "" when none is
// near.
func (r *Registry) DidYouMean(name string) string {
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		name = name[i+1:]
	}
	return diag.DidYouMean(name, r.Names())
}
