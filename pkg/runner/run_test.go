package runner_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/foobar-play/foobar-play/pkg/event"
	"github.com/foobar-play/foobar-play/pkg/runner"
	"github.com/foobar-play/foobar-play/pkg/source"
	"github.com/foobar-play/foobar-play/pkg/value"
)

var update = flag.Bool("update", false, "write what runs gave into testdata/run")

// TestRuns runs the playbooks of testdata/run on hosts that are all this
// process, and compares what happened with the archive's file "want": a line a
// result, "task | host | status | message", hosts sorted within a task. The
// file "request" may set fields of the request. "$DIR" is the case's folder.
func TestRuns(t *testing.T) {
	cases, err := filepath.Glob("testdata/run/*.txtar")
	if err != nil || len(cases) == 0 {
		t.Fatal("no cases", err)
	}
	for _, file := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			runCase(t, file)
		})
	}
}

func runCase(t *testing.T, file string) {
	ar, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	req := runner.Request{Inventory: []string{filepath.Join(dir, "hosts.yml")}, Playbooks: []string{filepath.Join(dir, "site.yml")}}
	want := ""
	for _, f := range ar.Files {
		switch f.Name {
		case "want":
			want = string(f.Data)
			continue
		case "request":
			setRequest(t, &req, f.Data)
			continue
		}
		path := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(req.Inventory[0]); err != nil {
		hosts := "all: {vars: {ansible_connection: local}, hosts: {a: , b: , c: }}\n"
		if err := os.WriteFile(req.Inventory[0], []byte(hosts), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got := strings.ReplaceAll(story(t, dir, req), dir, "$DIR")
	if got == want {
		return
	}
	if !*update {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
		return
	}
	ar.Files = slices.DeleteFunc(ar.Files, func(f txtar.File) bool { return f.Name == "want" })
	ar.Files = append(ar.Files, txtar.File{Name: "want", Data: []byte(got)})
	if err := os.WriteFile(file, txtar.Format(ar), 0o644); err != nil {
		t.Fatal(err)
	}
}

// setRequest reads the request's fields from YAML.
func setRequest(t *testing.T, req *runner.Request, text []byte) {
	n, l := source.Parse("request", text)
	if l.HasErrors() {
		t.Fatal(l.Err())
	}
	for _, f := range n.Fields {
		switch v := f.Node.Value(); f.Name {
		case "check":
			req.Check = v.(bool)
		case "diff":
			req.Diff = v.(bool)
		case "tags":
			req.Tags = words(v)
		case "skip_tags":
			req.SkipTags = words(v)
		case "limit":
			req.Limit = v.(string)
		case "extra_vars":
			req.ExtraVars = words(v)
		case "start_at_task":
			req.StartAtTask = v.(string)
		case "force_handlers":
			req.ForceHandlers = v.(bool)
		case "forks":
			req.Forks = v.(int)
		default:
			t.Fatalf("request: no field %s", f.Name)
		}
	}
}

func words(v any) []string {
	var out []string
	for _, e := range v.([]any) {
		out = append(out, fmt.Sprint(e))
	}
	return out
}

// story tells a run in lines that do not depend on timing.
func story(t *testing.T, dir string, req runner.Request) string {
	r, err := runner.New(runner.Config{ProjectDir: dir, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	var step []string
	flush := func() {
		slices.Sort(step)
		for _, s := range step {
			out.WriteString(s)
		}
		step = nil
	}
	last := 0
	req.Sinks = []event.Sink{event.SinkFunc(func(e event.Event) {
		if e.Seq != last+1 {
			t.Errorf("event %d after %d", e.Seq, last)
		}
		last = e.Seq
		switch b := e.Body.(type) {
		case event.PlayStarted:
			flush()
			fmt.Fprintf(&out, "play %s | %s\n", b.Name, strings.Join(b.Hosts, " "))
		case event.TaskStarted:
			flush()
		case event.TaskResult:
			step = append(step, resultLine(b))
		case event.HandlerNotified:
		case event.Message:
			step = append(step, fmt.Sprintf("%s: %s\n", b.Severity, b.Text))
		}
	})}
	recap, err := r.Run(context.Background(), req)
	flush()
	if err != nil {
		fmt.Fprintf(&out, "error: %v\n", err)
		return out.String()
	}
	fmt.Fprintf(&out, "exit %d\n", recap.ExitCode(false))
	return out.String()
}

func resultLine(b event.TaskResult) string {
	name := b.Task.Name
	if b.Task.Role != "" {
		name = b.Task.Role + " : " + name
	}
	if b.Task.Handler {
		name = "handler " + name
	}
	where := b.Host
	if b.Delegate != "" {
		where += "->" + b.Delegate
	}
	if b.Item != nil {
		where += fmt.Sprintf("[%d %s]", b.Item.Index, b.Item.Label)
	}
	status := string(b.Status)
	if b.Ignored {
		status += " ignored"
	}
	if b.Rescued {
		status += " rescued"
	}
	msg := b.Msg
	if msg == "" && b.Task.Module == "debug" {
		msg = value.Text(b.Values["msg"])
	}
	if b.Reason != "" {
		msg = b.Reason
	}
	return strings.TrimRight(fmt.Sprintf("%s | %s | %s | %s", name, where, status, strings.ReplaceAll(msg, "\n", "; ")), " |") + "\n"
}
