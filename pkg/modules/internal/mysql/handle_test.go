package mysql

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestReadOnly(t *testing.T) {
	for _, yes := range []string{
		"SELECT 1", " select a from b ", "SHOW GRANTS", "SELECT 'insert into; x'", "SELECT `update` FROM t;", "SELECT 1 -- drop", "/* c */ SELECT 1",
		"(SELECT 1) UNION (SELECT 2)", "WITH a AS (SELECT 1) SELECT * FROM a", "SELECT Insert_priv FROM mysql.user", "EXPLAIN SELECT 1",
	} {
		if !ReadOnly(yes) {
			t.Errorf("%q only reads", yes)
		}
	}
	for _, no := range []string{
		"INSERT INTO t VALUES (1)", "SELECT 1; DROP TABLE t", "SELECT 1 INTO OUTFILE '/x'", "SELECT a INTO @b", "WITH a AS (SELECT 1) DELETE FROM b", "/*!50000 DROP */ SELECT 1",
		"SELECT 1 /*! INTO OUTFILE '/x' */", "SELECT 1 /*M! INTO OUTFILE '/x' */", "SELECT GET_LOCK('a', 1)", "SELECT * FROM t FOR UPDATE", "EXPLAIN ANALYZE DELETE FROM t",
		"SELECT @a := 1", "SELECT NEXTVAL(s)", "CALL p()", "", "SET x = 1", "SELECT 'a\\'; DELETE FROM t; --'x'; DROP TABLE t",
	} {
		if ReadOnly(no) {
			t.Errorf("%q may write", no)
		}
	}
}

func TestSecretsDoNotShow(t *testing.T) {
	args := []any{"a", Secret("hush"), 7}
	if got := Shown("X ? Y ? Z ?", args); got != "X 'a' Y '********' Z 7" {
		t.Errorf("shown as %q", got)
	}
	err := hide(ServerError(1064, "near 'hush' at line 1"), []string{"hush"})
	if strings.Contains(err.Error(), "hush") || Code(err) != 1064 {
		t.Errorf("the error is %v", err)
	}
	if other := errors.New("x"); !errors.Is(hide(other, []string{"hush", ""}), other) {
		t.Error("an error without secrets was changed")
	}
}

func TestVersions(t *testing.T) {
	for _, c := range []struct{ version, comment, want string }{
		{"10.11.19-MariaDB-0+deb12u1", "Debian 12", "MariaDB 10.11.19"}, {"5.5.5-10.3.1-MariaDB", "", "MariaDB 10.3.1"},
		{"9.7.4-2", "(Debian)", "MySQL 9.7.4"}, {"8.0.46", "MySQL Community Server", "MySQL 8.0.46"}, {"11.8.2", "MariaDB Server", "MariaDB 11.8.2"},
	} {
		if v, err := ParseVersion(c.version, c.comment); err != nil || v.String() != c.want {
			t.Errorf("%s: %s, %v", c.version, v, err)
		}
	}
	if _, err := ParseVersion("x", ""); err == nil {
		t.Error("x is a version")
	}
	if v := (Version{Major: 8, Patch: 22}); v.AtLeast(8, 0, 23) || !v.AtLeast(8, 0, 22) || !v.AtLeast(5, 7, 99) || v.AtLeast(8, 1, 0) {
		t.Error("versions are not compared right")
	}
}

func TestOptionFile(t *testing.T) {
	got := parseOptionFile("[mysqld]\nuser=x\n[client]\n# c\nuser = root\npassword=\"a b\\\\c\"\nssl_ca=/ca\nsocket='/s'\n!include x\n[mysql]\nuser=y\n", "client")
	want := map[string]string{"user": "root", "password": `a b\c`, "ssl-ca": "/ca", "socket": "/s"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v", got)
	}
}
