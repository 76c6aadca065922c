package systemd

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/host/units"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
)

// fakeSystemd answers for one unit, web.service; its state lives in files of
// the fake host, so that the suite sees it.
func fakeSystemd(load, active, file string, extra ...string) func(t *testing.T) *modulestest.Host {
	return modulestest.NewTestHost(func(h *modulestest.Host) {
		set := func(h *modulestest.Host, k, v string) { h.AddFile("/run/unit/"+k, v, 0o644) }
		get := func(h *modulestest.Host, k string) string {
			b, _ := host.ReadFile(h, "/run/unit/"+k)
			return string(b)
		}
		set(h, "load", load)
		set(h, "active", active)
		set(h, "file", file)
		set(h, "stale", "no")
		for _, kv := range extra {
			k, v, _ := strings.Cut(kv, "=")
			set(h, k, v)
		}
		h.Handle([]string{"systemctl", "show", "--no-pager", "--", "web.service"}, func(_ context.Context, h *modulestest.Host, _ host.Command) (host.Output, error) {
			out := fmt.Sprintf("Id=web.service\nType=simple\nResult=%s\nLoadState=%s\nActiveState=%s\nSubState=x\nUnitFileState=%s\nEnvironment=TOKEN=secret\n",
				get(h, "result"), get(h, "load"), get(h, "active"), get(h, "file"))
			return host.Output{Stdout: []byte(out)}, nil
		})
		h.Handle([]string{"systemctl", "show", "--no-pager", "-p", "Id,LoadState,DropInPaths,NeedDaemonReload", "--", "*"}, func(_ context.Context, h *modulestest.Host, _ host.Command) (host.Output, error) {
			return host.Output{Stdout: []byte("NeedDaemonReload=no\n\nNeedDaemonReload=" + get(h, "stale") + "\n")}, nil
		})
		for verb, change := range map[string][2]string{
			"start": {"active", "active"}, "stop": {"active", "inactive"}, "restart": {"active", "active"}, "reload": {"active", "active"},
			"enable": {"file", "enabled"}, "disable": {"file", "disabled"}, "mask": {"load", "masked"}, "unmask": {"load", "loaded"},
		} {
			h.AddCommand([]string{"systemctl", verb, "--", "web.service"}, host.Output{}, func(h *modulestest.Host) {
				if to := get(h, "start"); verb == "start" && to != "" {
					set(h, "active", to)
					return
				}
				set(h, change[0], change[1])
			})
		}
		h.AddCommand([]string{"systemctl", "daemon-reload"}, host.Output{}, func(h *modulestest.Host) { set(h, "stale", "no") })
		h.AddCommand([]string{"systemctl", "daemon-reexec"}, host.Output{}, func(*modulestest.Host) {})
		h.AddCommand([]string{"systemctl", "start", "--", "bad.service"}, host.Output{RC: 1, Stderr: []byte("Job failed\n")}, func(*modulestest.Host) {})
		h.AddCommand([]string{"systemctl", "show", "--no-pager", "--", "bad.service"}, host.Output{Stdout: []byte("LoadState=loaded\nActiveState=failed\n")}, nil)
		h.AddCommand([]string{"systemctl", "show", "--no-pager", "--", "nope.service"}, host.Output{Stdout: []byte("LoadState=not-found\nActiveState=inactive\n")}, nil)
		h.AddCommand([]string{"journalctl", "..."}, host.Output{Stdout: []byte("port is taken\n")}, nil)
	})
}

