package template

import (
	"context"
	"errors"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// Omit is what the magic variable `omit` holds. A field of a map or an item of
// a list that evaluates to it is dropped by Value.Eval; a Value that is itself
// Omit yields it, and its user treats it as not given.
const Omit = "__omit_place_holder__"

// Scope gives variables. Lookup is called only for names that are mentioned
// and reached; values must be normalized (package value) or Getters, and are
// never changed. ok is false when the name is undefined. Names is called only
// to find near names for an error. Both must be safe for concurrent use when
// the Scope is.
type Scope interface {
	Lookup(name string) (v any, ok bool, err error)
	Names() []string
}

// Getter is a map whose values are made on demand, such as hostvars. Field
// access, index, get, hasKey, dig, extract, keys and range use it lazily;
// whatever needs the whole of it makes a map of it, evaluating everything.
// Keys must be sorted.
type Getter interface {
	Get(key string) (v any, ok bool, err error)
	Keys() []string
}

// Context is what one evaluation may use. The zero value has no variables and
// finds no files.
type Context struct {
	// Ctx ends an evaluation that takes too long; nil never does.
	Ctx context.Context
	// Scope holds the variables; nil is none.
	Scope Scope
	// Find resolves the name of a file as a task does; kind is "files" or
	// "templates". nil: lookups of files are errors.
	Find func(kind, name string) (path string, err error)
}

func (c *Context) context() context.Context {
	if c == nil || c.Ctx == nil {
		return context.Background()
	}
	return c.Ctx
}

// Error is an evaluation that failed: what, where, and what to do. It is also
// a diag.Diagnostic for errors.As.
type Error struct {
	diag.Diagnostic
	// Undefined is the variable as written (".a.b") when the failure is that
	// it is undefined, else "".
	Undefined string
	// Err is the underlying error of a function or lookup, nil otherwise.
	Err error
}

// Unwrap gives the Diagnostic and the underlying error.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Diagnostic}
	}
	return []error{e.Diagnostic, e.Err}
}

// positioned turns err into an *Error at pos, unless it is one that knows its
// place already.
func positioned(err error, pos diag.Pos, prefix string) error {
	var e *Error
	var d diag.Diagnostic
	var stop *unknownStop
	switch {
	case err == nil, errors.Is(err, errBreak), errors.Is(err, errContinue), errors.As(err, &stop), errors.As(err, &e):
		return err
	case errors.As(err, &d):
		return &Error{Diagnostic: d, Err: err}
	}
	var h *hinted
	if errors.As(err, &h) {
		return &Error{Diagnostic: diag.Diagnostic{Pos: pos, Message: prefix + err.Error(), Hint: h.hint}}
	}
	return &Error{Diagnostic: diag.Diagnostic{Pos: pos, Message: prefix + err.Error()}, Err: err}
}

// hinted is an error of a function that also says what to do.
type hinted struct{ message, hint string }

func (h *hinted) Error() string { return h.message }

// unknownStop unwinds an evaluation that consumed an Unknown.
type unknownStop struct{ unknown value.Unknown }

func (u *unknownStop) Error() string { return u.unknown.Reason }
