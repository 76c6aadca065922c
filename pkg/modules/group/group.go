// Package group is the module group: groups of a host. What is known of
// accounts lives in pkg/host/accounts.
package group

import (
	"context"
	"errors"
	"fmt"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/host/accounts"
	"github.com/foobar-play/foobar-play/pkg/modules"
)

// Options are the options of the module group.
type Options struct {
	Name      string `arg:"name,required" doc:"The group."`
	State     string `arg:"state" default:"present" choices:"absent,present" doc:"Whether the group is there."`
	GID       *int   `arg:"gid" doc:"Its number; left out: any."`
	System    bool   `arg:"system" doc:"Choose the number of a new group from those of the system's."`
	NonUnique bool   `arg:"non_unique" doc:"The number may be another group's; needs gid."`
	Force     bool   `arg:"force" doc:"Remove the group even when it is a user's primary one."`
}

// Check finds options that do not go together.
func (o *Options) Check() error {
	if o.NonUnique && o.GID == nil {
		return errors.New("non_unique needs the option gid")
	}
	return nil
}

// Module is the module group.
func Module() *modules.Module {
	return modules.Define(modules.Spec{
		Name:  "group",
		Short: "Manage groups",
		Doc:   "Makes, changes and removes groups of /etc/group. Left out against Ansible: local (it is always so), gid_min and gid_max.",
		Returns: []modules.Return{
			{Name: "name", Type: "string", Doc: "The group."},
			{Name: "gid", Type: "int", Doc: "Its number, when it is there."},
			{Name: "state", Type: "string", Doc: "The option state."},
			{Name: "system", Type: "bool", Doc: "The option system."},
		},
		Examples: "- name: Make a group\n  group:\n    name: deploy\n    gid: 1750\n",
	}, func(_ modules.Env, o *Options) (modules.Action, error) {
		return modules.Managed(&resource{Options: o}), nil
	})
}

// state is a group's state; gid -1: not known.
type state struct {
	there bool
	gid   int
}

type resource struct {
	*Options
	gid any // after the change
}

func (r *resource) Current(ctx context.Context, h host.Reader) (state, error) {
	g, ok, err := accounts.LookupGroup(ctx, h, r.Name)
	if err != nil || !ok {
		return state{gid: -1}, err
	}
	if !g.Local && r.State == "absent" {
		return state{}, fmt.Errorf("the group %s is not in /etc/group, it comes from another source: it can be removed there only", r.Name)
	}
	r.gid = g.GID
	return state{there: true, gid: g.GID}, nil
}

func (r *resource) Desired(cur state) (state, error) {
	if r.State == "absent" {
		return state{gid: -1}, nil
	}
	cur.there = true
	if r.GID != nil {
		cur.gid = *r.GID
	}
	return cur, nil
}

func (r *resource) Diff(cur, want state) []modules.Change {
	var out []modules.Change
	if cur.there != want.there {
		out = append(out, modules.Change{Field: "state", Before: presence(cur.there), After: presence(want.there)})
	}
	if want.there && r.GID != nil && cur.gid != want.gid {
		out = append(out, modules.Change{Field: "gid", Before: number(cur.gid), After: want.gid})
	}
	return out
}

func presence(there bool) string {
	if there {
		return "present"
	}
	return "absent"
}

func number(n int) any {
	if n < 0 {
		return nil
	}
	return n
}

func (r *resource) Apply(ctx context.Context, w host.Writer, cur, want state) error {
	s := accounts.GroupSettings{GID: r.GID, NonUnique: r.NonUnique, System: r.System}
	switch {
	case !want.there:
		return accounts.RemoveGroup(ctx, w, r.Name, r.Force)
	case cur.there:
		return accounts.ModifyGroup(ctx, w, r.Name, s)
	}
	if err := accounts.CreateGroup(ctx, w, r.Name, s); err != nil {
		return err
	}
	g, _, err := accounts.LookupGroup(ctx, w, r.Name)
	r.gid = g.GID
	if r.GID == nil && host.Pretending(w) {
		r.gid = accounts.Unassigned
	}
	return err
}

func (r *resource) Values(_, want state, _ bool) map[string]any {
	v := map[string]any{"name": r.Name, "state": r.State, "system": r.System}
	if want.there {
		v["gid"] = r.gid
		if r.GID != nil {
			v["gid"] = *r.GID
		}
		if v["gid"] == nil {
			v["gid"] = accounts.Unassigned
		}
	}
	return v
}
