package fetch_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/fetch"
	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
)

type m = map[string]any

func run(t *testing.T, h *modulestest.Host, ctl *modulestest.Controller, args m) (modules.Result, error) {
	t.Helper()
	mod := fetch.Module()
	if errs := mod.CheckArgs(args, nil); errs != nil {
		t.Fatal(errs)
	}
	sent, err := mod.Prepare(t.Context(), ctl, args)
	if err != nil {
		return modules.Result{}, err
	}
	a, err := mod.Build(modules.Env{Blobs: ctl.Blobs(), TempDir: t.TempDir()}, sent)
	if err != nil {
		t.Fatal(err)
	}
	res, err := modules.Execute(t.Context(), "fetch", a, h, modules.Mode{Check: ctl.CheckMode})
	if err != nil {
		return res, err
	}
	return res, mod.Finish(t.Context(), ctl, args, &res)
}

func TestFetch(t *testing.T) {
	h := modulestest.NewHost(t)
	h.AddFile("/etc/app/f", "hello\n", 0o644)
	h.AddFile("/root/secret", "key", 0o600)
	for _, c := range []struct {
		name, dest, file string
		args             m
		mode             os.FileMode
	}{
		{"by host", "got", "got/testhost/etc/app/f", m{"src": "/etc/app/f"}, 0o644},
		{"flat", "got/x", "got/x", m{"src": "/etc/app/f", "flat": true}, 0o644},
		{"flat into a directory", "got/", "got/f", m{"src": "/etc/app/f", "flat": true}, 0o644},
		{"private", "got", "got/testhost/root/secret", m{"src": "/root/secret"}, 0o600},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctl := &modulestest.Controller{Dir: t.TempDir(), CheckMode: true}
			file := filepath.Join(ctl.Dir, c.file)
			c.args["dest"] = c.dest
			predicted, err := run(t, h, ctl, c.args)
			if err != nil || !predicted.Changed {
				t.Fatalf("dry run: %+v %v", predicted, err)
			}
			if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
				t.Fatalf("the dry run stored it: %v", err)
			}
			ctl.CheckMode = false
			res, err := run(t, h, ctl, c.args)
			if err != nil || !res.Changed || res.Values["dest"] != file || len(res.Changes) != len(predicted.Changes) {
				t.Fatalf("%+v %v", res, err)
			}
			for k := range res.Values {
				if strings.HasPrefix(k, "_") {
					t.Errorf("return value %s is not the user's business", k)
				}
			}
			info, err := os.Stat(file)
			if err != nil || info.Mode().Perm() != c.mode {
				t.Fatalf("%v %v", info, err)
			}
			before := len(ctl.Opened())
			res, err = run(t, h, ctl, c.args)
			if err != nil || res.Changed || len(ctl.Opened()) != before {
				t.Fatalf("the second run: %+v %v", res, err)
			}
			if err := os.WriteFile(file, []byte("other"), 0o600); err != nil {
				t.Fatal(err)
			}
			if res, err = run(t, h, ctl, c.args); err != nil || !res.Changed || res.Values["checksum"] != res.Values["remote_checksum"] {
				t.Fatalf("after drift: %+v %v", res, err)
			}
		})
	}
}

func TestFetchFails(t *testing.T) {
	h := modulestest.NewHost(t)
	h.AddFile("/etc/f", "x", 0o644)
	ctl := &modulestest.Controller{Dir: t.TempDir()}
	for says, args := range map[string]m{
		"/etc/none does not exist": {"src": "/etc/none", "dest": "d"},
		"/etc is a directory":      {"src": "/etc", "dest": "d"},
		"is relative":              {"src": "etc/f", "dest": "d"},
	} {
		if _, err := run(t, h, ctl, args); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v: %v, want %q", args, err, says)
		}
	}
	res, err := run(t, h, ctl, m{"src": "/etc/none", "dest": "d", "fail_on_missing": false})
	if err != nil || res.Changed {
		t.Fatalf("%+v %v", res, err)
	}
	ctl.Name = "../../up"
	if _, err := run(t, h, ctl, m{"src": "/etc/f", "dest": "d"}); err == nil {
		t.Fatal("a host's name led out of the directory")
	}
}

// On the host it only reads; a failing read is an error.
func TestConformance(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/f", []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	modulestest.Conformance(t, modulestest.Case{
		Module: fetch.Module(), Unchanged: true,
		Host: modulestest.NewTestHost(func(h *modulestest.Host) { h.AddFile("/etc/f", "x", 0o644) }),
		Args: m{"src": "/etc/f", "dest": dir + "/", "flat": true},
	})
}
