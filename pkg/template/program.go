package template

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
	"text/template/parse"
	"unicode/utf8"

	"github.com/foobar-play/foobar-play/pkg/diag"
)

// program is one parsed text: a string of a playbook, a bare pipeline, or a
// template file. It is immutable once made.
type program struct {
	text string
	// shift is how many bytes of text are ours (the "{{ " around a bare
	// pipeline), not the user's.
	shift int
	// place gives the position of an offset in the user's text.
	place   func(offset int) diag.Pos
	root    *parse.ListNode
	defines map[string]*parse.ListNode
	// single is the pipeline when the text is exactly one {{ … }}.
	single *parse.PipeNode
	// around is the white space before and behind single.
	around [2]string
}

// definition is what {{ define }} made, with the program it stands in.
type definition struct {
	prog *program
	body *parse.ListNode
}

// delims are the delimiters of actions; "" is the usual "{{" and "}}".
type delims struct{ left, right string }

func (d delims) orUsual() delims {
	if d.left == "" {
		d.left = "{{"
	}
	if d.right == "" {
		d.right = "}}"
	}
	return d
}

// parseText parses a template.
func parseText(text string, d delims, place func(int) diag.Pos) (*program, *diag.Diagnostic) {
	p := &program{text: text, place: place}
	if err := p.parse(d.orUsual()); err != nil {
		return nil, p.syntaxError(err, d.orUsual())
	}
	if bad := p.dangling(d.orUsual()); bad != nil {
		return nil, bad
	}
	return p, nil
}

// parseBare parses a bare pipeline.
func parseBare(text string, place func(int) diag.Pos) (*program, *diag.Diagnostic) {
	const open, end = "{{ ", " }}"
	d := delims{}.orUsual()
	p := &program{text: open + text + end, shift: len(open), place: place}
	if strings.TrimSpace(text) == "" {
		found := diag.Errorf(place(0), "an empty expression")
		return nil, &found
	}
	if err := p.parse(d); err != nil {
		return nil, p.syntaxError(err, d)
	}
	if bad := p.dangling(d); bad != nil {
		return nil, bad
	}
	if p.single == nil {
		found := diag.Errorf(place(0), "this must be one pipeline, such as `eq .x 1`, without {{ }}, if or assignments")
		return nil, &found
	}
	return p, nil
}

func (p *program) parse(d delims) (err error) {
	defer func() {
		if broke := recover(); broke != nil {
			err = fmt.Errorf("the parser gave up: %v", broke)
		}
	}()
	trees := map[string]*parse.Tree{}
	t := parse.New("")
	t.Mode = parse.SkipFuncCheck
	if _, err := t.Parse(p.text, d.left, d.right, trees); err != nil {
		return err
	}
	p.root = t.Root
	p.defines = map[string]*parse.ListNode{}
	for name, tree := range trees {
		if tree != t && tree.Root != nil {
			p.defines[name] = tree.Root
		}
	}
	p.single, p.around = onlyPipe(p.root)
	return nil
}

// onlyPipe finds the one pipeline that a text consists of, white space aside.
func onlyPipe(root *parse.ListNode) (found *parse.PipeNode, around [2]string) {
	for _, n := range root.Nodes {
		switch n := n.(type) {
		case *parse.TextNode:
			if strings.TrimSpace(string(n.Text)) != "" {
				return nil, around
			}
			if found == nil {
				around[0] += string(n.Text)
			} else {
				around[1] += string(n.Text)
			}
		case *parse.ActionNode:
			if found != nil || len(n.Pipe.Decl) > 0 {
				return nil, around
			}
			found = n.Pipe
		default:
			return nil, around
		}
	}
	return found, around
}

// pos is where a node stands in the file.
func (p *program) pos(n parse.Node) diag.Pos { return p.at(start(n)) }

// at is where an offset in the parsed text stands in the file.
func (p *program) at(offset int) diag.Pos { return p.place(max(0, offset-p.shift)) }

// start is the offset at which a node begins. The parser gives a chain of
// fields the position of its second link.
func start(n parse.Node) int {
	at := int(n.Position())
	switch n := n.(type) {
	case *parse.FieldNode:
		if len(n.Ident) > 1 {
			at -= len(n.Ident[0]) + 1
		}
	case *parse.VariableNode:
		if len(n.Ident) > 1 {
			at -= len(n.Ident[0])
		}
	case *parse.ChainNode:
		return start(n.Node)
	case *parse.CommandNode:
		if len(n.Args) > 0 {
			return start(n.Args[0])
		}
	case *parse.PipeNode:
		if len(n.Decl) == 0 && len(n.Cmds) > 0 {
			return start(n.Cmds[0])
		}
	case *parse.ActionNode:
		return start(n.Pipe)
	}
	return at
}

// link is the offset of the i-th field of a chain: of its dot.
func link(n parse.Node, i int) int {
	var names []string
	at := start(n)
	switch n := n.(type) {
	case *parse.FieldNode:
		names = n.Ident
	case *parse.VariableNode:
		names, at = n.Ident[1:], at+len(n.Ident[0])
	case *parse.ChainNode:
		names, at = n.Field, int(n.Position())
	}
	for _, name := range names[:i] {
		at += len(name) + 1
	}
	return at
}

// lineIndex finds lines and columns in a file's text.
type lineIndex struct {
	file   string
	text   string
	starts []int
}

func newLineIndex(file, text string) *lineIndex {
	x := &lineIndex{file: file, text: text, starts: []int{0}}
	for i := range len(text) {
		if text[i] == '\n' {
			x.starts = append(x.starts, i+1)
		}
	}
	return x
}

func (x *lineIndex) place(offset int) diag.Pos {
	offset = min(offset, len(x.text))
	line := sort.SearchInts(x.starts, offset+1)
	return diag.Pos{File: x.file, Line: line, Col: utf8.RuneCountInString(x.text[x.starts[line-1]:offset]) + 1}
}

// placeIn gives positions within one line of text that starts at pos.
func placeIn(text string, pos diag.Pos) func(int) diag.Pos {
	return func(offset int) diag.Pos {
		before := text[:min(offset, len(text))]
		if pos.Line == 0 || strings.Contains(before, "\n") {
			return pos
		}
		p := pos
		p.Col += utf8.RuneCountInString(before)
		return p
	}
}

// quoted shows a piece of text in a message, cut when long.
func quoted(s string) string {
	if r := []rune(s); len(r) > 60 {
		s = string(r[:57]) + "…"
	}
	return strconv.Quote(s)
}
