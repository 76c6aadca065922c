package accounts

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/host"
)

// Settings are what to set of a user; a nil field is left as it is, or to
// useradd's defaults.
type Settings struct {
	UID       *int
	NonUnique bool    // UID may be another user's
	Group     *string // primary group: a name or a number
	Groups    *[]string
	Comment   *string
	Home      *string
	MoveHome  bool // to Home, when it changes
	Shell     *string
	Expires   *int // day, counted from 1970-01-01; -1: never
	Lock      *bool
	// For CreateUser only.
	System   bool
	MakeHome bool
	Skeleton string
	UMask    string
}

// CreateUser makes a user with useradd.
func CreateUser(ctx context.Context, w host.Writer, name string, s Settings) error {
	argv := append([]string{"useradd"}, s.flags()...)
	if s.System {
		argv = append(argv, "-r")
	}
	if s.MakeHome {
		argv = append(argv, "-m")
		if s.Skeleton != "" {
			argv = append(argv, "-k", s.Skeleton)
		}
		if s.UMask != "" {
			argv = append(argv, "-K", "UMASK="+s.UMask)
		}
	} else {
		argv = append(argv, "-M")
	}
	if s.Group == nil {
		own, err := hasGroup(ctx, w, name)
		if err != nil {
			return err
		}
		if own { // useradd would refuse to make it once more
			argv = append(argv, "-g", name)
		}
	}
	return run(ctx, w, append(argv, name), func(w host.Writer) error { return pretendUser(ctx, w, name, s) })
}

func hasGroup(ctx context.Context, r host.Reader, name string) (bool, error) {
	_, ok, err := LookupGroup(ctx, r, name)
	if _, unknown := host.IsUnknown(err); unknown {
		return false, nil
	}
	return ok, err
}

// ModifyUser changes a user with usermod. A user who is logged in keeps its
// UID and home: usermod refuses then.
func ModifyUser(ctx context.Context, w host.Writer, name string, s Settings) error {
	flags := s.flags()
	if s.Home != nil && s.MoveHome {
		flags = append(flags, "-m")
	}
	if s.Lock != nil {
		flags = append(flags, map[bool]string{true: "-L", false: "-U"}[*s.Lock])
	}
	if len(flags) == 0 {
		return nil
	}
	argv := append(append([]string{"usermod"}, flags...), name)
	return run(ctx, w, argv, func(w host.Writer) error { return pretendChange(ctx, w, name, s) })
}

func (s Settings) flags() []string {
	var f []string
	text := func(flag string, v *string) {
		if v != nil {
			f = append(f, flag, *v)
		}
	}
	if s.UID != nil {
		f = append(f, "-u", strconv.Itoa(*s.UID))
		if s.NonUnique {
			f = append(f, "-o")
		}
	}
	text("-g", s.Group)
	if s.Groups != nil {
		f = append(f, "-G", strings.Join(*s.Groups, ","))
	}
	text("-c", s.Comment)
	text("-d", s.Home)
	text("-s", s.Shell)
	if s.Expires != nil {
		day := ""
		if *s.Expires >= 0 {
			day = strconv.Itoa(*s.Expires)
		}
		f = append(f, "-e", day)
	}
	return f
}

// RemoveUser deletes a user with userdel; home also deletes its home and mail,
// force even when it is logged in.
func RemoveUser(ctx context.Context, w host.Writer, name string, force, home bool) error {
	argv := []string{"userdel"}
	if force {
		argv = append(argv, "-f")
	}
	if home {
		argv = append(argv, "-r")
	}
	return run(ctx, w, append(argv, name), func(w host.Writer) error { return pretendRemoval(ctx, w, name, home) })
}

// SetHash sets a user's password hash through chpasswd's standard input, so
// that it is on no command line.
func SetHash(ctx context.Context, w host.Writer, name, hash string) error {
	cmd := host.Command{
		Argv: []string{"chpasswd", "-e"}, Stdin: []byte(name + ":" + hash + "\n"),
		Pretend: func(w host.Writer) error { return setSecret(w, name, 1, hash) },
	}
	out, err := w.Run(ctx, cmd)
	return host.Check(cmd, out, err)
}

// SetAging sets the days of chage(1): the least and most a password lives, and
// how long before its end it is warned of. A nil one is left.
func SetAging(ctx context.Context, w host.Writer, name string, least, most, warn *int) error {
	argv := []string{"chage"}
	for _, f := range []struct {
		flag string
		v    *int
	}{{"-m", least}, {"-M", most}, {"-W", warn}} {
		if f.v != nil {
			argv = append(argv, f.flag, strconv.Itoa(*f.v))
		}
	}
	if len(argv) == 1 {
		return nil
	}
	return run(ctx, w, append(argv, name), func(w host.Writer) error {
		for i, v := range map[int]*int{3: least, 4: most, 5: warn} {
			if v == nil {
				continue
			}
			if err := setSecret(w, name, i, strconv.Itoa(*v)); err != nil {
				return err
			}
		}
		return nil
	})
}

