package inventory

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

func TestAddHost(t *testing.T) {
	inv, diags := Load(t.Context(), []string{"a,"}, Options{})
	if diags.Len() > 0 {
		t.Fatal(diags.Err())
	}
	before := inv.Layers(inv.Host("a"), "")
	for _, step := range []struct {
		name    string
		groups  []string
		vars    map[string]any
		changed bool
	}{
		{"new", nil, map[string]any{"x": 1}, true},
		{"new", nil, map[string]any{"x": 1}, false},
		{"new", nil, map[string]any{"x": 2}, true},
		{"new", []string{"g1", "g2"}, nil, true},
		{"new", []string{"g2"}, map[string]any{}, false},
		{"a", nil, map[string]any{"y": []any{1}}, true},
	} {
		if h, changed := inv.AddHost(step.name, step.groups, step.vars); changed != step.changed || h != inv.Host(step.name) {
			t.Errorf("%+v: changed %v", step, changed)
		}
	}
	if len(before) != 0 {
		t.Error("a layer handed out has changed", before)
	}
	if got := fmt.Sprint(inv.GroupMap()); got != "map[all:[a new] g1:[new] g2:[new] ungrouped:[a]]" {
		t.Error(got)
	}
	if got := fmt.Sprint(inv.Host("new").GroupNames(), inv.Host("a").GroupNames()); got != "[g1 g2] [ungrouped]" {
		t.Error(got)
	}
	if got := flat(inv.Layers(inv.Host("new"), "")) + ";" + flat(inv.Layers(inv.Host("a"), "")); got != "x=2;y=[1]" {
		t.Error(got)
	}
	if h := inv.Host("new"); h.InventoryFile() != "" || h.InventoryDir() != "" || !h.Pos().IsZero() {
		t.Error("a host of the run has a file", h.InventoryFile())
	}
}

func TestAddToGroup(t *testing.T) {
	inv, _ := Load(t.Context(), []string{"a,b,"}, Options{})
	for _, step := range []struct {
		host, group, parents string
		changed              bool
	}{
		{"a", "os_debian", "", true},
		{"a", "os_debian", "", false},
		{"a", "os_debian", "os", true},
		{"b", "os", "os_debian", true}, // the circle is not made
		{"nobody", "x", "", false},
		{"localhost", "x", "", false},
	} {
		if got := inv.AddToGroup(step.host, step.group, strings.Fields(step.parents)); got != step.changed {
			t.Errorf("%+v: %v", step, got)
		}
	}
	if got := fmt.Sprint(inv.GroupMap()); got != "map[all:[a b] os:[a b] os_debian:[a] ungrouped:[]]" {
		t.Error(got)
	}
	if got := fmt.Sprint(inv.Host("a").GroupNames()); got != "[os os_debian]" {
		t.Error(got)
	}
}

// Files for a group that a run makes are read then, and their mistakes are
// found by Check.
func TestGroupVarsOfNewGroup(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "hosts"), "a\n", 0o644)
	write(t, filepath.Join(dir, "group_vars/fresh.yml"), "x: 1\n", 0o644)
	write(t, filepath.Join(dir, "group_vars/bad.yml"), "x: [\n", 0o644)
	inv, diags := Load(t.Context(), []string{filepath.Join(dir, "hosts")}, Options{})
	if diags.Len() > 0 {
		t.Fatal(diags.Err())
	}
	if inv.Dir() != dir || inv.Host("a").InventoryFile() != filepath.Join(dir, "hosts") || inv.Host("a").InventoryDir() != dir {
		t.Error("where it came from:", inv.Dir(), inv.Host("a").InventoryFile())
	}
	inv.AddToGroup("a", "fresh", nil)
	if diags := inv.Check(""); diags.Len() > 0 {
		t.Error(diags.Err())
	}
	if got := flat(inv.Layers(inv.Host("a"), "")); got != "x=1" {
		t.Error(got)
	}
	inv.AddToGroup("a", "bad", nil)
	if diags := inv.Check(""); !diags.HasErrors() {
		t.Error("the mistake in bad.yml is not reported")
	}
}

// Readers and writers at the same time; -race has the word.
func TestConcurrentUse(t *testing.T) {
	inv, _ := Load(t.Context(), []string{"a[1:20],"}, Options{})
	var wg sync.WaitGroup
	for i := range 20 {
		name := fmt.Sprintf("a%d", i+1)
		wg.Add(2)
		go func() {
			defer wg.Done()
			inv.AddHost(fmt.Sprintf("b%d", i), []string{"new"}, map[string]any{"n": i})
			inv.AddToGroup(name, fmt.Sprintf("g%d", i%3), []string{"top"})
		}()
		go func() {
			defer wg.Done()
			h := inv.Host(name)
			h.Groups()
			inv.Layers(h, "")
			inv.GroupMap()
			inv.Host("localhost")
			inv.JSON()
			if _, err := inv.Match("a*:!new"); err != nil && !strings.Contains(err.Error(), "new") {
				t.Error(err)
			}
		}()
	}
	wg.Wait()
	if n, m := len(inv.Group("new").Hosts()), len(inv.Group("top").Hosts()); n != 20 || m != 20 {
		t.Error(n, m)
	}
}

// A script that hangs is ended when its time is over, or the caller's is.
func TestScriptThatHangs(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "slow.sh")
	write(t, path, "#!/bin/sh\nsleep 600 &\necho $! > "+filepath.Join(dir, "pid")+"\nwait\n", 0o755)
	_, diags := Load(t.Context(), []string{path}, Options{ScriptTimeout: 50 * time.Millisecond})
	if got := fmt.Sprint(diags.Err()); !strings.Contains(got, "run the inventory script with --list: it did not end within 50ms") {
		t.Error(got)
	}
	os.Remove(filepath.Join(dir, "pid"))

	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for ctx.Err() == nil {
			if text, err := os.ReadFile(filepath.Join(dir, "pid")); err == nil && len(text) > 0 {
				cancel()
			}
			time.Sleep(time.Millisecond)
		}
	}()
	_, diags = Load(ctx, []string{path}, Options{})
	if got := fmt.Sprint(diags.Err()); !strings.Contains(got, "run the inventory script: context canceled") {
		t.Error(got)
	}
}
