package vars

import (
	"slices"

	"github.com/foobar-play/foobar-play/pkg/template"
)

// HostVars is the magic variable hostvars: the variables of all hosts, each
// looked up when it is mentioned. It is a template.Getter.
type HostVars struct {
	// Hosts lists the inventory's hosts, sorted.
	Hosts func() []string
	// Scope gives a host's variables; ok is false for a host that is not
	// known. It should give the same Scope for a host as long as its variables
	// do not change, because a Scope remembers what it evaluated. Both must be
	// safe for concurrent use.
	Scope func(host string) (s *Scope, ok bool, err error)

	trail *step
}

// Get gives a host's variables as a template.Getter.
func (h HostVars) Get(host string) (any, bool, error) {
	s, ok, err := h.Scope(host)
	if err != nil || !ok {
		return nil, false, err
	}
	return &hostVars{s, h.trail}, true, nil
}

// Keys lists the hosts.
func (h HostVars) Keys() []string { return h.Hosts() }

func (h HostVars) trace(trail *step) any {
	h.trail = trail
	return h
}

// hostVars are one host's variables.
type hostVars struct {
	scope *Scope
	trail *step
}

func (h *hostVars) Get(name string) (any, bool, error) { return h.scope.lookup(name, h.trail) }

// Keys leaves out hostvars itself, so that the whole of a host's variables is
// finite.
func (h *hostVars) Keys() []string {
	return slices.DeleteFunc(h.scope.Names(), func(name string) bool { return name == "hostvars" || name == "vars" })
}

func (h *hostVars) trace(trail *step) any { return &hostVars{h.scope, trail} }

// traced tells a lazy value what is being evaluated, so that cycles through
// hostvars are found.
func traced(v any, trail *step) any {
	if t, ok := v.(interface{ trace(*step) any }); ok {
		return t.trace(trail)
	}
	return v
}

var (
	_ template.Getter = HostVars{}
	_ template.Getter = (*hostVars)(nil)
	_ template.Scope  = (*Scope)(nil)
)
