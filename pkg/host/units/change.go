package units

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/host"
)

// Verb is a command of systemctl about a unit.
type Verb string

// The verbs.
const (
	Start   Verb = "start"
	Stop    Verb = "stop"
	Restart Verb = "restart"
	Reload  Verb = "reload"
	Enable  Verb = "enable"
	Disable Verb = "disable"
	Mask    Verb = "mask"
	Unmask  Verb = "unmask"
)

// Options tune Do.
type Options struct {
	NoBlock bool // do not wait until it is done
	Force   bool // overwrite links that are in the way
}

// Do runs a verb on a unit. An error of systemctl is a *host.CommandError.
func Do(ctx context.Context, w host.Writer, scope Scope, verb Verb, name string, o Options) error {
	name = FullName(name)
	args := []string{string(verb)}
	if o.NoBlock {
		args = append(args, "--no-block")
	}
	if o.Force {
		args = append(args, "--force")
	}
	cmd := systemctl(scope, append(args, "--", name)...)
	cmd.Pretend = func(w host.Writer) error {
		u, err := Lookup(ctx, w, scope, name)
		if err != nil {
			return err
		}
		w.Note(noteKind, string(scope)+" "+name, u.after(verb))
		return nil
	}
	out, err := w.Run(ctx, cmd)
	return host.Check(cmd, out, err)
}

// after is the unit when a verb is done.
func (u Unit) after(verb Verb) Unit {
	switch verb {
	case Start, Restart, Reload:
		u.Active, u.Sub, u.Result = "active", "running", "success"
	case Stop:
		u.Active, u.Sub = "inactive", "dead"
	case Enable:
		if _, settable := u.Enabled(); settable {
			u.File = "enabled"
		}
	case Disable:
		if _, settable := u.Enabled(); settable {
			u.File = "disabled"
		}
	case Mask:
		u.Load, u.File = "masked", "masked"
	case Unmask:
		u.Load, u.File = "loaded", "disabled"
	}
	u.Properties = maps.Clone(u.Properties)
	if u.Properties == nil {
		u.Properties = map[string]string{}
	}
	u.Properties["LoadState"], u.Properties["ActiveState"] = u.Load, u.Active
	u.Properties["SubState"], u.Properties["UnitFileState"] = u.Sub, u.File
	return u
}

// reloadNote is the kind of note left by a pretended daemon-reload. It holds
// what was new then.
const reloadNote = "units reloaded"

// Stale reports whether systemd has to read its unit files again (daemon-reload)
// for a unit, or for any when name is "".
func Stale(ctx context.Context, r host.Reader, scope Scope, name string) (bool, error) {
	if name != "" {
		name = FullName(name)
	}
	news, err := unseen(ctx, r, scope, name)
	if err != nil {
		return false, err
	}
	if v, ok := r.Noted(reloadNote, string(scope)); ok {
		known, _ := v.([]string)
		return slices.ContainsFunc(news, func(n string) bool { return !slices.Contains(known, n) }), nil
	}
	if len(news) > 0 {
		return true, nil
	}
	pattern := name
	if pattern == "" {
		pattern = "*"
	}
	cmd := systemctl(scope, "show", "--no-pager", "-p", "Id,LoadState,DropInPaths,NeedDaemonReload", "--", pattern)
	out, err := r.Query(ctx, cmd)
	if err := host.Check(cmd, out, err); err != nil {
		return false, fmt.Errorf("ask systemd whether it has to be reloaded: %w", err)
	}
	if strings.Contains(string(out.Stdout), "NeedDaemonReload=yes") {
		return true, nil
	}
	return unread(r, scope, name, string(out.Stdout))
}

// unread reports whether there are drop-ins of the administrator that systemd
// has not read. It does not say so itself: NeedDaemonReload is about files it
// knows. shown is what systemctl show says of the unit, or of all ("").
func unread(r host.Reader, scope Scope, name, shown string) (bool, error) {
	dir := directories(scope)[0]
	known, loaded := map[string]bool{}, map[string]bool{}
	for block := range strings.SplitSeq(shown, "\n\n") {
		p := properties(block)
		if p["LoadState"] != "loaded" {
			continue
		}
		loaded[p["Id"]], loaded[name] = true, true // which may be an alias
		for _, f := range strings.Fields(p["DropInPaths"]) {
			known[f] = true
		}
	}
	there, err := host.Exists(r, dir)
	if err != nil || !there {
		return false, err
	}
	files := map[string]string{}
	if err := walk(r, dir, 2, files); err != nil {
		return false, err
	}
	for f := range files {
		unit, isDropIn := strings.CutSuffix(path.Base(path.Dir(f)), ".d")
		if isDropIn && loaded[unit] && strings.HasSuffix(f, ".conf") && !known[f] {
			return true, nil
		}
	}
	return false, nil
}

