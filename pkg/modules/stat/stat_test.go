package stat_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
	"github.com/foobar-play/foobar-play/pkg/modules/stat"
)

type m = map[string]any

func TestConformance(t *testing.T) {
	hosts := modulestest.NewTestHost(func(h *modulestest.Host) {
		h.AddUser("app", 700, 700)
		h.AddGroup("app", 700)
		h.AddFile("/etc/f", "hello\n", 0o4750)
		if err := h.Chown("/etc/f", 700, 700); err != nil {
			t.Fatal(err)
		}
		if err := h.Chmod("/etc/f", 0o4750); err != nil {
			t.Fatal(err)
		}
		h.AddLink("f", "/etc/l1")
		h.AddLink("l1", "/etc/l2")
		h.AddLink("nowhere", "/etc/dangling")
	})
	cases := map[string]modulestest.Case{
		"file": {Host: hosts, Args: m{"path": "/etc/f"}, Values: m{
			"stat.exists": true, "stat.path": "/etc/f", "stat.mode": "4750", "stat.isreg": true, "stat.isdir": false, "stat.islnk": false, "stat.isuid": true,
			"stat.uid": 700, "stat.gid": 700, "stat.pw_name": "app", "stat.gr_name": "app", "stat.size": 6, "stat.nlink": 1,
			"stat.xusr": true, "stat.wgrp": false, "stat.roth": false, "stat.checksum": "f572d396fae9206628714fb2ce00f72e94f2258f"}},
		"sha256":    {Host: hosts, Args: m{"path": "/etc/f", "checksum_algorithm": "sha256"}, Values: m{"stat.checksum": "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"}},
		"directory": {Host: hosts, Args: m{"path": "/etc"}, Values: m{"stat.isdir": true, "stat.mode": "0755", "stat.pw_name": "root"}},
		"link":      {Host: hosts, Args: m{"path": "/etc/l2"}, Values: m{"stat.islnk": true, "stat.lnk_target": "l1", "stat.lnk_source": "/etc/f"}},
		"followed":  {Host: hosts, Args: m{"path": "/etc/l2", "follow": true}, Values: m{"stat.islnk": false, "stat.isreg": true, "stat.size": 6}},
		"dangling":  {Host: hosts, Args: m{"path": "/etc/dangling", "follow": true}, Values: m{"stat": m{"exists": false}}},
		"nothing":   {Host: hosts, Args: m{"path": "/etc/none"}, Values: m{"stat": m{"exists": false}}},
		"real": {Dir: func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, "f"), []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, Args: m{"path": "$DIR/f"}, Values: m{"stat.size": 1, "stat.mode": "0600", "stat.uid": os.Geteuid(), "stat.readable": true}},
	}
	for name, c := range cases {
		c.Module, c.Unchanged = stat.Module(), true
		t.Run(name, func(t *testing.T) { modulestest.Conformance(t, c) })
	}
}

func TestPending(t *testing.T) {
	s := host.NewShadow(modulestest.NewHost(t))
	host.NotePending(s, "nginx", "package nginx is not installed yet and may ship it")
	a, err := stat.Module().Build(modules.Env{}, m{"path": "/etc/nginx"})
	if err != nil {
		t.Fatal(err)
	}
	res, err := modules.Execute(t.Context(), "stat", a, s, modules.Mode{Check: true})
	if err != nil || !strings.Contains(res.Unknown, "nginx is not installed") {
		t.Fatalf("%+v %v", res, err)
	}
}
