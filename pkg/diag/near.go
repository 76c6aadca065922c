package diag

import (
	"slices"
	"strings"

	"github.com/agext/levenshtein"
)

// Near returns the candidates that name was probably meant to be, best first,
// at most three: those within a third of its length in edits, two neighbouring
// characters swapped, or equal but for case, '-' and '_'.
func Near(name string, candidates []string) []string {
	type scored struct {
		name string
		dist int
	}
	fold := strings.NewReplacer("-", "", "_", "", ".", "")
	plain := fold.Replace(strings.ToLower(name))
	limit := max(1, len([]rune(name))/3)
	var hits []scored
	for _, c := range candidates {
		if c == name {
			continue
		}
		d := levenshtein.Distance(name, c, nil)
		if d == 2 && swapped(name, c) {
			d = 1
		}
		if fold.Replace(strings.ToLower(c)) == plain {
			d = 0
		}
		if d <= limit {
			hits = append(hits, scored{c, d})
		}
	}
	slices.SortFunc(hits, func(a, b scored) int {
		if a.dist != b.dist {
			return a.dist - b.dist
		}
		return strings.Compare(a.name, b.name)
	})
	var out []string
	for _, h := range hits {
		if !slices.Contains(out, h.name) && len(out) < 3 {
			out = append(out, h.name)
		}
	}
	return out
}

// swapped reports whether a becomes b when two neighbours change places.
func swapped(a, b string) bool {
	x, y := []rune(a), []rune(b)
	if len(x) != len(y) {
		return false
	}
	i := 0
	for i < len(x) && x[i] == y[i] {
		i++
	}
	return i+1 < len(x) && x[i] == y[i+1] && x[i+1] == y[i] && slices.Equal(x[i+2:], y[i+2:])
}

// DidYouMean gives `did you mean "x" or "y"?` for the near names, or "" when
// nothing is near.
func DidYouMean(name string, candidates []string) string {
	near := Near(name, candidates)
	if len(near) == 0 {
		return ""
	}
	for i := range near {
		near[i] = `"` + near[i] + `"`
	}
	return "did you mean " + strings.Join(near, " or ") + "?"
}
