// Package files is what the modules about files share: mode, owner and group
// as options, what a path is and how it differs from what is wanted, writing
// with backup and validation, and the return values that Ansible documents.
//
// It works through host.Reader and host.Writer only, so that all of it holds
// for a real host, for the shadow of a dry run and for a fake host. It must
// not know of the controller.
package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/host/accounts"
	"github.com/foobar-play/foobar-play/pkg/modules"
)

// LeftOut names the options of Ansible's file modules that none of ours has,
// for their docs.
const LeftOut = "Left out: attributes, selevel, serole, setype, seuser and unsafe_writes " +
	"(writes are always atomic; extended attributes and SELinux labels are not managed)."

// Attrs are the options for mode and owner; embed it in an options struct.
type Attrs struct {
	Mode  modules.FileMode `arg:"mode" doc:"Permission bits, as \"0644\" or u=rw,g=r,o=r. Left out: those of the file that is there; 0644 for a new file, 0755 for a new directory."`
	Owner string           `arg:"owner" doc:"Name or number of the user that owns it. Left out: as it is; for something new, the user the task runs as."`
	Group string           `arg:"group" doc:"Name or number of the group. Left out: as it is; for something new, the group of the user the task runs as."`
}

// Default modes of something new; the umask does not apply.
const (
	NewFileMode = 0o644
	NewDirMode  = 0o755
)

// Ownership is the wanted owner and group by number, -1 where the options
// leave it open.
type Ownership struct {
	UID, GID     int
	Owner, Group string
	known        bool
}

// Ownership finds the numbers of owner and group. The error is for the user
// when one does not exist.
func (a Attrs) Ownership(ctx context.Context, r host.Reader) (Ownership, error) {
	o := Ownership{UID: -1, GID: -1, known: true}
	var err error
	if n, isNumber := number(a.Owner); isNumber {
		o.UID = n
		if o.Owner, err = userName(ctx, r, n); err != nil {
			return o, fmt.Errorf("find the owner %s: %w", a.Owner, err)
		}
	} else if a.Owner != "" {
		u, ok, err := accounts.LookupUser(ctx, r, a.Owner)
		if err != nil {
			return o, fmt.Errorf("find the owner %s: %w", a.Owner, err)
		}
		if !ok {
			return o, fmt.Errorf("there is no user %s on the host (option owner)", a.Owner)
		}
		o.UID, o.Owner = u.UID, u.Name
	}
	if n, isNumber := number(a.Group); isNumber {
		o.GID = n
		if o.Group, err = groupName(ctx, r, n); err != nil {
			return o, fmt.Errorf("find the group %s: %w", a.Group, err)
		}
	} else if a.Group != "" {
		g, ok, err := accounts.LookupGroup(ctx, r, a.Group)
		if err != nil {
			return o, fmt.Errorf("find the group %s: %w", a.Group, err)
		}
		if !ok {
			return o, fmt.Errorf("there is no group %s on the host (option group)", a.Group)
		}
		o.GID, o.Group = g.GID, g.Name
	}
	return o, nil
}

func number(s string) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil && n >= 0
}

// userName gives the name of a number, or the number when it has none or, in a
// dry run, none yet.
func userName(ctx context.Context, r host.Reader, uid int) (string, error) {
	u, ok, err := accounts.UserByID(ctx, r, uid)
	return nameOr(u.Name, uid, ok, err)
}

func groupName(ctx context.Context, r host.Reader, gid int) (string, error) {
	g, ok, err := accounts.GroupByID(ctx, r, gid)
	return nameOr(g.Name, gid, ok, err)
}

func nameOr(name string, id int, ok bool, err error) (string, error) {
	if _, unknown := host.IsUnknown(err); unknown || err == nil && !ok {
		return strconv.Itoa(id), nil
	}
	return name, err
}

// Entry is one path, as it is or as it is wanted. In a wanted entry -1 leaves
// UID or GID open.
type Entry struct {
	Type         host.FileType // "" when nothing is there
	Mode         uint32
	UID, GID     int
	Owner, Group string
	Size         int64
	Target       string // of a link
}

// Look describes a path without following a final link; nothing there is an
// Entry of type "".
func Look(ctx context.Context, r host.Reader, p string) (Entry, error) {
	info, err := r.Lstat(p)
	if errors.Is(err, fs.ErrNotExist) {
		return Entry{}, nil
	}
	if err != nil {
		return Entry{}, fmt.Errorf("look at %s: %w", p, err)
	}
	return EntryOf(ctx, r, info)
}

// EntryOf adds the names of owner and group to a description; a number without
// a name is its own name.
func EntryOf(ctx context.Context, r host.Reader, info host.FileInfo) (Entry, error) {
	e := Entry{Type: info.Type, Mode: info.Mode, UID: info.UID, GID: info.GID, Size: info.Size, Target: info.Target}
	var err error
	if e.Owner, err = userName(ctx, r, info.UID); err != nil {
		return e, fmt.Errorf("name the owner of %s: %w", info.Path, err)
	}
	if e.Group, err = groupName(ctx, r, info.GID); err != nil {
		return e, fmt.Errorf("name the group of %s: %w", info.Path, err)
	}
	return e, nil
}

// Want gives cur with the attributes that are wanted for something of type
// typ. What is of another type now is made anew and inherits nothing.
func (a Attrs) Want(cur Entry, typ host.FileType, own Ownership) Entry {
	want := cur
	if cur.Type != typ {
		want = Entry{Type: typ, UID: -1, GID: -1, Mode: NewFileMode}
		if typ == host.Directory {
			want.Mode = NewDirMode
		}
	}
	want.Mode = a.Mode.Resolve(want.Mode, typ == host.Directory)
	if own.known && own.UID >= 0 {
		want.UID, want.Owner = own.UID, own.Owner
	}
	if own.known && own.GID >= 0 {
		want.GID, want.Group = own.GID, own.Group
	}
	return want
}

