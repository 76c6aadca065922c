package playbook

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// write makes the files of a project in a directory of its own.
func write(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func load(t testing.TB, l *Loader, dir string) *Play {
	t.Helper()
	pbs, diags := l.Load([]string{filepath.Join(dir, "site.yml")})
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	return pbs[0].Plays[0]
}

var includes = map[string]string{
	"site.yml": `- hosts: all
  tasks:
  - block:
    - include_tasks: "{{ .name }}.yml"
      tags: own
      when: eq 1 1
    - include_role: {name: "{{ .role }}"}
    tags: around
    when: eq 2 2
    delegate_to: other
`,
	"inc.yml":                 "- debug:\n- include_tasks: inc.yml\n  when: false\n",
	"bad.yml":                 "- debg:\n",
	"roles/r/tasks/main.yml":  "- debug:\n- include_role: {name: r}\n  when: false\n",
	"roles/r/meta/main.yml":   "dependencies: [d]\n",
	"roles/d/tasks/main.yml":  "- debug:\n",
	"roles/r/tasks/other.yml": "- debug:\n",
}

func TestTasksAtRunTime(t *testing.T) {
	dir := write(t, includes)
	l := testLoader(t, dir)
	inc := load(t, l, dir).Tasks[0].Block.Tasks[0]
	path, err := l.FindFile("tasks", "inc.yml", inc, dir)
	if err != nil {
		t.Fatal(err)
	}
	tasks, diags := l.Tasks(path, nil, inc)
	if diags.HasErrors() || len(tasks) != 2 {
		t.Fatalf("%d tasks, %v", len(tasks), diags.Err())
	}
	got := tasks[0]
	if !slices.Equal(got.AllTags, []string{"around"}) || strings.Join(texts(got.When), ";") != "eq 2 2" || got.DelegateTo == nil {
		t.Errorf("inherits tags %v, when %v, delegate_to %v", got.AllTags, texts(got.When), got.DelegateTo)
	}
	again, _ := l.Tasks(path, nil, inc)
	if again[0] != got {
		t.Error("the same include gives other tasks the second time")
	}
	deeper, diags := l.Tasks(path, nil, tasks[1])
	if diags.HasErrors() || len(deeper) != 2 || deeper[0].ID == got.ID {
		t.Errorf("a file that includes itself gives %v, %v", deeper, diags.Err())
	}
	if _, diags := l.Tasks(filepath.Join(dir, "bad.yml"), nil, inc); !diags.HasErrors() {
		t.Error("a broken file is taken")
	}
	if _, diags := l.Tasks(filepath.Join(dir, "gone.yml"), nil, inc); !diags.HasErrors() {
		t.Error("a missing file is taken")
	}
}

func TestRoleAtRunTime(t *testing.T) {
	dir := write(t, includes)
	l := testLoader(t, dir)
	inc := load(t, l, dir).Tasks[0].Block.Tasks[1]
	req := IncludeRoleRequest{Name: "r", PlayDir: dir, Parent: inc}
	uses, diags := l.Role(req)
	if diags.HasErrors() || len(uses) != 2 {
		t.Fatalf("%d uses, %v", len(uses), diags.Err())
	}
	dep, r := uses[0], uses[1]
	if dep.Role.Name != "d" || !dep.Dependency || dep.Key == "" || r.Role.Name != "r" || r.Key != "" || r.Entry != "main" {
		t.Errorf("got %+v and %+v", dep, r)
	}
	task := r.Role.Tasks[0]
	if task.Role != r.Role || !slices.Equal(task.AllTags, []string{"around"}) || strings.Join(texts(task.When), ";") != "eq 2 2" {
		t.Errorf("the role's task has role %v, tags %v, when %v", task.Role, task.AllTags, texts(task.When))
	}
	self := IncludeRoleRequest{Name: "r", PlayDir: dir, Parent: r.Role.Tasks[1]}
	if again, diags := l.Role(self); diags.HasErrors() || len(again) != 2 {
		t.Errorf("a role that includes itself gives %v, %v", again, diags.Err())
	}
	req.TasksFrom = "other"
	if uses, diags := l.Role(req); diags.HasErrors() || len(uses[1].Role.Tasks) != 1 || uses[1].Entry != "other" {
		t.Errorf("tasks_from gives %v, %v", uses, diags.Err())
	}
	req.Name = "gone"
	if _, diags := l.Role(req); !diags.HasErrors() {
		t.Error("a missing role is taken")
	}
}

// Hosts include at the same time and must get the same tree.
func TestConcurrentIncludes(t *testing.T) {
	dir := write(t, includes)
	l := testLoader(t, dir)
	block := load(t, l, dir).Tasks[0].Block
	var wg sync.WaitGroup
	ids := make([]string, 16)
	for i := range ids {
		wg.Go(func() {
			tasks, _ := l.Tasks(filepath.Join(dir, "inc.yml"), nil, block.Tasks[0])
			uses, _ := l.Role(IncludeRoleRequest{Name: "r", PlayDir: dir, Parent: block.Tasks[1]})
			ids[i] = tasks[0].ID + uses[1].Role.Tasks[0].ID
		})
	}
	wg.Wait()
	if len(slices.Compact(ids)) != 1 {
		t.Errorf("hosts got different tasks: %v", ids)
	}
}

func TestTaskIDsAreUnique(t *testing.T) {
	dir := "testdata/good/import_role"
	seen := map[string]bool{}
	Walk(load(t, testLoader(t, dir), dir), func(task *Task) {
		if task.ID == "" || seen[task.ID] {
			t.Errorf("%s: ID %q", task.Pos, task.ID)
		}
		seen[task.ID] = true
	})
	if len(seen) < 10 {
		t.Errorf("only %d tasks were visited", len(seen))
	}
}

func TestFindFile(t *testing.T) {
	names := []string{
		"roles/r/templates/f", "roles/r/f", "roles/r/tasks/templates/f", "roles/r/tasks/f", "templates/f", "f",
	}
	dir := write(t, map[string]string{"roles/r/tasks/main.yml": "", "roles/r/tasks/g.yml": "", "g.yml": ""})
	task := &Task{Role: &Role{Dir: filepath.Join(dir, "roles/r")}, Dir: filepath.Join(dir, "roles/r/tasks")}
	l := testLoader(t, dir)
	_, err := l.FindFile("templates", "f", task, dir)
	var missing *NotFoundError
	if !errors.As(err, &missing) || len(missing.Searched) != len(names) {
		t.Fatalf("got %v", err)
	}
	for i := len(names) - 1; i >= 0; i-- {
		want := filepath.Join(dir, names[i])
		if err := os.MkdirAll(filepath.Dir(want), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(want, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if missing.Searched[i] != want {
			t.Errorf("searched %s, want %s", missing.Searched[i], want)
		}
		if got, err := l.FindFile("templates", "f", task, dir); got != want || err != nil {
			t.Errorf("got %s, %v; want %s", got, err, want)
		}
		if got, err := l.FindFile("templates", want, nil, ""); got != want || err != nil {
			t.Errorf("absolute: got %s, %v", got, err)
		}
	}
	if got, _ := l.FindFile("tasks", "g.yml", task, dir); got != filepath.Join(dir, "roles/r/tasks/g.yml") {
		t.Errorf("a task file is found at %s", got)
	}
	if got, _ := l.FindFile("tasks", "g.yml", nil, dir); got != filepath.Join(dir, "g.yml") {
		t.Errorf("a play's task file is found at %s", got)
	}
}

func TestRolePlaybook(t *testing.T) {
	dir := "testdata/good/roles"
	pb, diags := testLoader(t, dir).RolePlaybook("common", "web:&prod")
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	p := pb.Plays[0]
	if shown(p.Hosts) != "web:&prod" || shown(p.Name) != "role common" || p.Dir != dir || len(p.Roles) != 1 || len(p.Roles[0].Role.Tasks) != 2 {
		t.Errorf("got %+v", p)
	}
	if _, diags := testLoader(t, dir).RolePlaybook("comon", "all"); !strings.Contains(diags.Err().Error(), `did you mean "common"?`) {
		t.Errorf("got %v", diags.Err())
	}
}

func TestRolesPath(t *testing.T) {
	dir := write(t, map[string]string{
		"playbooks/site.yml":                    "- hosts: all\n  roles: [beside, project, elsewhere]\n",
		"playbooks/roles/beside/tasks/main.yml": "", "roles/beside/tasks/main.yml": "- debug:\n",
		"roles/project/tasks/main.yml": "", "shared/elsewhere/meta/main.yml": "dependencies: [sibling]\n",
		"shared/sibling/tasks/main.yml": "- debug:\n",
	})
	l := NewLoader(Config{Engine: testLoader(t, dir).cfg.Engine, Modules: registry(t), ProjectDir: dir, RolesPath: []string{filepath.Join(dir, "shared")}})
	pbs, diags := l.Load([]string{filepath.Join(dir, "playbooks/site.yml")})
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, u := range pbs[0].Plays[0].Roles {
		got = append(got, strings.TrimPrefix(u.Role.Dir, dir+"/"))
	}
	want := []string{"playbooks/roles/beside", "roles/project", "shared/sibling", "shared/elsewhere"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestFactsMentioned(t *testing.T) {
	for name, c := range map[string]struct{ tasks, want string }{
		"none":          {`- debug: msg="{{ .x }} {{ .ansible_host }} {{ .ansible_check_mode }}"`, ""},
		"field":         {`- debug: msg="{{ .ansible_facts.os_family }} {{ .ansible_facts.os_family }}"`, "os_family"},
		"index":         {`- debug: {msg: '{{ index .ansible_facts "lsb" }}'}`, "lsb"},
		"injected":      {`- debug: msg="{{ .ansible_default_ipv4.address }}"`, "default_ipv4"},
		"guarded":       {`- debug: {msg: '{{ .ansible_facts.a | default "x" }}'}`, "a"},
		"whole":         {`- debug: {msg: "{{ .ansible_facts }}"}`, "*"},
		"computed":      {`- debug: {msg: "{{ index .ansible_facts .x }}"}`, "* "},
		"condition":     {"- debug:\n  when: eq .ansible_facts.a 1\n  changed_when: .ansible_facts.b\n  failed_when: .ansible_facts.c\n  until: .ansible_facts.d", "a b c d"},
		"expression":    {`- debug: {var: .ansible_facts.e}`, "e"},
		"assertion":     {`- assert: {that: [eq .ansible_facts.f 1]}`, "f"},
		"loop":          {"- debug:\n  loop: '{{ .ansible_facts.g }}'\n  loop_control: {label: '{{ .ansible_facts.h }}'}", "g h"},
		"keyword":       {"- debug:\n  become: '{{ .ansible_facts.i }}'\n  environment: {A: '{{ .ansible_facts.j }}'}\n  vars: {v: '{{ .ansible_facts.k }}'}", "i j k"},
		"other host":    {`- debug: {msg: '{{ (index .hostvars "a").ansible_facts.l }} {{ (index .hostvars .h).ansible_m }}'}`, "l m"},
		"any host":      {`- debug: {msg: "{{ .hostvars | toJson }}"}`, "*"},
		"block":         {"- block:\n  - debug:\n  rescue:\n  - debug: msg={{.ansible_facts.n}}\n  when: .ansible_facts.o", "n o"},
		"unknown file":  {`- template: {src: "{{ .x }}", dest: /x}`, "*"},
		"guessed file":  {`- template: {src: "t-{{ .x }}.j2", dest: /x}`, "p"},
		"include":       {`- include_tasks: "inc-{{ .x }}.yml"`, "q"},
		"any include":   {`- include_tasks: "{{ .x }}"`, "*"},
		"variables":     {`- include_vars: "v-{{ .x }}.yml"`, "r"},
		"apply":         {"- include_tasks:\n    file: inc-a.yml\n    apply: {when: .ansible_facts.s}", "q s"},
		"another file":  {`- debug: {msg: '{{ lookup "template" "x.j2" }}'}`, "*"},
		"file as it is": {`- debug: {msg: '{{ lookup "file" "x" }}'}`, ""},
		"file as text":  {`- debug: {msg: '{{ tpl (lookup "file" "x") . }}'}`, "*"},
		"interpolated":  {`- command: echo {{ .ansible_facts.t }}`, "t"},
		"notification":  {"- command: x\n  notify: '{{ .ansible_facts.u }}'", "u"},
		"module option": {"- file: {path: /x, mode: '{{ .ansible_facts.v }}'}", "v"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := write(t, map[string]string{
				"site.yml":         "- hosts: all\n  tasks:\n  " + strings.ReplaceAll(c.tasks, "\n", "\n  ") + "\n",
				"templates/t-a.j2": "{{ .ansible_facts.p }}", "inc-a.yml": "- debug: msg={{.ansible_facts.q}}\n",
				"vars/v-a.yml": "a: '{{ .ansible_facts.r }}'\n",
			})
			got := FactsMentioned(load(t, testLoader(t, dir), dir))
			if strings.Join(got, " ") != strings.TrimSpace(c.want) {
				t.Errorf("got %v, want %s", got, c.want)
			}
		})
	}
}
