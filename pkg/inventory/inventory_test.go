package inventory

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/value"
	"github.com/foobar-play/foobar-play/pkg/vars"
)

// TestFiles runs testdata/*.txtar: the archive's files are laid out in a
// directory (those that begin with #! executable, unless they are called
// *.plain), the sources named in "args" are loaded from there, and each of
// these sections is compared when it is there: want.json (JSON), want.diags
// (everything that Load and Check of the playbook's folder report), patterns,
// limits, layers (variables of a host by precedence).
func TestFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no testdata", err)
	}
	for _, f := range files {
		archive, err := txtar.ParseFile(f)
		if err != nil {
			t.Fatal(err)
		}
		path, err := filepath.Abs(f)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txtar"), func(t *testing.T) { runArchive(t, archive, path) })
	}
}

var update = flag.Bool("update", false, "write what is reported into want.diags; read the difference before committing it")

func runArchive(t *testing.T, archive *txtar.Archive, path string) {
	sections := layOut(t, archive)
	inv, diags := Load(t.Context(), lines(sections["args"]), Options{ScriptTimeout: 20 * time.Second})
	diags.Merge(inv.Check("."))
	if want, ok := sections["want.json"]; ok {
		compareJSON(t, inv.JSON(), want)
	}
	if want, ok := sections["want.diags"]; ok && *update {
		for i, f := range archive.Files {
			if f.Name == "want.diags" {
				archive.Files[i].Data = []byte(render(diags))
			}
		}
		if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if ok {
		compare(t, "diagnostics", render(diags), want)
	}
	for _, line := range lines(sections["patterns"]) {
		pattern, want, _ := strings.Cut(line, " =>")
		hosts, err := inv.Match(pattern)
		compare(t, "pattern "+pattern, result(hosts, err), want)
	}
	for _, line := range lines(sections["limits"]) {
		in, want, _ := strings.Cut(line, " =>")
		pattern, limit, _ := strings.Cut(in, " |")
		hosts, err := inv.Match(pattern)
		if err != nil {
			t.Fatal(err)
		}
		hosts, err = inv.Limit(hosts, strings.TrimSpace(limit))
		compare(t, "limit "+in, result(hosts, err), want)
	}
	for _, line := range lines(sections["layers"]) {
		name, _, _ := strings.Cut(line, " ")
		compare(t, "layers", name+" "+flat(inv.Layers(inv.Host(name), ".")), line)
	}
}

// layOut writes the archive's files into a new working directory and returns
// the sections that are none.
func layOut(t *testing.T, archive *txtar.Archive) map[string]string {
	t.Chdir(t.TempDir())
	sections := map[string]string{}
	for _, f := range archive.Files {
		switch f.Name {
		case "args", "want.json", "want.diags", "patterns", "limits", "layers":
			sections[f.Name] = string(f.Data)
			continue
		}
		mode := os.FileMode(0o644)
		if bytes.HasPrefix(f.Data, []byte("#!")) && !strings.HasSuffix(f.Name, ".plain") {
			mode = 0o755
		}
		if err := os.MkdirAll(filepath.Dir(f.Name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(f.Name, f.Data, mode); err != nil {
			t.Fatal(err)
		}
	}
	return sections
}

func lines(text string) []string {
	return slices.DeleteFunc(strings.Split(text, "\n"), func(l string) bool { return strings.TrimSpace(l) == "" })
}

func render(l diag.List) string {
	var b strings.Builder
	for _, d := range l.All() {
		fmt.Fprintf(&b, "%s: %s\n", d.Severity, d.Error())
	}
	return b.String()
}

func result(hosts []*Host, err error) string {
	if err != nil {
		return err.Error()
	}
	return strings.Join(hostNames(hosts), " ")
}

func flat(layers []vars.Layer) string {
	all := map[string]vars.Var{}
	for _, l := range layers {
		maps.Copy(all, l.Vars)
	}
	var out []string
	for name, v := range all {
		out = append(out, fmt.Sprintf("%s=%v", name, v.Value.Node().Value()))
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func compare(t *testing.T, what, got, want string) {
	t.Helper()
	got, want = strings.TrimSpace(got), strings.TrimSpace(want)
	if got != want {
		t.Errorf("%s\n got: %s\nwant: %s", what, got, want)
	}
}

func compareJSON(t *testing.T, got any, want string) {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(want))
	dec.UseNumber()
	var w any
	if err := dec.Decode(&w); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(value.Normalize(got), value.Normalize(w)) {
		text, _ := json.MarshalIndent(got, "", "  ")
		t.Errorf("JSON\n got: %s\nwant: %s", text, want)
	}
}
