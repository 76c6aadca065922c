package text_test

import (
	"time"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/event"
	"github.com/foobar-play/foobar-play/pkg/value"
)

func task(id, name, module string, line int) event.TaskRef {
	return event.TaskRef{ID: id, Name: name, Module: module, Pos: diag.Pos{File: "site.yml", Line: line, Col: 7}}
}

func inRole(role string, t event.TaskRef) event.TaskRef { t.Role = role; return t }

func handler(t event.TaskRef) event.TaskRef { t.Handler = true; return t }

// result makes the result of a task on a host; change sets the rest.
func result(t event.TaskRef, host string, s event.Status, change ...func(*event.TaskResult)) event.TaskResult {
	r := event.TaskResult{Task: t, Host: host, Status: s, Duration: 12 * time.Millisecond}
	for _, c := range change {
		c(&r)
	}
	return r
}

func msg(m string) func(*event.TaskResult) { return func(r *event.TaskResult) { r.Msg = m } }

func reason(m string) func(*event.TaskResult) { return func(r *event.TaskResult) { r.Reason = m } }

func values(m map[string]any) func(*event.TaskResult) {
	return func(r *event.TaskResult) { r.Values = m }
}

func item(i int, label string) func(*event.TaskResult) {
	return func(r *event.TaskResult) { r.Item = &event.Item{Index: i, Label: label} }
}

func changes(c ...event.Change) func(*event.TaskResult) {
	return func(r *event.TaskResult) { r.Changes = c }
}

func loop(r *event.TaskResult)    { r.Loop = true }
func ignored(r *event.TaskResult) { r.Ignored = true }
func rescued(r *event.TaskResult) { r.Rescued = true }
func diffs(r *event.TaskResult)   { r.Diff = true }
func hidden(r *event.TaskResult)  { r.Censored = true }

func delegated(to string) func(*event.TaskResult) {
	return func(r *event.TaskResult) { r.Delegate = to }
}

// streams are runs as the engine tells them, without the last event, which is
// their fold.
var streams = map[string][]event.Body{
	"fine":     fine(),
	"failures": failures(),
	"loops":    loops(),
	"check":    check(),
	"free":     free(),
	"details":  details(),
	"nothing": {
		event.RunStarted{Playbooks: []string{"site.yml"}},
		event.PlayStarted{Name: "nobody", Batch: 1, Batches: 1},
	},
}

func fine() []event.Body {
	ping, write := task("t1", "ping", "ping", 5), inRole("nginx_ssl", task("t2", "write the site", "copy", 8))
	skip, say := task("t3", "on Red Hat", "command", 12), task("t4", "say", "debug", 16)
	restart := handler(inRole("nginx_ssl", task("t5", "reload nginx", "service", 3)))
	return []event.Body{
		event.RunStarted{Playbooks: []string{"site.yml"}},
		event.PlayStarted{Name: "web servers", Hosts: []string{"web02", "web01", "web10"}, Batch: 1, Batches: 1},
		event.TaskStarted{Task: ping, Hosts: 3},
		result(ping, "web10", event.OK), result(ping, "web01", event.OK), result(ping, "web02", event.OK),
		event.TaskStarted{Task: write, Hosts: 3},
		result(write, "web02", event.Changed), event.HandlerNotified{Handler: "reload nginx", Host: "web02"},
		result(write, "web01", event.OK),
		result(write, "web10", event.Changed, delegated("web01")),
		event.TaskStarted{Task: skip, Hosts: 3},
		result(skip, "web01", event.Skipped, msg("Conditional result was False")),
		result(skip, "web02", event.Skipped, msg("Conditional result was False")),
		result(skip, "web10", event.Skipped, msg("Conditional result was False")),
		event.TaskStarted{Task: say, Hosts: 3},
		result(say, "web01", event.OK, msg("two\nlines")),
		result(say, "web02", event.OK, values(map[string]any{"x": []any{1, "<b>"}})),
		result(say, "web10", event.OK, values(map[string]any{"x": []any{2, "<b>"}})),
		event.TaskStarted{Task: restart, Hosts: 2},
		result(restart, "web02", event.Changed), result(restart, "web10", event.Changed),
		event.PlayStarted{Name: "one by one", Hosts: []string{"web01"}, Batch: 2, Batches: 3},
		event.Message{Severity: diag.Warning, Text: "said elsewhere"},
	}
}

func failures() []event.Body {
	first, second, third := task("t1", "first", "command", 5), task("t2", "second", "command", 9), inRole("app", task("t3", "third", "command", 13))
	out := func(stderr, stdout string) func(*event.TaskResult) {
		return values(map[string]any{"rc": 1, "stderr": stderr, "stdout": stdout})
	}
	long := ""
	for range 30 {
		long += "a line\n"
	}
	return []event.Body{
		event.RunStarted{Playbooks: []string{"site.yml"}},
		event.PlayStarted{Name: "all", Hosts: []string{"a", "b", "c", "d", "e"}, Batch: 1, Batches: 1},
		event.TaskStarted{Task: first, Hosts: 5},
		result(first, "a", event.Failed, ignored, msg("non-zero return code"), out("no\n", "")),
		result(first, "b", event.Failed, rescued, msg("non-zero return code"), out("no\n", "")),
		result(first, "c", event.OK), result(first, "d", event.OK),
		result(first, "e", event.Unreachable, msg("connect to 198.51.100.7:22: no answer within 10s\nis it switched on?")),
		event.TaskStarted{Task: second, Hosts: 4},
		result(second, "a", event.Failed, msg("non-zero return code"), out("disk full\n", "")),
		result(second, "b", event.Failed, msg("non-zero return code"), out("disk full\n", "")),
		result(second, "c", event.Failed, msg("non-zero return code"), out("no such \x1b[31mhost\x07\n", long)),
		result(second, "d", event.Unreachable, ignored, msg("gone")),
		event.HostUnreachable{Host: "f", Msg: "the connection broke"},
		event.TaskStarted{Task: third, Hosts: 1},
		event.TaskRetry{Task: third, Host: "d", Attempt: 1, Retries: 2, Delay: 5 * time.Second},
		event.TaskRetry{Task: third, Host: "d", Attempt: 2, Retries: 2, Delay: 5 * time.Second},
		result(third, "d", event.Failed, msg("stdout says it: boom"), out("", "boom\n")),
	}
}

