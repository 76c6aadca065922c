package setup

import (
	"context"
	"slices"
	"strings"
)

// firmware maps the beginning of what the firmware calls the vendor or the
// product to the kind of virtual machine.
var firmware = []struct{ field, prefix, kind string }{
	{"product_name", "KVM", "kvm"}, {"product_name", "VMware", "VMware"}, {"product_name", "VirtualBox", "virtualbox"},
	{"product_name", "RHEV Hypervisor", "RHEV"}, {"product_name", "oVirt", "oVirt"}, {"product_name", "Bochs", "kvm"},
	{"product_name", "OpenStack", "openstack"}, {"product_name", "AHV", "kvm"}, {"product_name", "Google Compute Engine", "kvm"},
	{"product_name", "HVM domU", "xen"}, {"product_name", "Virtual Machine", "VirtualPC"}, {"product_name", "Parallels", "parallels"},
	{"bios_vendor", "Xen", "xen"}, {"bios_vendor", "innotek", "virtualbox"}, {"bios_vendor", "Amazon EC2", "kvm"},
	{"bios_vendor", "Hetzner", "kvm"}, {"bios_vendor", "DigitalOcean", "kvm"},
	{"sys_vendor", "QEMU", "kvm"}, {"sys_vendor", "KubeVirt", "kvm"}, {"sys_vendor", "VMware", "VMware"}, {"sys_vendor", "innotek", "virtualbox"},
	{"sys_vendor", "Amazon EC2", "kvm"}, {"sys_vendor", "DigitalOcean", "kvm"}, {"sys_vendor", "Hetzner", "kvm"},
	{"sys_vendor", "Google", "kvm"}, {"sys_vendor", "Scaleway", "kvm"}, {"sys_vendor", "Linode", "kvm"}, {"sys_vendor", "OpenStack", "openstack"},
	{"sys_vendor", "Parallels", "parallels"}, {"sys_vendor", "Xen", "xen"},
}

// virtualization tells what this machine is a guest of, or which guests it can
// have.
func (p *probe) virtualization(context.Context) (map[string]any, error) {
	kind, guest := p.guest()
	host := p.hosted()
	p.unknown = "" // no package makes a machine virtual
	role := "guest"
	if kind == "" {
		switch {
		case len(host) > 0:
			kind, role = host[0], "host"
		default:
			kind, role = "NA", "NA"
		}
	}
	return map[string]any{
		"virtualization_type": kind, "virtualization_role": role,
		"virtualization_tech_guest": texts(guest), "virtualization_tech_host": texts(host),
	}, nil
}

// guest finds the innermost technology first: a container in a virtual machine
// is a container.
func (p *probe) guest() (kind string, tech []string) {
	found := func(k string, also ...string) {
		if kind == "" {
			kind = k
		}
		tech = append(append(tech, k), also...)
	}
	container := p.text("/run/systemd/container")
	if container == "" {
		container = p.initContainer()
	}
	switch {
	case container != "":
		found(container, "container")
	case p.exists("/.dockerenv") || p.exists("/.dockerinit"):
		found("docker", "container")
	case p.exists("/run/.containerenv"):
		found("podman", "container")
	}
	if strings.Contains(strings.ToLower(p.text("/proc/sys/kernel/osrelease")), "microsoft") {
		found("wsl")
	}
	for _, f := range firmware {
		if strings.HasPrefix(p.text("/sys/class/dmi/id/"+f.field), f.prefix) {
			found(f.kind)
			break
		}
	}
	if p.text("/sys/hypervisor/type") == "xen" || p.exists("/proc/xen") {
		found("xen")
	}
	if kind == "" && p.hypervisorFlag() {
		found("kvm")
	}
	slices.Sort(tech)
	return kind, slices.Compact(tech)
}

// initContainer reads the variable container of process 1, which managers of
// containers set (only root may look).
func (p *probe) initContainer() string {
	for kv := range strings.SplitSeq(p.text("/proc/1/environ"), "\x00") {
		if v, ok := strings.CutPrefix(kv, "container="); ok {
			return v
		}
	}
	return ""
}

func (p *probe) hypervisorFlag() bool {
	for _, line := range p.lines("/proc/cpuinfo") {
		if strings.HasPrefix(line, "flags") {
			return slices.Contains(strings.Fields(line), "hypervisor")
		}
	}
	return false
}

func (p *probe) hosted() []string {
	var out []string
	for _, line := range p.lines("/proc/modules") {
		name, _, _ := strings.Cut(line, " ")
		switch name {
		case "kvm_intel", "kvm_amd":
			out = append(out, "kvm")
		case "vboxdrv":
			out = append(out, "virtualbox")
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func texts(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}
