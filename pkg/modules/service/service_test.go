package service_test

import (
	"context"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
	"github.com/foobar-play/foobar-play/pkg/modules/service"
)

func TestService(t *testing.T) {
	modulestest.Conformance(t, modulestest.Case{
		Module: service.Module(),
		Args:   map[string]any{"name": "web", "state": "started"},
		Host: modulestest.NewTestHost(func(h *modulestest.Host) {
			h.Handle([]string{"systemctl", "show", "--no-pager", "--", "web.service"}, func(_ context.Context, h *modulestest.Host, _ host.Command) (host.Output, error) {
				active := "inactive"
				if there, _ := host.Exists(h, "/run/web"); there {
					active = "active"
				}
				return host.Output{Stdout: []byte("LoadState=loaded\nActiveState=" + active + "\n")}, nil
			})
			h.AddCommand([]string{"systemctl", "start", "--", "web.service"}, host.Output{}, func(h *modulestest.Host) { h.AddFile("/run/web", "", 0o644) })
		}),
		Values: map[string]any{"state": "started"},
	})
	if errs := service.Module().CheckArgs(map[string]any{"name": "web"}, nil); errs == nil {
		t.Error("nothing to do is fine")
	}
}
