package setup

import (
	"context"
	"runtime"
	"strconv"
	"strings"
)

// machines maps Go's names of architectures to uname's.
var machines = map[string]string{
	"386": "i686", "amd64": "x86_64", "arm": "armv7l", "arm64": "aarch64", "loong64": "loongarch64",
	"ppc64": "ppc64", "ppc64le": "ppc64le", "riscv64": "riscv64", "s390x": "s390x",
}

func (p *probe) platform(context.Context) (map[string]any, error) {
	machine := p.text("/proc/sys/kernel/arch")
	if machine == "" {
		machine = machines[runtime.GOARCH]
	}
	arch := machine
	if arch == "i686" {
		arch = "i386"
	}
	node := p.nodename()
	short, domain, _ := strings.Cut(node, ".")
	fqdn := p.fqdn(node)
	if _, d, ok := strings.Cut(fqdn, "."); ok {
		domain = d
	}
	out := map[string]any{
		"system": "Linux", "kernel": p.text("/proc/sys/kernel/osrelease"), "kernel_version": p.text("/proc/sys/kernel/version"),
		"machine": machine, "architecture": arch, "userspace_bits": strconv.Itoa(strconv.IntSize), "userspace_architecture": arch,
		"hostname": short, "nodename": node, "fqdn": fqdn, "domain": domain,
	}
	if s := p.text("/proc/sys/kernel/ostype"); s != "" {
		out["system"] = s
	}
	if id := p.text("/etc/machine-id"); id != "" {
		out["machine_id"] = id
	}
	return out, nil
}

// nodename is the host's name; in a dry run the one it will have.
func (p *probe) nodename() string {
	if v, ok := p.Noted("hostname", ""); ok {
		if s, ok := v.(string); ok {
			return s
		}
	}
	return p.text("/proc/sys/kernel/hostname")
}

// fqdn finds a host's full name as a resolver that reads only /etc/hosts does.
func (p *probe) fqdn(node string) string {
	if strings.Contains(node, ".") {
		return node
	}
	for _, line := range p.lines("/etc/hosts") {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		mine, full := false, ""
		for _, name := range fields[1:] {
			mine = mine || name == node || strings.HasPrefix(name, node+".")
			if full == "" && strings.Contains(name, ".") {
				full = name
			}
		}
		if mine && full != "" && node != "localhost" {
			return full
		}
	}
	return node
}

// osRelease reads the host's os-release(5) once.
func (p *probe) osRelease() (map[string]string, string) {
	file := "/etc/os-release"
	if !p.exists(file) {
		file = "/usr/lib/os-release"
	}
	if p.release == nil {
		p.release = p.assignments(file)
	}
	return p.release, file
}

// distributions maps os-release's ID to Ansible's names of distribution and
// family.
var distributions = map[string][2]string{
	"debian": {"Debian", "Debian"}, "ubuntu": {"Ubuntu", "Debian"}, "raspbian": {"Raspbian", "Debian"},
	"linuxmint": {"Linux Mint", "Debian"}, "kali": {"Kali", "Debian"}, "pop": {"Pop!_OS", "Debian"},
	"devuan": {"Devuan", "Debian"}, "parrot": {"Parrot", "Debian"}, "neon": {"KDE neon", "Debian"},
	"rhel": {"RedHat", "RedHat"}, "centos": {"CentOS", "RedHat"}, "fedora": {"Fedora", "RedHat"},
	"rocky": {"Rocky", "RedHat"}, "almalinux": {"AlmaLinux", "RedHat"}, "ol": {"OracleLinux", "RedHat"},
	"amzn": {"Amazon", "RedHat"}, "opensuse-leap": {"openSUSE Leap", "Suse"},
	"opensuse-tumbleweed": {"openSUSE Tumbleweed", "Suse"}, "sles": {"SLES", "Suse"},
	"arch": {"Archlinux", "Archlinux"}, "manjaro": {"Manjaro", "Archlinux"}, "alpine": {"Alpine", "Alpine"},
	"gentoo": {"Gentoo", "Gentoo"}, "nixos": {"NixOS", "NixOS"}, "void": {"Void Linux", "Void"},
}

func (p *probe) distribution(context.Context) (map[string]any, error) {
	rel, file := p.osRelease()
	if len(rel) == 0 {
		return map[string]any{"distribution": "Linux", "os_family": "Linux"}, nil
	}
	id := rel["ID"]
	d, ok := distributions[id]
	if !ok {
		d = [2]string{rel["NAME"], rel["NAME"]}
		for like := range strings.FieldsSeq(rel["ID_LIKE"]) {
			if parent, ok := distributions[like]; ok {
				d[1] = parent[1]
				break
			}
		}
	}
	version := p.version(id, rel)
	major, minor, hasMinor := strings.Cut(version, ".")
	out := map[string]any{
		"distribution": d[0], "os_family": d[1], "distribution_version": version, "distribution_major_version": major,
		"distribution_release":   release(rel),
		"distribution_file_path": file, "distribution_file_parsed": true, "distribution_file_variety": d[1],
	}
	if hasMinor {
		out["distribution_minor_version"] = minor
	}
	return out, nil
}

