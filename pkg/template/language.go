package template

// The language
//
//	{{ .name }}             a variable; {{ .a.b }} a map's field
//	{{ index .list 0 }}     an item; {{ index .map "key with-dash" }}
//	{{ .x | f "a" }}        the same as {{ f "a" .x }}: the piped value comes last
//	{{ if }} {{ else if }} {{ else }} {{ range }} {{ with }} {{ end }}
//	{{ $x := .a }} {{ define "n" }} {{ template "n" . }} {{ include "n" . | indent 2 }}
//
// Values. A text that is one {{ … }} yields what the pipeline yields (list,
// map, number, bool, null); any other text yields text, in which null prints
// as nothing and lists and maps as JSON. Numbers with a leading zero and
// 'single quotes' are errors, because they never mean what they seem to.
//
// Undefined. A name that is not there (or a field of something that has no
// such field) is an error, also in {{ if .x }}. Accepted is it only as what
// these act on: default, coalesce, defined, undefined, empty, required,
// mandatory, hasKey, dig. Any link may be missing: {{ .a.b.c | default "x" }}.
// and, or, ternary and default evaluate only what they need, so
// `and (defined .x) (eq .x 1)` is safe.
//
// default and coalesce pass over what is undefined, null, or an empty text,
// list or map. Unlike sprig's, they keep false and 0: who says false means it.
//
// Truth. if, with, and, or, not: as in Go (false, 0, null and whatever is
// empty are false). In a condition (when, until, that …) and in the arguments
// of its and, or and not, text must be one of Ansible's words for booleans
// (true, yes, on, 1, false, no, off, 0), because -e and INI inventories can
// give text only; any other text is an error.
//
// Comparison. eq ne in: by value, numbers across kinds, lists and maps deeply;
// different kinds are unequal. lt le gt ge: numbers or texts; different kinds
// are an error. eq takes several right sides: equal to any of them.
//
// Two names that both Ansible and sprig have mean Ansible's: quote is for the
// shell (dquote is sprig's), split gives a list.
//
// Unknown. In a dry run a variable may be a value.Unknown. Printing it,
// comparing it, testing it or giving it to a function makes the whole result
// Unknown with its reason. A list or map that holds one may be passed on and
// taken apart. `and` with a false argument is false and `or` with a true one
// is true, whatever else is unknown.
//
// What is left out of sprig: everything that reads the controller's
// environment, the network or the clock, or that gives something else on each
// call (see removed in sprig.go); set and unset on a value that was not made
// in the same template, because variables are shared.
