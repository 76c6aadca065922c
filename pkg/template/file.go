package template

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// maxFile is the largest file that is read as a template or by lookup, in
// bytes.
const maxFile = 16 << 20

// FileOptions say how a template file is read and rendered.
type FileOptions struct {
	// Left and Right are the delimiters, "" for "{{" and "}}".
	Left, Right string
	// Extra variables lie over the scope's; they matter to RenderFile only.
	Extra map[string]any
}

// File is a compiled template file with the definitions of the files _*.tpl
// beside it. It is immutable and safe for concurrent use.
type File struct {
	path string
	tmpl *compiled
}

// Refs lists the variables that the file and what it includes mention.
func (f *File) Refs() []Ref {
	if f == nil || f.tmpl == nil {
		return nil
	}
	return f.tmpl.refs
}

// CompileFile reads and checks a template file. The result is kept as long as
// neither the file nor the files _*.tpl beside it change. The File is nil when
// the list has errors.
func (e *Engine) CompileFile(path string, opts FileOptions) (*File, diag.List) {
	var list diag.List
	list.AddError(diag.Pos{}, e.badFuncErr)
	parts, err := sources(path)
	if err != nil {
		list.AddError(diag.Pos{File: path}, err)
		return nil, list
	}
	d := delims{opts.Left, opts.Right}.orUsual()
	key := fileKey{path, d}
	if hit, ok := e.files.get(key, parts); ok {
		return hit.file, hit.list
	}
	f := e.compileFile(path, parts, d, &list)
	if list.HasErrors() {
		f = nil
	}
	e.files.put(key, fileEntry{parts, f, list})
	return f, list
}

func (e *Engine) compileFile(path string, parts []part, d delims, list *diag.List) *File {
	partials := map[string]definition{}
	var main *program
	for _, part := range parts {
		p := parseFile(part.path, d, list)
		switch {
		case p == nil:
		case part.path == path:
			main = p
		default:
			for name, body := range p.defines {
				partials[name] = definition{p, body}
			}
		}
	}
	if main == nil {
		return nil
	}
	main.blockTags(list)
	return &File{path, e.check(main, partials, list)}
}

func parseFile(path string, d delims, list *diag.List) *program {
	text, err := readFile(path)
	if err == nil && !utf8.Valid(text) {
		err = errors.New("is not UTF-8 text; copy it instead of rendering it")
	}
	if err != nil {
		list.AddError(diag.Pos{File: path}, err)
		return nil
	}
	p, bad := parseText(string(text), d, newLineIndex(path, string(text)).place)
	if bad != nil {
		list.Add(*bad)
		return nil
	}
	return p
}

// RenderFile renders a template file to memory; there is never half a result.
// Errors are *Error, or a diagnostics' multierror when the file has mistakes;
// what a dry run cannot know is a *host.UnknownError.
func (e *Engine) RenderFile(ctx *Context, path string, opts FileOptions) ([]byte, error) {
	f, list := e.CompileFile(path, opts)
	if err := list.Err(); err != nil {
		return nil, err
	}
	v, err := newRun(f.tmpl, ctx, opts.Extra).text()
	if err != nil {
		return nil, err
	}
	if u, ok := v.(value.Unknown); ok {
		return nil, &host.UnknownError{Reason: u.Reason}
	}
	return []byte(v.(string)), nil
}

// part is one file that a template is made of, as it was when read.
type part struct {
	path string
	size int64
	mod  time.Time
}

// sources lists the template file and the files _*.tpl beside it.
func sources(path string) ([]part, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("no such template file")
	}
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, errors.New("is a directory, not a template file")
	}
	parts := []part{{path, info.Size(), info.ModTime()}}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		name := entry.Name()
		if name == filepath.Base(path) || !strings.HasPrefix(name, "_") || !strings.HasSuffix(name, ".tpl") {
			continue
		}
		info, err := entry.Info()
		if err != nil {
			return nil, err
		}
		parts = append(parts, part{filepath.Join(filepath.Dir(path), name), info.Size(), info.ModTime()})
	}
	return parts, nil
}

// readFile reads a regular file of bounded size.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("%s is %d bytes; at most %d are read", path, info.Size(), maxFile)
	}
	return os.ReadFile(path)
}

type fileKey struct {
	path string
	delims
}

type fileEntry struct {
	parts []part
	file  *File
	list  diag.List
}

// fileCache keeps compiled files. The zero value is ready.
type fileCache struct {
	mu sync.Mutex
	m  map[fileKey]fileEntry
}

func (c *fileCache) get(k fileKey, now []part) (fileEntry, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	hit, ok := c.m[k]
	return hit, ok && slices.Equal(hit.parts, now)
}

func (c *fileCache) put(k fileKey, entry fileEntry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.m == nil {
		c.m = map[fileKey]fileEntry{}
	}
	c.m[k] = entry
}
