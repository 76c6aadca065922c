package apt

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
)

// debian is a host with packages by name and version; apt offers what is in
// offers, and its simulation is recorded in sim.
type debian struct {
	has    map[string]string
	auto   string            // a package that is a dependency only
	sim    map[string]string // by the last words of the command
	policy string
	lists  time.Time
	after  map[string]string // what is there after apt-get ran; "" removes
}

func stanza(name, version string) string {
	return "Package: " + name + "\nStatus: install ok installed\nArchitecture: amd64\nVersion: " + version + "\n\n"
}

func (d debian) write(h *modulestest.Host, has map[string]string) {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(has)) {
		if v, ok := strings.CutPrefix(has[name], "gone "); ok {
			b.WriteString("Package: " + name + "\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: " + v + "\n\n")
		} else if has[name] != "" {
			b.WriteString(stanza(name, has[name]))
		}
	}
	h.AddFile("/var/lib/dpkg/status", b.String(), 0o644)
}

func (d debian) host(t *testing.T) *modulestest.Host {
	h := modulestest.NewHost(t)
	d.write(h, d.has)
	if d.auto != "" {
		h.AddFile("/var/lib/apt/extended_states", "Package: "+d.auto+"\nArchitecture: amd64\nAuto-Installed: 1\n\n", 0o644)
	}
	h.AddDir("/var/lib/apt/lists", 0o755)
	if d.lists.IsZero() {
		d.lists = time.Now().Add(-24 * time.Hour)
	}
	if err := h.Chtimes("/var/lib/apt/lists", time.Time{}, d.lists); err != nil {
		t.Fatal(err)
	}
	for words, out := range d.sim {
		rc := 0
		if strings.HasPrefix(out, "E: ") {
			rc = 100
		}
		h.AddCommand(append([]string{"apt-get", "-s"}, strings.Fields(words)...), host.Output{Stdout: []byte(out), Stderr: []byte(out), RC: rc}, nil)
	}
	h.AddCommand([]string{"apt-cache", "-o", "*", "-o", "*", "policy", "..."}, host.Output{Stdout: []byte(d.policy)}, nil)
	h.AddCommand([]string{"apt-get", "-q", "-y", "..."}, host.Output{Stdout: []byte("done\n")}, func(h *modulestest.Host) {
		has := maps.Clone(d.has)
		maps.Copy(has, d.after)
		d.write(h, has)
	})
	h.AddCommand([]string{"apt-get", "-q", "-y", "-o", "*", "-o", "*", "-o", "*", "update"}, host.Output{}, func(*modulestest.Host) {})
	h.AddCommand([]string{"apt-mark", "-q", "manual", "..."}, host.Output{}, func(h *modulestest.Host) {
		h.AddFile("/var/lib/apt/extended_states", "", 0o644)
	})
	return h
}

// simulate is the command line of a simulation, up to what differs.
const simulate = "-q -y -o * -o * -o * -o * -o * "

func TestApt(t *testing.T) {
	has := map[string]string{"dpkg": "1.21", "a": "1.0", "b": "2.0", "c": "gone 1"}
	instNew := "Inst libnew (0.1 x [amd64])\nInst new (3.0 x [amd64])\nConf new (3.0)\n"
	fresh := time.Now()
	for name, c := range map[string]struct {
		debian
		task modulestest.Case
	}{
		"nothing to do starts no program": {debian{has: has}, modulestest.Case{Args: map[string]any{"name": "a,b"}, Unchanged: true}},
		"version there":                   {debian{has: has}, modulestest.Case{Args: map[string]any{"name": "a=1.*"}, Unchanged: true}},
		"up to date lists":                {debian{has: has, lists: fresh}, modulestest.Case{Args: map[string]any{"cache_valid_time": 3600}, Unchanged: true, Values: map[string]any{"cache_updated": false}}},
		"absent already":                  {debian{has: has}, modulestest.Case{Args: map[string]any{"name": []any{"zzz", "c"}, "state": "absent"}, Unchanged: true}},
		"only upgrade of what is not there": {debian{has: has}, modulestest.Case{
			Args: map[string]any{"name": "new", "only_upgrade": true}, Unchanged: true}},
		"latest already": {debian{has: has, sim: map[string]string{simulate + "install a": ""}}, modulestest.Case{
			Args: map[string]any{"name": "a", "state": "latest"}, Unchanged: true}},
		"install": {debian{has: has, sim: map[string]string{simulate + "install new": instNew}, after: map[string]string{"new": "3.0", "libnew": "0.1"}},
			modulestest.Case{Args: map[string]any{"name": []any{"a", "new"}}, Values: map[string]any{"stdout": "done\n"}}},
		"install with lists fetched": {debian{has: has, sim: map[string]string{simulate + "install new": instNew}, after: map[string]string{"new": "3.0", "libnew": "0.1"}},
			modulestest.Case{Args: map[string]any{"name": "new", "update_cache": true}, Values: map[string]any{"cache_updated": true}}},
		"upgrade one": {debian{has: has, sim: map[string]string{simulate + "install a": "Inst a [1.0] (1.1 x [amd64])\n"}, after: map[string]string{"a": "1.1"}},
			modulestest.Case{Args: map[string]any{"name": "a", "state": "latest"}, Repeats: true}},
		"pin":    {debian{has: has, sim: map[string]string{simulate + "install a=1.1*": "Inst a [1.0] (1.1-2 x [amd64])\n"}, after: map[string]string{"a": "1.1-2"}}, modulestest.Case{Args: map[string]any{"name": "a=1.1*"}}},
		"remove": {debian{has: has, sim: map[string]string{simulate + "remove a": "Remv b [2.0]\nRemv a [1.0]\n"}, after: map[string]string{"a": "gone 1.0", "b": ""}}, modulestest.Case{Args: map[string]any{"name": "a", "state": "absent"}}},
		"purge":  {debian{has: has, sim: map[string]string{simulate + "--purge remove c": "Purg c []\n"}, after: map[string]string{"c": ""}}, modulestest.Case{Args: map[string]any{"name": "c", "state": "absent", "purge": true}}},
		"mark":   {debian{has: has, auto: "a"}, modulestest.Case{Args: map[string]any{"name": "a"}}},
		"lists":  {debian{has: has}, modulestest.Case{Args: map[string]any{"update_cache": true, "cache_valid_time": 3600}, Values: map[string]any{"cache_updated": true}}},
		"latest after the lists": {debian{has: has, sim: map[string]string{simulate + "install a": ""}}, modulestest.Case{
			Args: map[string]any{"name": "a", "state": "latest", "cache_valid_time": 60, "update_cache": true}, Maybe: true, Repeats: true, Unchanged: true}},
		"everything": {debian{has: has, sim: map[string]string{simulate + "dist-upgrade": "Inst a [1.0] (1.1 x [amd64])\n"}, after: map[string]string{"a": "1.1"}},
			modulestest.Case{Args: map[string]any{"upgrade": "dist"}, Repeats: true}},
		"no such package": {debian{has: has, sim: map[string]string{simulate + "install nope": "E: Unable to locate package nope"}}, modulestest.Case{
			Args: map[string]any{"name": "nope"}, WantErr: "No package matching 'nope' is available"}},
		"no such version": {debian{has: has, policy: "a:\n  Candidate: 1.0\n  Version table:\n *** 1.0 500\n", sim: map[string]string{simulate + "install a=9": "E: Version '9' for 'a' was not found"}},
			modulestest.Case{Args: map[string]any{"name": "a=9"}, WantErr: "No package matching 'a=9' is available"}},
		"broken": {debian{has: has, policy: "new:\n  Candidate: 1.0\n", sim: map[string]string{simulate + "install new": "E: Unmet dependencies"}},
			modulestest.Case{Args: map[string]any{"name": "new"}, WantErr: "Unmet dependencies"}},
	} {
		c.task.Module, c.task.Host = Module(), c.debian.host
		t.Run(name, func(t *testing.T) { modulestest.Conformance(t, c.task) })
	}
}

