// Package mysqluser is the module mysql_user: accounts of MySQL and MariaDB
// with their passwords, privileges, TLS requirements and limits. How a server
// is reached, and how grants and hashes are read, is in internal/mysql; this
// package knows what an account is, compares, and says it in either dialect.
package mysqluser

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/internal/mysql"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// Options are the options of the module mysql_user.
type Options struct {
	Name             string         `arg:"name,required,alias=user" doc:"The user."`
	Host             string         `arg:"host" default:"localhost" doc:"The host part of the account."`
	HostAll          bool           `arg:"host_all" doc:"Every account of the user that is there, whatever its host."`
	State            string         `arg:"state" default:"present" choices:"absent,present" doc:"Whether the account is there."`
	Password         *string        `arg:"password,secret" doc:"The password, or with encrypted its hash."`
	Encrypted        bool           `arg:"encrypted" doc:"password is a hash of mysql_native_password."`
	UpdatePassword   string         `arg:"update_password" default:"always" choices:"always,on_create,on_new_username" doc:"When to set the password, plugin and hash: always when they differ, for a new account, or for a new account of a user that has none under another host."`
	Plugin           string         `arg:"plugin" doc:"The authentication plugin; left out: the server's choice, or the account's."`
	PluginHashString *string        `arg:"plugin_hash_string,secret" doc:"What the plugin stores for the account; 0x… is hexadecimal. Needs plugin."`
	PluginAuthString *string        `arg:"plugin_auth_string,secret" doc:"The password to give to the plugin. Needs plugin."`
	Priv             any            `arg:"priv" doc:"The privileges: db.table:PRIV,PRIV/…, or a map of db.table to such lists. Left out: as they are; an empty map: none."`
	AppendPrivs      bool           `arg:"append_privs" doc:"Add priv to the privileges the account has, take away none."`
	SubtractPrivs    bool           `arg:"subtract_privs" doc:"Take priv away from the privileges the account has."`
	TLSRequires      map[string]any `arg:"tls_requires" doc:"What TLS connections must show: SSL or X509, or any of SUBJECT, ISSUER, CIPHER with a value. Left out: as it is; an empty map: nothing."`
	ResourceLimits   map[string]any `arg:"resource_limits" doc:"MAX_QUERIES_PER_HOUR, MAX_UPDATES_PER_HOUR, MAX_CONNECTIONS_PER_HOUR, MAX_USER_CONNECTIONS; 0 is none."`
	Locked           *bool          `arg:"locked" doc:"Lock the account; left out: as it is."`
	SQLLogBin        bool           `arg:"sql_log_bin" default:"true" doc:"Write to the binary log, so that replicas do the same."`
	mysql.Login
}

// limitColumns are the columns of mysql.user that hold the limits.
var limitColumns = map[string]string{
	"MAX_QUERIES_PER_HOUR": "max_questions", "MAX_UPDATES_PER_HOUR": "max_updates",
	"MAX_CONNECTIONS_PER_HOUR": "max_connections", "MAX_USER_CONNECTIONS": "max_user_connections",
}

// Check finds options that do not go together.
func (o *Options) Check() error {
	if o.HostAll {
		o.Host = "%"
	}
	o.Host = strings.ToLower(o.Host)
	switch {
	case o.AppendPrivs && o.SubtractPrivs:
		return errors.New("append_privs and subtract_privs exclude each other")
	case (o.AppendPrivs || o.SubtractPrivs) && o.Priv == nil:
		return errors.New("append_privs and subtract_privs need the option priv")
	case o.Plugin == "" && (o.PluginHashString != nil || o.PluginAuthString != nil):
		return errors.New("plugin_hash_string and plugin_auth_string need the option plugin")
	case o.Plugin != "" && o.Password != nil:
		return errors.New("password and plugin exclude each other: give the password as plugin_auth_string")
	case o.PluginHashString != nil && o.PluginAuthString != nil:
		return errors.New("plugin_hash_string and plugin_auth_string exclude each other")
	case o.Plugin != "" && !mysql.PluginName(o.Plugin):
		return fmt.Errorf("plugin: %q is no plugin's name", o.Plugin)
	case o.Encrypted && o.Password == nil:
		return errors.New("encrypted needs the option password")
	case strings.ContainsAny(o.Name+o.Host, "\\\x00"):
		return errors.New("name and host may hold no backslash")
	}
	if o.Priv != nil && !holdsUnknown(o.Priv) {
		if _, err := mysql.ParseWanted(mysql.Version{Major: 8}, o.Priv); err != nil {
			return err
		}
	}
	return errors.Join(o.checkTLS(), o.checkLimits())
}

