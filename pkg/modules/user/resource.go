package user

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/host/accounts"
	"github.com/foobar-play/foobar-play/pkg/modules"
)

// account is the state of a user, as far as the options ask for it. Its zero
// value is no user.
type account struct {
	there  bool
	user   accounts.User // UID and GID are -1 where not known
	groups []string
	secret accounts.Secret
	locked bool
	home   bool   // the home directory is there
	key    bool   // the SSH key is there
	fresh  bool   // a new SSH key is wanted, although there is one
	keyPub string // the public key's line
	// primary is the number of the group asked for.
	primary int
}

type resource struct {
	*Options
	now account // the latest that is known
	// chosen tells that a dry run left the numbers to the system.
	chosen bool
	made   bool // a new SSH key
}

func (r *resource) Current(ctx context.Context, h host.Reader) (account, error) {
	unset := accounts.Secret{Expires: -1, Min: -1, Max: -1, Warn: -1}
	a := account{user: accounts.User{UID: -1, GID: -1}, secret: unset, primary: -1}
	u, ok, err := accounts.LookupUser(ctx, h, r.Name)
	if err != nil {
		return a, err
	}
	if r.State == "present" {
		if err := r.wantedGroups(ctx, h, &a); err != nil {
			return a, err
		}
	}
	if !ok {
		r.now = a
		return a, nil
	}
	if !u.Local {
		return a, fmt.Errorf("the user %s is not in /etc/passwd, it comes from another source: it can be changed there only", r.Name)
	}
	a.there, a.user = true, u
	if a.groups, err = accounts.GroupsOf(h, r.Name); err != nil {
		return a, err
	}
	if err := r.secrets(h, &a); err != nil {
		return a, err
	}
	if r.State == "present" {
		err = r.files(h, &a)
	}
	r.now = a
	return a, err
}

// wantedGroups finds out that all groups asked for are there.
func (r *resource) wantedGroups(ctx context.Context, h host.Reader, a *account) error {
	if r.Group != "" {
		g, err := group(ctx, h, r.Group)
		if err != nil {
			return err
		}
		a.primary = g.GID
	}
	for i, name := range r.Groups {
		g, err := group(ctx, h, name)
		if err != nil {
			return err
		}
		r.Groups[i] = g.Name
	}
	return nil
}

// group resolves a group's name or number.
func group(ctx context.Context, h host.Reader, name string) (accounts.Group, error) {
	g, ok, err := accounts.LookupGroup(ctx, h, name)
	if n, numErr := strconv.Atoi(name); err == nil && !ok && numErr == nil {
		g, ok, err = accounts.GroupByID(ctx, h, n)
	}
	if err == nil && !ok {
		err = fmt.Errorf("Group %s does not exist: make it first, with the module group", name)
	}
	return g, err
}

// secrets reads /etc/shadow when an option asks for what is in it.
func (r *resource) secrets(h host.Reader, a *account) error {
	always := r.Password != nil && r.UpdatePassword == "always"
	if !always && r.PasswordLock == nil && r.Expires == nil && r.PasswordMax == nil && r.PasswordMin == nil && r.PasswordWarn == nil {
		return nil
	}
	s, ok, err := accounts.LookupSecret(h, r.Name)
	if err != nil {
		return err
	}
	if !ok {
		s = accounts.Secret{Expires: -1, Min: -1, Max: -1, Warn: -1}
	}
	a.secret = s
	a.locked = strings.HasPrefix(s.Hash, "!")
	a.secret.Hash = strings.TrimPrefix(s.Hash, "!")
	return nil
}

// files looks for the home and the SSH key.
func (r *resource) files(h host.Reader, a *account) error {
	home := a.user.Home
	if r.Home != nil {
		home = *r.Home
	}
	var err error
	if r.CreateHome {
		if a.home, err = host.Exists(h, home); err != nil {
			return err
		}
	}
	if !r.GenerateSSHKey {
		return nil
	}
	file := r.keyFile(home)
	if a.key, err = host.Exists(h, file); err != nil || !a.key {
		return err
	}
	b, err := host.ReadFile(h, file+".pub")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	a.keyPub = strings.TrimSpace(string(b))
	return err
}

func (r *resource) Desired(cur account) (account, error) {
	if r.State == "absent" {
		return account{}, nil
	}
	want := cur
	want.there = true
	if r.UID != nil {
		want.user.UID = *r.UID
	}
	if r.Group != "" {
		want.user.GID = cur.primary
	}
	text := func(dst *string, opt *string) {
		if opt != nil {
			*dst = *opt
		}
	}
	text(&want.user.Comment, r.Comment)
	text(&want.user.Home, r.Home)
	text(&want.user.Shell, r.Shell)
	if r.Groups != nil {
		want.groups = slices.Clone(r.Groups)
		if r.Append {
			want.groups = append(want.groups, cur.groups...)
		}
		slices.Sort(want.groups)
		want.groups = slices.Compact(want.groups)
	}
	r.wantSecrets(cur, &want)
	want.home = want.home || r.CreateHome
	want.key = want.key || r.GenerateSSHKey
	want.fresh = r.GenerateSSHKey && r.Force && cur.key && !r.made
	return want, nil
}

