// Package groupby is the module group_by: it puts each host into a group whose
// name is computed, for later plays of the run.
//
// It runs on the controller. Whether the inventory changed is the engine's to
// say, which knows it.
package groupby

import (
	"context"
	"errors"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/modules"
)

type options struct {
	Key     string   `arg:"key,required" doc:"The group's name; spaces become dashes."`
	Parents []string `arg:"parents" default:"all" doc:"Groups the new group is a child of."`
}

// Check refuses an empty name.
func (o *options) Check() error {
	if strings.TrimSpace(o.Key) == "" {
		return errors.New("key is empty")
	}
	return nil
}

// Module returns the module.
func Module() *modules.Module {
	return modules.Local(modules.Spec{
		Name:     "group_by",
		Short:    "Put the host into a group whose name is computed.",
		ReadOnly: true,
		Returns: []modules.Return{
			{Name: "add_group", Type: "string", Doc: "The group."},
			{Name: "parent_groups", Type: "list", Doc: "Its parents."},
		},
		Examples: "- group_by:\n    key: os_{{ .ansible_facts.distribution }}\n",
	}, func(_ context.Context, _ modules.Controller, o *options) (modules.Result, error) {
		group := dashed(o.Key)
		parents := make([]string, len(o.Parents))
		shown := make([]any, len(o.Parents))
		for i, p := range o.Parents {
			parents[i] = dashed(p)
			shown[i] = parents[i]
		}
		return modules.Result{
			Values:  map[string]any{"add_group": group, "parent_groups": shown},
			Effects: &modules.Effects{AddGroups: []string{group}, Parents: parents},
		}, nil
	})
}

func dashed(name string) string { return strings.ReplaceAll(strings.TrimSpace(name), " ", "-") }
