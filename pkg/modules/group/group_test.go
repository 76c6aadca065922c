package group_test

import (
	"testing"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules/group"
	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
)

// put makes /etc/group hold the usual groups and these lines.
func put(lines string) func(*modulestest.Host) {
	return func(h *modulestest.Host) { h.AddFile("/etc/group", "root:x:0:\nnogroup:x:65534:\n"+lines, 0o644) }
}

func TestGroup(t *testing.T) {
	h := modulestest.NewTestHost(func(h *modulestest.Host) {
		put("app:x:1500:deploy\n")(h)
		h.AddCommand([]string{"groupadd", "new"}, host.Output{}, put("app:x:1500:deploy\nnew:x:1501:\n"))
		h.AddCommand([]string{"groupadd", "-g", "900", "-r", "new"}, host.Output{}, put("app:x:1500:deploy\nnew:x:900:\n"))
		h.AddCommand([]string{"groupmod", "-g", "1600", "app"}, host.Output{}, put("app:x:1600:deploy\n"))
		h.AddCommand([]string{"groupdel", "app"}, host.Output{}, put(""))
		h.AddCommand([]string{"groupadd", "-g", "0", "bad"}, host.Output{RC: 4, Stderr: []byte("groupadd: GID '0' already exists\n")}, func(*modulestest.Host) {})
	})
	for name, c := range map[string]modulestest.Case{
		"there":          {Args: map[string]any{"name": "app"}, Unchanged: true, Values: map[string]any{"gid": 1500, "state": "present"}},
		"number there":   {Args: map[string]any{"name": "app", "gid": 1500}, Unchanged: true},
		"gone":           {Args: map[string]any{"name": "nope", "state": "absent"}, Unchanged: true},
		"new":            {Args: map[string]any{"name": "new"}, Values: map[string]any{"gid": 1501}},
		"new with all":   {Args: map[string]any{"name": "new", "gid": 900, "system": true}, Values: map[string]any{"gid": 900}},
		"another number": {Args: map[string]any{"name": "app", "gid": 1600}, Values: map[string]any{"gid": 1600}},
		"remove":         {Args: map[string]any{"name": "app", "state": "absent"}},
	} {
		c.Module, c.Host = group.Module(), h
		t.Run(name, func(t *testing.T) { modulestest.Conformance(t, c) })
	}
	if errs := group.Module().CheckArgs(map[string]any{"name": "a", "non_unique": true}, nil); errs == nil {
		t.Error("non_unique without gid is fine")
	}
}
