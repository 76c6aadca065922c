package setup

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/diag"
)

// collector gathers some facts. Its name, its group and the names of its facts
// are what gather_subset understands.
type collector struct {
	name    string
	group   string // "min", "hardware", "network", "virtual" or "" (only in all)
	facts   []string
	collect func(p *probe, ctx context.Context) (map[string]any, error)
}

// collectors is what there is, in the order of gathering.
func collectors() []collector {
	return []collector{
		{"platform", "min", []string{"system", "kernel", "kernel_version", "machine", "architecture", "userspace_bits",
			"userspace_architecture", "hostname", "nodename", "fqdn", "domain", "machine_id"}, (*probe).platform},
		{"distribution", "min", []string{"distribution", "distribution_version", "distribution_major_version",
			"distribution_minor_version", "distribution_release", "distribution_file_path", "distribution_file_parsed",
			"distribution_file_variety", "os_family"}, (*probe).distribution},
		{"user", "min", []string{"user_id", "user_uid", "user_gid", "user_gecos", "user_dir", "user_shell",
			"real_user_id", "effective_user_id", "real_group_id", "effective_group_id"}, (*probe).user},
		{"date_time", "min", []string{"date_time"}, (*probe).dateTime},
		{"env", "min", []string{"env"}, (*probe).environment},
		{"dns", "min", []string{"dns"}, (*probe).dns},
		{"lsb", "min", []string{"lsb"}, (*probe).lsb},
		{"fips", "min", []string{"fips"}, (*probe).fips},
		{"selinux", "min", []string{"selinux"}, (*probe).selinux},
		{"apparmor", "min", []string{"apparmor"}, (*probe).apparmor},
		{"caps", "min", []string{"system_capabilities", "system_capabilities_enforced"}, (*probe).capabilities},
		{"cmdline", "min", []string{"cmdline", "proc_cmdline"}, (*probe).cmdline},
		{"pkg_mgr", "min", []string{"pkg_mgr"}, (*probe).pkgMgr},
		{"service_mgr", "min", []string{"service_mgr"}, (*probe).serviceMgr},
		{"ssh_pub_keys", "min", sshFacts(), (*probe).sshKeys},
		{"local", "min", []string{"local"}, (*probe).local},
		{"chroot", "", []string{"is_chroot"}, (*probe).chroot},
		{"loadavg", "", []string{"loadavg"}, (*probe).loadavg},
		{"systemd", "", []string{"systemd"}, (*probe).systemd},
		{"memory", "hardware", []string{"memtotal_mb", "memfree_mb", "swaptotal_mb", "swapfree_mb", "memory_mb"}, (*probe).memory},
		{"processor", "hardware", []string{"processor_count", "processor_cores", "processor_threads_per_core",
			"processor_vcpus", "processor_nproc"}, (*probe).processor},
		{"uptime", "hardware", []string{"uptime_seconds"}, (*probe).uptime},
		{"dmi", "hardware", dmiFacts(), (*probe).dmi},
		{"mounts", "hardware", []string{"mounts"}, (*probe).mounts},
		{"devices", "hardware", []string{"devices"}, (*probe).devices},
		{"interfaces", "network", []string{"default_ipv4", "default_ipv6", "all_ipv4_addresses", "all_ipv6_addresses",
			"locally_reachable_ips"}, (*probe).network},
		{"virtualization", "virtual", []string{"virtualization_type", "virtualization_role", "virtualization_tech_guest",
			"virtualization_tech_host"}, (*probe).virtualization},
	}
}

// groups are the names that stand for several collectors.
var groups = []string{"min", "hardware", "network", "virtual"}

// provides reports whether a subset name means the collector.
func (c collector) provides(subset string) bool {
	return subset == "all" || subset == c.group || subset == c.name || slices.Contains(c.facts, subset) ||
		subset == "processor" && c.name == "processor"
}

