package accounts

import (
	"fmt"
	"slices"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/host"
)

// widths are the numbers of fields of a line.
var widths = map[string]int{passwdFile: 7, groupFile: 4, shadowFile: 9}

// table is one of the files of accounts: lines of fields between colons.
// Lines it cannot read (comments, NIS) are kept as they are.
type table struct {
	path  string
	lines []string
}

func load(r host.Reader, path string) (*table, error) {
	b, err := host.ReadFile(r, path)
	if err != nil {
		return nil, fmt.Errorf("read the accounts: %w", err)
	}
	text := strings.TrimSuffix(string(b), "\n")
	t := &table{path: path}
	if text != "" {
		t.lines = strings.Split(text, "\n")
	}
	return t, nil
}

// fieldsOf splits a line; nil when it is not one of an account.
func fieldsOf(line string, width int) []string {
	f := strings.Split(line, ":")
	if len(f) != width || f[0] == "" || strings.ContainsAny(f[0][:1], "#+-") {
		return nil
	}
	return f
}

func (t *table) entries() [][]string {
	var out [][]string
	for _, line := range t.lines {
		if f := fieldsOf(line, widths[t.path]); f != nil {
			out = append(out, f)
		}
	}
	return out
}

func (t *table) find(name string) []string {
	for _, f := range t.entries() {
		if f[0] == name {
			return f
		}
	}
	return nil
}

// put replaces the line of the account old, or adds one.
func (t *table) put(old string, fields []string) {
	line := strings.Join(fields, ":")
	for i, l := range t.lines {
		if f := fieldsOf(l, widths[t.path]); f != nil && f[0] == old {
			t.lines[i] = line
			return
		}
	}
	t.lines = append(t.lines, line)
}

func (t *table) remove(name string) {
	t.lines = slices.DeleteFunc(t.lines, func(l string) bool {
		f := fieldsOf(l, widths[t.path])
		return f != nil && f[0] == name
	})
}

// save writes the table to a shadow; attributes stay.
func (t *table) save(w host.Writer) error {
	return w.WriteFile(t.path, strings.NewReader(strings.Join(t.lines, "\n")+"\n"), host.Attrs{})
}

// edit loads, changes and saves one of the files, in a shadow.
func edit(w host.Writer, path string, change func(t *table) error) error {
	t, err := load(w, path)
	if err != nil {
		return err
	}
	if err := change(t); err != nil {
		return err
	}
	return t.save(w)
}
