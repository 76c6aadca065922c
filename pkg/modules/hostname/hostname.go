// Package hostname is the module hostname: the name of a host, in /etc/hostname
// and in the running kernel. It needs no service manager.
package hostname

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
)

// Options are the options of the module hostname.
type Options struct {
	Name string `arg:"name,required" doc:"The host's name, with or without a domain."`
	Use  string `arg:"use" default:"auto" choices:"auto,debian,systemd" doc:"Taken for compatibility: it is always done the same way."`
}

var valid = regexp.MustCompile(`^[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?(\.[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?)*$`)

// Check refuses what is no name of a host (RFC 1123; Linux takes 64 bytes).
func (o *Options) Check() error {
	if len(o.Name) > 64 || !valid.MatchString(o.Name) {
		return fmt.Errorf("%q is not the name of a host: letters, digits and hyphens between dots, 64 at most", o.Name)
	}
	return nil
}

// Module is the module hostname.
func Module() *modules.Module {
	return modules.Define(modules.Spec{
		Name:  "hostname",
		Short: "Set the name of a host",
		Doc: `Sets the name for the next boot (/etc/hostname) and the running kernel, and the facts hostname, nodename, fqdn and domain.
/etc/hosts is left alone. Left out against Ansible: other systems than Linux, and the pretty name of hostnamectl.`,
		Returns:  []modules.Return{{Name: "name", Type: "string", Doc: "The name."}},
		Examples: "- name: Set the name\n  hostname:\n    name: web01\n",
	}, func(_ modules.Env, o *Options) (modules.Action, error) {
		return action{modules.Managed[names](resource{o}), o.Name}, nil
	})
}

// action adds the facts a new name changes.
type action struct {
	modules.Action
	name string
}

func (a action) Apply(ctx context.Context, w host.Writer) (modules.Outcome, error) {
	out, err := a.Action.Apply(ctx, w)
	short, domain, _ := strings.Cut(a.name, ".")
	out.Facts = map[string]any{"hostname": short, "nodename": a.name, "fqdn": a.name, "domain": domain}
	return out, err
}

// names are a host's name for the next boot and now.
type names struct{ boot, now string }

type resource struct{ *Options }

const (
	bootFile = "/etc/hostname"
	nowFile  = "/proc/sys/kernel/hostname"
)

func (r resource) Current(_ context.Context, h host.Reader) (names, error) {
	b, err := host.ReadFile(h, bootFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return names{}, err
	}
	n := names{boot: strings.TrimSpace(string(b))}
	if v, ok := h.Noted("hostname", ""); ok {
		n.now, _ = v.(string)
		return n, nil
	}
	b, err = host.ReadFile(h, nowFile)
	n.now = strings.TrimSpace(string(b))
	return n, err
}

func (r resource) Desired(names) (names, error) { return names{r.Name, r.Name}, nil }

func (r resource) Diff(cur, want names) []modules.Change {
	var out []modules.Change
	if cur.boot != want.boot {
		out = append(out, modules.Change{Field: "hostname at boot", Before: cur.boot, After: want.boot})
	}
	if cur.now != want.now {
		out = append(out, modules.Change{Field: "hostname", Before: cur.now, After: want.now})
	}
	return out
}

func (r resource) Apply(ctx context.Context, w host.Writer, cur, want names) error {
	if cur.boot != want.boot {
		if err := w.WriteFile(bootFile, strings.NewReader(want.boot+"\n"), host.Attrs{}); err != nil {
			return err
		}
	}
	if cur.now == want.now {
		return nil
	}
	cmd := host.Command{
		Argv:    []string{"hostname", want.now},
		Pretend: func(w host.Writer) error { w.Note("hostname", "", want.now); return nil },
	}
	out, err := w.Run(ctx, cmd)
	return host.Check(cmd, out, err)
}

func (r resource) Values(names, names, bool) map[string]any { return map[string]any{"name": r.Name} }
