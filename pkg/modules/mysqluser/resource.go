package mysqluser

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/internal/mysql"
)

type resource struct {
	*Options
	server *mysql.Server
}

func (r *resource) Current(ctx context.Context, h host.Reader) (accounts, error) {
	out := accounts{list: map[string]account{}, known: true}
	err := r.server.Read(ctx, h, func(s *mysql.Handle) error {
		out.version = s.Version
		hosts, err := r.hosts(ctx, s, h)
		if err != nil {
			return err
		}
		out.hosts = hosts
		if !r.HostAll {
			out.siblings = slices.ContainsFunc(hosts, func(name string) bool { return !strings.EqualFold(name, r.Host) })
			hosts = []string{r.Host}
		}
		for _, name := range hosts {
			id := mysql.AccountName{User: r.Name, Host: name}
			if noted, ok := h.Noted(mysql.UserNote, id.String()); ok {
				out.list[name] = noted.(account)
				continue
			}
			a, err := readAccount(ctx, s, id)
			if err != nil {
				return fmt.Errorf("read the account %s: %w", id, err)
			}
			if a.there && r.State == "present" {
				if a.fits, err = r.fits(a); err != nil {
					return err
				}
			}
			out.list[name] = a
		}
		return nil
	})
	return out, err
}

// hosts are the hosts of the user's accounts, with those that earlier tasks of
// a dry run would have made and without those they would have removed.
func (r *resource) hosts(ctx context.Context, s *mysql.Handle, h host.Reader) ([]string, error) {
	if noted, ok := h.Noted(mysql.UserHostsNote, r.Name); ok {
		return noted.([]string), nil
	}
	res, err := s.Query(ctx, "SELECT Host AS host FROM mysql.user WHERE User = ?", r.Name)
	if err != nil {
		return nil, fmt.Errorf("look for accounts of %q: %w", r.Name, err)
	}
	var out []string
	for _, row := range res.Rows {
		out = append(out, row.Text("host"))
	}
	return out, nil
}

// note leaves what a dry run would have made of the accounts.
func (r *resource) note(w host.Writer, cur, want accounts) {
	hosts := slices.DeleteFunc(slices.Clone(cur.hosts), func(name string) bool { _, ours := want.list[name]; return ours })
	for name, a := range want.list {
		w.Note(mysql.UserNote, mysql.AccountName{User: r.Name, Host: name}.String(), a)
		if a.there {
			hosts = append(hosts, name)
		}
	}
	slices.Sort(hosts)
	w.Note(mysql.UserHostsNote, r.Name, hosts)
}

// fits reports whether the account's plugin and password are as wanted.
func (r *resource) fits(a account) (bool, error) {
	switch {
	case r.UpdatePassword != "always":
		return true, nil
	case r.PluginHashString != nil:
		return a.plugin == r.Plugin && a.hash == hashText(*r.PluginHashString), nil
	case r.Plugin != "" && r.PluginAuthString == nil:
		return a.plugin == r.Plugin, nil
	case r.Plugin != "" && a.plugin != r.Plugin:
		return false, nil
	case r.Encrypted:
		return a.plugin == mysql.NativePassword && strings.EqualFold(a.hash, *r.Password), nil
	}
	password := r.Password
	if password == nil {
		password = r.PluginAuthString
	}
	if password == nil {
		return true, nil
	}
	if r.Plugin == "" && !slices.Contains(withPassword, a.plugin) {
		return false, nil // auth_socket and the like: it gets a password now
	}
	ok, known := mysql.PasswordFits(a.plugin, a.hash, *password)
	if !known {
		return false, fmt.Errorf("passwords of the plugin %s cannot be compared: set update_password: on_create", a.plugin)
	}
	return ok, nil
}

// withPassword are the plugins that an account keeps when it gets a password.
var withPassword = []string{"", mysql.NativePassword, mysql.Ed25519, mysql.CachingSHA2, mysql.SHA256Password, "parsec"}

func (r *resource) Desired(cur accounts) (accounts, error) {
	want := accounts{version: cur.version, known: cur.known, siblings: cur.siblings, list: map[string]account{}}
	hosts := slices.Collect(maps.Keys(cur.list))
	if len(hosts) == 0 && !r.HostAll {
		hosts = []string{r.Host}
	}
	for _, name := range hosts {
		if r.State == "absent" {
			want.list[name] = account{}
			continue
		}
		a := cur.list[name]
		if !a.there && r.HostAll {
			return want, fmt.Errorf("the user %s has no account, and host_all makes none: name a host", r.Name)
		}
		var err error
		if a.privs, err = wantPrivileges(r.Options, cur.version, a.privs); err != nil {
			return want, err
		}
		a.there, a.fits = true, true
		if r.TLSRequires != nil {
			a.tls = r.tls()
		}
		a.limits = maps.Clone(a.limits)
		if a.limits == nil {
			a.limits = map[string]int{}
		}
		for _, l := range r.limits() {
			a.limits[l.name] = l.n
		}
		if r.Locked != nil {
			a.locked = *r.Locked
		}
		want.list[name] = a
	}
	if r.State == "present" && r.HostAll && len(hosts) == 0 {
		return want, errors.New("the user " + r.Name + " has no account, and host_all makes none: name a host")
	}
	return want, nil
}

