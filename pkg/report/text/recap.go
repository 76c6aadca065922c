package text

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/foobar-play/foobar-play/pkg/event"
)

// end shows the failures once more, the recap, and in a dry run the plan's
// summary.
func (r *Report) end(recap event.Recap) {
	r.failures(recap)
	r.banner("PLAY RECAP")
	width := 26
	for _, h := range recap.HostNames() {
		r.printf("%s\n", r.recapLine(h, recap.Hosts[h], width))
	}
	r.printf("\n")
	if recap.Check {
		r.printf("%s\n", r.fold.summary(recap))
	}
	if recap.Interrupted {
		r.printf("%s\n", r.paint.failed.Sprint("interrupted: what was under way is not known; run again to converge"))
	}
	if r.opts.Verbosity > 0 {
		r.printf("took %s\n", recap.Duration.Round(time.Millisecond))
	}
}

// recapLine is Ansible's format; maybe is added only when there is one.
func (r *Report) recapLine(host string, s event.HostStats, width int) string {
	c := r.paint.ok
	switch {
	case s.Failed+s.Unreachable > 0:
		c = r.paint.failed
	case s.Changed > 0:
		c = r.paint.changed
	case s.Maybe > 0:
		c = r.paint.maybe
	}
	line := fmt.Sprintf("%s : ok=%-4d changed=%-4d unreachable=%-4d failed=%-4d skipped=%-4d rescued=%-4d ignored=%-4d",
		c.Sprintf("%-*s", width, host), s.OK, s.Changed, s.Unreachable, s.Failed, s.Skipped, s.Rescued, s.Ignored)
	if s.Maybe > 0 {
		line += fmt.Sprintf(" maybe=%-4d", s.Maybe)
	}
	return line
}

func (r *Report) failures(recap event.Recap) {
	if len(recap.Failures) == 0 {
		return
	}
	r.banner("FAILURES")
	var hosts []string
	for _, f := range recap.Failures {
		if !slices.Contains(hosts, f.Host) {
			hosts = append(hosts, f.Host)
		}
		r.printf("%s %s\n", r.paint.failed.Sprintf("%s: [%s]", f.Status, f.Host), strings.TrimSpace(r.failedTask(f)))
		r.failure(f)
	}
	if r.opts.Rerun != nil {
		r.printf("\nto try again on what failed:\n    %s\n", r.opts.Rerun(hosts))
	}
}

func (r *Report) failedTask(f event.TaskResult) string {
	if f.Task.Name == "" {
		return ""
	}
	return r.taskTitle(f.Task)
}

// planFold counts what a dry run found, a task and host at a time.
type planFold struct {
	change, maybe, same int
	hosts               map[string]bool // that would change
}

func (p *planFold) add(b event.TaskResult) {
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

func (p *planFold) summary(event.Recap) string {
	plural := "hosts"
	if len(p.hosts) == 1 {
		plural = "host"
	}
	return fmt.Sprintf("Plan: %d to change on %d %s, %d maybe, %d unchanged.", p.change, len(p.hosts), plural, p.maybe, p.same)
}
