// Package blockinfile is the module blockinfile: it keeps a block of lines
// between two markers in a text file. The editing is a pure function of the
// text, see edit.go; the rest is shared with the other editors.
package blockinfile

import (
	"errors"
	"fmt"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/internal/files"
)

type args struct {
	files.Editing
	State          string        `arg:"state" default:"present" choices:"present,absent" doc:"Whether the block is to be there."`
	Block          string        `arg:"block,alias=content" doc:"The lines between the markers. Empty removes the block, as state=absent does."`
	Marker         string        `arg:"marker" default:"# {mark} ANSIBLE MANAGED BLOCK" doc:"The line above and below the block; {mark} becomes marker_begin and marker_end. Several blocks in one file need different markers."`
	MarkerBegin    string        `arg:"marker_begin" default:"BEGIN" doc:"What {mark} becomes above the block."`
	MarkerEnd      string        `arg:"marker_end" default:"END" doc:"What {mark} becomes below the block."`
	InsertAfter    files.Pattern `arg:"insertafter" doc:"Where a new block goes: after the last line that matches, or EOF. Left out or without a match: at the end."`
	InsertBefore   files.Pattern `arg:"insertbefore" doc:"Where a new block goes: before the last line that matches, or BOF. Without a match: at the end."`
	Create         bool          `arg:"create" doc:"Make the file, with its directories, when it is not there."`
	AppendNewline  bool          `arg:"append_newline" doc:"Keep an empty line below the block, unless the file ends there."`
	PrependNewline bool          `arg:"prepend_newline" doc:"Keep an empty line above the block, unless the file begins there."`
}

// Check has the rules between options.
func (a *args) Check() error {
	switch {
	case a.InsertAfter.IsSet() && a.InsertBefore.IsSet():
		return errors.New("insertafter and insertbefore exclude each other")
	case !strings.Contains(a.Marker, "{mark}"):
		return errors.New("marker must contain {mark}, or the end of the block could not be told from its beginning")
	case a.begin() == a.end():
		return errors.New("marker_begin and marker_end must differ")
	case strings.ContainsAny(a.begin()+a.end(), "\r\n"):
		return errors.New("a marker is one line")
	}
	for line := range strings.Lines(a.Block) {
		if l := files.Bare(line); l == a.begin() || l == a.end() {
			return fmt.Errorf("the block holds its own marker %q", l)
		}
	}
	return files.CheckValidate(a.Validate)
}

func (a *args) begin() string { return strings.ReplaceAll(a.Marker, "{mark}", a.MarkerBegin) }
func (a *args) end() string   { return strings.ReplaceAll(a.Marker, "{mark}", a.MarkerEnd) }

// Module returns the module blockinfile.
func Module() *modules.Module {
	return modules.Define(modules.Spec{
		Name:  "blockinfile",
		Short: "Keeps a block of lines between two markers in a text file",
		Doc: "The block is found again by its markers, the last pair in the file counts. A marker without its counterpart " +
			"is left alone. Markers default to Ansible's, so that files written by either are the same. " +
			files.PatternNote + " A pattern is held against a line without its end.\n\n" + files.LeftOut +
			" Also encoding (bytes are kept as they are), and patterns of several lines.",
		Returns: files.Editing{}.Returns(),
		Examples: `- blockinfile:
    path: /etc/hosts
    block: |
      198.51.100.11 web01
      198.51.100.12 web02
`,
	}, build)
}

func build(env modules.Env, a *args) (modules.Action, error) {
	wanted := a.State == "present" && a.Block != ""
	e := a.Editor(env, a.Create && a.State == "present", func(text []byte, exists bool) ([]byte, string, error) {
		out, msg := edit(text, a)
		if !exists {
			out, msg = append([]byte{}, out...), "File created"
		}
		return out, msg, nil
	})
	if wanted && !a.Create {
		e.Missing = files.NotThere(" (create: true would make it)")
	}
	return e.Action(), nil
}
