package jsonl_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/event"
	"github.com/foobar-play/foobar-play/pkg/report/jsonl"
	"github.com/foobar-play/foobar-play/pkg/value"
)

var update = flag.Bool("update", false, "write what the report gives into testdata")

var (
	copyTask = event.TaskRef{ID: "t1", Name: "write", Role: "nginx_ssl", Module: "copy", Pos: diag.Pos{File: "roles/nginx_ssl/tasks/main.yml", Line: 3, Col: 3}}
	loopTask = event.TaskRef{ID: "t2", Name: "install", Module: "apt", Pos: diag.Pos{File: "site.yml", Line: 9, Col: 7}}
)

// everyBody is a run in which every kind of event happens.
func everyBody() []event.Body {
	return []event.Body{
		event.RunStarted{Playbooks: []string{"site.yml"}, Check: true, Version: "1.2.3"},
		event.Message{Severity: diag.Warning, Text: "the pattern matches no host", Pos: diag.Pos{File: "site.yml", Line: 1, Col: 10}, Hint: "name a group"},
		event.PlayStarted{Name: "web", Hosts: []string{"web01", "web02"}, Batch: 1, Batches: 2, Pos: diag.Pos{File: "site.yml", Line: 1, Col: 3}},
		event.TaskStarted{Task: copyTask, Hosts: 2},
		event.TaskOutput{Task: copyTask, Host: "web01", Stream: "stderr", Data: "hm\n"},
		event.TaskResult{Task: copyTask, Host: "web01", Status: event.Changed, Duration: 1234567 * time.Nanosecond, Diff: true,
			Changes:  []event.Change{{Field: "content", Before: nil, After: "<html>\n", Path: "/var/www/index.html"}, {Field: "mode", Before: "0600", After: "0644"}},
			Values:   map[string]any{"dest": "/var/www/index.html", "size": 7, "u": value.Unknown{Reason: "not run"}},
			Warnings: []string{"old"}, Delegate: "lb01"},
		event.HandlerNotified{Handler: "reload nginx", Host: "web01"},
		event.TaskResult{Task: copyTask, Host: "web02", Status: event.Maybe, Reason: "the command is not run in a dry run"},
		event.TaskStarted{Task: loopTask, Hosts: 2},
		event.TaskRetry{Task: loopTask, Host: "web01", Attempt: 1, Retries: 3, Delay: 2 * time.Second, Item: &event.Item{Index: 0, Label: "nginx"}},
		event.TaskResult{Task: loopTask, Host: "web01", Status: event.Failed, Item: &event.Item{Index: 0, Label: "nginx"}, Msg: "no \xff package", Attempts: 2, Ignored: true},
		event.TaskResult{Task: loopTask, Host: "web01", Status: event.Failed, Loop: true, Msg: "1 of 1 items failed", Ignored: true},
		event.TaskResult{Task: loopTask, Host: "web02", Status: event.Unreachable, Msg: "gone"},
		event.TaskResult{Task: event.TaskRef{ID: "t3", Name: "handler", Module: "service", Handler: true}, Host: "web01", Status: event.Failed, Rescued: true, Censored: true},
		event.HostUnreachable{Host: "web03", Msg: "gone too"},
	}
}

func play(bodies []event.Body, sink event.Sink) {
	var fold event.Folder
	for i, b := range bodies {
		e := event.Event{Seq: i + 1, Time: time.Date(2026, 1, 2, 3, 4, 5, i*1000, time.UTC), Body: b}
		fold.Event(e)
		sink.Event(e)
	}
	recap := fold.Recap()
	recap.Duration = 3 * time.Second
	sink.Event(event.Event{Seq: len(bodies) + 1, Time: time.Date(2026, 1, 2, 3, 4, 8, 0, time.UTC), Body: event.RunEnded{Recap: recap}})
}

func lines(t *testing.T, text []byte) []map[string]any {
	t.Helper()
	if !bytes.HasSuffix(text, []byte("\n")) {
		t.Error("the last line has no end")
	}
	var out []map[string]any
	for line := range bytes.Lines(text) {
		var m map[string]any
		if err := json.Unmarshal(line, &m); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		out = append(out, m)
	}
	return out
}

func TestGolden(t *testing.T) {
	var out bytes.Buffer
	play(everyBody(), jsonl.New(&out, nil))
	const path = "testdata/every.jsonl"
	if *update {
		if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), want) {
		t.Errorf("got:\n%s\nwant:\n%s", out.Bytes(), want)
	}
}

