// Package ospackage is the module package: packages by the package manager of
// the host. It knows which one that is, and nothing of how it works.
package ospackage

import (
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/apt"
)

// Options are the options of the module package: those of apt, and use.
type Options struct {
	Use string `arg:"use" default:"auto" choices:"auto,apt,ansible.builtin.apt" doc:"The package manager; auto finds it."`
	apt.Options
}

// Module is the module package.
func Module() *modules.Module {
	return modules.Define(modules.Spec{
		Name:  "package",
		Short: "Manage packages by the host's package manager",
		Doc: `Hands its options to the module of the host's package manager. That is apt; on a host without dpkg the task fails.
Left out against Ansible: all other package managers.`,
		Returns:  apt.Module().Returns,
		Examples: "- name: Install a package\n  package:\n    name: ntp\n    state: present\n",
	}, func(env modules.Env, o *Options) (modules.Action, error) {
		return apt.New(env, &o.Options)
	})
}
