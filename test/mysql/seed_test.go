package mysql

import (
	"slices"
	"strings"
	"testing"
)

// ownData: a server that holds databases becomes a replica only when told so.
func (s *site) ownData(t *testing.T) {
	forget := "STOP SLAVE; RESET SLAVE ALL; SET GLOBAL read_only = OFF; CREATE DATABASE own;"
	if s.flavor == "mysql" {
		forget = "STOP REPLICA; RESET REPLICA ALL; SET GLOBAL read_only = OFF; CREATE DATABASE own;"
	}
	s.sql(t, "web02", forget)
	r := s.run(t)
	if said := r.Stdout + r.Stderr; r.Code != 2 || !strings.Contains(said, "mysql_replica_reseed") || !strings.Contains(said, "own") {
		t.Fatalf("exit code %d\n%s", r.Code, said)
	}
	if out := s.sql(t, "web02", "SHOW DATABASES LIKE 'own'"); out != "own" {
		t.Fatal("the database was overwritten")
	}
	predicted := touched(t, s.run(t, "--check", "-e", "mysql_replica_reseed=true").Must(t, 0))
	if !slices.ContainsFunc(predicted, func(line string) bool { return strings.HasPrefix(line, "maybe web02: the copy") }) {
		t.Errorf("the dry run does not say that the replica would be filled: %q", predicted)
	}
	if out := s.sql(t, "web02", "SHOW DATABASES LIKE 'own'"); out != "own" {
		t.Fatal("the dry run overwrote the database")
	}
	s.run(t, "-e", "mysql_replica_reseed=true").Must(t, 0)
	s.sql(t, "web01", "INSERT INTO shop.t VALUES (43)")
	s.caughtUp(t)
	if out := s.sql(t, "web02", "SELECT COUNT(*) FROM shop.t WHERE a IN (42, 43)"); out != "2" {
		t.Errorf("the replica has %q", out)
	}
	quiet(t, s.run(t))
}

// interrupted: a copy that failed leaves nothing that can read everything, and
// a mark by which the next run begins it again.
func (s *site) interrupted(t *testing.T) {
	program := map[string]string{"mariadb": "mariadb-dump", "mysql": "mysqldump"}[s.flavor]
	real, err := s.on(t, "web02", "command -v "+program)
	if err != nil {
		t.Fatal(err)
	}
	broken := `mv ` + real + ` ` + real + `.kept && printf '#!/bin/sh\n` + real + `.kept "$@" | head -c 400000\nexit 3\n' >` + real + ` && chmod 755 ` + real
	if out, err := s.on(t, "web02", broken); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s.run(t, "-e", "mysql_replica_reseed=true").Must(t, 2)
	accounts := "SELECT COUNT(*) FROM mysql.user WHERE User = 'foobar_seed'"
	if out := s.sql(t, "web01", accounts); out != "0" {
		t.Error("the account of the copy is still on the primary")
	}
	if out, err := s.on(t, "web02", "cd /var/lib/foobar-play/mysql_replication && test -e seeding && test ! -e seed.cnf && mv "+real+".kept "+real); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s.run(t).Must(t, 0)
	s.sql(t, "web01", "INSERT INTO shop.t VALUES (46)")
	s.caughtUp(t)
	if out := s.sql(t, "web02", "SELECT COUNT(*) FROM shop.t WHERE a IN (42, 46)"); out != "2" {
		t.Errorf("the replica has %q", out)
	}
	quiet(t, s.run(t))
}
