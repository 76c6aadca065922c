// Package accounts knows the users and groups of a host. It reads
// /etc/passwd, /etc/group and /etc/shadow through a host.Reader, since the
// agent is a static binary without NSS, and falls back on getent(1) for
// accounts of other sources (LDAP …). It writes with useradd(8) and its
// siblings, each with a Pretend that edits the files of a shadow, so that
// everything holds for real, pretended and fake hosts.
//
// It must not know which module asks, or what its options are called.
package accounts

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// The files of accounts.
const (
	passwdFile = "/etc/passwd"
	groupFile  = "/etc/group"
	shadowFile = "/etc/shadow"
)

// User is a line of passwd(5).
type User struct {
	Name     string
	UID, GID int
	Comment  string // the GECOS field
	Home     string
	Shell    string
	// Local tells that the user is in /etc/passwd, where it can be changed.
	Local bool
}

// Group is a line of group(5).
type Group struct {
	Name    string
	GID     int
	Members []string // whose supplementary group it is
	Local   bool     // in /etc/group
}

// LookupUser finds a user by name; ok is false when there is none. While
// something is pending in a dry run, a missing user is *host.UnknownError: a
// package may bring it.
func LookupUser(ctx context.Context, r host.Reader, name string) (u User, ok bool, err error) {
	f, err := find(ctx, r, passwdFile, name, func(f []string) bool { return f[0] == name })
	if f == nil || err != nil {
		return User{}, false, err
	}
	return userOf(f.fields, f.local), true, nil
}

// UserByID finds a user by number; ok is false when there is none.
func UserByID(ctx context.Context, r host.Reader, uid int) (u User, ok bool, err error) {
	id := strconv.Itoa(uid)
	f, err := find(ctx, r, passwdFile, id, func(f []string) bool { return f[2] == id })
	if f == nil || err != nil {
		return User{}, false, err
	}
	return userOf(f.fields, f.local), true, nil
}

// LookupGroup finds a group by name; ok is false when there is none. While
// something is pending in a dry run, a missing group is *host.UnknownError.
func LookupGroup(ctx context.Context, r host.Reader, name string) (g Group, ok bool, err error) {
	f, err := find(ctx, r, groupFile, name, func(f []string) bool { return f[0] == name })
	if f == nil || err != nil {
		return Group{}, false, err
	}
	return groupOf(f.fields, f.local), true, nil
}

// GroupByID finds a group by number; ok is false when there is none.
func GroupByID(ctx context.Context, r host.Reader, gid int) (g Group, ok bool, err error) {
	id := strconv.Itoa(gid)
	f, err := find(ctx, r, groupFile, id, func(f []string) bool { return f[2] == id })
	if f == nil || err != nil {
		return Group{}, false, err
	}
	return groupOf(f.fields, f.local), true, nil
}

// GroupsOf lists the names of a user's supplementary groups in /etc/group,
// sorted.
func GroupsOf(r host.Reader, user string) ([]string, error) {
	t, err := load(r, groupFile)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, f := range t.entries() {
		if g := groupOf(f, true); slices.Contains(g.Members, user) {
			out = append(out, g.Name)
		}
	}
	slices.Sort(out)
	return out, nil
}

// Secret is a line of shadow(5).
type Secret struct {
	// Hash is crypt(3)'s, "!" or "*" when no password fits; a leading "!"
	// locks the account.
	Hash string
	// Expires is the day the account expires, counted from 1970-01-01; -1 when
	// it does not. Min, Max and Warn are password_expire_* in days, -1 unset.
	Expires, Min, Max, Warn int
}

// LookupSecret reads a user's line of /etc/shadow, which only root may; ok is
// false when there is none.
func LookupSecret(r host.Reader, user string) (s Secret, ok bool, err error) {
	t, err := load(r, shadowFile)
	if err != nil {
		return Secret{}, false, err
	}
	f := t.find(user)
	if f == nil {
		return Secret{}, false, nil
	}
	day := func(i int) int {
		if i < len(f) {
			if n, err := strconv.Atoi(f[i]); err == nil {
				return n
			}
		}
		return -1
	}
	return Secret{Hash: f[1], Expires: day(7), Min: day(3), Max: day(4), Warn: day(5)}, true, nil
}

