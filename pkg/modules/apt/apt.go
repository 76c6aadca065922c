// Package apt is the module apt: packages of Debian hosts.
//
// Whether something has to be done is decided by reading dpkg's files; apt-get
// is asked to simulate only when something does, or when state is latest.
// What is known of packages lives in pkg/host/packages; this package knows the
// options and what they mean.
package apt

import (
	"errors"
	"fmt"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/modules"
)

// Options are the options of the module apt.
type Options struct {
	Name                    []string `arg:"name,alias=package|pkg" doc:"Packages: foo, foo=1.0, foo=1.*, foo/release, foo:arch, shell patterns, virtual packages; * with state latest upgrades everything."`
	State                   string   `arg:"state" default:"present" choices:"absent,fixed,latest,present" doc:"What the packages are to be; fixed also repairs broken dependencies."`
	UpdateCache             bool     `arg:"update_cache,alias=update-cache" doc:"Fetch the package lists first. With packages that are as wanted already, nothing is fetched."`
	CacheValidTime          int      `arg:"cache_valid_time,alias=cache-valid-time" default:"0" doc:"Fetch the lists only when they are older than this many seconds; turns update_cache on."`
	UpdateCacheRetries      int      `arg:"update_cache_retries" default:"5" doc:"How often to try again to fetch the lists."`
	UpdateCacheRetryMax     int      `arg:"update_cache_retry_max_delay" default:"12" doc:"Longest pause between two tries, in seconds."`
	Upgrade                 string   `arg:"upgrade" default:"no" choices:"dist,full,no,safe,yes,true,false" doc:"Upgrade everything: safe or yes removes nothing, dist or full may."`
	Purge                   bool     `arg:"purge" doc:"With state absent, and with autoremove: remove configuration too."`
	Autoremove              bool     `arg:"autoremove" doc:"Remove packages that were dependencies and are needed no more."`
	Autoclean               bool     `arg:"autoclean" doc:"Without name: delete downloaded packages that can be downloaded no more."`
	Clean                   bool     `arg:"clean" doc:"Delete all downloaded packages."`
	DefaultRelease          string   `arg:"default_release,alias=default-release" doc:"Release to install from (apt-get -t)."`
	InstallRecommends       *bool    `arg:"install_recommends,alias=install-recommends" doc:"Install recommended packages too; left out: what apt is configured for."`
	OnlyUpgrade             bool     `arg:"only_upgrade" doc:"Touch only packages that are installed."`
	Deb                     string   `arg:"deb" doc:"Path of a .deb file on the host to install, with its dependencies."`
	Force                   bool     `arg:"force" doc:"Allow unauthenticated packages, downgrades, changes of held packages and removal of essential ones. Dangerous."`
	ForceAptGet             bool     `arg:"force_apt_get" doc:"Taken for compatibility: apt-get is always used."`
	AllowUnauthenticated    bool     `arg:"allow_unauthenticated,alias=allow-unauthenticated" doc:"Install packages that nobody signed."`
	AllowDowngrade          bool     `arg:"allow_downgrade,alias=allow-downgrade|allow_downgrades|allow-downgrades" doc:"Install an older version than there is."`
	AllowChangeHeldPackages bool     `arg:"allow_change_held_packages" doc:"Change packages on hold."`
	FailOnAutoremove        bool     `arg:"fail_on_autoremove" doc:"Fail when an installation would remove anything."`
	DpkgOptions             string   `arg:"dpkg_options" default:"force-confdef,force-confold" doc:"Options for dpkg, between commas; the default keeps changed configuration files."`
	LockTimeout             int      `arg:"lock_timeout" default:"60" doc:"Seconds to wait for another package manager."`
	PolicyRCD               *int     `arg:"policy_rc_d" doc:"Exit code of a policy-rc.d(8) that is there while packages are installed; 101 keeps services from starting."`
	AutoInstallModuleDeps   bool     `arg:"auto_install_module_deps" default:"true" doc:"Taken for compatibility: nothing has to be installed for this module."`
}

// Check finds options that do not go together.
func (o *Options) Check() error {
	if o.Deb != "" && len(o.Name) > 0 {
		return errors.New("deb and name exclude each other")
	}
	if o.upgrading() != "" && (o.Deb != "" || len(o.Name) > 0 && !o.everything()) {
		return errors.New("upgrade and name (or deb) exclude each other")
	}
	for _, n := range o.Name {
		if strings.Count(n, "=") > 1 {
			return fmt.Errorf("name %q: write a package and at most one =version", n)
		}
	}
	if o.everything() && len(o.Name) > 1 {
		return errors.New("name \"*\" stands for everything, other packages beside it make no sense")
	}
	if o.State == "latest" && o.hasVersion() {
		return errors.New("state latest and a version in name exclude each other")
	}
	return nil
}

