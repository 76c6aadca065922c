package text

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/fatih/color"

	"github.com/foobar-play/foobar-play/pkg/event"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// result holds results back until all hosts of the task have answered, so that
// hosts that look the same share a block. Items, and results of tasks whose
// hosts are not known beforehand, are shown at once.
func (r *Report) result(b event.TaskResult) {
	r.plan.add(b)
	if b.Task.ID != r.task.ID {
		r.begin(b.Task, 0)
		r.printf("%s\n", r.paint.bold.Sprint(taskTitle(b.Task)))
	}
	if b.Item != nil {
		r.looped[b.Host] = true
		r.failed.add(b)
		r.show([]event.TaskResult{b})
		return
	}
	r.expected--
	if !r.saidByItems(b) {
		r.pending = append(r.pending, b)
	}
	if r.expected <= 0 {
		r.flush()
	}
}

// saidByItems reports whether a loop's items have said already what the loop
// came to.
func (r *Report) saidByItems(b event.TaskResult) bool {
	switch b.Status {
	case event.Failed, event.Unreachable, event.Skipped:
		return false
	}
	return b.Loop && r.looped[b.Host]
}

// flush shows what is pending, grouped.
func (r *Report) flush() {
	pending := r.pending
	r.pending = nil
	for _, same := range grouped(pending, func(b event.TaskResult) string {
		return r.head(b, nil) + r.body(b)
	}) {
		r.show(same)
	}
}

// grouped puts results that look the same together, in the order of the first
// of each.
func grouped(list []event.TaskResult, look func(event.TaskResult) string) [][]event.TaskResult {
	var out [][]event.TaskResult
	at := map[string]int{}
	for _, b := range list {
		key := look(b)
		i, ok := at[key]
		if !ok {
			i = len(out)
			at[key] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], b)
	}
	return out
}

// show writes results that look the same as one block.
func (r *Report) show(same []event.TaskResult) {
	_, c := r.label(same[0])
	r.printf("%s\n%s", c.Sprint(r.head(same[0], hostsOf(same))), r.body(same[0]))
}

func hostsOf(list []event.TaskResult) []string {
	var hosts []string
	for _, b := range list {
		if !slices.Contains(hosts, b.Host) {
			hosts = append(hosts, b.Host)
		}
	}
	slices.Sort(hosts)
	return hosts
}

// head is a block's first line.
func (r *Report) head(b event.TaskResult, hosts []string) string {
	label, _ := r.label(b)
	line := label + ": [" + strings.Join(hosts, ", ")
	if b.Delegate != "" {
		line += " -> " + b.Delegate
	}
	line += "]"
	if b.Item != nil {
		line += " => (item=" + short(b.Item.Label) + ")"
	}
	return line
}

func (r *Report) label(b event.TaskResult) (string, *color.Color) {
	switch b.Status {
	case event.Changed:
		if r.check {
			return "would change", r.paint.changed
		}
		return "changed", r.paint.changed
	case event.Failed, event.Unreachable:
		switch {
		case b.Ignored:
			return string(b.Status) + " (ignored)", r.paint.skipped
		case b.Rescued:
			return string(b.Status) + " (rescued)", r.paint.failed
		}
		return string(b.Status), r.paint.failed
	case event.Skipped:
		return "skipping", r.paint.skipped
	case event.Maybe:
		return "maybe", r.paint.maybe
	}
	return "ok", r.paint.ok
}

// body is what stands below a block's first line.
func (r *Report) body(b event.TaskResult) string {
	var out strings.Builder
	p := &printer{w: &out}
	for _, w := range b.Warnings {
		p.indent("    "+r.paint.maybe.Sprint("warning:")+" ", w)
	}
	if b.Reason != "" {
		p.indent("    because ", b.Reason)
	}
	values := r.opts.Verbosity >= 1 && len(b.Values) > 0
	switch {
	case b.Status == event.Failed || b.Status == event.Unreachable:
		failure(p, b)
	case isDebug(b) && b.Status == event.OK:
		said(p, b)
		values = false
	case !values && r.opts.Verbosity >= 1:
		p.indent("    ", b.Msg)
	}
	if b.Censored && r.opts.Verbosity >= 1 {
		p.printf("    (hidden by no_log)\n")
	}
	r.changes(p, b)
	if values {
		p.indent("    ", "=> "+asJSON(known(b.Values)))
	}
	return out.String()
}

// failure is what the person who must act needs.
func failure(p *printer, b event.TaskResult) {
	if !b.Task.Pos.IsZero() {
		p.printf("    at %s\n", b.Task.Pos)
	}
	complaint(p, b)
}

// complaint is the message, and the output of what failed.
func complaint(p *printer, b event.TaskResult) {
	p.indent("    ", b.Msg)
	for _, k := range []string{"stderr", "stdout"} {
		if s, ok := b.Values[k].(string); ok && strings.TrimSpace(s) != "" && !quotes(b.Msg, strings.TrimSpace(s)) {
			p.indent("    "+k+"| ", tail(s, 20))
		}
	}
}

// quotes reports whether text has part in it, not only as a piece of a word.
func quotes(text, part string) bool {
	before, after, found := strings.Cut(text, part)
	last, _ := utf8.DecodeLastRuneInString(before)
	next, _ := utf8.DecodeRuneInString(after)
	inWord := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
	return found && !inWord(last) && !inWord(next)
}

func isDebug(b event.TaskResult) bool {
	return b.Task.Module == "debug" || strings.HasSuffix(b.Task.Module, ".debug")
}

// said shows what a debug task is there to show: its message, or the value of
// its var.
func said(p *printer, b event.TaskResult) {
	if b.Msg != "" {
		p.indent("    ", b.Msg)
		return
	}
	for _, k := range value.Keys(b.Values) {
		if k != "changed" && k != "failed" && k != "ansible_facts" {
			p.indent("    ", k+": "+asJSON(b.Values[k]))
		}
	}
}

// known leaves out what a dry run does not know.
func known(values map[string]any) map[string]any {
	out := map[string]any{}
	for k, v := range values {
		if _, unknown := v.(value.Unknown); !unknown {
			out[k] = v
		}
	}
	return out
}

func asJSON(v any) string {
	var out strings.Builder
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if enc.Encode(v) != nil { // a float that JSON has no word for
		return value.Text(v)
	}
	return out.String()
}
