package setup

import (
	"context"
	"net"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
	"github.com/foobar-play/foobar-play/pkg/value"
)

type machine struct{}

func (machine) links() ([]link, error) {
	return []link{
		{name: "lo", flags: net.FlagRunning, mtu: 65536, addrs: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/8"), netip.MustParsePrefix("::1/128")}},
		{name: "br-lan", flags: net.FlagRunning | net.FlagBroadcast, mtu: 1500, mac: "02:00:00:00:00:01", addrs: []netip.Prefix{
			netip.MustParsePrefix("10.9.0.5/24"), netip.MustParsePrefix("192.0.2.20/25"),
			netip.MustParsePrefix("2001:db8::5/64"), netip.MustParsePrefix("fe80::1/64"),
		}},
	}, nil
}
func (machine) space(string) (space, error)          { return space{4096, 100, 50, 40, 10, 5}, nil }
func (machine) identity() (uid, gid, euid, egid int) { return 1001, 1001, 1001, 1001 }
func (machine) processors() int                      { return 4 }
func (machine) now() time.Time                       { return time.Date(2026, 3, 1, 9, 8, 7, 0, time.FixedZone("CET", 3600)) }

func gathered(t *testing.T, files map[string]string) map[string]any {
	t.Helper()
	h := modulestest.NewHost(t)
	for name, content := range files {
		h.AddFile(name, content, 0o644)
	}
	list, err := choose([]string{"all"})
	if err != nil {
		t.Fatal(err)
	}
	p := &probe{Reader: h, sys: machine{}, factPath: "/etc/ansible/facts.d", timeout: time.Second, env: modules.Env{Environ: []string{"A=b"}}}
	facts, warnings := p.gather(context.Background(), list)
	if len(warnings) > 0 {
		t.Fatal(warnings)
	}
	return facts
}

// lookup finds "default_ipv4.gateway" in nested facts.
func lookup(facts any, path ...string) any {
	for _, k := range path {
		m, ok := facts.(map[string]any)
		if !ok {
			return nil
		}
		facts = m[k]
	}
	return facts
}

func TestFactsOfADebianHost(t *testing.T) {
	facts := gathered(t, map[string]string{
		"/etc/passwd":                   "root:x:0:0:root:/root:/bin/bash\ndeploy:x:1001:1002:De Ploy:/home/deploy:/bin/zsh\n",
		"/etc/os-release":               "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\nID=debian\n",
		"/etc/debian_version":           "12.7\n",
		"/etc/machine-id":               "0123\n",
		"/etc/hosts":                    "127.0.0.1 localhost\n127.0.1.1 web01.foobar.com web01 # me\n",
		"/etc/resolv.conf":              "# x\nnameserver 192.0.2.53\nsearch a.example b.example\noptions ndots:2 rotate\n",
		"/etc/ssh/ssh_host_rsa_key.pub": "ssh-rsa AAAA root@web01\n",
		"/etc/ansible/facts.d/a.fact":   `{"role": "web", "n": 2}`,
		"/etc/ansible/facts.d/b.fact":   "[general]\nSite = fra1\n",
		"/etc/ansible/facts.d/c.fact":   "neither\n",
		"/proc/sys/kernel/hostname":     "web01\n",
		"/proc/sys/kernel/osrelease":    "6.1.0-25-amd64\n",
		"/proc/sys/kernel/arch":         "x86_64\n",
		"/proc/meminfo":                 "MemTotal: 4048576 kB\nMemFree: 1024000 kB\nBuffers: 1024 kB\nCached: 2048 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n",
		"/proc/cpuinfo":                 "processor: 0\nmodel name: M\nphysical id: 0\ncore id: 0\n\nprocessor: 1\nmodel name: M\nphysical id: 0\ncore id: 1\n",
		"/proc/uptime":                  "12.34 5.6\n",
		"/proc/self/mounts":             "/dev/vda1 / ext4 rw 0 1\nproc /proc proc rw 0 0\nsrv:/x /mnt/a\\040b nfs rw 0 0\n",
		"/proc/net/route":               "Iface\tDestination\tGateway\nbr-lan\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n",
		"/proc/1/comm":                  "systemd\n",
		"/sys/class/net/br-lan/type":    "1\n",
		"/sys/class/dmi/id/sys_vendor":  "QEMU\n",
		"/usr/bin/apt-get":              "",
	})
	for _, c := range []struct {
		path []string
		want any
	}{
		{[]string{"os_family"}, "Debian"},
		{[]string{"distribution"}, "Debian"},
		{[]string{"distribution_version"}, "12.7"},
		{[]string{"distribution_major_version"}, "12"},
		{[]string{"distribution_release"}, "bookworm"},
		{[]string{"hostname"}, "web01"},
		{[]string{"fqdn"}, "web01.foobar.com"},
		{[]string{"domain"}, "foobar.com"},
		{[]string{"kernel"}, "6.1.0-25-amd64"},
		{[]string{"architecture"}, "x86_64"},
		{[]string{"machine_id"}, "0123"},
		{[]string{"user_id"}, "deploy"},
		{[]string{"user_gid"}, 1002},
		{[]string{"user_shell"}, "/bin/zsh"},
		{[]string{"env", "A"}, "b"},
		{[]string{"dns", "search"}, []any{"a.example", "b.example"}},
		{[]string{"dns", "options", "ndots"}, "2"},
		{[]string{"ssh_host_key_rsa_public"}, "AAAA"},
		{[]string{"local", "a", "n"}, 2},
		{[]string{"local", "b", "general", "site"}, "fra1"},
		{[]string{"memtotal_mb"}, 3953},
		{[]string{"memory_mb", "nocache", "free"}, 1003},
		{[]string{"processor_vcpus"}, 2},
		{[]string{"processor_cores"}, 2},
		{[]string{"processor_count"}, 1},
		{[]string{"processor_nproc"}, 4},
		{[]string{"uptime_seconds"}, 12},
		{[]string{"interfaces"}, []any{"lo", "br-lan"}},
		{[]string{"br_lan", "ipv4", "broadcast"}, "10.9.0.255"},
		{[]string{"default_ipv4", "address"}, "192.0.2.20"},
		{[]string{"default_ipv4", "gateway"}, "192.0.2.1"},
		{[]string{"default_ipv4", "netmask"}, "255.255.255.128"},
		{[]string{"default_ipv6"}, map[string]any{}},
		{[]string{"all_ipv4_addresses"}, []any{"10.9.0.5", "192.0.2.20"}},
		{[]string{"all_ipv6_addresses"}, []any{"2001:db8::5", "fe80::1"}},
		{[]string{"date_time", "iso8601"}, "2026-03-01T08:08:07Z"},
		{[]string{"date_time", "tz_offset"}, "+0100"},
		{[]string{"date_time", "weeknumber"}, "08"},
		{[]string{"service_mgr"}, "systemd"},
		{[]string{"pkg_mgr"}, "apt"},
		{[]string{"selinux", "status"}, "disabled"},
		{[]string{"virtualization_type"}, "kvm"},
		{[]string{"virtualization_role"}, "guest"},
	} {
		if got := lookup(facts, c.path...); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%v is %#v, want %#v", c.path, got, c.want)
		}
	}
	mounts := facts["mounts"].([]any)
	if len(mounts) != 2 || lookup(mounts[1], "mount") != "/mnt/a b" || lookup(mounts[0], "size_available") != 4096*40 {
		t.Errorf("mounts: %v", mounts)
	}
	if s, ok := lookup(facts, "local", "c").(string); !ok || s == "" {
		t.Errorf("a broken local fact: %v", lookup(facts, "local", "c"))
	}
}