func (o *Options) hasVersion() bool {
	for _, n := range o.Name {
		if strings.Contains(n, "=") {
			return true
		}
	}
	return false
}

// everything tells that all packages are to be upgraded by name: "*".
func (o *Options) everything() bool {
	for _, n := range o.Name {
		if n == "*" {
			return true
		}
	}
	return false
}

// upgrading is apt-get's verb for an upgrade of everything, "" when none is
// asked for.
func (o *Options) upgrading() string {
	switch o.Upgrade {
	case "dist", "full":
		return "dist-upgrade"
	case "yes", "true", "safe":
		return "upgrade"
	}
	if o.everything() && o.State == "latest" {
		return "upgrade"
	}
	return ""
}

// Module is the module apt.
func Module() *modules.Module {
	return modules.Define(modules.Spec{
		Name:  "apt",
		Short: "Manage packages of Debian hosts",
		Doc: `Installs, upgrades and removes packages with apt-get. When dpkg's files show that all is as wanted, no program is started.
A package that was installed as a dependency and is now asked for is marked as manually installed, which counts as a change.
In a dry run, packages that would be installed are there for later tasks, but not their files: what depends on those is "maybe".
When the lists would be fetched first, the versions predicted are those of the lists that are there.
Left out against Ansible: the state build-dep, and URLs in deb (use get_url first).`,
		Returns:  returns,
		Examples: examples,
	}, New)
}

var returns = []modules.Return{
	{Name: "cache_updated", Type: "bool", Doc: "Whether the package lists were fetched."},
	{Name: "cache_update_time", Type: "int", Doc: "When the lists were fetched last, seconds since 1970; 0 when never."},
	{Name: "stdout", Type: "string", Doc: "What apt-get said, when it changed something."},
	{Name: "stderr", Type: "string", Doc: "Its warnings and errors."},
	{Name: "rc", Type: "int", Doc: "apt-get's exit code, when it failed."},
	{Name: "msg", Type: "string", Doc: "Why it failed."},
}

const examples = `- name: Install a package, with lists not older than an hour
  apt:
    name: nginx
    update_cache: true
    cache_valid_time: 3600
- name: Remove with configuration
  apt:
    name: [apache2, apache2-bin]
    state: absent
    purge: true
- name: Pin a minor version
  apt:
    name: haproxy=2.6.*
`

// flags are apt-get's options for all verbs.
func (o *Options) flags() []string {
	f := []string{"-o", fmt.Sprintf("DPkg::Lock::Timeout=%d", o.LockTimeout)}
	for opt := range strings.SplitSeq(o.DpkgOptions, ",") {
		if opt = strings.TrimSpace(opt); opt != "" {
			f = append(f, "-o", "Dpkg::Options::=--"+strings.TrimLeft(opt, "-"))
		}
	}
	add := func(on bool, flag string) {
		if on {
			f = append(f, flag)
		}
	}
	add(o.AllowUnauthenticated || o.Force, "--allow-unauthenticated")
	add(o.AllowDowngrade || o.Force, "--allow-downgrades")
	add(o.AllowChangeHeldPackages || o.Force, "--allow-change-held-packages")
	add(o.Force, "--allow-remove-essential")
	add(o.FailOnAutoremove, "--no-remove")
	return f
}

// installFlags come on top for installations and upgrades.
func (o *Options) installFlags() []string {
	f := o.flags()
	if o.DefaultRelease != "" {
		f = append(f, "-t", o.DefaultRelease)
	}
	if o.InstallRecommends != nil {
		f = append(f, "-o", fmt.Sprintf("APT::Install-Recommends=%t", *o.InstallRecommends))
	}
	if o.OnlyUpgrade {
		f = append(f, "--only-upgrade")
	}
	if o.Autoremove {
		f = append(f, "--auto-remove")
	}
	if o.State == "fixed" {
		f = append(f, "-f")
	}
	return f
}

// removeFlags come on top for removals.
func (o *Options) removeFlags() []string {
	f := o.flags()
	if o.Purge {
		f = append(f, "--purge")
	}
	if o.Autoremove {
		f = append(f, "--auto-remove")
	}
	return f
}