func holdsUnknown(v any) bool {
	_, ok := v.(value.Unknown)
	return ok
}

func (o *Options) checkTLS() error {
	alone := false
	for k, v := range o.TLSRequires {
		switch name := strings.ToUpper(k); name {
		case "SSL", "X509":
			alone = true
		case "SUBJECT", "ISSUER", "CIPHER":
			if s, ok := v.(string); !ok || s == "" {
				return fmt.Errorf("tls_requires: %s needs a value", name)
			}
		default:
			return fmt.Errorf("tls_requires: %s is none of SSL, X509, SUBJECT, ISSUER, CIPHER", k)
		}
	}
	if alone && len(o.TLSRequires) > 1 {
		return errors.New("tls_requires: SSL and X509 stand alone")
	}
	return nil
}

func (o *Options) checkLimits() error {
	for k, v := range o.ResourceLimits {
		if limitColumns[strings.ToUpper(k)] == "" {
			return fmt.Errorf("resource_limits: %s is none of MAX_QUERIES_PER_HOUR, MAX_UPDATES_PER_HOUR, MAX_CONNECTIONS_PER_HOUR, MAX_USER_CONNECTIONS", k)
		}
		if _, ok := v.(int); !ok {
			return fmt.Errorf("resource_limits: %s must be a number", k)
		}
	}
	return nil
}

// Module is the module mysql_user.
func Module() *modules.Module { return module(mysql.Connect) }

func module(dial mysql.Dial) *modules.Module {
	return modules.Define(modules.Spec{
		Name:  "mysql_user",
		Short: "Manage accounts of MySQL and MariaDB",
		Doc: `Makes, changes and removes accounts. Passwords are compared with the stored hash (mysql_native_password, ed25519, caching_sha2_password,
sha256_password), so nothing changes while they fit; of other plugins they can only be set with update_password: on_create.
Privileges are compared as sets, under the names the server prints, with ALL understood in both dialects.
tls_requires left out keeps what is (Ansible does so too for new versions). priv on a database that is not there is fine; on a table that is not there the server refuses it.
Left out against Ansible: salt (not needed: the stored salt is used), attributes, password_expire and password_expire_interval, column_case_sensitive
(columns are compared as written), check_implicit_admin, force_context and the obsolete REQUIRESSL in priv; roles and proxies are not touched.`,
		Returns:  returns,
		Examples: examples,
	}, func(env modules.Env, o *Options) (modules.Action, error) {
		return modules.Managed(&resource{Options: o, server: mysql.NewServer(&o.Login, dial)}), nil
	})
}

// tls is the wanted requirement in the words of the server's columns.
func (o *Options) tls() requirement {
	out := requirement{}
	for k, v := range o.TLSRequires {
		s, _ := v.(string)
		switch strings.ToUpper(k) {
		case "SSL":
			out.kind = "ANY"
		case "X509":
			out.kind = "X509"
		case "SUBJECT":
			out.kind, out.subject = "SPECIFIED", s
		case "ISSUER":
			out.kind, out.issuer = "SPECIFIED", s
		case "CIPHER":
			out.kind, out.cipher = "SPECIFIED", s
		}
	}
	return out
}

// limits are the wanted limits by their canonical names, sorted.
func (o *Options) limits() []limit {
	var out []limit
	for k, v := range o.ResourceLimits {
		n, _ := v.(int)
		out = append(out, limit{strings.ToUpper(k), n})
	}
	slices.SortFunc(out, func(a, b limit) int { return strings.Compare(a.name, b.name) })
	return out
}

var returns = []modules.Return{
	{Name: "user", Type: "string", Doc: "The user."},
	{Name: "msg", Type: "string", Doc: "What was done, in short."},
	{Name: "password_changed", Type: "bool", Doc: "Whether the password, plugin or hash was set."},
	{Name: "hosts", Type: "list", Doc: "The host parts of the accounts looked at."},
}

const examples = `- name: The application's account
  mysql_user:
    name: shop
    host: "198.51.100.%"
    password: "{{ .shop_db_password }}"
    priv:
      "shop.*": SELECT,INSERT,UPDATE,DELETE
    tls_requires:
      SSL:
  no_log: true
- name: An account with ed25519 (MariaDB)
  mysql_user:
    name: report
    host: localhost
    plugin: ed25519
    plugin_auth_string: "{{ .report_db_password }}"
    priv: "shop.*:SELECT"
- name: No anonymous accounts
  mysql_user:
    name: ""
    host_all: true
    state: absent
`
