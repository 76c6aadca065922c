package runner

import (
	"cmp"
	"slices"
)

// path is a place in a play's course: the indices from the play's section down
// to the task, through blocks and includes. Hosts at the same path are at the
// same step; linear takes the lowest path first.
type path []segment

type segment struct {
	n    int
	name string // tells apart what hosts include at one place
}

func (p path) add(n int) path { return p.addNamed(n, "") }

func (p path) addNamed(n int, name string) path {
	return append(slices.Clip(p), segment{n, name})
}

func (p path) compare(q path) int {
	return slices.CompareFunc(p, q, func(a, b segment) int {
		if c := cmp.Compare(a.n, b.n); c != 0 {
			return c
		}
		return cmp.Compare(a.name, b.name)
	})
}

func (p path) key() string {
	b := make([]byte, 0, len(p)*4)
	for _, s := range p {
		b = append(b, byte(s.n), byte(s.n>>8), byte(s.n>>16), '/')
		b = append(b, s.name...)
		b = append(b, 0)
	}
	return string(b)
}
