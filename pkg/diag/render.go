package diag

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"
)

// Render writes the diagnostics for a person, sorted: severity, message, place,
// the source line with a caret under the column, and the hint. Control
// characters become "?", so that a file can do nothing to the terminal. read
// gives a file's text; nil means os.ReadFile. A file that cannot be read gets
// no snippet.
func Render(w io.Writer, l List, read func(file string) ([]byte, error)) {
	if read == nil {
		read = os.ReadFile
	}
	for _, d := range l.All() {
		fmt.Fprintf(w, "%s: %s\n", d.Severity, paragraph(d.Message))
		if !d.Pos.IsZero() {
			fmt.Fprintf(w, "  --> %s\n", d.Pos)
		}
		snippet(w, d.Pos, read)
		if d.Hint != "" {
			fmt.Fprintf(w, "  help: %s\n", paragraph(d.Hint))
		}
	}
}

// paragraph indents all lines but the first.
func paragraph(text string) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i := range lines {
		lines[i] = plain(lines[i])
	}
	return strings.Join(lines, "\n  ")
}

// plain replaces control characters other than tabs.
func plain(line string) string {
	return strings.Map(func(r rune) rune {
		if r != '\t' && unicode.IsControl(r) {
			return '?'
		}
		return r
	}, line)
}

func snippet(w io.Writer, p Pos, read func(string) ([]byte, error)) {
	if p.Line == 0 || p.File == "" {
		return
	}
	text, err := read(p.File)
	if err != nil {
		return
	}
	lines := strings.Split(string(text), "\n")
	if p.Line > len(lines) {
		return
	}
	line := plain(strings.TrimRight(lines[p.Line-1], "\r"))
	gutter := fmt.Sprintf("%5d | ", p.Line)
	fmt.Fprintf(w, "%s%s\n", gutter, line)
	if p.Col > 0 {
		fmt.Fprintf(w, "%s%s^\n", strings.Repeat(" ", len(gutter)-2)+"| ", caretPad(line, p.Col))
	}
}

// caretPad keeps tabs, so that the caret stands under its character.
func caretPad(line string, col int) string {
	var b strings.Builder
	for i, r := range []rune(line) {
		if i >= col-1 {
			break
		}
		if r == '\t' {
			b.WriteRune('\t')
		} else {
			b.WriteByte(' ')
		}
	}
	return b.String()
}