func userOf(f []string, local bool) User {
	uid, _ := strconv.Atoi(f[2])
	gid, _ := strconv.Atoi(f[3])
	return User{Name: f[0], UID: uid, GID: gid, Comment: f[4], Home: f[5], Shell: f[6], Local: local}
}

func groupOf(f []string, local bool) Group {
	gid, _ := strconv.Atoi(f[2])
	g := Group{Name: f[0], GID: gid, Local: local}
	for m := range strings.SplitSeq(f[3], ",") {
		if m = strings.TrimSpace(m); m != "" {
			g.Members = append(g.Members, m)
		}
	}
	return g
}

type found struct {
	fields []string
	local  bool
}

// find looks in the file, then asks getent, unless an earlier task of a dry
// run removed the account.
func find(ctx context.Context, r host.Reader, file, key string, match func([]string) bool) (*found, error) {
	t, err := load(r, file)
	if err != nil {
		return nil, err
	}
	for _, f := range t.entries() {
		if match(f) {
			return &found{f, true}, nil
		}
	}
	if _, gone := r.Noted(removedNote(file), key); gone {
		return nil, nil
	}
	f, err := getent(ctx, r, file, key)
	if f != nil || err != nil {
		return f, err
	}
	if reason, ok := host.Pending(r); ok {
		return nil, host.Unknownf("whether there is a %s %s: %s", kindOf(file), key, reason)
	}
	return nil, nil
}

func kindOf(file string) string {
	if file == groupFile {
		return "group"
	}
	return "user"
}

// removedNote is the kind of note left where an account is pretended to be
// removed.
func removedNote(file string) string { return kindOf(file) + " removed" }

// getent asks the host's name service, when it has sources besides the files.
func getent(ctx context.Context, r host.Reader, file, key string) (*found, error) {
	db := strings.TrimPrefix(file, "/etc/")
	more, err := elsewhere(r, db)
	if err != nil || !more || key == "" || strings.HasPrefix(key, "-") {
		return nil, err
	}
	cmd := host.Command{Argv: []string{"getent", db, key}}
	out, err := r.Query(ctx, cmd)
	if _, unknown := host.IsUnknown(err); unknown || errors.Is(err, exec.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("ask for the %s %s: %w", kindOf(file), key, err)
	}
	switch out.RC {
	case 0:
		f := fieldsOf(strings.TrimSpace(string(out.Stdout)), widths[file])
		if f == nil {
			return nil, fmt.Errorf("ask for the %s %s: getent answered %q", kindOf(file), key, out.Stdout)
		}
		return &found{f, false}, nil
	case 2:
		return nil, nil
	}
	return nil, host.Check(cmd, out, nil)
}

// elsewhere reports whether nsswitch.conf(5) names sources of accounts besides
// the files.
func elsewhere(r host.Reader, db string) (bool, error) {
	b, err := host.ReadFile(r, "/etc/nsswitch.conf")
	if _, unknown := host.IsUnknown(err); unknown {
		return true, nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read where accounts come from: %w", err)
	}
	for line := range strings.Lines(string(b)) {
		line, _, _ = strings.Cut(line, "#")
		name, sources, ok := strings.Cut(line, ":")
		if !ok || strings.TrimSpace(name) != db {
			continue
		}
		for s := range strings.FieldsSeq(sources) {
			if s != "files" && s != "compat" && !strings.HasPrefix(s, "[") {
				return true, nil
			}
		}
	}
	return false, nil
}

// Unassigned is the return value of what the system will choose.
var Unassigned = value.Unknown{Reason: "the system chooses it in the run"}