// properties reads lines NAME=VALUE.
func properties(text string) map[string]string {
	out := map[string]string{}
	for line := range strings.Lines(text) {
		if k, v, ok := strings.Cut(strings.TrimRight(line, "\n"), "="); ok {
			out[k] = v
		}
	}
	return out
}

// unseen lists the unit files of the administrator that the reader sees
// otherwise than programs do: an earlier task of a dry run would have written
// or removed them. On a real host there are none.
func unseen(ctx context.Context, r host.Reader, scope Scope, name string) ([]string, error) {
	dir := directories(scope)[0]
	there, err := host.Exists(r, dir)
	if err != nil || !there {
		return nil, err
	}
	seen, err := listed(ctx, r, dir)
	if err != nil {
		return nil, err
	}
	now := map[string]string{}
	if err := walk(r, dir, 2, now); err != nil {
		return nil, err
	}
	var out []string
	for _, p := range slices.Sorted(maps.Keys(merged(now, seen))) {
		mine := name == "" || path.Base(p) == name || path.Base(path.Dir(p)) == name+".d"
		if mine && now[p] != seen[p] {
			out = append(out, p+" "+now[p])
		}
	}
	return out, nil
}

func merged(a, b map[string]string) map[string]string {
	out := maps.Clone(a)
	maps.Copy(out, b)
	return out
}

// listed asks a program for the files of a directory, with times and sizes.
func listed(ctx context.Context, r host.Reader, dir string) (map[string]string, error) {
	cmd := host.Command{Argv: []string{"find", dir, "-mindepth", "1", "-maxdepth", "2", "-type", "f", "-printf", `%T@ %s %p\n`}}
	out, err := r.Query(ctx, cmd)
	if err := host.Check(cmd, out, err); err != nil {
		return nil, fmt.Errorf("list the unit files: %w", err)
	}
	list := map[string]string{}
	for line := range strings.Lines(string(out.Stdout)) {
		f := strings.SplitN(strings.TrimRight(line, "\n"), " ", 3)
		if len(f) == 3 {
			sec, _, _ := strings.Cut(f[0], ".")
			list[f[2]] = sec + " " + f[1]
		}
	}
	return list, nil
}

func walk(r host.Reader, dir string, depth int, into map[string]string) error {
	list, err := r.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, fi := range list {
		switch {
		case fi.Type == host.File:
			into[fi.Path] = fmt.Sprintf("%d %d", fi.ModTime.Unix(), fi.Size)
		case fi.Type == host.Directory && depth > 1:
			if err := walk(r, fi.Path, depth-1, into); err != nil {
				return err
			}
		}
	}
	return nil
}

// DaemonReload has systemd read its unit files again.
func DaemonReload(ctx context.Context, w host.Writer, scope Scope) error {
	cmd := systemctl(scope, "daemon-reload")
	cmd.Pretend = func(w host.Writer) error {
		news, err := unseen(ctx, w, scope, "")
		if err != nil {
			return err
		}
		w.Note(reloadNote, string(scope), news)
		return nil
	}
	out, err := w.Run(ctx, cmd)
	return host.Check(cmd, out, err)
}

// DaemonReexec restarts systemd itself, keeping its state.
func DaemonReexec(ctx context.Context, w host.Writer, scope Scope) error {
	cmd := systemctl(scope, "daemon-reexec")
	cmd.Pretend = func(host.Writer) error { return nil }
	out, err := w.Run(ctx, cmd)
	return host.Check(cmd, out, err)
}

// Log gives the last lines a unit wrote to the journal, for messages; "" when
// there are none.
func Log(ctx context.Context, r host.Reader, scope Scope, name string) string {
	argv := []string{"journalctl", "--no-pager", "-q", "-o", "cat", "-n", "8"}
	if scope == User {
		argv = append(argv, "--user")
	}
	out, err := r.Query(ctx, host.Command{Argv: append(argv, "-u", FullName(name))})
	if err != nil || out.RC != 0 {
		return ""
	}
	return strings.TrimSpace(string(out.Stdout))
}
