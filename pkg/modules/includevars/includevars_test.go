package includevars_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/modules/includevars"
	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
)

// controller finds files below a directory; each file sets "last" and its own
// name.
func controller(t *testing.T, files ...string) *modulestest.Controller {
	dir := t.TempDir()
	for _, f := range files {
		path := filepath.Join(dir, "vars", f)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return &modulestest.Controller{Dir: dir, VarsFunc: func(path string) (map[string]any, error) {
		name := filepath.Base(path)
		return map[string]any{"last": name, name: true}, nil
	}}
}

func TestIncludeVars(t *testing.T) {
	for name, c := range map[string]struct {
		args map[string]any
		want string // base names of the files read, or the error
	}{
		"file":            {map[string]any{"file": "d/a.yml"}, "a.yml"},
		"dir":             {map[string]any{"dir": "d"}, "a.yml b.json c.yaml e.yml"},
		"depth":           {map[string]any{"dir": "d", "depth": 1}, "a.yml b.json"},
		"ignore":          {map[string]any{"dir": "d", "ignore_files": []any{"b.json", `e\..*`}}, "a.yml c.yaml"},
		"matching":        {map[string]any{"dir": "d", "files_matching": "^[bc]"}, "b.json c.yaml"},
		"extensions":      {map[string]any{"dir": "d", "extensions": []any{"yml"}, "ignore_unknown_extensions": true}, "a.yml e.yml"},
		"other extension": {map[string]any{"dir": "d", "extensions": []any{"yml"}}, "error: ends with none of yml"},
		"missing":         {map[string]any{"file": "nope.yml"}, "error: there is no nope.yml"},
		"both":            {map[string]any{"file": "x", "dir": "d"}, "error: either file or dir"},
		"neither":         {nil, "error: either file or dir"},
		"bad pattern":     {map[string]any{"dir": "d", "files_matching": "("}, "error: files_matching"},
		"depth with file": {map[string]any{"file": "x", "depth": 1}, "error: go with dir"},
	} {
		t.Run(name, func(t *testing.T) {
			ctl := controller(t, "d/a.yml", "d/b.json", "d/sub/c.yaml", "d/sub/e.yml")
			got, err := includevars.Module().RunLocal(t.Context(), ctl, c.args)
			if text, ok := strings.CutPrefix(c.want, "error: "); ok {
				if err == nil || !strings.Contains(err.Error(), text) {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var read []string
			for _, f := range got.Values["ansible_included_var_files"].([]any) {
				read = append(read, filepath.Base(f.(string)))
			}
			if strings.Join(read, " ") != c.want || got.Effects.Include["last"] != read[len(read)-1] {
				t.Errorf("read %v, last %v", read, got.Effects.Include["last"])
			}
		})
	}
}

func TestNamed(t *testing.T) {
	ctl := controller(t, "a.yml")
	got, err := includevars.Module().RunLocal(t.Context(), ctl, map[string]any{"file": "a.yml", "name": "box"})
	want := map[string]any{"box": map[string]any{"last": "a.yml", "a.yml": true}}
	if err != nil || !reflect.DeepEqual(got.Effects.Include, want) {
		t.Errorf("got %v, %v", got.Effects, err)
	}
}