// GroupSettings are what to set of a group.
type GroupSettings struct {
	GID       *int
	NonUnique bool
	System    bool // for CreateGroup only
}

// CreateGroup makes a group with groupadd.
func CreateGroup(ctx context.Context, w host.Writer, name string, s GroupSettings) error {
	argv := append([]string{"groupadd"}, s.flags()...)
	if s.System {
		argv = append(argv, "-r")
	}
	return run(ctx, w, append(argv, name), func(w host.Writer) error {
		gid := s.GID
		if gid == nil {
			n, err := freeID(w, groupFile, "GID", s.System)
			if err != nil {
				return err
			}
			gid = &n
		}
		return edit(w, groupFile, func(t *table) error {
			t.put(name, []string{name, "x", strconv.Itoa(*gid), ""})
			return nil
		})
	})
}

// ModifyGroup changes a group's number with groupmod.
func ModifyGroup(ctx context.Context, w host.Writer, name string, s GroupSettings) error {
	argv := append(append([]string{"groupmod"}, s.flags()...), name)
	return run(ctx, w, argv, func(w host.Writer) error {
		return edit(w, groupFile, func(t *table) error {
			if f := t.find(name); f != nil && s.GID != nil {
				f[2] = strconv.Itoa(*s.GID)
				t.put(name, f)
			}
			return nil
		})
	})
}

func (s GroupSettings) flags() []string {
	if s.GID == nil {
		return nil
	}
	f := []string{"-g", strconv.Itoa(*s.GID)}
	if s.NonUnique {
		f = append(f, "-o")
	}
	return f
}

// RemoveGroup deletes a group with groupdel; force even when it is a user's
// primary one.
func RemoveGroup(ctx context.Context, w host.Writer, name string, force bool) error {
	argv := []string{"groupdel"}
	if force {
		argv = append(argv, "-f")
	}
	return run(ctx, w, append(argv, name), func(w host.Writer) error {
		w.Note(removedNote(groupFile), name, true)
		return edit(w, groupFile, func(t *table) error { t.remove(name); return nil })
	})
}

func run(ctx context.Context, w host.Writer, argv []string, pretend func(host.Writer) error) error {
	cmd := host.Command{Argv: argv, Pretend: pretend}
	out, err := w.Run(ctx, cmd)
	return host.Check(cmd, out, err)
}

// freeID foresees the number useradd or groupadd will choose: one more than
// the highest in use, or for system accounts one less than the lowest.
func freeID(r host.Reader, file, kind string, system bool) (int, error) {
	low, high := 1000, 60000
	if system {
		low, high = 100, 999
	}
	prefix := kind
	if system {
		prefix = "SYS_" + kind
	}
	defs, err := loginDefs(r)
	if err != nil {
		return 0, err
	}
	if n, err := strconv.Atoi(defs[prefix+"_MIN"]); err == nil {
		low = n
	}
	if n, err := strconv.Atoi(defs[prefix+"_MAX"]); err == nil {
		high = n
	}
	t, err := load(r, file)
	if err != nil {
		return 0, err
	}
	var used []int
	for _, f := range t.entries() {
		if n, err := strconv.Atoi(f[2]); err == nil && n >= low && n <= high {
			used = append(used, n)
		}
	}
	switch {
	case len(used) == 0 && system:
		return high, nil
	case len(used) == 0:
		return low, nil
	case system && slices.Min(used) > low:
		return slices.Min(used) - 1, nil
	case !system && slices.Max(used) < high:
		return slices.Max(used) + 1, nil
	}
	for n := low; n <= high; n++ {
		if !slices.Contains(used, n) {
			return n, nil
		}
	}
	return 0, fmt.Errorf("no %s between %d and %d is free", kind, low, high)
}

// loginDefs reads login.defs(5); a missing file is empty.
func loginDefs(r host.Reader) (map[string]string, error) {
	out := map[string]string{}
	there, err := host.Exists(r, "/etc/login.defs")
	if _, unknown := host.IsUnknown(err); unknown || err == nil && !there {
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	b, err := host.ReadFile(r, "/etc/login.defs")
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) >= 2 && !strings.HasPrefix(f[0], "#") {
			out[f[0]] = f[1]
		}
	}
	return out, err
}