// version is as precise as the host knows: Debian keeps its point release
// apart from os-release.
func (p *probe) version(id string, rel map[string]string) string {
	if id == "debian" {
		v := p.text("/etc/debian_version")
		if v != "" && v[0] >= '0' && v[0] <= '9' {
			return v
		}
	}
	if v := rel["VERSION_ID"]; v != "" {
		return v
	}
	return "NA"
}

// release is the code name; a testing Debian has it in PRETTY_NAME only.
func release(rel map[string]string) string {
	if c := rel["VERSION_CODENAME"]; c != "" {
		return c
	}
	for _, k := range []string{"VERSION", "PRETTY_NAME"} {
		if _, after, ok := strings.Cut(rel[k], "("); ok {
			if name, _, ok := strings.Cut(after, ")"); ok {
				return strings.ToLower(name)
			}
		}
		if _, after, ok := strings.Cut(rel[k], " GNU/Linux "); ok {
			name, _, _ := strings.Cut(after, "/")
			return name
		}
	}
	return "NA"
}

func (p *probe) lsb(context.Context) (map[string]any, error) {
	lsb := map[string]any{}
	if f := p.assignments("/etc/lsb-release"); len(f) > 0 {
		set(lsb, "id", f["DISTRIB_ID"])
		set(lsb, "release", f["DISTRIB_RELEASE"])
		set(lsb, "codename", f["DISTRIB_CODENAME"])
		set(lsb, "description", f["DISTRIB_DESCRIPTION"])
	} else if p.exists("/usr/bin/lsb_release") {
		rel, _ := p.osRelease()
		set(lsb, "id", distributions[rel["ID"]][0])
		set(lsb, "release", rel["VERSION_ID"])
		set(lsb, "codename", rel["VERSION_CODENAME"])
		set(lsb, "description", rel["PRETTY_NAME"])
	}
	if v, ok := lsb["release"].(string); ok {
		lsb["major_release"], _, _ = strings.Cut(v, ".")
	}
	return map[string]any{"lsb": lsb}, nil
}

func set(m map[string]any, key, v string) {
	if v != "" {
		m[key] = v
	}
}

// pkgMgr finds the package manager by the program that is there.
func (p *probe) pkgMgr(context.Context) (map[string]any, error) {
	for _, m := range []struct{ file, name string }{
		{"/usr/bin/apt-get", "apt"}, {"/usr/bin/dnf5", "dnf5"}, {"/usr/bin/dnf", "dnf"}, {"/usr/bin/yum", "yum"},
		{"/usr/bin/zypper", "zypper"}, {"/usr/bin/pacman", "pacman"}, {"/sbin/apk", "apk"}, {"/usr/bin/emerge", "portage"},
		{"/usr/bin/xbps-install", "xbps"},
	} {
		if p.exists(m.file) {
			return map[string]any{"pkg_mgr": m.name}, nil
		}
	}
	return map[string]any{"pkg_mgr": "unknown"}, nil
}

func (p *probe) serviceMgr(context.Context) (map[string]any, error) {
	mgr := "service"
	switch comm := p.text("/proc/1/comm"); {
	case comm == "systemd" || p.exists("/run/systemd/system"):
		mgr = "systemd"
	case p.exists("/sbin/openrc-run"):
		mgr = "openrc"
	case comm == "runit" || comm == "runit-init":
		mgr = "runit"
	case comm == "init" && p.exists("/etc/init.d"):
		mgr = "sysvinit"
	}
	return map[string]any{"service_mgr": mgr}, nil
}

// systemd asks systemctl, for the version of systemd is nowhere else.
func (p *probe) systemd(ctx context.Context) (map[string]any, error) {
	if !p.exists("/run/systemd/system") {
		return nil, nil
	}
	out, err := p.query(ctx, "systemctl", "--version")
	if err != nil {
		return nil, err
	}
	first, rest, _ := strings.Cut(out, "\n")
	fields := strings.Fields(first)
	if len(fields) < 2 {
		return nil, nil
	}
	n, err := strconv.Atoi(fields[1])
	if err != nil {
		return nil, nil
	}
	return map[string]any{"systemd": map[string]any{"version": n, "features": strings.TrimSpace(rest)}}, nil
}