func (r *resource) Diff(cur, want accounts) []modules.Change {
	var out []modules.Change
	for _, name := range slices.Sorted(maps.Keys(want.list)) {
		c, w := cur.list[name], want.list[name]
		prefix := ""
		if r.HostAll {
			prefix = name + "."
		}
		add := func(field string, differs bool, before, after any) {
			if differs {
				out = append(out, modules.Change{Field: prefix + field, Before: before, After: after})
			}
		}
		add("state", c.there != w.there, presence(c.there), presence(w.there))
		if !w.there {
			continue
		}
		add("password", c.there && !c.fits, "another", "as wanted")
		add("plugin", c.there && !c.fits && r.Plugin != "" && c.plugin != r.Plugin, c.plugin, r.Plugin)
		r.diffPrivileges(c.privs, w.privs, prefix, &out)
		add("tls_requires", c.tls != w.tls, c.tls.String(), w.tls.String())
		for _, l := range r.limits() {
			add("resource_limits."+l.name, c.limits[l.name] != l.n, c.limits[l.name], l.n)
		}
		add("locked", c.locked != w.locked, c.locked, w.locked)
	}
	return out
}

func (r *resource) diffPrivileges(cur, want mysql.Privileges, prefix string, out *[]modules.Change) {
	for _, scope := range scopes(cur, want) {
		gone, new := without(cur, want, scope), without(want, cur, scope)
		if len(gone)+len(new) > 0 {
			*out = append(*out, modules.Change{Field: prefix + "priv." + string(scope), Before: list(cur, scope), After: list(want, scope)})
		}
	}
}

func scopes(a, b mysql.Privileges) []mysql.Scope {
	all := append(a.Scopes(), b.Scopes()...)
	slices.Sort(all)
	return slices.Compact(all)
}

func list(p mysql.Privileges, scope mysql.Scope) any {
	if len(p[scope]) == 0 {
		return nil
	}
	return p.List()[string(scope)]
}

func presence(there bool) string {
	if there {
		return "present"
	}
	return "absent"
}

// String is the clause after REQUIRE, values as they are.
func (q requirement) String() string {
	switch q.kind {
	case "":
		return "NONE"
	case "ANY":
		return "SSL"
	case "X509":
		return "X509"
	}
	var parts []string
	for _, p := range [][2]string{{"SUBJECT", q.subject}, {"ISSUER", q.issuer}, {"CIPHER", q.cipher}} {
		if p[1] != "" {
			parts = append(parts, p[0]+" "+p[1])
		}
	}
	return strings.Join(parts, " AND ")
}

func (r *resource) Apply(ctx context.Context, w host.Writer, cur, want accounts) error {
	pretend := func() {
		if want.known {
			r.note(w, cur, want)
		}
	}
	return r.server.Write(ctx, w, pretend, func(e *mysql.Editor) error {
		if !r.SQLLogBin {
			if _, err := e.Exec(ctx, "SET SESSION sql_log_bin = 0"); err != nil {
				return err
			}
		}
		for _, name := range slices.Sorted(maps.Keys(want.list)) {
			c, a := cur.list[name], want.list[name]
			for _, s := range r.statements(mysql.AccountName{User: r.Name, Host: name}, e.Version, c, a, cur.siblings) {
				if _, err := e.Exec(ctx, s.text, s.args...); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// Values gives the user and what was done.
func (r *resource) Values(cur, want accounts, changed bool) map[string]any {
	hosts, set, made := []any{}, false, 0
	for _, name := range slices.Sorted(maps.Keys(want.list)) {
		hosts = append(hosts, name)
		c := cur.list[name]
		if !c.there && want.list[name].there {
			made++
		}
		if r.State == "present" && (c.there && !c.fits || !c.there && r.hasPassword()) {
			set = true
		}
	}
	msg := "User unchanged"
	switch {
	case changed && r.State == "absent":
		msg = "User deleted"
	case changed && made > 0:
		msg = "User added"
	case changed:
		msg = "User updated"
	}
	return map[string]any{"user": r.Name, "hosts": hosts, "password_changed": changed && set, "msg": msg}
}

func (r *resource) hasPassword() bool {
	return r.Password != nil || r.PluginAuthString != nil || r.PluginHashString != nil
}
