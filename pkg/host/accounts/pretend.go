package accounts

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/host"
)

// pretendUser does to a shadow what useradd does to a host.
func pretendUser(ctx context.Context, w host.Writer, name string, s Settings) error {
	if t, err := load(w, passwdFile); err != nil || t.find(name) != nil {
		if err == nil {
			err = pretendChange(ctx, w, name, s)
		}
		return err
	}
	uid := s.UID
	if uid == nil {
		n, err := freeID(w, passwdFile, "UID", s.System)
		if err != nil {
			return err
		}
		uid = &n
	}
	gid, err := pretendPrimary(ctx, w, name, *uid, s)
	if err != nil {
		return err
	}
	u := User{Name: name, UID: *uid, GID: gid, Comment: or(s.Comment, ""), Home: or(s.Home, "/home/"+name), Shell: or(s.Shell, defaultShell(w))}
	w.Note(removedNote(passwdFile), name, nil)
	if err := edit(w, passwdFile, func(t *table) error { t.put(name, u.fields()); return nil }); err != nil {
		return err
	}
	expires := ""
	if s.Expires != nil && *s.Expires >= 0 {
		expires = strconv.Itoa(*s.Expires)
	}
	err = editSecret(w, func(t *table) error {
		t.put(name, []string{name, "!", "", "0", "99999", "7", "", expires, ""})
		return nil
	})
	if err != nil {
		return err
	}
	if s.Groups != nil {
		if err := pretendMembership(w, name, *s.Groups); err != nil {
			return err
		}
	}
	if s.MakeHome {
		return MakeHome(w, u, HomeOptions{Skeleton: s.Skeleton, UMask: s.UMask})
	}
	return nil
}

// pretendPrimary finds the primary group's number; by default a group of the
// user's own is made.
func pretendPrimary(ctx context.Context, w host.Writer, name string, uid int, s Settings) (int, error) {
	if s.Group != nil {
		return groupNumber(ctx, w, *s.Group)
	}
	if g, ok, err := LookupGroup(ctx, w, name); err == nil && ok {
		return g.GID, nil
	}
	gid := uid
	if _, taken, err := GroupByID(ctx, w, gid); err == nil && taken {
		n, err := freeID(w, groupFile, "GID", s.System)
		if err != nil {
			return 0, err
		}
		gid = n
	}
	return gid, edit(w, groupFile, func(t *table) error {
		t.put(name, []string{name, "x", strconv.Itoa(gid), ""})
		return nil
	})
}

// groupNumber resolves a group given by name or number.
func groupNumber(ctx context.Context, r host.Reader, group string) (int, error) {
	g, ok, err := LookupGroup(ctx, r, group)
	if ok || err != nil {
		return g.GID, err
	}
	if n, err := strconv.Atoi(group); err == nil {
		return n, nil
	}
	return 0, host.Unknownf("there is no group %s yet", group)
}

// pretendChange does to a shadow what usermod does to a host.
func pretendChange(ctx context.Context, w host.Writer, name string, s Settings) error {
	err := edit(w, passwdFile, func(t *table) error {
		f := t.find(name)
		if f == nil {
			return nil
		}
		u := userOf(f, true)
		if s.UID != nil {
			u.UID = *s.UID
		}
		if s.Group != nil {
			gid, err := groupNumber(ctx, w, *s.Group)
			if err != nil {
				return err
			}
			u.GID = gid
		}
		u.Comment, u.Shell = or(s.Comment, u.Comment), or(s.Shell, u.Shell)
		if s.Home != nil && s.MoveHome {
			if err := pretendMove(w, u.Home, *s.Home); err != nil {
				return err
			}
		}
		u.Home = or(s.Home, u.Home)
		t.put(name, u.fields())
		return nil
	})
	if err != nil {
		return err
	}
	if s.Groups != nil {
		if err := pretendMembership(w, name, *s.Groups); err != nil {
			return err
		}
	}
	return pretendSecret(w, name, s)
}

func pretendSecret(w host.Writer, name string, s Settings) error {
	if s.Expires != nil {
		day := ""
		if *s.Expires >= 0 {
			day = strconv.Itoa(*s.Expires)
		}
		if err := setSecret(w, name, 7, day); err != nil {
			return err
		}
	}
	if s.Lock == nil {
		return nil
	}
	secret, _, err := LookupSecret(w, name)
	if err != nil {
		return err
	}
	hash := strings.TrimPrefix(secret.Hash, "!")
	if *s.Lock {
		hash = "!" + hash
	}
	return setSecret(w, name, 1, hash)
}

func pretendMove(w host.Writer, from, to string) error {
	there, err := host.Exists(w, from)
	if err != nil || !there || from == to {
		return err
	}
	return w.Rename(from, to)
}

