// Package units knows the units of a host's systemd. It asks systemctl show,
// whose output is meant for programs, and changes units with systemctl, with a
// Pretend that notes the new state in a shadow. What a dry run changed on unit
// files counts: systemd itself does not see it.
//
// It must not know which module asks, or what its options are called.
package units

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/host"
)

// Scope is which systemd is meant.
type Scope string

// The scopes; Global is the configuration of all users' managers.
const (
	System Scope = "system"
	User   Scope = "user"
	Global Scope = "global"
)

// Unit is the state of a unit, in systemd's words.
type Unit struct {
	Name   string // with its suffix
	Load   string // loaded, not-found, masked, error, bad-setting …
	Active string // active, inactive, failed, activating, deactivating, reloading
	Sub    string
	File   string // enabled, disabled, static, masked, indirect, generated …; "" when there is no file
	Type   string // of a service: simple, oneshot, …
	Result string // of a service: success, exit-code, …
	// Properties is everything systemctl shows, except Environment, which often
	// holds secrets.
	Properties map[string]string
}

// Found reports whether there is such a unit.
func (u Unit) Found() bool { return u.Load != "not-found" }

// Running reports whether the unit is, or is about to be, active.
func (u Unit) Running() bool {
	return u.Active == "active" || u.Active == "activating" || u.Active == "reloading" || u.Active == "refreshing"
}

// Masked reports whether the unit is masked.
func (u Unit) Masked() bool { return u.Load == "masked" || strings.HasPrefix(u.File, "masked") }

// Enabled reports whether the unit is enabled; settable is false for units
// that can neither be enabled nor disabled (static, indirect …).
func (u Unit) Enabled() (enabled, settable bool) {
	switch u.File {
	case "enabled":
		return true, true
	case "static", "indirect", "alias", "transient":
		return true, false
	}
	return false, true
}

var suffixes = []string{".service", ".socket", ".device", ".mount", ".automount", ".swap", ".target", ".path", ".timer", ".slice", ".scope"}

// FullName adds .service to a name without a suffix of a unit.
func FullName(name string) string {
	for _, s := range suffixes {
		if strings.HasSuffix(name, s) {
			return name
		}
	}
	return name + ".service"
}

// noteKind is the kind of note that holds the Unit a dry run will have.
const noteKind = "unit"

// Lookup reads the state of a unit. A unit that is not there is one with Load
// "not-found"; while something is pending in a dry run it is
// *host.UnknownError instead: a package may bring it.
func Lookup(ctx context.Context, r host.Reader, scope Scope, name string) (Unit, error) {
	name = FullName(name)
	if v, ok := r.Noted(noteKind, string(scope)+" "+name); ok {
		if u, isUnit := v.(Unit); isUnit {
			return u, nil
		}
	}
	look := show
	if scope == Global {
		look = showGlobal
	}
	u, err := look(ctx, r, scope, name)
	if err != nil {
		return u, err
	}
	if u.Found() {
		return u, afterRemoval(ctx, r, &u)
	}
	if fresh, ok, err := pretended(r, scope, name); ok || err != nil {
		return fresh, err
	}
	if reason, ok := host.Pending(r); ok {
		return u, host.Unknownf("whether there is a unit %s: %s", name, reason)
	}
	return u, nil
}

func show(ctx context.Context, r host.Reader, scope Scope, name string) (Unit, error) {
	cmd := systemctl(scope, "show", "--no-pager", "--", name)
	out, err := r.Query(ctx, cmd)
	if err := host.Check(cmd, out, err); err != nil {
		return Unit{}, fmt.Errorf("ask systemd for %s: %w", name, err)
	}
	p := map[string]string{}
	for line := range strings.Lines(string(out.Stdout)) {
		if k, v, ok := strings.Cut(strings.TrimRight(line, "\n"), "="); ok && k != "Environment" {
			p[k] = v
		}
	}
	if p["LoadState"] == "" {
		return Unit{}, fmt.Errorf("ask systemd for %s: it says nothing of its state", name)
	}
	u := Unit{
		Name: name, Load: p["LoadState"], Active: p["ActiveState"], Sub: p["SubState"], File: p["UnitFileState"],
		Type: p["Type"], Result: p["Result"], Properties: p,
	}
	if u.File == "generated" { // of an init script: enabled is what its links say
		cmd := systemctl(scope, "is-enabled", "--", name)
		out, err := r.Query(ctx, cmd)
		if err != nil {
			return Unit{}, fmt.Errorf("ask systemd for %s: %w", name, err)
		}
		u.File = "disabled"
		if out.RC == 0 {
			u.File = "enabled"
		}
	}
	return u, nil
}