func TestDistributions(t *testing.T) {
	for name, c := range map[string]struct {
		files                            map[string]string
		dist, version, release, osFamily string
	}{
		"ubuntu": {map[string]string{"/etc/os-release": "ID=ubuntu\nVERSION_ID=\"22.04\"\nVERSION_CODENAME=jammy\n", "/etc/debian_version": "bookworm/sid\n"},
			"Ubuntu", "22.04", "jammy", "Debian"},
		"testing": {map[string]string{"/etc/os-release": "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux trixie/sid\"\n", "/etc/debian_version": "trixie/sid\n"},
			"Debian", "NA", "trixie", "Debian"},
		"derived": {map[string]string{"/etc/os-release": "ID=mine\nNAME=Mine\nID_LIKE=\"rhel fedora\"\nVERSION_ID=3\n"}, "Mine", "3", "NA", "RedHat"},
		"in usr":  {map[string]string{"/usr/lib/os-release": "ID=alpine\nVERSION_ID=3.20.1\n"}, "Alpine", "3.20.1", "NA", "Alpine"},
	} {
		f := gathered(t, c.files)
		got := []any{f["distribution"], f["distribution_version"], f["distribution_release"], f["os_family"]}
		if want := []any{c.dist, c.version, c.release, c.osFamily}; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

func TestSubsetsChosen(t *testing.T) {
	for _, c := range []struct {
		subsets []string
		has     []string
		hasNot  []string
	}{
		{[]string{"all"}, []string{"platform", "mounts", "interfaces"}, nil},
		{[]string{"!all"}, []string{"platform", "user"}, []string{"mounts", "interfaces"}},
		{[]string{"!all", "!min"}, nil, []string{"platform", "mounts"}},
		{[]string{"!all", "!min", "network"}, []string{"interfaces"}, []string{"platform", "mounts"}},
		{[]string{"!hardware"}, []string{"platform", "interfaces"}, []string{"mounts", "memory"}},
		{[]string{"all", "!hardware", "mounts"}, []string{"mounts", "interfaces"}, []string{"memory"}},
		{[]string{"!all", "!min", "os_family"}, []string{"distribution"}, []string{"platform"}},
	} {
		list, err := choose(c.subsets)
		if err != nil {
			t.Fatal(err)
		}
		in := func(name string) bool {
			return slices.ContainsFunc(list, func(x collector) bool { return x.name == name })
		}
		for _, n := range c.has {
			if !in(n) {
				t.Errorf("%v: no %s", c.subsets, n)
			}
		}
		for _, n := range c.hasNot {
			if in(n) {
				t.Errorf("%v: has %s", c.subsets, n)
			}
		}
	}
	if _, err := choose([]string{"netwrk"}); err == nil {
		t.Error("an unknown subset is fine")
	}
}

func TestSubsets(t *testing.T) {
	for _, c := range []struct{ names, want []string }{
		{nil, nil},
		{[]string{"ansible_host", "ansible_become_user", "check_mode"}, nil},
		{[]string{"os_family", "ansible_distribution", "ansible_fqdn"}, []string{"!all", "!min", "distribution", "platform"}},
		{[]string{"eth0"}, []string{"!all", "!min", "interfaces"}},
		{[]string{"processor_vcpus", "product_name"}, []string{"!all", "!min", "dmi", "processor"}},
		{[]string{"ansible_facts"}, []string{"all"}},
	} {
		got := Subsets(c.names)
		if !slices.Equal(got, c.want) {
			t.Errorf("%v: %v, want %v", c.names, got, c.want)
		}
		if _, err := choose(got); err != nil {
			t.Errorf("%v: %v", c.names, err)
		}
	}
}

func TestFilter(t *testing.T) {
	facts := map[string]any{"memtotal_mb": 1, "memfree_mb": 2, "kernel": 3}
	for pattern, want := range map[string]int{"ansible_*_mb": 2, "kernel": 1, "mem*": 2, "x": 0} {
		if got := filtered(facts, []string{pattern}); len(got) != want {
			t.Errorf("%s: %v", pattern, got)
		}
	}
}

func TestPendingFactsAreUnknown(t *testing.T) {
	s := host.NewShadow(modulestest.NewHost(t))
	host.NotePending(s, "x", "package x may ship it")
	list, _ := choose([]string{"!all", "!min", "lsb", "virtual"})
	p := &probe{Reader: s, sys: machine{}, timeout: time.Second}
	facts, _ := p.gather(context.Background(), list)
	if _, ok := facts["lsb"].(value.Unknown); !ok {
		t.Errorf("lsb: %v", facts["lsb"])
	}
	if facts["virtualization_role"] != "NA" {
		t.Errorf("role: %v", facts["virtualization_role"])
	}
}

func TestConformance(t *testing.T) {
	modulestest.Conformance(t, modulestest.Case{
		Module: Module(), Args: map[string]any{"gather_subset": []any{"!all"}},
		Host: modulestest.NewTestHost(nil), Unchanged: true, LenientReads: true,
	})
}