func loops() []event.Body {
	one, two, three := task("t1", "install", "apt", 5), task("t2", "nothing to do", "command", 9), task("t3", "try", "command", 13)
	bad := values(map[string]any{"stderr": "E: no package\n"})
	return []event.Body{
		event.RunStarted{},
		event.PlayStarted{Name: "all", Hosts: []string{"a", "b"}, Batch: 1, Batches: 1},
		event.TaskStarted{Task: one, Hosts: 2},
		result(one, "a", event.OK, item(0, "nginx")),
		result(one, "b", event.Changed, item(0, "nginx")),
		result(one, "a", event.Changed, item(1, "a very long label\nof "+string(make([]byte, 130)))),
		result(one, "a", event.Changed, loop, msg("All items completed")),
		event.TaskRetry{Task: one, Host: "b", Attempt: 1, Retries: 3, Delay: time.Second, Item: &event.Item{Index: 1, Label: "curl"}},
		result(one, "b", event.Failed, item(1, "curl"), msg("cannot install"), bad),
		result(one, "b", event.Failed, loop, msg("1 of 2 items failed")),
		event.TaskStarted{Task: two, Hosts: 2},
		result(two, "a", event.Skipped, loop, msg("No items in the list")),
		result(two, "b", event.Skipped, item(0, "x"), msg("Conditional result was False")),
		result(two, "b", event.Skipped, loop, msg("All items skipped")),
		event.TaskStarted{Task: three, Hosts: 1},
		result(three, "a", event.Failed, item(0, "x"), ignored, msg("no")),
		result(three, "a", event.OK, item(1, "y")),
		result(three, "a", event.Failed, loop, ignored, msg("1 of 2 items failed")),
	}
}

func check() []event.Body {
	write, run, each, restart := task("t1", "write", "copy", 5), task("t2", "run", "command", 9), task("t3", "each", "command", 12), handler(task("t4", "restart", "service", 20))
	content := event.Change{Path: "/etc/motd", Field: "content", Before: "old\nsame\n", After: "new\nsame\n"}
	mode := event.Change{Path: "/etc/motd", Field: "mode", Before: "0600", After: "0644"}
	created := event.Change{Field: "state", Before: nil, After: ""}
	const why = "the command is not run in a dry run"
	return []event.Body{
		event.RunStarted{Check: true},
		event.PlayStarted{Name: "all", Hosts: []string{"a", "b"}, Batch: 1, Batches: 1},
		event.TaskStarted{Task: write, Hosts: 2},
		result(write, "a", event.Changed, changes(content, mode, created), diffs),
		result(write, "b", event.Changed, changes(content, mode)),
		event.TaskStarted{Task: run, Hosts: 2},
		result(run, "a", event.Maybe, reason(why), values(map[string]any{"cmd": "date", "rc": value.Unknown{Reason: why}})),
		result(run, "b", event.Maybe, reason(why), values(map[string]any{"cmd": "date", "rc": value.Unknown{Reason: why}})),
		event.TaskStarted{Task: each, Hosts: 2},
		result(each, "a", event.Maybe, loop, reason("what it loops over is not known: "+why)),
		result(each, "b", event.OK),
		event.TaskStarted{Task: restart, Hosts: 2},
		result(restart, "a", event.Maybe, reason(why)),
		result(restart, "b", event.Changed),
	}
}

func free() []event.Body {
	one, two := task("t1", "one", "command", 5), task("t2", "two", "command", 9)
	return []event.Body{
		event.RunStarted{},
		event.PlayStarted{Name: "as fast as they can", Hosts: []string{"a", "b"}, Batch: 1, Batches: 1},
		event.TaskStarted{Task: one},
		result(one, "a", event.Changed),
		event.TaskStarted{Task: two},
		result(two, "a", event.OK),
		result(one, "b", event.Changed),
		result(two, "b", event.OK),
	}
}

func details() []event.Body {
	run, secret := task("t1", "run", "command", 5), task("t2", "set the password", "user", 9)
	return []event.Body{
		event.RunStarted{},
		event.PlayStarted{Name: "all", Hosts: []string{"a"}, Batch: 1, Batches: 1},
		event.TaskStarted{Task: run, Hosts: 1},
		event.TaskOutput{Task: run, Host: "a", Stream: "stdout", Data: "working\nstill working\r\n"},
		event.TaskOutput{Task: run, Host: "a", Stream: "stderr", Data: "hm\n"},
		result(run, "a", event.Changed, values(map[string]any{"rc": 0, "stdout": "working", "f": 1.5}),
			changes(event.Change{Field: "packages", Before: []any{"a"}, After: []any{"a", "b"}}),
			func(r *event.TaskResult) { r.Warnings = []string{"this is\nold"} }),
		event.TaskStarted{Task: secret, Hosts: 1},
		result(secret, "a", event.Changed, hidden),
	}
}
