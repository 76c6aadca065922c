package text

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/fatih/color"

	"github.com/foobar-play/foobar-play/pkg/event"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// result holds results back until all hosts of the task have answered, so that
// hosts with the same outcome share a line. Items, failures and results of
// tasks whose hosts are not known beforehand are shown at once.
func (r *Report) result(b event.TaskResult) {
	r.fold.add(b)
	if b.Item != nil {
		r.show([]event.TaskResult{b})
		return
	}
	r.expected--
	if b.Task.ID != r.task.ID {
		r.flush()
		r.printf("%s\n", r.paint.bold.Sprint(r.taskTitle(b.Task)))
		r.task, r.expected = b.Task, 0
	}
	if b.Loop && b.Status != event.Failed && b.Status != event.Skipped && b.Status != event.Unreachable {
		r.flushWhenAll()
		return
	}
	r.pending = append(r.pending, b)
	r.flushWhenAll()
}

func (r *Report) flushWhenAll() {
	if r.expected <= 0 {
		r.flush()
	}
}

// flush shows what is pending, grouped.
func (r *Report) flush() {
	pending := r.pending
	r.pending = nil
	for len(pending) > 0 {
		key := groupKey(pending[0])
		var same, rest []event.TaskResult
		for _, p := range pending {
			if groupKey(p) == key {
				same = append(same, p)
			} else {
				rest = append(rest, p)
			}
		}
		r.show(same)
		pending = rest
	}
}

// groupKey is equal for results that look the same.
func groupKey(b event.TaskResult) string {
	body, err := json.Marshal([]any{b.Status, b.Msg, b.Reason, b.Changes, b.Warnings, b.Ignored, b.Rescued, b.Delegate, b.Attempts})
	if err != nil {
		return b.Host
	}
	return string(body)
}

func (r *Report) show(same []event.TaskResult) {
	b := same[0]
	hosts := make([]string, len(same))
	for i, s := range same {
		hosts[i] = s.Host
	}
	slices.Sort(hosts)
	label, c := r.label(b)
	line := label + ": [" + strings.Join(hosts, ", ") + "]"
	if b.Delegate != "" {
		line = label + ": [" + strings.Join(hosts, ", ") + " -> " + b.Delegate + "]"
	}
	if b.Item != nil {
		line += " => (item=" + short(b.Item.Label) + ")"
	}
	r.printf("%s\n", c.Sprint(line))
	r.details(b)
	for _, s := range same {
		if r.opts.Verbosity >= 1 && s.Values != nil {
			body, _ := json.MarshalIndent(s.Values, "    ", "  ")
			r.printf("    %s => %s\n", s.Host, body)
		}
	}
}

func (r *Report) label(b event.TaskResult) (string, *color.Color) {
	switch b.Status {
	case event.Changed:
		if r.check {
			return "would change", r.paint.changed
		}
		return "changed", r.paint.changed
	case event.Failed:
		switch {
		case b.Ignored:
			return "failed (ignored)", r.paint.skipped
		case b.Rescued:
			return "failed (rescued)", r.paint.failed
		}
		return "failed", r.paint.failed
	case event.Unreachable:
		if b.Ignored {
			return "unreachable (ignored)", r.paint.skipped
		}
		return "unreachable", r.paint.failed
	case event.Skipped:
		return "skipping", r.paint.skipped
	case event.Maybe:
		return "maybe", r.paint.maybe
	}
	return "ok", r.paint.ok
}

func (r *Report) details(b event.TaskResult) {
	for _, w := range b.Warnings {
		r.printf("    %s %s\n", r.paint.maybe.Sprint("warning:"), w)
	}
	if b.Reason != "" {
		r.printf("    because %s\n", b.Reason)
	}
	switch {
	case b.Status == event.Failed || b.Status == event.Unreachable:
		r.failure(b)
	case isDebug(b) && b.Status == event.OK:
		r.said(b)
	case b.Msg != "" && r.opts.Verbosity > 0:
		r.indent("    ", b.Msg)
	}
	if b.Censored && b.Status == event.Changed {
		r.printf("    (hidden by no_log)\n")
	}
	r.changes(b)
}

func (r *Report) failure(b event.TaskResult) {
	if b.Item == nil || !b.Task.Pos.IsZero() {
		r.printf("    at %s\n", b.Task.Pos)
	}
	r.indent("    ", b.Msg)
	for _, k := range []string{"stderr", "stdout"} {
		if s, ok := b.Values[k].(string); ok && strings.TrimSpace(s) != "" && !strings.Contains(b.Msg, strings.TrimSpace(s)) {
			r.indent("    "+k+"| ", tail(s, 20))
		}
	}
}

func tail(s string, n int) string {
	lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
	if len(lines) > n {
		lines = append([]string{fmt.Sprintf("… (%d lines before)", len(lines)-n)}, lines[len(lines)-n:]...)
	}
	return strings.Join(lines, "\n")
}

func short(s string) string {
	if r := []rune(s); len(r) > 120 {
		return string(r[:120]) + "…"
	}
	return s
}

func isDebug(b event.TaskResult) bool {
	return b.Task.Module == "debug" || strings.HasSuffix(b.Task.Module, ".debug")
}

// said shows what a debug task is there to show: its message, or the value of
// its var.
func (r *Report) said(b event.TaskResult) {
	if b.Msg != "" {
		r.indent("    ", b.Msg)
		return
	}
	for _, k := range value.Keys(b.Values) {
		if k == "changed" || k == "failed" || k == "ansible_facts" {
			continue
		}
		body, err := json.MarshalIndent(b.Values[k], "", "  ")
		if err != nil {
			continue
		}
		r.indent("    ", k+": "+string(body))
	}
}
