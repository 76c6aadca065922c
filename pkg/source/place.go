package source

import (
	"strings"
	"unicode/utf8"

	"github.com/foobar-play/foobar-play/pkg/diag"
)

// Place gives the file position of byte offset in a String node's text, also
// inside quotes with escapes, folded lines and block scalars. For any other
// node, and for one that was not read from a file, it is the node's own
// position.
func (n *Node) Place(offset int) diag.Pos {
	text, ok := n.Text()
	if !ok || n.raw == "" || offset < 0 {
		return n.Pos
	}
	w := walker{raw: n.raw, pos: n.Pos, escapes: n.raw[0] == '"' && !n.Block}
	switch {
	case n.Block:
		w.pos = diag.Pos{File: n.Pos.File, Line: n.BlockPos.Line, Col: 1}
	case n.raw[0] == '"' || n.raw[0] == '\'':
		w.doubled = n.raw[0] == '\''
		w.step()
	}
	offset = min(offset, len(text))
	for _, r := range text[:offset] {
		w.follow(r)
	}
	if next, _ := utf8.DecodeRuneInString(text[offset:]); offset < len(text) && !space(next) {
		w.skipSpace()
	}
	return w.pos
}

// FromText makes a String node of text that was not read as YAML, such as a
// value of an INI file. written is what the file has from pos on, quotes
// included, so that Place can find its way.
func FromText(text string, pos diag.Pos, written string) *Node {
	return &Node{Kind: String, Scalar: text, Pos: pos, raw: written}
}

// walker goes through a scalar as it is written, along with its decoded text.
// What is not white space stands in the same order in both; white space may be
// more in the file (indentation, folded lines), never less.
type walker struct {
	raw     string // what is left
	pos     diag.Pos
	escapes bool // double quotes: \x
	doubled bool // single quotes: ''
}

func space(r rune) bool { return r == ' ' || r == '\n' || r == '\t' || r == '\r' }

func (w *walker) peek() rune {
	r, _ := utf8.DecodeRuneInString(w.raw)
	return r
}

// step passes one character.
func (w *walker) step() {
	r, size := utf8.DecodeRuneInString(w.raw)
	w.raw = w.raw[size:]
	if w.pos.Col++; r == '\n' {
		w.pos.Line, w.pos.Col = w.pos.Line+1, 1
	}
}

func (w *walker) skipSpace() {
	for w.raw != "" && space(w.peek()) {
		w.step()
	}
	// A backslash at a line's end joins it with the next.
	if w.escapes && (strings.HasPrefix(w.raw, "\\\n") || strings.HasPrefix(w.raw, "\\\r")) {
		w.step()
		w.skipSpace()
	}
}

// follow passes what the decoded character r was made of.
func (w *walker) follow(r rune) {
	if !space(r) {
		w.skipSpace()
	}
	switch next := w.peek(); {
	case w.raw == "":
	case w.escapes && next == '\\':
		w.escape()
	case w.doubled && strings.HasPrefix(w.raw, "''"):
		w.step()
		w.step()
	case space(r) && !space(next):
	default:
		w.step()
	}
}

func (w *walker) escape() {
	w.step()
	digits := map[rune]int{'x': 2, 'u': 4, 'U': 8}[w.peek()]
	for range digits + 1 {
		w.step()
	}
}