// showGlobal asks for the configuration of all users, of which systemctl knows
// only what is enabled.
func showGlobal(ctx context.Context, r host.Reader, scope Scope, name string) (Unit, error) {
	cmd := systemctl(scope, "is-enabled", "--", name)
	out, err := r.Query(ctx, cmd)
	if err != nil {
		return Unit{}, fmt.Errorf("ask systemd for %s: %w", name, err)
	}
	u := Unit{Name: name, Load: "loaded", File: strings.TrimSpace(string(out.Stdout))}
	if u.File == "" || u.File == "not-found" {
		u.Load, u.File = "not-found", ""
	}
	u.Properties = map[string]string{"Id": name, "LoadState": u.Load, "UnitFileState": u.File}
	return u, nil
}

// systemctl makes a command for one of the managers.
func systemctl(scope Scope, args ...string) host.Command {
	argv := []string{"systemctl"}
	cmd := host.Command{}
	if scope != System && scope != "" {
		argv = append(argv, "--"+string(scope))
	}
	if scope == User && os.Getenv("XDG_RUNTIME_DIR") == "" {
		cmd.Env = []string{fmt.Sprintf("XDG_RUNTIME_DIR=/run/user/%d", os.Geteuid())}
	}
	cmd.Argv = append(argv, args...)
	return cmd
}

// Directories are where unit files lie, the first ones win.
func directories(scope Scope) []string {
	if scope == User || scope == Global {
		return []string{"/etc/systemd/user", "/run/systemd/user", "/usr/local/lib/systemd/user", "/usr/lib/systemd/user"}
	}
	return []string{"/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/lib/systemd/system", "/usr/lib/systemd/system"}
}

// pretended finds a unit file that an earlier task of a dry run would have
// written, so that systemd does not know it: such a unit does not run and is
// not enabled.
func pretended(r host.Reader, scope Scope, name string) (Unit, bool, error) {
	for _, file := range candidates(scope, name) {
		b, err := host.ReadFile(r, file)
		_, unknown := host.IsUnknown(err)
		if unknown || errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return Unit{}, false, err
		}
		u := Unit{Name: name, Load: "loaded", Active: "inactive", Sub: "dead", File: "static", Type: "simple",
			Properties: map[string]string{"Id": name, "LoadState": "loaded", "ActiveState": "inactive", "SubState": "dead", "FragmentPath": file}}
		for line := range strings.Lines(string(b)) {
			line = strings.TrimSpace(line)
			if line == "[Install]" {
				u.File = "disabled"
			}
			if t, ok := strings.CutPrefix(line, "Type="); ok {
				u.Type = t
			}
		}
		u.Properties["UnitFileState"] = u.File
		return u, true, nil
	}
	return Unit{}, false, nil
}

func candidates(scope Scope, name string) []string {
	names := []string{name}
	if base, rest, ok := strings.Cut(name, "@"); ok {
		names = append(names, base+"@"+path.Ext(rest))
	}
	var out []string
	for _, n := range names {
		for _, dir := range directories(scope) {
			out = append(out, path.Join(dir, n))
		}
	}
	return out
}

// afterRemoval makes a unit not-found whose file an earlier task of a dry run
// would have removed: it is there for programs, but not for the reader.
func afterRemoval(ctx context.Context, r host.Reader, u *Unit) error {
	file := u.Properties["FragmentPath"]
	if file == "" {
		return nil
	}
	_, err := r.Lstat(file)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	out, err := r.Query(ctx, host.Command{Argv: []string{"test", "-e", file}})
	if err == nil && out.RC == 0 {
		*u = Unit{Name: u.Name, Load: "not-found", Active: "inactive", Sub: "dead"}
	}
	return err
}

// Pretended reports whether an earlier task of a dry run would have the unit
// run, or restarted it: what the unit offers now may not be what it will offer.
func Pretended(r host.Reader, scope Scope, name string) bool {
	v, _ := r.Noted(noteKind, string(scope)+" "+FullName(name))
	u, ok := v.(Unit)
	return ok && u.Active == "active"
}
