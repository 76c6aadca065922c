// Package diag says what is wrong and where.
//
// A Diagnostic is a value: a message for the person who must act, the place
// in a file it is about, and what to do. Everything that is checked before a
// host is contacted collects Diagnostics into a List, so that all mistakes are
// reported in one go; rendering them is the last step and happens in one place
// (Render).
//
// The package knows nothing of playbooks, templates or hosts, and imports
// nothing of this project.
package diag

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/go-multierror"
)

// Pos is a place in a source file. Line and Col are 1-based; Col counts
// characters (runes), not bytes. The zero Pos means "no place known"; a Pos
// with Line 0 names a whole file.
type Pos struct {
	File string
	Line int
	Col  int
}

// IsZero reports whether the position names no place at all.
func (p Pos) IsZero() bool { return p == Pos{} }

// String gives "file:line:col", "file" when no line is known, or "".
func (p Pos) String() string {
	switch {
	case p.Line == 0:
		return p.File
	case p.Col == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

// Before orders positions by file, line and column.
func (p Pos) Before(q Pos) bool { return p.compare(q) < 0 }

func (p Pos) compare(q Pos) int {
	if c := strings.Compare(p.File, q.File); c != 0 {
		return c
	}
	if p.Line != q.Line {
		return p.Line - q.Line
	}
	return p.Col - q.Col
}

// Severity says whether a Diagnostic stops the run.
type Severity int

const (
	// Error stops the run before any host is contacted.
	Error Severity = iota
	// Warning is shown and does not stop anything.
	Warning
)

// String gives "error" or "warning".
func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// Diagnostic is one finding. Message is one sentence in lower case without a
// final full stop; Hint, which may be empty, says what to do about it.
type Diagnostic struct {
	Severity Severity
	Pos      Pos
	Message  string
	Hint     string
}

// Error gives "file:line:col: message (hint)", so that a single Diagnostic can
// be returned as an error.
func (d Diagnostic) Error() string {
	var b strings.Builder
	if !d.Pos.IsZero() {
		b.WriteString(d.Pos.String())
		b.WriteString(": ")
	}
	b.WriteString(d.Message)
	if d.Hint != "" {
		b.WriteString(" (" + d.Hint + ")")
	}
	return b.String()
}

// Errorf makes an Error diagnostic without a hint.
func Errorf(pos Pos, format string, args ...any) Diagnostic {
	return Diagnostic{Pos: pos, Message: fmt.Sprintf(format, args...)}
}

// WithHint returns the diagnostic with its hint set.
func (d Diagnostic) WithHint(format string, args ...any) Diagnostic {
	d.Hint = fmt.Sprintf(format, args...)
	return d
}

// List collects diagnostics. The zero value is ready for use; it is not safe
// for concurrent use.
type List struct {
	items []Diagnostic
}

// Add appends diagnostics.
func (l *List) Add(d ...Diagnostic) { l.items = append(l.items, d...) }

// Errorf appends an Error diagnostic.
func (l *List) Errorf(pos Pos, format string, args ...any) { l.Add(Errorf(pos, format, args...)) }

// AddError appends err: the Diagnostics in it (single, joined or a
// multierror) as they are, anything else as a message at pos. nil is ignored.
func (l *List) AddError(pos Pos, err error) {
	if err == nil {
		return
	}
	if parts := parts(err); parts != nil {
		for _, e := range parts {
			l.AddError(pos, e)
		}
		return
	}
	var d Diagnostic
	if errors.As(err, &d) {
		l.Add(d)
		return
	}
	l.Add(Diagnostic{Pos: pos, Message: err.Error()})
}

// parts lists the errors that err adds up; nil when it is one.
func parts(err error) []error {
	var many *multierror.Error
	if joined, ok := err.(interface{ Unwrap() []error }); ok && err.Error() == errors.Join(joined.Unwrap()...).Error() {
		return joined.Unwrap()
	}
	if errors.As(err, &many) {
		return many.Errors
	}
	return nil
}

// Merge appends all of other.
func (l *List) Merge(other List) { l.items = append(l.items, other.items...) }

// All returns the diagnostics sorted by position, duplicates removed.
func (l List) All() []Diagnostic {
	out := slices.Clone(l.items)
	slices.SortStableFunc(out, func(a, b Diagnostic) int {
		if c := a.Pos.compare(b.Pos); c != 0 {
			return c
		}
		return strings.Compare(a.Message, b.Message)
	})
	return slices.Compact(out)
}

// Len counts what was added.
func (l List) Len() int { return len(l.items) }

// HasErrors reports whether anything in the list is an Error.
func (l List) HasErrors() bool {
	return slices.ContainsFunc(l.items, func(d Diagnostic) bool { return d.Severity == Error })
}

// Err gives the Error diagnostics, sorted, as one error (a
// *multierror.Error of Diagnostic values), or nil when there are none.
func (l List) Err() error {
	var out *multierror.Error
	for _, d := range l.All() {
		if d.Severity == Error {
			out = multierror.Append(out, d)
		}
	}
	if out == nil {
		return nil
	}
	out.ErrorFormat = func(errs []error) string {
		lines := make([]string, len(errs))
		for i, e := range errs {
			lines[i] = e.Error()
		}
		return strings.Join(lines, "\n")
	}
	return out
}
