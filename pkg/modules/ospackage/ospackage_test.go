package ospackage_test

import (
	"testing"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
	"github.com/foobar-play/foobar-play/pkg/modules/ospackage"
)

const dpkg = "Package: dpkg\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n"

func TestPackage(t *testing.T) {
	debian := modulestest.NewTestHost(func(h *modulestest.Host) {
		h.AddFile("/var/lib/dpkg/status", dpkg, 0o644)
		h.AddCommand([]string{"apt-get", "-s", "..."}, host.Output{Stdout: []byte("Inst ntp (4.2 x [amd64])\n")}, nil)
		h.AddCommand([]string{"apt-get", "-q", "..."}, host.Output{}, func(h *modulestest.Host) {
			h.AddFile("/var/lib/dpkg/status", dpkg+"Package: ntp\nStatus: install ok installed\nArchitecture: amd64\nVersion: 4.2\n", 0o644)
		})
	})
	for name, c := range map[string]modulestest.Case{
		"there":   {Host: debian, Args: map[string]any{"name": "dpkg"}, Unchanged: true},
		"install": {Host: debian, Args: map[string]any{"name": "ntp", "use": "apt"}},
		"no dpkg": {Host: modulestest.NewTestHost(nil), Args: map[string]any{"name": "ntp"}, WantErr: "this host has no dpkg"},
	} {
		c.Module = ospackage.Module()
		t.Run(name, func(t *testing.T) { modulestest.Conformance(t, c) })
	}
}
