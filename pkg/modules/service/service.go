// Package service is the module service: services by the service manager of
// the host, which is systemd. It knows the options and hands them on.
package service

import (
	"errors"

	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/systemd"
)

// Options are the options of the module service.
type Options struct {
	Name    string `arg:"name,required" doc:"The service."`
	State   string `arg:"state" choices:"reloaded,restarted,started,stopped" doc:"started and stopped change only what is otherwise; restarted and reloaded always act. reloaded starts what does not run."`
	Enabled *bool  `arg:"enabled" doc:"Whether the service is started at boot."`
	Use     string `arg:"use" default:"auto" choices:"auto,systemd" doc:"The service manager; auto finds it."`
}

// Check demands something to do.
func (o *Options) Check() error {
	if o.State == "" && o.Enabled == nil {
		return errors.New("there is nothing to do: give state or enabled")
	}
	return nil
}

// Module is the module service.
func Module() *modules.Module {
	return modules.Define(modules.Spec{
		Name:  "service",
		Short: "Manage services",
		Doc: `Starts, stops and enables services through systemd; see the module systemd. Init scripts are managed as systemd sees them.
Left out against Ansible: arguments (args), pattern, runlevel and sleep, which mean nothing to systemd, and other service managers.`,
		Returns: systemd.Returns,
		Examples: `- name: Start httpd if it does not run, and at boot
  service:
    name: httpd
    state: started
    enabled: true
`,
	}, func(env modules.Env, o *Options) (modules.Action, error) {
		return systemd.New(env, &systemd.Options{Name: o.Name, State: o.State, Enabled: o.Enabled, Scope: "system"})
	})
}
