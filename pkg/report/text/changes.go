package text

import (
	"strings"

	"github.com/aymanbagabas/go-udiff"

	"github.com/foobar-play/foobar-play/pkg/event"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// changes shows what differs: a line a field, content as a unified diff when
// diffs were asked for.
func (r *Report) changes(b event.TaskResult) {
	if !b.Diff && r.opts.Verbosity < 1 {
		return
	}
	for _, c := range b.Changes {
		before, isText := c.Before.(string)
		after, alsoText := c.After.(string)
		multi := strings.Contains(before, "\n") || strings.Contains(after, "\n")
		if c.Field == "content" && !b.Diff {
			continue
		}
		if multi && (isText || c.Before == nil) && (alsoText || c.After == nil) {
			r.diff(c, before, after)
			continue
		}
		r.printf("    %s: %s -> %s\n", field(c), shown(c.Before), shown(c.After))
	}
}

func field(c event.Change) string {
	if c.Path != "" {
		return c.Path + " " + c.Field
	}
	return c.Field
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

func (r *Report) diff(c event.Change, before, after string) {
	name := c.Path
	if name == "" {
		name = c.Field
	}
	for line := range strings.Lines(udiff.Unified(name+" (before)", name+" (after)", before, after)) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "+"):
			line = r.paint.ok.Sprint(line)
		case strings.HasPrefix(line, "-"):
			line = r.paint.failed.Sprint(line)
		case strings.HasPrefix(line, "@@"):
			line = r.paint.skipped.Sprint(line)
		}
		r.printf("    %s\n", line)
	}
}