func (r *resource) wantSecrets(cur account, want *account) {
	if r.Password != nil && (!cur.there || r.UpdatePassword == "always") {
		want.secret.Hash = strings.TrimPrefix(*r.Password, "!")
		want.locked = strings.HasPrefix(*r.Password, "!")
	}
	if r.PasswordLock != nil {
		want.locked = *r.PasswordLock
	}
	if r.Expires != nil {
		want.secret.Expires = -1
		if *r.Expires >= 0 {
			want.secret.Expires = int(math.Floor(*r.Expires / 86400))
		}
	}
	number := func(dst *int, opt *int) {
		if opt != nil {
			*dst = *opt
		}
	}
	number(&want.secret.Min, r.PasswordMin)
	number(&want.secret.Max, r.PasswordMax)
	number(&want.secret.Warn, r.PasswordWarn)
}

func (r *resource) Diff(cur, want account) []modules.Change {
	var out []modules.Change
	add := func(field string, differs bool, before, after any) {
		if differs {
			out = append(out, modules.Change{Field: field, Before: before, After: after})
		}
	}
	add("state", cur.there != want.there, presence(cur.there), presence(want.there))
	if !want.there {
		return out
	}
	add("uid", cur.user.UID != want.user.UID, known(cur.user.UID), want.user.UID)
	add("group", cur.user.GID != want.user.GID, known(cur.user.GID), want.user.GID)
	add("groups", !slices.Equal(cur.groups, want.groups), list(cur.groups), list(want.groups))
	add("comment", cur.user.Comment != want.user.Comment, cur.user.Comment, want.user.Comment)
	add("home", cur.user.Home != want.user.Home, cur.user.Home, want.user.Home)
	add("shell", cur.user.Shell != want.user.Shell, cur.user.Shell, want.user.Shell)
	if cur.secret.Hash != want.secret.Hash {
		out = append(out, modules.Change{Field: "password", Before: cur.secret.Hash, After: want.secret.Hash, Sensitive: true})
	}
	add("password_lock", cur.locked != want.locked && (cur.there || want.locked), cur.locked, want.locked)
	add("expires", cur.secret.Expires != want.secret.Expires && (cur.there || want.secret.Expires >= 0), day(cur.secret.Expires), day(want.secret.Expires))
	add("password_expire_min", cur.secret.Min != want.secret.Min, known(cur.secret.Min), want.secret.Min)
	add("password_expire_max", cur.secret.Max != want.secret.Max, known(cur.secret.Max), want.secret.Max)
	add("password_expire_warn", cur.secret.Warn != want.secret.Warn, known(cur.secret.Warn), want.secret.Warn)
	add("create_home", cur.home != want.home && cur.there, cur.home, want.home)
	add("ssh_key", cur.key != want.key || want.fresh, presence(cur.key), map[bool]string{true: "new", false: presence(want.key)}[want.fresh])
	return out
}

func presence(there bool) string {
	if there {
		return "present"
	}
	return "absent"
}

func known(n int) any {
	if n < 0 {
		return nil
	}
	return n
}

// day shows the day an account ends as seconds, as the option has it.
func day(n int) any {
	if n < 0 {
		return "never"
	}
	return n * 86400
}

func list(names []string) []any {
	out := make([]any, len(names))
	for i, n := range names {
		out[i] = n
	}
	return out
}

// Values gives what is known of the user; numbers that the system chooses are
// unknown before.
func (r *resource) Values(cur, want account, changed bool) map[string]any {
	v := map[string]any{"name": r.Name, "state": r.State}
	if r.State == "absent" {
		v["remove"], v["force"] = r.Remove, r.Force
		return v
	}
	v["append"], v["create_home"], v["move_home"], v["system"] = r.Append, r.CreateHome, r.MoveHome, r.System
	u := r.now.user
	v["uid"], v["group"] = given(r.UID, u.UID, r.now.there && !r.chosen), given(nil, u.GID, r.now.there && !(r.chosen && r.Group == ""))
	v["home"], v["shell"] = given(r.Home, u.Home, r.now.there), given(r.Shell, u.Shell, r.now.there)
	v["comment"] = given(r.Comment, u.Comment, true)
	if r.Groups != nil {
		v["groups"] = strings.Join(r.Groups, ",")
	}
	if r.Password != nil {
		v["password"] = "NOT_LOGGING_PASSWORD"
	}
	if r.GenerateSSHKey {
		r.keyValues(v)
	}
	return v
}

// given is an option's value, or else what is known of the user, or else
// unknown: the system chooses.
func given[T any](option *T, have T, known bool) any {
	switch {
	case option != nil:
		return *option
	case known:
		return have
	}
	return accounts.Unassigned
}