// Changes lists how want differs from cur in type and attributes. p is the
// path the changes are about, "" when the task is about one path only.
func Changes(cur, want Entry, p string) []modules.Change {
	var out []modules.Change
	add := func(field string, before, after any) {
		out = append(out, modules.Change{Field: field, Before: before, After: after, Path: p})
	}
	if cur.Type != want.Type {
		add("state", StateOf(cur), StateOf(want))
	}
	if want.Type == "" {
		return out
	}
	isNew := cur.Type != want.Type
	if want.Type != host.Link && (isNew || cur.Mode != want.Mode) {
		add("mode", modeText(cur), modeText(want))
	}
	if want.UID >= 0 && (isNew || cur.UID != want.UID) {
		add("owner", textOrNil(cur.Owner), want.Owner)
	}
	if want.GID >= 0 && (isNew || cur.GID != want.GID) {
		add("group", textOrNil(cur.Group), want.Group)
	}
	return out
}

func textOrNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func modeText(e Entry) any {
	if e.Type == "" || e.Type == host.Link {
		return nil
	}
	return ModeText(e.Mode)
}

// ModeText writes permission bits as Ansible does: "0644".
func ModeText(bits uint32) string { return fmt.Sprintf("%04o", bits) }

// StateOf is the word of Ansible's file module for what a path is.
func StateOf(e Entry) string {
	switch e.Type {
	case "":
		return "absent"
	case host.Other:
		return "file"
	}
	return string(e.Type)
}

// Dress brings owner and mode of what is at p from cur to want. Owner comes
// first, because changing it clears setuid.
func Dress(w host.Writer, p string, cur, want Entry) error {
	uid, gid := -1, -1
	if want.UID >= 0 && want.UID != cur.UID {
		uid = want.UID
	}
	if want.GID >= 0 && want.GID != cur.GID {
		gid = want.GID
	}
	if uid >= 0 || gid >= 0 {
		if err := w.Chown(p, uid, gid); err != nil {
			return fmt.Errorf("change the owner of %s: %w", p, err)
		}
	}
	if want.Type == host.Link {
		return nil
	}
	now, err := w.Lstat(p)
	if err != nil {
		return err
	}
	if now.Mode != want.Mode {
		if err := w.Chmod(p, want.Mode); err != nil {
			return fmt.Errorf("change the mode of %s: %w", p, err)
		}
	}
	return nil
}

// MakeDir makes a directory with the attributes of want.
func MakeDir(w host.Writer, p string, want Entry) error {
	if err := w.Mkdir(p, want.Mode); err != nil {
		return fmt.Errorf("make the directory %s: %w", p, err)
	}
	return Dress(w, p, Entry{UID: -1, GID: -1}, want)
}

// Values are the return values about one path that all file modules share.
func (e Entry) Values() map[string]any {
	v := map[string]any{"state": StateOf(e)}
	if e.Type == "" {
		return v
	}
	v["size"] = int(e.Size)
	v["mode"] = ModeText(e.Mode)
	if e.UID >= 0 {
		v["uid"], v["owner"] = e.UID, e.Owner
	}
	if e.GID >= 0 {
		v["gid"], v["group"] = e.GID, e.Group
	}
	return v
}

// Follow gives the path that a final link leads to, by as many links as there
// are; a path that is no link, or is not there, is returned as it is.
func Follow(r host.Reader, p string) (string, error) {
	for range 40 {
		info, err := r.Lstat(p)
		if errors.Is(err, fs.ErrNotExist) || err == nil && info.Type != host.Link {
			return p, nil
		}
		if err != nil {
			return p, err
		}
		if path.IsAbs(info.Target) {
			p = path.Clean(info.Target)
		} else {
			p = path.Join(path.Dir(p), info.Target)
		}
	}
	return p, fmt.Errorf("%s: too many levels of symbolic links", p)
}

// IsDir reports whether p leads to a directory. A failed look is an error.
func IsDir(r host.Reader, p string) (bool, error) {
	info, err := r.Stat(p)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && info.Type == host.Directory, err
}

// Expand makes a path of the user's absolute: "~" is the home of the user the
// task runs as, "~name" that of another. A relative path is an error. A slash
// at the end stays.
func Expand(ctx context.Context, env modules.Env, r host.Reader, p string) (string, error) {
	if !strings.HasPrefix(p, "~") {
		if !path.IsAbs(p) {
			return "", fmt.Errorf("the path %q is relative: write an absolute one, or ~/…", p)
		}
		return clean(p), nil
	}
	head, rest, _ := strings.Cut(p, "/")
	if head == "~" {
		home, ok := env.LookupEnv("HOME")
		if !ok || !path.IsAbs(home) {
			return "", fmt.Errorf("expand %s: the task's user has no HOME in the environment", p)
		}
		return clean(home + "/" + rest), nil
	}
	u, ok, err := accounts.LookupUser(ctx, r, head[1:])
	if err != nil {
		return "", fmt.Errorf("expand %s: %w", p, err)
	}
	if !ok {
		return "", fmt.Errorf("expand %s: there is no user %s on the host", p, head[1:])
	}
	return clean(u.Home + "/" + rest), nil
}

func clean(p string) string {
	c := path.Clean(p)
	if strings.HasSuffix(p, "/") && c != "/" {
		return c + "/"
	}
	return c
}
