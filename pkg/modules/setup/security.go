package setup

import (
	"context"
	"strconv"
	"strings"
)

func (p *probe) fips(context.Context) (map[string]any, error) {
	return map[string]any{"fips": p.text("/proc/sys/crypto/fips_enabled") == "1"}, nil
}

func (p *probe) selinux(context.Context) (map[string]any, error) {
	if !p.exists("/sys/fs/selinux/enforce") {
		return map[string]any{"selinux": map[string]any{"status": "disabled"}}, nil
	}
	cfg := p.assignments("/etc/selinux/config")
	mode := "permissive"
	if p.text("/sys/fs/selinux/enforce") == "1" {
		mode = "enforcing"
	}
	s := map[string]any{"status": "enabled", "mode": mode, "config_mode": "unknown", "type": "unknown"}
	set(s, "config_mode", cfg["SELINUX"])
	set(s, "type", cfg["SELINUXTYPE"])
	if v, err := strconv.Atoi(p.text("/sys/fs/selinux/policyvers")); err == nil {
		s["policyvers"] = v
	}
	return map[string]any{"selinux": s}, nil
}

func (p *probe) apparmor(context.Context) (map[string]any, error) {
	status := "disabled"
	if p.exists("/sys/kernel/security/apparmor") {
		status = "enabled"
	}
	return map[string]any{"apparmor": map[string]any{"status": status}}, nil
}

// capabilityNames are the capabilities of linux/capability.h, by number.
var capabilityNames = strings.Fields(`cap_chown cap_dac_override cap_dac_read_search cap_fowner cap_fsetid cap_kill
	cap_setgid cap_setuid cap_setpcap cap_linux_immutable cap_net_bind_service cap_net_broadcast cap_net_admin
	cap_net_raw cap_ipc_lock cap_ipc_owner cap_sys_module cap_sys_rawio cap_sys_chroot cap_sys_ptrace cap_sys_pacct
	cap_sys_admin cap_sys_boot cap_sys_nice cap_sys_resource cap_sys_time cap_sys_tty_config cap_mknod cap_lease
	cap_audit_write cap_audit_control cap_setfcap cap_mac_override cap_mac_admin cap_syslog cap_wake_alarm
	cap_block_suspend cap_audit_read cap_perfmon cap_bpf cap_checkpoint_restore`)

// capabilities lists what this process may do beyond others.
func (p *probe) capabilities(context.Context) (map[string]any, error) {
	for _, line := range p.lines("/proc/self/status") {
		v, ok := strings.CutPrefix(line, "CapEff:")
		if !ok {
			continue
		}
		bits, err := strconv.ParseUint(strings.TrimSpace(v), 16, 64)
		if err != nil {
			return nil, nil
		}
		list, all := []any{}, true
		for i, name := range capabilityNames {
			if bits&(1<<i) != 0 {
				list = append(list, name)
			} else {
				all = false
			}
		}
		enforced := "True"
		if all {
			enforced = "False"
		}
		return map[string]any{"system_capabilities": list, "system_capabilities_enforced": enforced}, nil
	}
	return nil, nil
}

// cmdline reads the kernel's command line: cmdline has the last value of a
// name, proc_cmdline all of them.
func (p *probe) cmdline(context.Context) (map[string]any, error) {
	last, every := map[string]any{}, map[string]any{}
	for w := range strings.FieldsSeq(p.text("/proc/cmdline")) {
		k, v, hasValue := strings.Cut(w, "=")
		var val any = v
		if !hasValue {
			val = true
		}
		last[k] = val
		switch old := every[k].(type) {
		case nil:
			every[k] = val
		case []any:
			every[k] = append(old, val)
		default:
			every[k] = []any{old, val}
		}
	}
	return map[string]any{"cmdline": last, "proc_cmdline": every}, nil
}

// chroot tells whether the root directory is another than that of process 1.
func (p *probe) chroot(context.Context) (map[string]any, error) {
	mine, err := p.Stat("/")
	if err != nil {
		return nil, err
	}
	first, err := p.Stat("/proc/1/root/.")
	if err != nil { // only root may look there
		return nil, nil
	}
	return map[string]any{"is_chroot": mine.Inode != first.Inode || mine.Device != first.Device}, nil
}
