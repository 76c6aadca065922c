package units

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
)

// shows is a host whose systemd knows units by what systemctl show prints.
func shows(t *testing.T, units map[string]string) *modulestest.Host {
	h := modulestest.NewHost(t)
	h.AddDir("/etc/systemd/system", 0o755)
	h.Handle([]string{"systemctl", "show", "--no-pager", "--", "*"}, func(_ context.Context, _ *modulestest.Host, cmd host.Command) (host.Output, error) {
		out, ok := units[cmd.Argv[4]]
		if !ok {
			out = "LoadState=not-found\nActiveState=inactive\nSubState=dead\n"
		}
		return host.Output{Stdout: []byte(out)}, nil
	})
	// What programs see of the unit files is what the host below a shadow has.
	h.Handle([]string{"find", "..."}, func(_ context.Context, h *modulestest.Host, _ host.Command) (host.Output, error) {
		files := map[string]string{}
		if err := walk(h, "/etc/systemd/system", 2, files); err != nil {
			return host.Output{}, err
		}
		var b strings.Builder
		for p, v := range files {
			sec, size, _ := strings.Cut(v, " ")
			fmt.Fprintf(&b, "%s.123 %s %s\n", sec, size, p)
		}
		return host.Output{Stdout: []byte(b.String())}, nil
	})
	h.Handle([]string{"test", "-e", "*"}, func(_ context.Context, h *modulestest.Host, cmd host.Command) (host.Output, error) {
		if there, _ := host.Exists(h, cmd.Argv[2]); there {
			return host.Output{}, nil
		}
		return host.Output{RC: 1}, nil
	})
	return h
}

func TestLookup(t *testing.T) {
	h := shows(t, map[string]string{
		"web.service": "Id=web.service\nLoadState=loaded\nActiveState=active\nSubState=running\nUnitFileState=enabled\nEnvironment=A=secret\nExecStart={ a=b }\n",
		"old.service": "LoadState=loaded\nActiveState=active\nUnitFileState=generated\n",
		"x.timer":     "LoadState=masked\nActiveState=inactive\nUnitFileState=masked\n",
		"odd.service": "\n",
	})
	h.AddCommand([]string{"systemctl", "is-enabled", "--", "old.service"}, host.Output{RC: 1, Stdout: []byte("disabled\n")}, nil)
	u, err := Lookup(t.Context(), h, System, "web")
	if enabled, settable := u.Enabled(); err != nil || !u.Found() || !u.Running() || !enabled || !settable || u.Properties["ExecStart"] != "{ a=b }" || u.Properties["Environment"] != "" {
		t.Errorf("web: %+v, %v", u, err)
	}
	if u, err := Lookup(t.Context(), h, System, "old"); err != nil || u.File != "disabled" {
		t.Errorf("an init script: %+v, %v", u, err)
	}
	if u, err := Lookup(t.Context(), h, System, "x.timer"); err != nil || !u.Masked() {
		t.Errorf("a masked timer: %+v, %v", u, err)
	}
	if u, err := Lookup(t.Context(), h, System, "nope"); err != nil || u.Found() {
		t.Errorf("nope: %+v, %v", u, err)
	}
	if _, err := Lookup(t.Context(), h, System, "odd"); err == nil {
		t.Error("a unit without a state is fine")
	}
}

func TestGlobal(t *testing.T) {
	h := modulestest.NewHost(t)
	h.AddCommand([]string{"systemctl", "--global", "is-enabled", "--", "a.service"}, host.Output{Stdout: []byte("enabled\n")}, nil)
	h.AddCommand([]string{"systemctl", "--global", "is-enabled", "--", "b.service"}, host.Output{RC: 1}, nil)
	if u, err := Lookup(t.Context(), h, Global, "a"); err != nil || u.File != "enabled" {
		t.Errorf("%+v, %v", u, err)
	}
	if u, err := Lookup(t.Context(), h, Global, "b"); err != nil || u.Found() {
		t.Errorf("%+v, %v", u, err)
	}
}

func TestDryRun(t *testing.T) {
	h := shows(t, map[string]string{"gone.service": "LoadState=loaded\nActiveState=active\nFragmentPath=/usr/lib/systemd/system/gone.service\n"})
	h.AddFile("/usr/lib/systemd/system/gone.service", "[Service]\n", 0o644)
	w := host.NewShadow(h)
	write := func(p, content string) {
		t.Helper()
		if err := w.WriteFile(p, strings.NewReader(content), host.Attrs{}); err != nil {
			t.Fatal(err)
		}
	}
	write("/etc/systemd/system/job@.service", "[Service]\nType=oneshot\n")
	u, err := Lookup(t.Context(), w, System, "job@a")
	if err != nil || u.Active != "inactive" || u.Type != "oneshot" || u.File != "static" {
		t.Errorf("an instance of a new template: %+v, %v", u, err)
	}
	if err := w.Remove("/usr/lib/systemd/system/gone.service"); err != nil {
		t.Fatal(err)
	}
	if u, err := Lookup(t.Context(), w, System, "gone"); err != nil || u.Found() {
		t.Errorf("a unit whose file goes: %+v, %v", u, err)
	}
	host.NotePending(w, "p", "package p may ship it")
	_, err = Lookup(t.Context(), w, System, "p")
	if _, unknown := host.IsUnknown(err); !unknown {
		t.Errorf("a unit a package may bring: %v", err)
	}
}

