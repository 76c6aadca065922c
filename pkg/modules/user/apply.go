package user

import (
	"context"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/host/accounts"
)

func (r *resource) Apply(ctx context.Context, w host.Writer, cur, want account) error {
	if !want.there {
		r.now = account{}
		return accounts.RemoveUser(ctx, w, r.Name, r.Force, r.Remove)
	}
	if err := r.account(ctx, w, cur, want); err != nil {
		return err
	}
	if err := r.password(ctx, w, cur, want); err != nil {
		return err
	}
	u, _, err := accounts.LookupUser(ctx, w, r.Name)
	if err != nil {
		return err
	}
	if cur.there && want.home && !cur.home {
		if err := accounts.MakeHome(w, u, accounts.HomeOptions{Skeleton: r.Skeleton, UMask: r.Umask}); err != nil {
			return err
		}
	}
	r.now, r.chosen = want, !cur.there && host.Pretending(w)
	r.now.user = u
	if want.key && !cur.key || want.fresh {
		return r.makeKey(w, u)
	}
	return nil
}

// account makes the user or changes what differs.
func (r *resource) account(ctx context.Context, w host.Writer, cur, want account) error {
	s := accounts.Settings{NonUnique: r.NonUnique}
	if !cur.there {
		s.UID, s.Comment, s.Home, s.Shell = r.UID, r.Comment, r.Home, r.Shell
		s.System, s.MakeHome, s.Skeleton, s.UMask = r.System, r.CreateHome, r.Skeleton, r.Umask
		if r.Group != "" {
			s.Group = &r.Group
		}
		if len(want.groups) > 0 {
			s.Groups = &want.groups
		}
		if err := accounts.CreateUser(ctx, w, r.Name, s); err != nil || want.secret.Expires < 0 {
			return err
		}
		// useradd -r leaves the date out.
		return accounts.ModifyUser(ctx, w, r.Name, accounts.Settings{Expires: &want.secret.Expires})
	}
	if cur.user.UID != want.user.UID {
		s.UID = &want.user.UID
	}
	if cur.user.GID != want.user.GID {
		s.Group = &r.Group
	}
	if strings.Join(cur.groups, ",") != strings.Join(want.groups, ",") {
		s.Groups = &want.groups
	}
	text := func(have, wish string) *string {
		if have == wish {
			return nil
		}
		return &wish
	}
	s.Comment = text(cur.user.Comment, want.user.Comment)
	s.Home, s.MoveHome = text(cur.user.Home, want.user.Home), r.MoveHome
	s.Shell = text(cur.user.Shell, want.user.Shell)
	if cur.secret.Expires != want.secret.Expires {
		s.Expires = &want.secret.Expires
	}
	return accounts.ModifyUser(ctx, w, r.Name, s)
}

// password sets the hash, with its lock, and the days of its life.
func (r *resource) password(ctx context.Context, w host.Writer, cur, want account) error {
	switch {
	case r.Password != nil && (cur.secret.Hash != want.secret.Hash || cur.locked != want.locked || !cur.there):
		hash := want.secret.Hash
		if want.locked {
			hash = "!" + hash
		}
		if err := accounts.SetHash(ctx, w, r.Name, hash); err != nil {
			return err
		}
	case cur.locked != want.locked && (cur.there || want.locked):
		if err := accounts.ModifyUser(ctx, w, r.Name, accounts.Settings{Lock: &want.locked}); err != nil {
			return err
		}
	}
	days := func(have, wish int, opt *int) *int {
		if opt == nil || cur.there && have == wish {
			return nil
		}
		return opt
	}
	return accounts.SetAging(ctx, w, r.Name, days(cur.secret.Min, want.secret.Min, r.PasswordMin),
		days(cur.secret.Max, want.secret.Max, r.PasswordMax), days(cur.secret.Warn, want.secret.Warn, r.PasswordWarn))
}
