package text

import (
	"fmt"
	"strings"
	"time"

	"github.com/fatih/color"

	"github.com/foobar-play/foobar-play/pkg/event"
)

// end shows the failures once more, the recap, and in a dry run the plan's
// summary.
func (r *Report) end(recap event.Recap) {
	if recap.NoHostsLeft {
		r.banner("NO MORE HOSTS LEFT")
	}
	r.failures(recap)
	r.banner("PLAY RECAP")
	for _, h := range recap.HostNames() {
		r.printf("%s\n", r.recapLine(h, recap.Hosts[h]))
	}
	r.printf("\n")
	if recap.Check {
		r.printf("%s\n", r.plan.summary())
	}
	if recap.Interrupted {
		r.printf("%s\n", r.paint.failed.Sprint("interrupted: what was under way is not known; run again to converge"))
	}
	if r.opts.Verbosity > 0 {
		r.printf("took %s\n", recap.Duration.Round(time.Millisecond))
	}
}

// recapLine is Ansible's format; maybe is added only when there is one.
func (r *Report) recapLine(host string, s event.HostStats) string {
	line := fmt.Sprintf("%s : ok=%-4d changed=%-4d unreachable=%-4d failed=%-4d skipped=%-4d rescued=%-4d ignored=%-4d",
		r.hostColor(s).Sprintf("%-26s", host), s.OK, s.Changed, s.Unreachable, s.Failed, s.Skipped, s.Rescued, s.Ignored)
	if s.Maybe > 0 {
		line += fmt.Sprintf(" maybe=%-4d", s.Maybe)
	}
	return line
}

func (r *Report) hostColor(s event.HostStats) *color.Color {
	switch {
	case s.Failed+s.Unreachable > 0:
		return r.paint.failed
	case s.Changed > 0:
		return r.paint.changed
	case s.Maybe > 0:
		return r.paint.maybe
	}
	return r.paint.ok
}

// failures repeats what failed, so that nobody has to scroll.
func (r *Report) failures(recap event.Recap) {
	if len(recap.Failures) == 0 {
		return
	}
	r.banner("FAILURES")
	for _, same := range grouped(recap.Failures, func(f event.TaskResult) string {
		return f.Task.ID + r.head(f, nil) + r.failureBody(f)
	}) {
		title := ""
		if same[0].Task.Name != "" {
			title = " " + taskTitle(same[0].Task)
		}
		r.printf("%s%s\n%s", r.paint.failed.Sprint(r.head(same[0], hostsOf(same))), title, r.failureBody(same[0]))
	}
	if r.opts.Rerun != nil {
		r.printf("\nto try again on what failed:\n    %s\n", r.opts.Rerun(hostsOf(recap.Failures)))
	}
}

func (r *Report) failureBody(f event.TaskResult) string {
	var out strings.Builder
	p := &printer{w: &out}
	failure(p, f)
	for _, item := range r.failed[itemKey{f.Host, f.Task.ID}] {
		p.printf("    (item=%s)\n", short(item.Item.Label))
		complaint(p, item)
	}
	return out.String()
}

// failedItems are the items of loops that failed, by host and task.
type failedItems map[itemKey][]event.TaskResult

type itemKey struct{ host, task string }

func (f failedItems) add(b event.TaskResult) {
	if (b.Status == event.Failed || b.Status == event.Unreachable) && !b.Ignored && !b.Rescued {
		k := itemKey{b.Host, b.Task.ID}
		f[k] = append(f[k], b)
	}
}

// plan counts what a dry run found, a task and host at a time.
type plan struct {
	change, maybe, same int
	hosts               map[string]bool // that would change
}

func (p *plan) add(b event.TaskResult) {
	if b.Item != nil {
		return
	}
	switch b.Status {
	case event.Changed:
		p.change++
		if p.hosts == nil {
			p.hosts = map[string]bool{}
		}
		p.hosts[b.Host] = true
	case event.Maybe:
		p.maybe++
	case event.OK:
		p.same++
	}
}

func (p *plan) summary() string {
	plural := "hosts"
	if len(p.hosts) == 1 {
		plural = "host"
	}
	return fmt.Sprintf("Plan: %d to change on %d %s, %d maybe, %d unchanged.", p.change, len(p.hosts), plural, p.maybe, p.same)
}
