package mysql

import (
	"reflect"
	"testing"
)

var (
	maria = Version{MariaDB: true, Major: 10, Minor: 11, Patch: 19}
	my    = Version{Major: 9, Minor: 7, Patch: 4}
)

// The lines are what servers say (MariaDB 10.11.19, MySQL 9.7.4).
func TestParseGrants(t *testing.T) {
	for name, c := range map[string]struct {
		version Version
		lines   []string
		want    map[string]any
	}{
		"MariaDB, root": {maria, []string{
			"GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` IDENTIFIED VIA mysql_native_password USING 'invalid' OR unix_socket WITH GRANT OPTION",
			"GRANT PROXY ON ''@'%' TO 'root'@'localhost' WITH GRANT OPTION",
		}, map[string]any{"*.*": "ALL PRIVILEGES, GRANT OPTION"}},
		"MariaDB, application": {maria, []string{
			"GRANT PROCESS, BINLOG MONITOR ON *.* TO `shop`@`%` IDENTIFIED BY PASSWORD '*0D3CED9BEC10A777AEC23CCC353A8C08A633045E' REQUIRE SSL WITH MAX_USER_CONNECTIONS 7",
			"GRANT ALL PRIVILEGES ON `a-b`.* TO `shop`@`%` WITH GRANT OPTION",
			"GRANT SELECT (`Host`, `User`), INSERT ON `my``sql`.`user` TO `shop`@`%`",
			"GRANT EXECUTE ON PROCEDURE `shop`.`pay` TO `shop`@`%`",
			"GRANT EXECUTE ON PACKAGE BODY `shop`.`p` TO `shop`@`%`",
			"GRANT `reader` TO `shop`@`%`", "SET DEFAULT ROLE `reader` FOR `shop`@`%`",
		}, map[string]any{"*.*": "BINLOG MONITOR, PROCESS", "`a-b`.*": "ALL PRIVILEGES, GRANT OPTION",
			"`my``sql`.`user`": "INSERT, SELECT (`Host`), SELECT (`User`)", "PROCEDURE `shop`.`pay`": "EXECUTE", "PACKAGE BODY `shop`.`p`": "EXECUTE"}},
		"MySQL, roles, partial revokes, dynamic privileges": {my, []string{
			"GRANT SELECT, REPLICATION CLIENT ON *.* TO `a`@`%` WITH GRANT OPTION",
			"GRANT BACKUP_ADMIN,CLONE_ADMIN ON *.* TO `a`@`%`",
			"REVOKE SELECT ON `mysql`.* FROM `a`@`%`", "GRANT `r`@`%`,`s`@`%` TO `a`@`%`", "GRANT PROXY ON ``@`` TO `a`@`%`",
			`GRANT SELECT ON "x"."y" TO "a"@"%"`,
		}, map[string]any{"*.*": "BACKUP_ADMIN, CLONE_ADMIN, GRANT OPTION, REPLICATION CLIENT, SELECT", "`x`.`y`": "SELECT"}},
		"nothing":                     {my, []string{"GRANT USAGE ON *.* TO `a`@`%`"}, map[string]any{}},
		"names with the words of SQL": {maria, []string{"GRANT SELECT ON `a TO b ON c`.* TO `WITH GRANT OPTION`@`%`"}, map[string]any{"`a TO b ON c`.*": "SELECT"}},
	} {
		got, err := ParseGrants(c.version, c.lines)
		if err != nil || !reflect.DeepEqual(got.List(), c.want) {
			t.Errorf("%s: %v, %v, want %v", name, got.List(), err, c.want)
		}
	}
	for _, bad := range []string{"", "nonsense", "GRANT SELECT ON a.b", "GRANT SELECT ON a TO b", "GRANT SELECT (a ON b.c TO d"} {
		if got, err := ParseGrants(my, []string{bad}); err == nil {
			t.Errorf("%q was understood as %v", bad, got)
		}
	}
}

func TestParseWanted(t *testing.T) {
	for _, c := range []struct {
		priv any
		want map[string]any
	}{
		{"shop.*:SELECT,insert/*.*:REPLICATION CLIENT", map[string]any{"`shop`.*": "INSERT, SELECT", "*.*": "BINLOG MONITOR"}},
		{map[string]any{"shop.*": "ALL,GRANT", "`a.b`.`c:d`": []any{"UPDATE(x, `y`)"}}, map[string]any{"`shop`.*": "ALL PRIVILEGES, GRANT OPTION", "`a.b`.`c:d`": "UPDATE (`x`), UPDATE (`y`)"}},
		{"FUNCTION shop.f:EXECUTE/TABLE shop.t:SELECT", map[string]any{"FUNCTION `shop`.`f`": "EXECUTE", "`shop`.`t`": "SELECT"}},
		{"*.*:USAGE", map[string]any{}},
		{`sh\_op%.*:SELECT`, map[string]any{"`sh\\_op%`.*": "SELECT"}},
	} {
		got, err := ParseWanted(maria, c.priv)
		if err != nil || !reflect.DeepEqual(got.List(), c.want) {
			t.Errorf("%v: %v, %v, want %v", c.priv, got.List(), err, c.want)
		}
	}
	for _, bad := range []any{"shop", "shop.*", "*:SELECT", "a.b.c:SELECT", "a.*:", "a.*:SELECT;x", "a.*:SELECT,,INSERT", 7, map[string]any{"a.*": 7}, map[string]any{"a.*": []any{7}}} {
		if got, err := ParseWanted(my, bad); err == nil {
			t.Errorf("%v was understood as %v", bad, got)
		}
	}
}

// What is printed again is understood the same.
func FuzzParseGrants(f *testing.F) {
	f.Add("GRANT SELECT (`a`, `b`), INSERT ON `x`.`y` TO `u`@`%` WITH GRANT OPTION")
	f.Add("GRANT ALL PRIVILEGES ON *.* TO 'u'@'h' IDENTIFIED BY PASSWORD '*x' REQUIRE SUBJECT 'it''s'")
	f.Add("GRANT EXECUTE ON PROCEDURE `x`.`y` TO u")
	f.Fuzz(func(t *testing.T, line string) {
		first, err := ParseGrants(maria, []string{line})
		if err != nil {
			return
		}
		for scope, set := range first {
			for p := range set {
				again, err := ParseGrants(maria, []string{"GRANT " + p + " ON " + string(scope) + " TO `u`@`h`"})
				if p != GrantOption && privilegeName.MatchString(p) && (err != nil || !again[scope][p]) {
					t.Errorf("%q: %q on %q is read as %v, %v", line, p, scope, again, err)
				}
			}
		}
	})
}

func FuzzParseWanted(f *testing.F) {
	f.Add("shop.*:SELECT,INSERT/`a/b`.c:UPDATE (x)")
	f.Fuzz(func(t *testing.T, priv string) {
		p, err := ParseWanted(my, priv)
		if err != nil {
			return
		}
		for scope, set := range p {
			for one := range set {
				if !privilegeName.MatchString(one) || ReadOnly("SELECT 1 FROM "+string(scope)+";x") {
					t.Errorf("%q let %q on %q through", priv, one, scope)
				}
			}
		}
	})
}
