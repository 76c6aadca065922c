package mysqldb

import (
	"context"
	"fmt"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/internal/mysql"
)

// database is the state of one database. Its zero value is none.
type database struct {
	there               bool
	encoding, collation string
}

// state are the databases asked for, by name.
type state map[string]database

type resource struct {
	*Options
	server *mysql.Server
	done   []string
}

func (r *resource) Current(ctx context.Context, h host.Reader) (state, error) {
	out := state{}
	var ask []string
	for _, name := range r.Name {
		if db, ok := h.Noted(mysql.DatabaseNote, name); ok {
			out[name] = db.(database)
		} else {
			ask = append(ask, name)
		}
	}
	if len(ask) == 0 {
		return out, nil
	}
	err := r.server.Read(ctx, h, func(s *mysql.Handle) error {
		for _, name := range ask {
			row, there, err := s.Row(ctx, "SELECT DEFAULT_CHARACTER_SET_NAME AS encoding, DEFAULT_COLLATION_NAME AS collation FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?", name)
			if err != nil {
				return fmt.Errorf("look for the database %s: %w", name, err)
			}
			out[name] = database{there: there, encoding: row.Text("encoding"), collation: row.Text("collation")}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (r *resource) Desired(cur state) (state, error) {
	want := state{}
	for _, name := range r.Name {
		db := cur[name]
		if r.State == "absent" {
			want[name] = database{}
			continue
		}
		fresh := !db.there
		db.there = true
		if r.Encoding != "" && !sameSet(db.encoding, r.Encoding) {
			db.encoding, db.collation = r.Encoding, ""
		}
		if r.Collation != "" && (fresh || !sameSet(db.collation, r.Collation)) {
			db.collation = r.Collation
		}
		want[name] = db
	}
	return want, nil
}

// sameSet compares character sets and collations; utf8 is utf8mb3's old name.
func sameSet(a, b string) bool {
	plain := func(s string) string {
		s = strings.ToLower(s)
		if s == "utf8" || strings.HasPrefix(s, "utf8_") {
			s = "utf8mb3" + s[len("utf8"):]
		}
		return s
	}
	return plain(a) == plain(b)
}

func (r *resource) Diff(cur, want state) []modules.Change {
	var out []modules.Change
	for _, name := range r.Name {
		c, w := cur[name], want[name]
		add := func(field string, before, after any) {
			if len(r.Name) > 1 {
				field = name + "." + field
			}
			out = append(out, modules.Change{Field: field, Before: before, After: after})
		}
		if c.there != w.there {
			add("state", presence(c.there), presence(w.there))
		}
		if w.there && c.encoding != w.encoding {
			add("encoding", text(c.encoding), w.encoding)
		}
		if w.there && c.collation != w.collation && w.collation != "" {
			add("collation", text(c.collation), w.collation)
		}
	}
	return out
}

func presence(there bool) string {
	if there {
		return "present"
	}
	return "absent"
}

func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// statements are what makes cur to want.
func (r *resource) statements(cur, want state) []string {
	var out []string
	for _, name := range r.Name {
		c, w := cur[name], want[name]
		settings := ""
		if r.Encoding != "" && (!c.there || c.encoding != w.encoding) {
			settings += " CHARACTER SET " + w.encoding
		}
		if r.Collation != "" && (!c.there || c.collation != w.collation) {
			settings += " COLLATE " + w.collation
		}
		switch {
		case !w.there && c.there:
			out = append(out, "DROP DATABASE "+mysql.Name(name))
		case w.there && !c.there:
			out = append(out, "CREATE DATABASE "+mysql.Name(name)+settings)
		case settings != "":
			out = append(out, "ALTER DATABASE "+mysql.Name(name)+settings)
		}
	}
	return out
}

func (r *resource) Apply(ctx context.Context, w host.Writer, cur, want state) error {
	pretend := func() {
		for name, db := range want {
			w.Note(mysql.DatabaseNote, name, db)
		}
	}
	return r.server.Write(ctx, w, pretend, func(e *mysql.Editor) error {
		if !r.SQLLogBin {
			if _, err := e.Exec(ctx, "SET SESSION sql_log_bin = 0"); err != nil {
				return err
			}
		}
		for _, s := range r.statements(cur, want) {
			if _, err := e.Exec(ctx, s); err != nil {
				return err
			}
		}
		return nil
	})
}

// Values gives the names, and the statements.
func (r *resource) Values(cur, want state, changed bool) map[string]any {
	if changed && r.done == nil {
		r.done = r.statements(cur, want)
	}
	names, commands := []any{}, []any{}
	for _, n := range r.Name {
		names = append(names, n)
	}
	for _, s := range r.done {
		commands = append(commands, s)
	}
	return map[string]any{"db": strings.Join(r.Name, " "), "db_list": names, "executed_commands": commands}
}
