package mysqlreplication

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/internal/mysql"
)

// statement is one statement with its arguments.
type statement struct {
	text string
	args []any
}

func (r *resource) Apply(ctx context.Context, w host.Writer, cur, want link) error {
	pretend := func() {
		if want.known {
			w.Note(mysql.ReplicationNote, r.name(), want)
		}
	}
	return r.server.Write(ctx, w, pretend, func(e *mysql.Editor) error {
		for _, s := range r.statements(cur, want) {
			if _, err := e.Exec(ctx, s.text, s.args...); err != nil {
				return err
			}
		}
		if r.Mode == "startreplica" {
			return awaitThreads(ctx, e.Handle, cur.dialect)
		}
		return nil
	})
}

// startGrace is how long a thread may take to say that it runs, or why not.
const startGrace = 5 * time.Second

// awaitThreads waits until both threads run; one that ended says why.
func awaitThreads(ctx context.Context, s *mysql.Handle, d dialect) error {
	for deadline := time.Now().Add(startGrace); ; {
		row, _, err := d.status(ctx, s)
		if err != nil {
			return err
		}
		if row.Text("Replica_IO_Running") != "No" && row.Text("Replica_SQL_Running") == "Yes" {
			return nil
		}
		for _, thread := range []string{"IO", "SQL"} {
			if row.Int("Last_"+thread+"_Errno") != 0 && row.Text("Replica_"+thread+"_Running") == "No" {
				return fmt.Errorf("the replica's %s thread stopped after it was started: %s", thread, row.Text("Last_"+thread+"_Error"))
			}
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the replica's threads do not run %s after they were started (IO %s, SQL %s): the server's log says why",
				startGrace, row.Text("Replica_IO_Running"), row.Text("Replica_SQL_Running"))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// statements are what makes cur to want.
func (r *resource) statements(cur, want link) []statement {
	d := cur.dialect
	halted := func(what ...statement) []statement {
		if !cur.io && !cur.sql {
			return what
		}
		return append([]statement{{text: d.replica("STOP", "")}}, what...)
	}
	switch r.Mode {
	case "startreplica":
		return []statement{{text: d.replica("START", "")}}
	case "stopreplica":
		return []statement{{text: d.replica("STOP", "")}}
	case "resetprimary":
		return []statement{{text: d.resetPrimary()}}
	case "resetreplicaall":
		return halted(statement{text: d.replica("RESET", " ALL")})
	}
	what := statement{text: d.replica("RESET", "")}
	if r.Mode == "changeprimary" {
		what = r.change(cur, want)
	}
	out := halted(what)
	if cur.io || cur.sql {
		out = append(out, statement{text: d.replica("START", "")})
	}
	return out
}

// running verifies that the threads run still: what stopped one is the
// replica's trouble, and no defect of ours.
func (r *resource) running(ctx context.Context, h host.Reader) ([]modules.Change, error) {
	return nil, r.server.Read(ctx, h, func(s *mysql.Handle) error {
		d, err := newDialect(s.Version, r.name())
		if err != nil {
			return err
		}
		return awaitThreads(ctx, s, d)
	})
}

// change is CHANGE … TO with what differs. Positions count for a new link
// only: naming them for an old one would move it.
func (r *resource) change(cur, want link) statement {
	d := cur.dialect
	var parts []string
	var args []any
	add := func(word string, value any) {
		parts, args = append(parts, word+" = ?"), append(args, value)
	}
	moved := !cur.there
	for _, s := range r.differing(cur, want) {
		moved = moved || s.option == "primary_host" || s.option == "primary_port"
		if plain := s.argument(); plain != "" {
			parts = append(parts, d.clause(s.option)+" = "+plain)
		} else {
			add(d.clause(s.option), s.value)
		}
	}
	if r.passwordDiffers(cur, want) {
		add(d.prefix()+"_PASSWORD", mysql.Secret(*r.PrimaryPassword))
	}
	if moved {
		for _, p := range []struct {
			word string
			file string
			pos  *int
		}{{d.prefix() + "_LOG", r.PrimaryLogFile, r.PrimaryLogPos}, {"RELAY_LOG", r.RelayLogFile, r.RelayLogPos}} {
			if p.file != "" {
				add(p.word+"_FILE", p.file)
			}
			if p.pos != nil {
				parts = append(parts, p.word+"_POS = "+strconv.Itoa(*p.pos))
			}
		}
	}
	head, tail := d.change()
	return statement{head + strings.Join(parts, ", ") + tail, args}
}

// Values gives the statements.
func (r *resource) Values(cur, want link, changed bool) map[string]any {
	queries := []any{}
	if changed && cur.known {
		for _, s := range r.statements(cur, want) {
			queries = append(queries, mysql.Shown(s.text, s.args))
		}
	}
	return map[string]any{"queries": queries}
}
