package playbook

import (
	"os"
	"path/filepath"
	"testing"
)

// FuzzLoad feeds texts as playbooks: whatever they are, loading ends, with a
// tree or with errors, and a tree can be walked and checked.
func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"testdata/*/*/site.yml", "testdata/*/*/roles/*/*/*.yml"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	f.Add([]byte("- hosts: a\n  tasks:\n  - include_tasks: site.yml\n  - import_tasks: site.yml\n  roles: [., /]\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		dir := t.TempDir()
		for _, name := range []string{"site.yml", "inc.yml", "roles/r/tasks/main.yml", "roles/r/meta/main.yml", "roles/r/meta/argument_specs.yml"} {
			path := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		l := testLoader(t, dir)
		pbs, _ := l.Load([]string{filepath.Join(dir, "site.yml")})
		CheckVariables(pbs, func(*Play) map[string]bool { return nil })
		for _, pb := range pbs {
			FactsMentioned(pb.Plays...)
			for _, p := range pb.Plays {
				Walk(p, func(task *Task) { task.Selected(nil, nil) })
			}
		}
		l.Tasks(filepath.Join(dir, "inc.yml"), nil, nil)
		l.Role(IncludeRoleRequest{Name: "r", PlayDir: dir})
	})
}