// pretendMembership makes groups the supplementary groups of a user.
func pretendMembership(w host.Writer, name string, groups []string) error {
	return edit(w, groupFile, func(t *table) error {
		for _, f := range t.entries() {
			g := groupOf(f, true)
			in, want := slices.Contains(g.Members, name), slices.Contains(groups, g.Name)
			switch {
			case in && !want:
				g.Members = slices.DeleteFunc(g.Members, func(m string) bool { return m == name })
			case want && !in:
				g.Members = append(g.Members, name)
			default:
				continue
			}
			t.put(g.Name, []string{g.Name, f[1], f[2], strings.Join(g.Members, ",")})
		}
		return nil
	})
}

// pretendRemoval does to a shadow what userdel does to a host.
func pretendRemoval(ctx context.Context, w host.Writer, name string, home bool) error {
	u, ok, err := LookupUser(ctx, w, name)
	if err != nil {
		return err
	}
	w.Note(removedNote(passwdFile), name, true)
	if err := edit(w, passwdFile, func(t *table) error { t.remove(name); return nil }); err != nil {
		return err
	}
	if err := editSecret(w, func(t *table) error { t.remove(name); return nil }); err != nil {
		return err
	}
	if err := pretendMembership(w, name, nil); err != nil {
		return err
	}
	err = edit(w, groupFile, func(t *table) error {
		if f := t.find(name); f != nil && f[3] == "" {
			t.remove(name)
			w.Note(removedNote(groupFile), name, true)
		}
		return nil
	})
	if err != nil || !home || !ok {
		return err
	}
	return w.Remove(u.Home)
}

// setSecret sets one field of a user's line in /etc/shadow.
func setSecret(w host.Writer, name string, field int, v string) error {
	return editSecret(w, func(t *table) error {
		if f := t.find(name); f != nil {
			f[field] = v
			t.put(name, f)
		}
		return nil
	})
}

// editSecret edits /etc/shadow where there is one.
func editSecret(w host.Writer, change func(t *table) error) error {
	err := edit(w, shadowFile, change)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (u User) fields() []string {
	return []string{u.Name, "x", strconv.Itoa(u.UID), strconv.Itoa(u.GID), u.Comment, u.Home, u.Shell}
}

// defaultShell is useradd's, from /etc/default/useradd.
func defaultShell(r host.Reader) string {
	b, _ := host.ReadFile(r, "/etc/default/useradd")
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), "SHELL="); ok {
			return v
		}
	}
	return "/bin/sh"
}

func or(p *string, v string) string {
	if p != nil {
		return *p
	}
	return v
}

// HomeOptions say how MakeHome makes a home.
type HomeOptions struct {
	Skeleton string // directory to copy from; "" is /etc/skel
	UMask    string // octal; "" takes HOME_MODE or UMASK of login.defs
}

// MakeHome makes a user's home directory as useradd does, with a copy of the
// skeleton, when nothing is there. Parents that lack are made 0755.
func MakeHome(w host.Writer, u User, o HomeOptions) error {
	there, err := host.Exists(w, u.Home)
	if err != nil || there {
		return err
	}
	mode, err := homeMode(w, o.UMask)
	if err != nil {
		return err
	}
	if err := makeParents(w, path.Dir(u.Home)); err != nil {
		return err
	}
	skel := o.Skeleton
	if skel == "" {
		skel = "/etc/skel"
	}
	if err := w.Mkdir(u.Home, mode); err != nil {
		return err
	}
	if err := copyTree(w, skel, u.Home, u); err != nil {
		return err
	}
	return w.Chown(u.Home, u.UID, u.GID)
}

func homeMode(r host.Reader, umask string) (uint32, error) {
	defs, err := loginDefs(r)
	if err != nil {
		return 0, err
	}
	if umask == "" {
		if m, err := strconv.ParseUint(defs["HOME_MODE"], 8, 32); err == nil {
			return uint32(m), nil
		}
		umask = defs["UMASK"]
	}
	if m, err := strconv.ParseUint(umask, 8, 32); err == nil {
		return 0o777 &^ uint32(m), nil
	}
	return 0o755, nil
}

func makeParents(w host.Writer, dir string) error {
	there, err := host.Exists(w, dir)
	if err != nil || there {
		return err
	}
	if err := makeParents(w, path.Dir(dir)); err != nil {
		return err
	}
	return w.Mkdir(dir, 0o755)
}

// copyTree copies files, directories and links below from; a missing skeleton
// is an empty one.
func copyTree(w host.Writer, from, to string, u User) error {
	list, err := w.ReadDir(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, fi := range list {
		dest := path.Join(to, path.Base(fi.Path))
		switch fi.Type {
		case host.Directory:
			if err = w.Mkdir(dest, fi.Mode); err == nil {
				err = copyTree(w, fi.Path, dest, u)
			}
		case host.Link:
			err = w.Symlink(fi.Target, dest)
		case host.File:
			err = copyFile(w, fi, dest)
		default:
			continue
		}
		if err != nil {
			return err
		}
		if err := w.Chown(dest, u.UID, u.GID); err != nil {
			return err
		}
	}
	return nil
}

func copyFile(w host.Writer, fi host.FileInfo, dest string) error {
	f, err := w.Open(fi.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	mode := fi.Mode
	return w.WriteFile(dest, f, host.Attrs{Mode: &mode})
}
