package template

import (
	"fmt"
	"text/template/parse"

	"github.com/foobar-play/foobar-play/pkg/diag"
)

// words of Jinja and Python that are not functions here.
var foreignWords = map[string]string{
	"True": "write true", "False": "write false", "None": "write nil", "none": "write nil", "null": "write nil",
	"d":   "write default",
	"set": "write {{ $x := … }}", "for": "write {{ range $x := .list }}", "elif": "write {{ else if … }}",
	"endif": "write {{ end }}", "endfor": "write {{ end }}", "is": "tests are functions: `defined .x`, `failed .result`",
	"equalto": "write eq", "abs": "write max .x (sub 0 .x)", "items": "write range $key, $value := .map",
	"iteritems": "write range $key, $value := .map", "call": "values of templates cannot be called",
	"ipaddr": "it is not there yet", "password_hash": "it gives something else on each call; hash the password once and keep it in a vault",
}

// unknownFunction reports a name that is no function, with what was probably
// meant.
func (c *checker) unknownFunction(id *parse.IdentifierNode, hasArgs bool) {
	name := id.Ident
	near := diag.DidYouMean(name, c.eng.names)
	hint := ""
	switch {
	case removed[name] != "":
		hint = "it is left out of sprig on purpose: " + removed[name]
	case foreignWords[name] != "":
		hint = foreignWords[name]
	case !hasArgs && near == "":
		hint = "variables start with a dot: ." + name
	case !hasArgs:
		hint = "variables start with a dot: ." + name + "; or " + near
	case near == "":
		hint = fmt.Sprintf("if it is a variable, write .%s; the functions are listed in docs/templates.md", name)
	default:
		hint = near
	}
	c.add(id, hint, "function %q is not defined", name)
}

// infix are words of Jinja that stand between operands.
var infix = map[string]string{
	"is":  "tests are functions: `defined .x`, `failed .result`, `.x | match \"…\"`",
	"in":  "write `.x | in .list`",
	"not": "write `not (.x | in .list)`",
	"and": "write `and .a .b`",
	"or":  "write `or .a .b`",
	"if":  "write `ternary .a .b .condition`, or {{ if .condition }} … {{ else }} … {{ end }}",
}

// strayArgument reports words behind something that is no function.
func (c *checker) strayArgument(cmd *parse.CommandNode) {
	second := cmd.Args[1]
	if id, ok := second.(*parse.IdentifierNode); ok {
		hint, jinja := infix[id.Ident]
		if !jinja {
			hint = fmt.Sprintf("pipe into a function with |, or put it first: `%s %s`", id.Ident, cmd.Args[0])
		}
		c.add(second, hint, "%q stands between values; functions come first or behind a |", id.Ident)
		return
	}
	c.add(second, "put the function first, as in `eq .a .b`, or pipe with |",
		"%s is not a function and takes no arguments", cmd.Args[0])
}