// TestSchema holds what readers may rely on.
func TestSchema(t *testing.T) {
	var out bytes.Buffer
	r := jsonl.New(&out, func(event.Recap) int { return 14 })
	play(everyBody(), r)
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	all := lines(t, out.Bytes())
	if len(all) != len(everyBody())+1 {
		t.Errorf("%d lines for %d events", len(all), len(everyBody())+1)
	}
	if first := all[0]; first["type"] != "version" || first["schema"] != "1.0" || first["version"] != "1.2.3" || first["check"] != true {
		t.Errorf("first line %v", first)
	}
	for i, l := range all {
		if l["seq"] != float64(i+1) {
			t.Errorf("line %d has seq %v", i+1, l["seq"])
		}
		if _, err := time.Parse(time.RFC3339Nano, l["time"].(string)); err != nil {
			t.Error(err)
		}
		if l["type"] == "task_result" {
			checkResult(t, l)
		}
	}
	last := all[len(all)-1]
	want := map[string]any{"ok": 2.0, "changed": 1.0, "unreachable": 0.0, "failed": 0.0, "skipped": 0.0, "rescued": 1.0, "ignored": 1.0, "maybe": 0.0}
	if last["type"] != "recap" || last["exit_code"] != 14.0 || !reflect.DeepEqual(last["hosts"].(map[string]any)["web01"], want) {
		t.Errorf("last line %v", last)
	}
}

func checkResult(t *testing.T, l map[string]any) {
	t.Helper()
	for _, field := range []string{"host", "status", "changes", "duration_ms", "task", "task_id", "module"} {
		if _, ok := l[field]; !ok {
			t.Errorf("a result without %s: %v", field, l)
		}
	}
	if !slices.Contains([]any{"ok", "changed", "failed", "skipped", "unreachable", "maybe"}, l["status"]) {
		t.Errorf("status %v", l["status"])
	}
	if _, ok := l["changes"].([]any); !ok {
		t.Errorf("changes are to be a list: %v", l["changes"])
	}
	if p, ok := l["pos"].(map[string]any); ok && (p["file"] == "" || p["line"].(float64) < 1 || p["col"].(float64) < 1) {
		t.Errorf("pos %v", p)
	}
}

func TestExitCodeIsZeroToo(t *testing.T) {
	var out bytes.Buffer
	play(nil, jsonl.New(&out, nil))
	l := lines(t, out.Bytes())[0]
	if l["exit_code"] != 0.0 || !reflect.DeepEqual(l["hosts"], map[string]any{}) {
		t.Errorf("got %v", l)
	}
}

func TestNumbersThatJSONLacks(t *testing.T) {
	var out bytes.Buffer
	r := jsonl.New(&out, nil)
	before := []any{math.Inf(1), 1.5}
	play([]event.Body{event.TaskResult{Host: "a", Status: event.OK, Values: map[string]any{"x": before},
		Changes: []event.Change{{Field: "f", Before: math.NaN()}}}}, r)
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	l := lines(t, out.Bytes())[0]
	if got := l["result"].(map[string]any)["x"]; !reflect.DeepEqual(got, []any{"+Inf", 1.5}) {
		t.Errorf("got %v", got)
	}
	if before[0] != math.Inf(1) {
		t.Error("the event was changed")
	}
}

type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, errors.New("the pipe is closed") }

func TestErr(t *testing.T) {
	r := jsonl.New(closed{}, nil)
	play(everyBody(), r)
	if err := r.Err(); err == nil || !strings.Contains(err.Error(), "write the report: the pipe is closed") {
		t.Errorf("got %v", err)
	}
}

func FuzzLinesAreJSON(f *testing.F) {
	f.Add("msg", "label", 1.5)
	f.Add("\xff\u2028\n", "\x00", math.Inf(-1))
	f.Fuzz(func(t *testing.T, msg, label string, x float64) {
		var out bytes.Buffer
		r := jsonl.New(&out, nil)
		play([]event.Body{
			event.RunStarted{Playbooks: []string{msg}},
			event.TaskResult{Host: msg, Msg: msg, Status: event.OK, Item: &event.Item{Label: label}, Values: map[string]any{label: x, "l": []any{x, msg}}},
		}, r)
		if r.Err() != nil || len(lines(t, out.Bytes())) != 3 {
			t.Fatalf("%v: %q", r.Err(), out.Bytes())
		}
	})
}
