package runner_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/foobar-play/foobar-play/pkg/event"
	"github.com/foobar-play/foobar-play/pkg/runner"
)

// TestDryRunsAreTrue runs the playbooks of testdata/dryrun dry, then for good,
// then dry again, on one local host. Task by task and item by item, the dry
// run must predict what the run then does, its changes included, except where
// it says "maybe"; and it may say so only for the tasks listed in the file
// "maybe" (a line "TASK", or "TASK again" for the second dry run). The second
// dry run predicts no change. "t" is a folder the playbook may fill; a dry run
// must leave it as it is.
func TestDryRunsAreTrue(t *testing.T) {
	cases, err := filepath.Glob("testdata/dryrun/*.txtar")
	if err != nil || len(cases) == 0 {
		t.Fatal("no cases", err)
	}
	for _, file := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			dryRunCase(t, file)
		})
	}
}

func dryRunCase(t *testing.T, file string) {
	ar, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var maybe []string
	files := append(ar.Files, txtar.File{Name: "hosts", Data: []byte("h ansible_connection=local\n")})
	for _, f := range files {
		if f.Name == "maybe" {
			maybe = strings.Split(strings.TrimSpace(string(f.Data)), "\n")
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
	if err := os.MkdirAll(filepath.Join(dir, "t"), 0o755); err != nil {
		t.Fatal(err)
	}

	before := tree(t, dir)
	predicted := resultsOf(t, dir, true)
	if after := tree(t, dir); !slices.Equal(before, after) {
		t.Errorf("the dry run left its mark:\n%s\nbefore:\n%s", strings.Join(after, "\n"), strings.Join(before, "\n"))
	}
	compareResults(t, predicted, resultsOf(t, dir, false), maybe)

	again := resultsOf(t, dir, true)
	for _, p := range again {
		switch {
		case p.ignored:
		case p.status == event.Maybe && slices.Contains(maybe, p.name+" again"):
		case p.status != event.OK && p.status != event.Skipped:
			t.Errorf("the second dry run says %s of %q: %s", p.status, p.name, p.detail)
		}
	}
}

// compareResults holds what was predicted against what was done.
func compareResults(t *testing.T, predicted, done []dryResult, maybe []string) {
	t.Helper()
	var doubted []string
	for _, p := range predicted {
		i := slices.IndexFunc(done, func(d dryResult) bool { return d.name == p.name })
		switch {
		case p.status == event.Maybe:
			doubted = append(doubted, p.name)
			if !slices.Contains(maybe, p.name) {
				t.Errorf("%q is only maybe: %s", p.name, p.detail)
			}
		case i < 0:
			t.Errorf("%q was predicted to be %s and did not happen", p.name, p.status)
		case done[i].status != p.status:
			t.Errorf("%q was predicted to be %s and was %s: %s", p.name, p.status, done[i].status, done[i].detail)
		case done[i].changes != p.changes:
			t.Errorf("%q was predicted to change\n%s\nand changed\n%s", p.name, p.changes, done[i].changes)
		}
	}
	for _, d := range done {
		if !slices.ContainsFunc(predicted, func(p dryResult) bool { return p.name == d.name }) {
			t.Errorf("%q happened (%s) and was not predicted", d.name, d.status)
		}
	}
	for _, m := range maybe {
		if !strings.HasSuffix(m, " again") && !slices.Contains(doubted, m) {
			t.Errorf("%q is no longer maybe: take it off the list", m)
		}
	}
}

// dryResult is one result of a task or item; name tells it apart in its run.
type dryResult struct {
	name    string
	status  event.Status
	ignored bool // or rescued
	changes string
	detail  string
}

func resultsOf(t *testing.T, dir string, check bool) []dryResult {
	t.Helper()
	r, err := runner.New(runner.Config{ProjectDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	var out []dryResult
	_, err = r.Run(context.Background(), runner.Request{
		Inventory: []string{filepath.Join(dir, "hosts")}, Playbooks: []string{filepath.Join(dir, "site.yml")}, Check: check, Diff: true,
		Sinks: []event.Sink{event.SinkFunc(func(e event.Event) {
			b, ok := e.Body.(event.TaskResult)
			if !ok {
				return
			}
			name := b.Task.Name
			if b.Item != nil {
				name += fmt.Sprintf(" %d", b.Item.Index)
			}
			out = append(out, dryResult{name, b.Status, b.Ignored || b.Rescued, fmt.Sprint(b.Changes), b.Msg + b.Reason})
		})},
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// tree lists what is below a folder: names, kinds, modes and content.
func tree(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		content := ""
		if info.Mode().IsRegular() {
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			content = string(b)
		}
		out = append(out, fmt.Sprintf("%s %s %q", path, info.Mode(), content))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