// On a fresh host no list knows the package: a dry run says that it will be
// installed, does not fail, and what it brings is unknown.
func TestDryRunWithoutLists(t *testing.T) {
	d := debian{has: map[string]string{"dpkg": "1"}, sim: map[string]string{
		simulate + "install ufw": "E: Unable to locate package ufw", simulate + "install dep": "E: Unable to locate package dep"}}
	w := host.NewShadow(d.host(t))
	run := func(args map[string]any) modules.Result {
		t.Helper()
		a, err := Module().Build(modules.Env{}, args)
		if err != nil {
			t.Fatal(err)
		}
		res, err := modules.Execute(t.Context(), "apt", a, w, modules.Mode{Check: true})
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	if res := run(map[string]any{"name": "ufw", "update_cache": true}); !res.Changed || res.Unknown != "" || len(res.Changes) != 1 {
		t.Errorf("%+v", res)
	}
	if res := run(map[string]any{"name": "ufw"}); res.Changed || res.Unknown != "" {
		t.Errorf("the package is not there for the next task: %+v", res)
	}
	if res := run(map[string]any{"name": "dep"}); res.Unknown == "" {
		t.Errorf("ufw may bring dep, but: %+v", res)
	}
	if _, err := host.Exists(w, "/etc/ufw/ufw.conf"); err == nil {
		t.Error("it is known what ufw brings")
	}
}

// What a dry run installs it can remove again, although apt-get does not know.
func TestDryRunRemovesWhatItInstalled(t *testing.T) {
	d := debian{has: map[string]string{"dpkg": "1"}, sim: map[string]string{simulate + "install new": "Inst new (3.0 x [amd64])\n"}}
	w := host.NewShadow(d.host(t))
	for i, state := range []string{"present", "absent", "absent"} {
		a, err := Module().Build(modules.Env{}, map[string]any{"name": "new", "state": state})
		if err != nil {
			t.Fatal(err)
		}
		res, err := modules.Execute(t.Context(), "apt", a, w, modules.Mode{Check: true})
		if err != nil || res.Unknown != "" || res.Changed != (i < 2) {
			t.Errorf("%d: %+v, %v", i, res, err)
		}
	}
}

func TestPolicyRCDIsRestored(t *testing.T) {
	for _, before := range []string{"", "#!/bin/sh\nexit 0\n"} {
		h := modulestest.NewHost(t)
		if before != "" {
			h.AddFile(policyFile, before, 0o755)
		}
		restore, err := policy(h, 101)
		if err != nil {
			t.Fatal(err)
		}
		if b, _ := host.ReadFile(h, policyFile); !strings.Contains(string(b), "exit 101") {
			t.Errorf("while it lasts: %q", b)
		}
		if err := restore(); err != nil {
			t.Fatal(err)
		}
		if b, _ := host.ReadFile(h, policyFile); string(b) != before {
			t.Errorf("afterwards: %q", b)
		}
	}
}

func TestOptions(t *testing.T) {
	for name, args := range map[string]map[string]any{
		"two versions": {"name": "a=1=2"}, "deb and name": {"deb": "/x.deb", "name": "a"}, "latest version": {"name": "a=1", "state": "latest"},
		"upgrade and name": {"name": "a", "upgrade": "dist"}, "state": {"name": "a", "state": "there"},
	} {
		if errs := Module().CheckArgs(args, nil); errs == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
