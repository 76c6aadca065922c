package text

import (
	"fmt"
	"io"
	"strings"
	"unicode"
)

// printer writes and keeps the first error.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) printf(format string, args ...any) {
	if _, err := fmt.Fprintf(p.w, format, args...); err != nil && p.err == nil {
		p.err = fmt.Errorf("write the report: %w", err)
	}
}

// indent writes text with every line behind a prefix.
func (p *printer) indent(prefix, text string) {
	for line := range strings.Lines(strings.TrimRight(text, "\n")) {
		p.printf("%s%s\n", prefix, clean(strings.TrimRight(line, "\r\n")))
	}
}

// clean replaces control characters, so that what a host says does nothing to
// the terminal.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\t' && unicode.IsControl(r) {
			return '?'
		}
		return r
	}, s)
}

// short is one line of at most 120 characters.
func short(s string) string {
	s = clean(strings.ReplaceAll(s, "\n", `\n`))
	if r := []rune(s); len(r) > 120 {
		return string(r[:120]) + "…"
	}
	return s
}

// tail is the last n lines.
func tail(s string, n int) string {
	lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
	if len(lines) > n {
		lines = append([]string{fmt.Sprintf("… (%d lines before)", len(lines)-n)}, lines[len(lines)-n:]...)
	}
	return strings.Join(lines, "\n")
}
