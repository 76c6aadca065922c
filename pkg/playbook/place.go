package playbook

import (
	"maps"
	"slices"

	"github.com/foobar-play/foobar-play/pkg/template"
)

// place is where a task is written, and what it inherits from there. Places
// are values: with… methods make the place of what is inside.
type place struct {
	role    *Role
	dir     string // of the file
	playDir string
	handler bool

	tags []string
	when []*template.Condition

	delegateTo, delegateFacts, notify *template.Value
	// defaults are the modules that a module_defaults around gives options to.
	defaults map[string]bool
	// reading are the files being read around here, outermost first.
	reading []string
}

func (p place) withTags(tags []string) place {
	p.tags = union(p.tags, tags)
	return p
}

func (p place) withWhen(when []*template.Condition) place {
	p.when = slices.Concat(p.when, when)
	return p
}

// inside is the place of what stands inside of t: its tags, conditions and
// inheritable keywords are handed down.
func (p place) inside(t *Task) place {
	p.tags, p.when = t.AllTags, t.When
	p.delegateTo, p.delegateFacts, p.notify = t.DelegateTo, t.DelegateFacts, t.Notify
	return p.withDefaults(t.ModuleDefaults)
}

func (p place) withDefaults(v *template.Value) place {
	if v == nil {
		return p
	}
	p.defaults = maps.Clone(p.defaults)
	if p.defaults == nil {
		p.defaults = map[string]bool{}
	}
	for _, name := range v.Node().Keys() {
		p.defaults[name] = true
	}
	return p
}

// into is the place of another file; entry tells apart what is read there.
func (p place) into(dir, entry string) place {
	p.dir = dir
	p.reading = append(slices.Clip(p.reading), entry)
	return p
}

// union appends the texts of b that a lacks.
func union(a, b []string) []string {
	out := slices.Clone(a)
	for _, s := range b {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// over lays the keywords inner over outer; environments add up. Tags are handed
// down by places.
func over(inner, outer Keywords) Keywords {
	for _, c := range commonFields {
		if dst := c.field(&inner); *dst == nil {
			*dst = *c.field(&outer)
		}
	}
	inner.Environment = slices.Concat(outer.Environment, inner.Environment)
	return inner
}