func TestSystemd(t *testing.T) {
	for name, c := range map[string]struct {
		host func(*testing.T) *modulestest.Host
		task modulestest.Case
	}{
		"all as wanted": {fakeSystemd("loaded", "active", "enabled"), modulestest.Case{
			Args: map[string]any{"name": "web", "state": "started", "enabled": true}, Unchanged: true,
			Values: map[string]any{"name": "web", "state": "started", "enabled": true, "status.ActiveState": "active"}}},
		"start and enable": {fakeSystemd("loaded", "inactive", "disabled"), modulestest.Case{
			Args: map[string]any{"name": "web.service", "state": "started", "enabled": true}}},
		"stop and disable": {fakeSystemd("loaded", "active", "enabled"), modulestest.Case{
			Args: map[string]any{"name": "web", "state": "stopped", "enabled": false}}},
		"start after a failure": {fakeSystemd("loaded", "failed", "enabled"), modulestest.Case{Args: map[string]any{"name": "web", "state": "started"}}},
		"static is fine":        {fakeSystemd("loaded", "active", "static"), modulestest.Case{Args: map[string]any{"name": "web", "enabled": false}, Unchanged: true}},
		"restart": {fakeSystemd("loaded", "active", "enabled"), modulestest.Case{
			Args: map[string]any{"name": "web", "state": "restarted"}, Repeats: true, Values: map[string]any{"state": "started"}}},
		"reload starts what does not run": {fakeSystemd("loaded", "inactive", "enabled"), modulestest.Case{
			Args: map[string]any{"name": "web", "state": "reloaded"}, Repeats: true}},
		"mask":             {fakeSystemd("loaded", "inactive", "disabled"), modulestest.Case{Args: map[string]any{"name": "web", "masked": true}}},
		"unmask and start": {fakeSystemd("masked", "inactive", "disabled"), modulestest.Case{Args: map[string]any{"name": "web", "masked": false, "state": "started"}}},
		"masked": {fakeSystemd("masked", "inactive", "masked"), modulestest.Case{
			Args: map[string]any{"name": "web", "state": "started"}, WantErr: "is masked"}},
		"daemon-reload":    {fakeSystemd("loaded", "active", "enabled", "stale=yes"), modulestest.Case{Args: map[string]any{"daemon_reload": true}}},
		"no daemon-reload": {fakeSystemd("loaded", "active", "enabled"), modulestest.Case{Args: map[string]any{"daemon_reload": true}, Unchanged: true}},
		"daemon-reexec":    {fakeSystemd("loaded", "active", "enabled"), modulestest.Case{Args: map[string]any{"daemon_reexec": true}, Repeats: true}},
		"no such unit":     {fakeSystemd("loaded", "active", "enabled"), modulestest.Case{Args: map[string]any{"name": "nope", "state": "started"}, WantErr: "Could not find the requested service nope"}},
	} {
		c.task.Module, c.task.Host = Module(), c.host
		t.Run(name, func(t *testing.T) { modulestest.Conformance(t, c.task) })
	}
}

func run(t *testing.T, w host.Writer, check bool, args map[string]any) (modules.Result, error) {
	t.Helper()
	a, err := Module().Build(modules.Env{}, args)
	if err != nil {
		t.Fatal(err)
	}
	return modules.Execute(t.Context(), "systemd", a, w, modules.Mode{Check: check})
}

func TestFailures(t *testing.T) {
	h := fakeSystemd("loaded", "inactive", "enabled", "start=failed", "result=exit-code")(t)
	_, err := run(t, h, false, map[string]any{"name": "bad", "state": "started"})
	if err == nil || !strings.Contains(err.Error(), "Job failed") || !strings.Contains(err.Error(), "port is taken") {
		t.Errorf("%v", err)
	}
	_, err = run(t, h, false, map[string]any{"name": "web", "state": "started"})
	if err == nil || !strings.Contains(err.Error(), "is failed (x) again: result exit-code") {
		t.Errorf("a unit that dies at once: %v", err)
	}
}

func TestDryRun(t *testing.T) {
	h := fakeSystemd("loaded", "active", "enabled")(t)
	h.AddDir("/etc/systemd/system", 0o755)
	h.AddCommand([]string{"find", "..."}, host.Output{}, nil)
	w := host.NewShadow(h)
	// A unit file of an earlier task is there, does not run and is not enabled.
	if err := w.WriteFile("/etc/systemd/system/nope.service", strings.NewReader("[Service]\n[Install]\nWantedBy=multi-user.target\n"), host.Attrs{}); err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{true, false} {
		res, err := run(t, w, true, map[string]any{"name": "nope", "daemon_reload": true, "enabled": true, "state": "started"})
		if err != nil || res.Unknown != "" || res.Changed != want {
			t.Errorf("pass %d: %+v, %v", i, res, err)
		}
	}
	// What a package may bring is unknown.
	host.NotePending(w, "nginx", "package nginx is not installed yet and may ship it")
	h.AddCommand([]string{"systemctl", "show", "--no-pager", "--", "nginx.service"}, host.Output{Stdout: []byte("LoadState=not-found\n")}, nil)
	res, err := run(t, w, true, map[string]any{"name": "nginx", "state": "started"})
	if err != nil || res.Unknown == "" {
		t.Errorf("%+v, %v", res, err)
	}
	if _, ok := res.Values["status"]; ok {
		t.Error("the status of an unknown unit is known")
	}
}

func TestUnitsHideSecrets(t *testing.T) {
	u, err := units.Lookup(t.Context(), fakeSystemd("loaded", "active", "enabled")(t), units.System, "web")
	if err != nil || u.Properties["Environment"] != "" {
		t.Errorf("%v, %v", u, err)
	}
}

func TestOptions(t *testing.T) {
	for name, args := range map[string]map[string]any{
		"nothing": {}, "no name": {"state": "started"}, "only a name": {"name": ""}, "global state": {"name": "a", "scope": "global", "state": "started"},
	} {
		if errs := Module().CheckArgs(args, nil); errs == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
