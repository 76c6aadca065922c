package modulestest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// snapshot describes all files below root, without times and inodes.
func snapshot(r host.Reader, root string) map[string]string {
	out := map[string]string{}
	var walk func(dir string)
	walk = func(dir string) {
		list, err := r.ReadDir(dir)
		if err != nil {
			out[dir] = err.Error()
		}
		for _, e := range list {
			line := fmt.Sprintf("%s %04o %d:%d", e.Type, e.Mode, e.UID, e.GID)
			switch e.Type {
			case host.Link:
				line += " -> " + e.Target
			case host.File:
				b, err := host.Digest(r, e.Path)
				line += fmt.Sprintf(" %d bytes, sha256 %.12s", b.Size, b.SHA256)
				if err != nil {
					line += " " + err.Error()
				}
			case host.Directory:
				walk(e.Path)
			}
			out[e.Path] = line
		}
	}
	walk(root)
	return out
}

// same fails the test when two states differ, and says where.
func same(t *testing.T, what string, before, after map[string]string) {
	t.Helper()
	var diff []string
	for _, p := range value.Keys(before) {
		if after[p] != before[p] {
			diff = append(diff, fmt.Sprintf("%s\n  was %s\n  is  %s", p, before[p], orMissing(after[p])))
		}
	}
	for _, p := range value.Keys(after) {
		if _, ok := before[p]; !ok {
			diff = append(diff, fmt.Sprintf("%s\n  was not there\n  is  %s", p, after[p]))
		}
	}
	if diff != nil {
		t.Fatalf("%s left another state:\n%s", what, strings.Join(diff, "\n"))
	}
}

func orMissing(s string) string {
	if s == "" {
		return "not there"
	}
	return s
}

func expectError(t *testing.T, what string, err error, text string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), text) {
		t.Fatalf("%s ended with %v, want an error with %q", what, err, text)
	}
}

func equalChanges(a, b []modules.Change) bool {
	return slices.EqualFunc(a, b, func(x, y modules.Change) bool {
		return x.Field == y.Field && x.Path == y.Path && x.Sensitive == y.Sensitive &&
			value.Equal(x.Before, y.Before) && value.Equal(x.After, y.After)
	})
}

func show(changes []modules.Change) string {
	var b strings.Builder
	for _, c := range changes {
		fmt.Fprintf(&b, "  %s %s: %#v -> %#v\n", c.Path, c.Field, c.Before, c.After)
	}
	return b.String()
}

// expand replaces $DIR in all strings of v.
func expand(v any, dir string) any {
	switch x := v.(type) {
	case string:
		return strings.ReplaceAll(x, "$DIR", dir)
	case []any:
		out := make([]any, len(x))
		for i, e := range x {
			out[i] = expand(e, dir)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(x))
		for k, e := range x {
			out[k] = expand(e, dir)
		}
		return out
	}
	return v
}

// errFaulty is what a read fails with when it is made to: never "not there".
var errFaulty = errors.New("input/output error (made by the test)")

// faulty records reads, and makes those fail that equal fail.
type faulty struct {
	host.Reader
	fail  string
	reads []string
}

func (f *faulty) read(op string, args ...string) error {
	name := op + " " + strings.Join(args, " ")
	if name == f.fail {
		return fmt.Errorf("%s: %w", name, errFaulty)
	}
	if !slices.Contains(f.reads, name) {
		f.reads = append(f.reads, name)
	}
	return nil
}

func (f *faulty) Lstat(p string) (host.FileInfo, error) {
	if err := f.read("lstat", p); err != nil {
		return host.FileInfo{}, err
	}
	return f.Reader.Lstat(p)
}

func (f *faulty) Stat(p string) (host.FileInfo, error) {
	if err := f.read("stat", p); err != nil {
		return host.FileInfo{}, err
	}
	return f.Reader.Stat(p)
}

func (f *faulty) Open(p string) (io.ReadCloser, error) {
	if err := f.read("open", p); err != nil {
		return nil, err
	}
	return f.Reader.Open(p)
}

func (f *faulty) ReadDir(p string) ([]host.FileInfo, error) {
	if err := f.read("readdir", p); err != nil {
		return nil, err
	}
	return f.Reader.ReadDir(p)
}

func (f *faulty) Query(ctx context.Context, cmd host.Command) (host.Output, error) {
	if err := f.read("query", cmd.Argv...); err != nil {
		return host.Output{}, err
	}
	return f.Reader.Query(ctx, cmd)
}
