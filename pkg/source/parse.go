package source

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/foobar-play/foobar-play/pkg/diag"
)

// MaxSize is the largest YAML file that is read, in bytes.
const MaxSize = 16 << 20

// maxNodes bounds what aliases may expand to.
const maxNodes = 2_000_000

// maxDepth bounds nesting.
const maxDepth = 200

// Load reads a YAML file of one document. An empty file is a Null node. The
// file's mistakes are all in the list; the node is nil when it has errors.
func Load(path string) (*Node, diag.List) {
	var l diag.List
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		l.Add(diag.Errorf(diag.Pos{File: path}, "no such file"))
		return nil, l
	case err != nil:
		l.AddError(diag.Pos{File: path}, err)
		return nil, l
	case info.IsDir():
		l.Errorf(diag.Pos{File: path}, "is a directory, not a YAML file")
		return nil, l
	case info.Size() > MaxSize:
		l.Errorf(diag.Pos{File: path}, "is %d bytes; at most %d are read", info.Size(), MaxSize)
		return nil, l
	}
	text, err := os.ReadFile(path)
	if err != nil {
		l.AddError(diag.Pos{File: path}, err)
		return nil, l
	}
	return Parse(path, text)
}

// Parse reads YAML text of one document; file names it in positions.
func Parse(file string, text []byte) (n *Node, l diag.List) {
	defer func() {
		if p := recover(); p != nil {
			n, l = nil, diag.List{}
			l.Errorf(diag.Pos{File: file}, "the YAML cannot be read (parser gave up: %v)", p)
		}
	}()
	if !utf8.Valid(text) {
		l.Errorf(diag.Pos{File: file}, "is not UTF-8 text")
		return nil, l
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if unquoted(file, text, &l); l.HasErrors() {
		return nil, l
	}
	tree, err := parser.ParseBytes(text, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		l.Add(syntaxError(file, text, err))
		return nil, l
	}
	docs := slices.DeleteFunc(tree.Docs, func(d *ast.DocumentNode) bool { return d.Body == nil })
	if len(docs) == 0 {
		return &Node{Kind: Null, Pos: diag.Pos{File: file, Line: 1, Col: 1}}, l
	}
	c := &converter{file: file, text: string(text), lines: lineStarts(string(text)), diags: &l, anchors: map[string]ast.Node{}}
	if len(docs) > 1 {
		l.Errorf(c.pos(docs[1].Body), "a second YAML document begins here; only one per file is read")
		return nil, l
	}
	n = c.node(docs[0].Body, 0)
	if l.HasErrors() {
		return nil, l
	}
	return n, l
}

func syntaxError(file string, text []byte, err error) diag.Diagnostic {
	var ye yaml.Error
	if !errors.As(err, &ye) {
		return diag.Errorf(diag.Pos{File: file}, "%v", err)
	}
	p := diag.Pos{File: file}
	if t := ye.GetToken(); t != nil && t.Position != nil {
		p.Line, p.Col = t.Position.Line, t.Position.Column
	}
	d := diag.Errorf(p, "YAML: %s", ye.GetMessage())
	if lines := strings.Split(string(text), "\n"); p.Line > 0 && p.Line <= len(lines) && strings.Contains(lines[p.Line-1], "\t") {
		d = d.WithHint("indent with spaces: YAML does not allow tabs")
	}
	return d
}

// bare finds `key: {{ … }}` and `- {{ … }}`: YAML reads the braces as a flow
// map.
var bare = regexp.MustCompile(`^(\s*(?:- +)*(?:[^\s#"'][^:#]*:\s+)?)(\{\{.*)$`)

// unquoted reports unquoted templates, outside of block scalars and comments.
func unquoted(file string, text []byte, l *diag.List) {
	block := -1
	for i, line := range strings.Split(string(text), "\n") {
		trimmed := strings.TrimLeft(line, " ")
		indent := len(line) - len(trimmed)
		if block >= 0 {
			if trimmed == "" || indent > block {
				continue
			}
			block = -1
		}
		if strings.HasPrefix(trimmed, "#") {
			continue
		}
		if m := bare.FindStringSubmatch(line); m != nil && (m[1] != "" || indent > 0) && strings.TrimSpace(m[1]) != "" {
			pos := diag.Pos{File: file, Line: i + 1, Col: utf8.RuneCountInString(m[1]) + 1}
			l.Add(diag.Errorf(pos, "a value that starts with {{ must be quoted: YAML takes the brace for a map").
				WithHint(`write "%s"`, strings.ReplaceAll(strings.TrimSpace(m[2]), `"`, `\"`)))
		}
		if blockStart.MatchString(line) {
			block = indent
		}
	}
}

// blockStart is a line that opens a block scalar.
var blockStart = regexp.MustCompile(`(?:^|[:\-]\s+|!\S+\s+)[|>][-+0-9]*\s*(?:#.*)?$`)

func sortedKeys(m map[string]any) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// keyError is a mistake about a key.
func keyError(pos diag.Pos, format string, args ...any) diag.Diagnostic {
	return diag.Errorf(pos, "%s", fmt.Sprintf(format, args...))
}
