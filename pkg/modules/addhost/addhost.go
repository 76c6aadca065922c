// Package addhost is the module add_host: it adds a host to the inventory in
// memory, for later plays of the run.
//
// It runs on the controller, once for a batch of hosts. Whether the inventory
// changed is the engine's to say, which knows it.
package addhost

import (
	"context"
	"fmt"
	"maps"
	"net"
	"strconv"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/modules"
)

type options struct {
	Name   string         `arg:"name,required,alias=host|hostname" doc:"The host's name or address; host:port sets ansible_port too."`
	Groups []string       `arg:"groups,alias=group|groupname" doc:"Groups the host belongs to; new ones are made."`
	Vars   map[string]any `arg:"*"`
}

// Module returns the module.
func Module() *modules.Module {
	return modules.Local(modules.Spec{
		Name:     "add_host",
		Short:    "Add a host to the inventory in memory.",
		Doc:      "Every key besides name and groups is a variable of the host. A host that is there already gets the groups and variables added.",
		ReadOnly: true,
		RunsOnce: true,
		Returns: []modules.Return{
			{Name: "add_host", Type: "map", Doc: "host_name, groups and host_vars, as they were added."},
		},
		Examples: "- add_host:\n    name: 192.0.2.7\n    groups: [fresh]\n    ansible_user: deploy\n",
	}, run)
}

func run(_ context.Context, _ modules.Controller, o *options) (modules.Result, error) {
	name, port, err := split(o.Name)
	if err != nil {
		return modules.Result{}, err
	}
	vars := maps.Clone(o.Vars)
	if vars == nil {
		vars = map[string]any{}
	}
	if _, given := vars["ansible_port"]; port != 0 && !given {
		vars["ansible_port"] = port
	}
	groups := make([]any, len(o.Groups))
	for i, g := range o.Groups {
		groups[i] = g
	}
	return modules.Result{
		Values:  map[string]any{"add_host": map[string]any{"host_name": name, "groups": groups, "host_vars": vars}},
		Effects: &modules.Effects{AddHosts: []modules.AddHost{{Name: name, Groups: o.Groups, Vars: vars}}},
	}, nil
}

// split takes host:port apart; a bare IPv6 address is a host, [address]:port
// has both.
func split(s string) (name string, port int, err error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return "", 0, fmt.Errorf("name is empty")
	}
	if strings.Count(s, ":") == 0 || net.ParseIP(s) != nil {
		return s, 0, nil
	}
	name, p, err := net.SplitHostPort(s)
	if err != nil {
		return "", 0, fmt.Errorf("read %q as host:port: %w", s, err)
	}
	port, err = strconv.Atoi(p)
	if err != nil || port < 1 || port > 65535 {
		return "", 0, fmt.Errorf("%q is not a port (1 to 65535)", p)
	}
	return name, port, nil
}
