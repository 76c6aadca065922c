// Package sysctl is the module sysctl: settings of the kernel, in a file that
// is read at boot and, as asked for, in the running kernel.
//
// It must not know what the settings mean.
package sysctl

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
)

// Options are the options of the module sysctl.
type Options struct {
	Name         string `arg:"name,required,alias=key" doc:"The setting, as in net.ipv4.ip_forward."`
	Value        string `arg:"value,alias=val" doc:"Its value; needed with state present."`
	State        string `arg:"state" default:"present" choices:"absent,present" doc:"Whether the setting is in the file."`
	SysctlFile   string `arg:"sysctl_file" default:"/etc/sysctl.conf" doc:"The file; one below /etc/sysctl.d is fine."`
	Reload       bool   `arg:"reload" default:"true" doc:"When the file changes, set the running kernel too."`
	SysctlSet    bool   `arg:"sysctl_set" doc:"Compare with the running kernel, and set it when it differs."`
	IgnoreErrors bool   `arg:"ignoreerrors" doc:"Do not fail when the running kernel does not know the setting or refuses the value."`
}

// Check demands a value.
func (o *Options) Check() error {
	switch {
	case o.State == "present" && strings.TrimSpace(o.Value) == "":
		return errors.New("state present needs the option value")
	case strings.ContainsAny(o.Name, " \t\n=") || strings.Contains(o.Value, "\n"):
		return fmt.Errorf("%q is not the name of a setting, or the value has several lines", o.Name)
	}
	return nil
}

// Module is the module sysctl.
func Module() *modules.Module {
	return modules.Define(modules.Spec{
		Name:  "sysctl",
		Short: "Manage settings of the kernel",
		Doc: `Puts a setting into a file, once, and sets the running kernel. No program of the host is needed: the kernel is read and
written below /proc/sys. reload sets this one setting; Ansible has sysctl -p load the whole file again.
Nothing is left out against Ansible.`,
		Returns: []modules.Return{
			{Name: "name, value, state, sysctl_file", Type: "string", Doc: "The options."},
		},
		Examples: `- name: Route packets
  sysctl:
    name: net.ipv4.ip_forward
    value: "1"
    sysctl_set: true
    sysctl_file: /etc/sysctl.d/60-route.conf
`,
	}, func(_ modules.Env, o *Options) (modules.Action, error) {
		o.Value = plain(o.Value)
		return modules.Managed(&resource{o}), nil
	})
}

// state is where a setting stands.
type state struct {
	there   bool     // the file is there
	lines   []string // of the file
	running string   // value in the running kernel; "" when not asked for
}

type resource struct{ *Options }

// plain brings the blanks of a value to single spaces, as the kernel reads
// them.
func plain(v string) string { return strings.Join(strings.Fields(v), " ") }

// procFile is where the kernel shows a setting. As in sysctl(8), the first
// separator of the name tells which of . and / separates.
func procFile(name string) string {
	i := strings.IndexAny(name, "./")
	if i >= 0 && name[i] == '.' {
		name = strings.NewReplacer(".", "/", "/", ".").Replace(name)
	}
	return "/proc/sys/" + name
}

func (r *resource) Current(_ context.Context, h host.Reader) (state, error) {
	var s state
	b, err := host.ReadFile(h, r.SysctlFile)
	switch {
	case err == nil:
		s.there = true
		if text := strings.TrimSuffix(string(b), "\n"); text != "" {
			s.lines = strings.Split(text, "\n")
		}
	case !errors.Is(err, fs.ErrNotExist):
		return s, err
	}
	if !r.SysctlSet || r.State == "absent" {
		return s, nil
	}
	b, err = host.ReadFile(h, procFile(r.Name))
	if errors.Is(err, fs.ErrNotExist) && r.IgnoreErrors {
		s.running = r.Value
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("read the setting %s of the running kernel: %w", r.Name, err)
	}
	s.running = plain(string(b))
	return s, nil
}

// entry reads a line of the file; ok is false for what is no setting.
func entry(line string) (name, value string, ok bool) {
	line = strings.TrimSpace(line)
	if line == "" || line[0] == '#' || line[0] == ';' {
		return "", "", false
	}
	name, value, ok = strings.Cut(line, "=")
	return strings.TrimPrefix(strings.TrimSpace(name), "-"), plain(value), ok
}

func (r *resource) Desired(cur state) (state, error) {
	want := cur
	want.lines = nil
	done := r.State == "absent"
	for _, line := range cur.lines {
		name, value, ok := entry(line)
		switch {
		case !ok || procFile(name) != procFile(r.Name):
			want.lines = append(want.lines, line)
		case done:
		case value == r.Value:
			want.lines, done = append(want.lines, line), true
		default:
			want.lines, done = append(want.lines, r.Name+"="+r.Value), true
		}
	}
	if !done {
		want.lines = append(want.lines, r.Name+"="+r.Value)
	}
	want.there = cur.there || r.State == "present"
	if r.SysctlSet && r.State == "present" {
		want.running = r.Value
	}
	return want, nil
}

func text(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	return strings.Join(lines, "\n") + "\n"
}

func (r *resource) Diff(cur, want state) []modules.Change {
	var out []modules.Change
	if text(cur.lines) != text(want.lines) {
		out = append(out, modules.Change{Field: "content", Path: r.SysctlFile, Before: text(cur.lines), After: text(want.lines)})
	}
	if cur.running != want.running {
		out = append(out, modules.Change{Field: "running", Before: cur.running, After: want.running})
	}
	return out
}

func (r *resource) Apply(ctx context.Context, w host.Writer, cur, want state) error {
	rewrite := text(cur.lines) != text(want.lines)
	if rewrite {
		if err := w.WriteFile(r.SysctlFile, strings.NewReader(text(want.lines)), host.Attrs{}); err != nil {
			return err
		}
	}
	if r.State == "absent" || !(r.Reload && rewrite) && cur.running == want.running {
		return nil
	}
	err := r.set(ctx, w)
	if r.IgnoreErrors {
		return nil
	}
	return err
}

// set writes the running kernel's setting. The files of /proc cannot be
// replaced as others are.
func (r *resource) set(ctx context.Context, w host.Writer) error {
	file := procFile(r.Name)
	cmd := host.Command{
		Argv: []string{"tee", file}, Stdin: []byte(r.Value + "\n"),
		Pretend: func(w host.Writer) error { return w.WriteFile(file, strings.NewReader(r.Value+"\n"), host.Attrs{}) },
	}
	out, err := w.Run(ctx, cmd)
	if err := host.Check(cmd, out, err); err != nil {
		return fmt.Errorf("set %s to %q in the running kernel: %w", r.Name, r.Value, err)
	}
	return nil
}

func (r *resource) Values(state, state, bool) map[string]any {
	return map[string]any{"name": r.Name, "value": r.Value, "state": r.State, "sysctl_file": r.SysctlFile}
}
