package mysqluser

import (
	"strings"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules/internal/mysql"
	"github.com/foobar-play/foobar-play/pkg/modules/internal/mysql/mysqltest"
	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
)

func server(version string) func(t *testing.T) *modulestest.Host {
	return mysqltest.Host(mysqltest.State{Version: version, Accounts: map[string]*mysqltest.Account{
		"'app'@'%'": {User: "app", Host: "%", Plugin: mysql.NativePassword, Hash: mysql.NativeHash("old"), Limits: map[string]string{},
			Grants: mysql.Privileges{"`shop`.*": {"SELECT": true, "INSERT": true}, "`log`.*": {mysql.All: true, mysql.GrantOption: true}}},
		"'app'@'localhost'": {User: "app", Host: "localhost", Plugin: "auth_socket", Limits: map[string]string{}, Grants: mysql.Privileges{}},
	}})
}

func TestConformance(t *testing.T) {
	drop := func(t *testing.T, w host.Writer, _ string) {
		mysqltest.Edit(t, w, func(s *mysqltest.State) { delete(s.Accounts["'new'@'10.%'"].Grants["`shop`.*"], "SELECT") })
	}
	for name, c := range map[string]modulestest.Case{
		"a new one": {
			Args: map[string]any{"name": "new", "host": "10.%", "password": "p", "priv": "shop.*:SELECT,GRANT/*.*:PROCESS",
				"tls_requires": map[string]any{"SSL": nil}, "resource_limits": map[string]any{"max_user_connections": 3}, "locked": true},
			Values: map[string]any{"user": "new", "password_changed": true, "msg": "User added"},
			Drift:  drop,
		},
		"another password": {Args: map[string]any{"name": "app", "host": "%", "password": "new"}, Values: map[string]any{"password_changed": true}},
		"the password fits": {Args: map[string]any{"name": "app", "host": "%", "password": "old"}, Unchanged: true,
			Values: map[string]any{"password_changed": false}},
		"a password only for new ones":  {Args: map[string]any{"name": "app", "host": "%", "password": "x", "update_password": "on_create"}, Unchanged: true},
		"from the socket to a password": {Args: map[string]any{"name": "app", "plugin": mysql.NativePassword, "plugin_auth_string": "p"}},
		"exactly these privileges":      {Args: map[string]any{"name": "app", "host": "%", "priv": map[string]any{"shop.*": "SELECT,UPDATE"}}},
		"one more": {Args: map[string]any{"name": "app", "host": "%", "priv": "shop.*:UPDATE", "append_privs": true},
			Check: func(t *testing.T, r host.Reader, _ string) {
				if got := mysqltest.Read(t, r).Accounts["'app'@'%'"].Grants.List()["`shop`.*"]; got != "INSERT, SELECT, UPDATE" {
					t.Errorf("privileges %v", got)
				}
			}},
		"covered by ALL":  {Args: map[string]any{"name": "app", "host": "%", "priv": "log.*:SELECT", "append_privs": true}, Unchanged: true},
		"one less":        {Args: map[string]any{"name": "app", "host": "%", "priv": "shop.*:INSERT", "subtract_privs": true}},
		"ALL instead":     {Args: map[string]any{"name": "app", "host": "%", "priv": "shop.*:ALL"}},
		"less than ALL":   {Args: map[string]any{"name": "app", "host": "%", "priv": "log.*:SELECT", "subtract_privs": true}, WantErr: "ALL on `log`.*"},
		"gone":            {Args: map[string]any{"name": "app", "host": "%", "state": "absent"}},
		"gone everywhere": {Args: map[string]any{"name": "app", "host_all": true, "state": "absent"}},
		"everywhere":      {Args: map[string]any{"name": "app", "host_all": true, "tls_requires": map[string]any{"X509": nil}}},
		"nowhere":         {Args: map[string]any{"name": "nobody", "host_all": true, "locked": true}, WantErr: "host_all makes none"},
		"never there":     {Args: map[string]any{"name": "nobody", "state": "absent"}, Unchanged: true},
	} {
		for _, version := range []string{"10.11.19-MariaDB", "9.7.4"} {
			c.Module, c.Host = module(mysqltest.Dial), server(version)
			c.Args["login_unix_socket"] = mysqltest.Socket
			t.Run(name+" "+version, func(t *testing.T) { modulestest.Conformance(t, c) })
		}
	}
}

func TestRefused(t *testing.T) {
	for _, args := range []map[string]any{
		{"name": "a", "priv": "shop.*"}, {"name": "a", "priv": "shop:SELECT"}, {"name": "a", "priv": "shop.*:SELECT; DROP"},
		{"name": "a", "append_privs": true}, {"name": "a", "tls_requires": map[string]any{"SSL": nil, "CIPHER": "x"}},
		{"name": "a", "tls_requires": map[string]any{"SUBJECT": nil}}, {"name": "a", "resource_limits": map[string]any{"MAX": 1}},
		{"name": "a", "plugin": "x' y"}, {"name": "a", "password": "x", "plugin": "ed25519"}, {"name": "a", "plugin_auth_string": "x"},
		{"name": "a", "priv": "a.*:SELECT", "append_privs": true, "subtract_privs": true}, {"name": `a\`},
	} {
		if errs := Module().CheckArgs(args, nil); errs == nil {
			t.Errorf("%v was accepted", args)
		}
	}
}

// The statements, in both dialects.
func TestStatements(t *testing.T) {
	secret := "s3cret"
	for _, c := range []struct {
		o           Options
		maria, want string
	}{
		{Options{Password: &secret}, "CREATE USER 'a'@'h' IDENTIFIED BY ?", "CREATE USER 'a'@'h' IDENTIFIED BY ?"},
		{Options{Plugin: "p", PluginAuthString: &secret}, "CREATE USER 'a'@'h' IDENTIFIED VIA p USING PASSWORD(?)", "CREATE USER 'a'@'h' IDENTIFIED WITH 'p' BY ?"},
		{Options{Plugin: "p", PluginHashString: &secret}, "CREATE USER 'a'@'h' IDENTIFIED VIA p USING ?", "CREATE USER 'a'@'h' IDENTIFIED WITH 'p' AS ?"},
		{Options{Plugin: "p"}, "CREATE USER 'a'@'h' IDENTIFIED VIA p", "CREATE USER 'a'@'h' IDENTIFIED WITH 'p'"},
		{Options{Encrypted: true, Password: &secret}, "CREATE USER 'a'@'h' IDENTIFIED VIA mysql_native_password USING ?", "CREATE USER 'a'@'h' IDENTIFIED WITH 'mysql_native_password' AS ?"},
	} {
		r := &resource{Options: &c.o}
		for v, want := range map[mysql.Version]string{{MariaDB: true, Major: 10, Minor: 11}: c.maria, {Major: 9}: c.want} {
			got := r.statements(mysql.AccountName{User: "a", Host: "h"}, v, account{}, account{there: true}, false)
			if len(got) != 1 || got[0].text != want {
				t.Errorf("%s: %v, want %s", v, got, want)
			}
			for _, s := range got {
				if shown := mysql.Shown(s.text, s.args); strings.Contains(shown, secret) {
					t.Errorf("the secret shows: %s", shown)
				}
			}
		}
	}
}
