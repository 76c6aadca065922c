package playbook

import (
	"strings"
	"testing"
)

func TestSelected(t *testing.T) {
	for _, c := range []struct {
		own, tags, skip string
		want            bool
	}{
		{"", "", "", true},
		{"a", "", "", true},
		{"a", "a", "", true},
		{"a", "b", "", false},
		{"a b", "b", "", true},
		{"", "a", "", false},
		{"a", "all", "", true},
		{"", "all", "", true},
		{"a", "tagged", "", true},
		{"", "tagged", "", false},
		{"", "untagged", "", true},
		{"a", "untagged", "", false},
		{"a", "untagged tagged", "", true},
		{"always", "b", "", true},
		{"always", "untagged", "", true},
		{"never", "", "", false},
		{"never", "all", "", false},
		{"never", "tagged", "", false},
		{"never", "never", "", true},
		{"never a", "a", "", true},
		{"never a", "b", "", false},
		{"never always", "", "", true},
		{"a", "", "a", false},
		{"a b", "", "b", false},
		{"a", "", "b", true},
		{"a", "a", "a", false},
		{"", "", "all", false},
		{"a", "", "all", false},
		{"always", "", "all", true},
		{"always", "", "all always", false},
		{"always", "", "always", false},
		{"a", "", "tagged", false},
		{"", "", "tagged", true},
		{"always", "", "tagged", false},
		{"", "", "untagged", false},
		{"a", "", "untagged", true},
	} {
		task := &Task{AllTags: strings.Fields(c.own)}
		if got := task.Selected(strings.Fields(c.tags), strings.Fields(c.skip)); got != c.want {
			t.Errorf("tags of the task [%s], --tags [%s] --skip-tags [%s]: %v", c.own, c.tags, c.skip, got)
		}
	}
}
