// Package accounts finds users and groups of a host through a host.Reader, so
// that it holds for the real machine, for a dry run's shadow (where an earlier
// task may have added a line to /etc/passwd) and for a fake host alike.
//
// /etc/passwd and /etc/group are read first; a name that is not in them is
// asked of getent, because directories (LDAP, sssd) are not in files. "No such
// account" needs both to say so; while a package is pending that may bring the
// account, the answer is *host.UnknownError.
package accounts

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"strconv"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/host"
)

// ErrNotFound is matched by the error of a lookup when the account is
// positively not there.
var ErrNotFound = errors.New("no such account")

// User is one line of the user database.
type User struct {
	Name     string
	UID, GID int
	Comment  string // the GECOS field
	Home     string
	Shell    string
}

// Group is one line of the group database.
type Group struct {
	Name    string
	GID     int
	Members []string // users whose primary group it is are not listed
}

// LookupUser finds a user by name.
func LookupUser(r host.Reader, name string) (User, error) {
	f, err := lookup(r, "user", "passwd", name, 0)
	return userOf(f), err
}

// UserByID finds a user by number.
func UserByID(r host.Reader, uid int) (User, error) {
	f, err := lookup(r, "user", "passwd", strconv.Itoa(uid), 2)
	return userOf(f), err
}

// LookupGroup finds a group by name.
func LookupGroup(r host.Reader, name string) (Group, error) {
	f, err := lookup(r, "group", "group", name, 0)
	return groupOf(f), err
}

// GroupByID finds a group by number.
func GroupByID(r host.Reader, gid int) (Group, error) {
	f, err := lookup(r, "group", "group", strconv.Itoa(gid), 2)
	return groupOf(f), err
}

// lookup finds the line of a database whose field at index col is key.
func lookup(r host.Reader, what, db, key string, col int) ([]string, error) {
	text, err := host.ReadFile(r, "/etc/"+db)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("look the %s %s up: %w", what, key, err)
	}
	if f := lineOf(string(text), key, col); f != nil {
		return f, nil
	}
	missing := fmt.Errorf("there is no %s %s: %w", what, key, ErrNotFound)
	_, isNumber := strconv.Atoi(key)
	if reason, pending := host.Pending(r); pending && (col == 0) == (isNumber != nil) {
		return nil, host.Unknownf("whether there is a %s %s: %s", what, key, reason)
	}
	// getent takes a number for an id, never for a name, and nothing else for
	// an id.
	if (isNumber == nil) != (col == 2) || strings.HasPrefix(key, "-") || key == "" {
		return nil, missing
	}
	cmd := host.Command{Argv: []string{"getent", db, key}}
	out, err := r.Query(context.Background(), cmd)
	switch {
	case errors.Is(err, exec.ErrNotFound), err == nil && out.RC == 2:
		return nil, missing
	case host.Check(cmd, out, err) != nil:
		return nil, fmt.Errorf("look the %s %s up: %w", what, key, host.Check(cmd, out, err))
	}
	if f := lineOf(string(out.Stdout), key, col); f != nil {
		return f, nil
	}
	return nil, missing
}

// lineOf gives the fields of the first line whose field at index col is key.
func lineOf(text, key string, col int) []string {
	for line := range strings.Lines(text) {
		f := strings.Split(strings.TrimRight(line, "\n"), ":")
		if len(f) > col && f[col] == key && len(f) >= 4 && !strings.HasPrefix(line, "#") {
			return f
		}
	}
	return nil
}

func userOf(f []string) User {
	if f == nil {
		return User{}
	}
	for len(f) < 7 {
		f = append(f, "")
	}
	return User{Name: f[0], UID: number(f[2]), GID: number(f[3]), Comment: f[4], Home: f[5], Shell: f[6]}
}

func groupOf(f []string) Group {
	if f == nil {
		return Group{}
	}
	g := Group{Name: f[0], GID: number(f[2])}
	if f[3] != "" {
		g.Members = strings.Split(f[3], ",")
	}
	return g
}

func number(s string) int {
	if n, err := strconv.Atoi(s); err == nil {
		return n
	}
	return -1
}