// systemd says nothing of drop-ins it has not read.
func TestUnreadDropIns(t *testing.T) {
	h := modulestest.NewHost(t)
	shown := map[string]string{
		"a.service": "Id=a.service\nLoadState=loaded\nDropInPaths=/etc/systemd/system/a.service.d/x.conf /usr/lib/a.conf\nNeedDaemonReload=no\n",
		"b.service": "Id=b.service\nLoadState=loaded\nDropInPaths=\nNeedDaemonReload=no\n",
		"c.service": "Id=c.service\nLoadState=not-found\nDropInPaths=\nNeedDaemonReload=no\n",
	}
	shown["*"] = shown["a.service"] + "\n" + shown["b.service"]
	h.Handle([]string{"systemctl", "show", "--no-pager", "-p", "Id,LoadState,DropInPaths,NeedDaemonReload", "--", "*"}, func(_ context.Context, _ *modulestest.Host, cmd host.Command) (host.Output, error) {
		return host.Output{Stdout: []byte(shown[cmd.Argv[6]])}, nil
	})
	h.Handle([]string{"find", "..."}, func(context.Context, *modulestest.Host, host.Command) (host.Output, error) {
		var b strings.Builder
		files := map[string]string{}
		err := walk(h, "/etc/systemd/system", 2, files)
		for p, v := range files {
			fmt.Fprintf(&b, "%s %s\n", strings.Replace(v, " ", ".1 ", 1), p)
		}
		return host.Output{Stdout: []byte(b.String())}, err
	})
	check := func(when, name string, want bool) {
		t.Helper()
		if got, err := Stale(t.Context(), h, System, name); err != nil || got != want {
			t.Errorf("%s: %q is stale: %v, %v", when, name, got, err)
		}
	}
	h.AddFile("/etc/systemd/system/a.service.d/x.conf", "[Service]\n", 0o644)
	h.AddFile("/etc/systemd/system/a.service.d/README", "", 0o644)
	h.AddFile("/etc/systemd/system/c.service.d/x.conf", "[Service]\n", 0o644)
	for _, name := range []string{"", "a", "b", "c"} {
		check("all are read", name, false)
	}
	h.AddFile("/etc/systemd/system/b.service.d/new.conf", "[Service]\n", 0o644)
	check("a new one", "b", true)
	check("a new one", "", true)
	check("a new one", "a", false)
}

func TestStale(t *testing.T) {
	h := shows(t, nil)
	need := "no"
	h.Handle([]string{"systemctl", "show", "--no-pager", "-p", "Id,LoadState,DropInPaths,NeedDaemonReload", "--", "*"}, func(context.Context, *modulestest.Host, host.Command) (host.Output, error) {
		return host.Output{Stdout: []byte("NeedDaemonReload=no\n\nNeedDaemonReload=" + need + "\n")}, nil
	})
	h.AddFile("/etc/systemd/system/a.service", "[Service]\n", 0o644)
	w := host.NewShadow(h)
	check := func(when, name string, want bool) {
		t.Helper()
		if got, err := Stale(t.Context(), w, System, name); err != nil || got != want {
			t.Errorf("%s: %q is stale: %v, %v", when, name, got, err)
		}
	}
	check("at first", "", false)
	need = "yes"
	check("when systemd says so", "", true)
	need = "no"
	if err := w.WriteFile("/etc/systemd/system/a.service", strings.NewReader("[Service]\nNice=1\n"), host.Attrs{}); err != nil {
		t.Fatal(err)
	}
	check("after a write", "", true)
	check("after a write", "a", true)
	check("after a write", "b", false)
	if err := DaemonReload(t.Context(), w, System); err != nil {
		t.Fatal(err)
	}
	check("after the reload", "a", false)
	if err := w.Mkdir("/etc/systemd/system/a.service.d", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := w.WriteFile("/etc/systemd/system/a.service.d/x.conf", strings.NewReader("[Service]\n"), host.Attrs{}); err != nil {
		t.Fatal(err)
	}
	check("after a drop-in", "a", true)
}

func TestFullName(t *testing.T) {
	for in, want := range map[string]string{"a": "a.service", "a.timer": "a.timer", "a@b": "a@b.service", "a.b": "a.b.service"} {
		if got := FullName(in); got != want {
			t.Errorf("%s: %s", in, got)
		}
	}
}
