// Package systemd is the module systemd (systemd_service): units of a host.
// What is known of units lives in pkg/host/units; this package knows the
// options and what they mean. The module service is made of it.
package systemd

import (
	"errors"

	"github.com/foobar-play/foobar-play/pkg/modules"
)

// Options are the options of the module systemd.
type Options struct {
	Name         string `arg:"name,alias=service|unit" doc:"The unit; without a suffix, .service is meant."`
	State        string `arg:"state" choices:"reloaded,restarted,started,stopped" doc:"started and stopped change only what is otherwise; restarted and reloaded always act. reloaded starts what does not run."`
	Enabled      *bool  `arg:"enabled" doc:"Whether the unit is started at boot."`
	Force        bool   `arg:"force" doc:"Overwrite links that are in the way of enabling."`
	Masked       *bool  `arg:"masked" doc:"Whether the unit is masked, so that nothing can start it."`
	DaemonReload bool   `arg:"daemon_reload,alias=daemon-reload" doc:"Have systemd read its unit files again, when it has to: for this unit, or without name for any."`
	DaemonReexec bool   `arg:"daemon_reexec,alias=daemon-reexec" doc:"Restart systemd itself; always a change."`
	Scope        string `arg:"scope" default:"system" choices:"system,user,global" doc:"Which systemd: the host's, that of the user the task runs as, or the configuration of all users'."`
	NoBlock      bool   `arg:"no_block" doc:"Do not wait until the unit has started or stopped."`
}

// Check finds options that do not go together.
func (o *Options) Check() error {
	switch {
	case o.Name == "" && (o.State != "" || o.Enabled != nil || o.Masked != nil):
		return errors.New("state, enabled and masked need the option name")
	case o.Name == "" && !o.DaemonReload && !o.DaemonReexec:
		return errors.New("there is nothing to do: give name with state, enabled or masked, or daemon_reload, or daemon_reexec")
	case o.Scope == "global" && o.State != "":
		return errors.New("scope global has no running units: state cannot be used with it")
	}
	return nil
}

// Module is the module systemd.
func Module() *modules.Module { return module("systemd") }

// ServiceModule is the same module under its newer name.
func ServiceModule() *modules.Module { return module("systemd_service") }

func module(name string) *modules.Module {
	return modules.Define(modules.Spec{
		Name:  name,
		Short: "Manage systemd units",
		Doc: `Starts, stops, enables and masks units. What is so already is left alone; daemon_reload acts only when systemd says that
unit files have changed, and counts as a change then. A unit that is started and stops again at once makes the task fail, with the end of its log.
Units that can neither be enabled nor disabled (static, indirect) fulfil every wish for enabled.
In a dry run, units of packages that are not installed yet are "maybe".
Nothing is left out against Ansible, but status has no Environment, which often holds secrets.`,
		Returns:  Returns,
		Examples: examples,
	}, New)
}

// Returns documents the return values.
var Returns = []modules.Return{
	{Name: "name", Type: "string", Doc: "The option name."},
	{Name: "state", Type: "string", Doc: "The option state as a state: started or stopped. Absent when not asked for."},
	{Name: "enabled", Type: "bool", Doc: "The option enabled. Absent when not asked for."},
	{Name: "status", Type: "map", Doc: "What systemctl show says of the unit before the change, by systemd's names."},
}

const examples = `- name: Run nginx now and at boot
  systemd:
    name: nginx
    state: started
    enabled: true
- name: Read the unit files again when they have changed
  systemd:
    daemon_reload: true
`