// choose picks the collectors that gather_subset asks for. As in Ansible, min
// comes first, then what is named, then exclusions; what is named by its own
// name survives the exclusion of a group.
func choose(subsets []string) ([]collector, error) {
	all := collectors()
	if err := known(all, subsets); err != nil {
		return nil, err
	}
	var out []collector
	onlyExclusions := !slices.ContainsFunc(subsets, func(s string) bool { return !strings.HasPrefix(s, "!") })
	for _, c := range all {
		in := c.group == "min" || onlyExclusions && !slices.Contains(subsets, "!all")
		named := false
		for _, s := range subsets {
			s = strings.TrimSpace(s)
			if c.provides(s) {
				in = true
				named = named || s != "all" && s != "min"
			}
		}
		if in && (named || !c.excluded(subsets)) {
			out = append(out, c)
		}
	}
	return out, nil
}

func (c collector) excluded(subsets []string) bool {
	for _, s := range subsets {
		s, not := strings.CutPrefix(strings.TrimSpace(s), "!")
		switch {
		case !not:
		case s == "all" && c.group != "min":
			return true
		case s != "all" && c.provides(s):
			return true
		}
	}
	return false
}

// known refuses a subset nobody provides; to exclude one is fine.
func known(all []collector, subsets []string) error {
	for _, s := range subsets {
		s = strings.TrimSpace(s)
		if strings.HasPrefix(s, "!") || s == "" {
			continue
		}
		if !slices.ContainsFunc(all, func(c collector) bool { return c.provides(s) }) {
			hint := diag.DidYouMean(s, names(all))
			if hint != "" {
				hint = " (" + hint + ")"
			}
			return fmt.Errorf("there is no subset %q of facts%s", s, hint)
		}
	}
	return nil
}

func names(all []collector) []string {
	out := append([]string{"all"}, groups...)
	for _, c := range all {
		out = append(out, c.name)
		out = append(out, c.facts...)
	}
	return out
}

// Subsets gives the gather_subset that gathers just the facts named, with or
// without ansible_ in front: ["!all", "!min", "distribution", …]. A name that
// is no fact of ours may be an interface (eth0) and asks for "network"; the
// variables of connections and plays (ansible_host, ansible_check_mode …) are
// no facts and ask for nothing. "facts", the whole map, asks for everything.
// The answer is nil when nothing has to be gathered.
func Subsets(names []string) []string {
	all := collectors()
	var out []string
	for _, name := range names {
		name = strings.TrimPrefix(name, "ansible_")
		if name == "facts" || name == "gather_subset" {
			return []string{"all"}
		}
		if subset := subsetOf(all, name); subset != "" && !slices.Contains(out, subset) {
			out = append(out, subset)
		}
	}
	if len(out) == 0 {
		return nil
	}
	slices.Sort(out)
	return append([]string{"!all", "!min"}, out...)
}

func subsetOf(all []collector, name string) string {
	for _, c := range all {
		if name == c.name || slices.Contains(c.facts, name) {
			return c.name
		}
	}
	switch {
	case name == "module_setup":
		return "platform"
	case slices.Contains(noFacts, name):
		return ""
	}
	for _, prefix := range []string{"become", "ssh_", "connection", "play_", "role_", "winrm_", "sudo", "su_"} {
		if strings.HasPrefix(name, prefix) {
			return ""
		}
	}
	return "interfaces"
}

// noFacts are variables that look like facts, by their prefix ansible_.
var noFacts = []string{
	"check_mode", "collection_name", "config_file", "dependent_role_names", "diff_mode", "facts_parallel", "forks",
	"host", "index_var", "inventory_sources", "limit", "loop", "loop_var", "parent_role_names", "parent_role_paths",
	"password", "port", "private_key_file", "python_interpreter", "run_tags", "search_path", "shell_executable",
	"shell_type", "skip_tags", "su", "timeout", "user", "verbosity", "version", "failed_task", "failed_result",
}
