// Package lineinfile is the module lineinfile: it makes sure that a line is in
// a text file, or that lines are not. The editing is a pure function of the
// text, see edit.go; reading, writing, backup and validation are shared with
// the other editors in internal/files.
package lineinfile

import (
	"errors"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/internal/files"
)

type args struct {
	files.Editing
	State        string        `arg:"state" default:"present" choices:"present,absent" doc:"Whether the line is to be there."`
	Line         *string       `arg:"line,alias=value" doc:"The line, without its end. With backrefs it may refer to groups of regexp."`
	Regexp       files.Pattern `arg:"regexp,alias=regex" doc:"Pattern of the line to replace (the last that matches), or of the lines to remove. It should also match the line it is replaced by."`
	SearchString string        `arg:"search_string" doc:"Like regexp, but literal text somewhere in the line."`
	Backrefs     bool          `arg:"backrefs" doc:"Put the groups of regexp into line, and leave the file alone when regexp does not match."`
	InsertAfter  files.Pattern `arg:"insertafter" doc:"Where a new line goes: after the last line that matches, or EOF, or BOF. Left out or without a match: at the end."`
	InsertBefore files.Pattern `arg:"insertbefore" doc:"Where a new line goes: before the last line that matches, or BOF. Without a match: at the end."`
	FirstMatch   bool          `arg:"firstmatch" doc:"Take the first line that matches regexp, search_string, insertafter and insertbefore, not the last."`
	Create       bool          `arg:"create" doc:"Make the file, with its directories, when it is not there."`
}

// Check has the rules between options.
func (a *args) Check() error {
	switch {
	case a.State == "present" && a.Line == nil:
		return errors.New("line is needed with state=present")
	case a.State == "absent" && a.Line == nil && !a.Regexp.IsSet() && a.SearchString == "":
		return errors.New("one of line, regexp and search_string is needed with state=absent")
	case a.Regexp.IsSet() && a.SearchString != "":
		return errors.New("regexp and search_string exclude each other")
	case a.InsertAfter.IsSet() && a.InsertBefore.IsSet():
		return errors.New("insertafter and insertbefore exclude each other")
	case a.Backrefs && !a.Regexp.IsSet():
		return errors.New("backrefs needs regexp")
	case a.Line != nil && strings.ContainsAny(strings.TrimSuffix(*a.Line, "\n"), "\n"):
		return errors.New("line holds several lines: use blockinfile for that")
	}
	return files.CheckValidate(a.Validate)
}

// Module returns the module lineinfile.
func Module() *modules.Module {
	return modules.Define(modules.Spec{
		Name:  "lineinfile",
		Short: "Makes sure that a line is in a text file, or is not",
		Doc: "Looks for the last line that matches regexp or holds search_string, else for the line itself; replaces it, " +
			"or inserts the line where insertafter or insertbefore say. Lines are compared without their ends. " +
			files.PatternNote + " A pattern is held against the line without its end.\n\n" + files.LeftOut + " Also encoding (bytes are kept as they are).",
		Returns: append(files.Editing{}.Returns(),
			modules.Return{Name: "found", Type: "int", Doc: "How many lines were removed, with state=absent."}),
		Examples: `- lineinfile:
    path: /etc/ssh/sshd_config
    regexp: '^#?PasswordAuthentication '
    line: PasswordAuthentication no
    validate: sshd -t -f %s
`,
	}, build)
}

func build(env modules.Env, a *args) (modules.Action, error) {
	r := &resource{}
	if a.State == "absent" {
		r.Edited = a.Editor(env, false, func(text []byte, _ bool) ([]byte, string, error) {
			out, n := remove(text, a)
			if r.found == nil {
				r.found = &n
			}
			return out, removedMsg(n), nil
		})
		return r.Action(), nil
	}
	r.Edited = a.Editor(env, a.Create, func(text []byte, _ bool) ([]byte, string, error) { return insert(text, a) })
	if !a.Create {
		r.Missing = files.NotThere(" (create: true would make it)")
	}
	return r.Action(), nil
}

// resource adds the number of removed lines to the return values.
type resource struct {
	*files.Edited
	found *int
}

// Action makes the action of the resource.
func (r *resource) Action() modules.Action {
	r.Extra = func() map[string]any {
		if r.found == nil {
			return nil
		}
		return map[string]any{"found": *r.found}
	}
	return r.Edited.Action()
}
