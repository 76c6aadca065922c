package text

import (
	"strings"

	"github.com/aymanbagabas/go-udiff"

	"github.com/foobar-play/foobar-play/pkg/event"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// changes shows what differs when diffs, more words or a dry run were asked
// for: a line a field; content only for diffs, as a unified diff.
func (r *Report) changes(p *printer, b event.TaskResult) {
	if !b.Diff && !r.check && r.opts.Verbosity < 1 {
		return
	}
	for _, c := range b.Changes {
		before, isText := c.Before.(string)
		after, alsoText := c.After.(string)
		multi := strings.Contains(before, "\n") || strings.Contains(after, "\n")
		switch {
		case c.Field == "content" && !b.Diff:
			p.printf("    %s differs (--diff shows how)\n", field(c))
		case multi && (isText || c.Before == nil) && (alsoText || c.After == nil):
			r.diff(p, c, before, after)
		default:
			p.printf("    %s: %s -> %s\n", field(c), shown(c.Before), shown(c.After))
		}
	}
}

func field(c event.Change) string {
	if c.Path != "" {
		return clean(c.Path + " " + c.Field)
	}
	return clean(c.Field)
}

func shown(v any) string {
	switch v {
	case nil:
		return "(none)"
	case "":
		return `""`
	}
	return short(value.Text(v))
}

func (r *Report) diff(p *printer, c event.Change, before, after string) {
	name := c.Path
	if name == "" {
		name = c.Field
	}
	for line := range strings.Lines(udiff.Unified(name+" (before)", name+" (after)", before, after)) {
		line = clean(strings.TrimRight(line, "\n"))
		switch {
		case strings.HasPrefix(line, "+"):
			line = r.paint.ok.Sprint(line)
		case strings.HasPrefix(line, "-"):
			line = r.paint.failed.Sprint(line)
		case strings.HasPrefix(line, "@@"):
			line = r.paint.skipped.Sprint(line)
		}
		p.printf("    %s\n", line)
	}
}
