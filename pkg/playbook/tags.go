package playbook

import "slices"

// Selected reports whether --tags and --skip-tags let the task run, by
// Ansible's rules: no tags to run means "all"; "all" takes everything but what
// is tagged never; "tagged" and "untagged" mean what they say; a task tagged
// always runs whatever is asked for, unless it is skipped by name; a task
// tagged never runs when one of its other tags, or never, is asked for.
func (t *Task) Selected(tags, skip []string) bool {
	return wantedBy(t.AllTags, tags) && !skippedBy(t.AllTags, skip)
}

func wantedBy(own, tags []string) bool {
	never := slices.Contains(own, "never")
	if len(tags) == 0 {
		tags = []string{"all"}
	}
	switch {
	case slices.Contains(own, "always"):
		return true
	case slices.Contains(tags, "all") && !never:
		return true
	case meet(own, tags):
		return true
	case slices.Contains(tags, "tagged") && len(own) > 0 && !never:
		return true
	}
	return slices.Contains(tags, "untagged") && len(own) == 0
}

func skippedBy(own, skip []string) bool {
	switch {
	case slices.Contains(skip, "all"):
		return !slices.Contains(own, "always") || slices.Contains(skip, "always")
	case meet(own, skip):
		return true
	case slices.Contains(skip, "tagged") && len(own) > 0:
		return true
	}
	return slices.Contains(skip, "untagged") && len(own) == 0
}

func meet(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}
