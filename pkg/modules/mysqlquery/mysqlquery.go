// Package mysqlquery is the module mysql_query: statements of one's own for
// MySQL and MariaDB. What they mean it cannot know; it knows which of them
// certainly only read, and runs only these in a dry run.
package mysqlquery

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/internal/mysql"
)

// Options are the options of the module mysql_query.
type Options struct {
	Query             any            `arg:"query,required" doc:"A statement, or a list of them."`
	PositionalArgs    []any          `arg:"positional_args" doc:"Values for the %s in the statements."`
	NamedArgs         map[string]any `arg:"named_args" doc:"Values for the %(name)s in the statements."`
	LoginDB           string         `arg:"login_db" doc:"The database to use."`
	SingleTransaction bool           `arg:"single_transaction" doc:"All statements in one transaction; otherwise each counts as soon as it is done."`
	mysql.Login
}

// Check finds options that do not go together.
func (o *Options) Check() error {
	if o.PositionalArgs != nil && o.NamedArgs != nil {
		return errors.New("positional_args and named_args exclude each other")
	}
	_, err := o.statements()
	return err
}

// statement is one statement with ? for its arguments.
type statement struct {
	text string
	args []any
}

func (o *Options) statements() ([]statement, error) {
	var texts []string
	switch q := o.Query.(type) {
	case string:
		texts = []string{q}
	case []any:
		for _, one := range q {
			s, ok := one.(string)
			if !ok {
				return nil, fmt.Errorf("query: %v is no statement", one)
			}
			texts = append(texts, s)
		}
	default:
		return nil, fmt.Errorf("query must be a text or a list of them, not %T", q)
	}
	var out []statement
	for _, t := range texts {
		if strings.TrimSpace(t) == "" {
			return nil, errors.New("query: a statement is empty")
		}
		s, err := o.fill(t)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

var placeholder = regexp.MustCompile(`%%|%s|%\((\w+)\)s`)

// fill replaces the places of Python's kind by the driver's.
func (o *Options) fill(text string) (statement, error) {
	if o.PositionalArgs == nil && o.NamedArgs == nil {
		return statement{text: text}, nil
	}
	s := statement{}
	next := 0
	var wrong error
	s.text = placeholder.ReplaceAllStringFunc(text, func(found string) string {
		name := placeholder.FindStringSubmatch(found)[1]
		switch {
		case found == "%%":
			return "%"
		case name != "":
			v, ok := o.NamedArgs[name]
			if !ok {
				wrong = fmt.Errorf("named_args has no %s", name)
			}
			s.args = append(s.args, v)
		case next >= len(o.PositionalArgs):
			wrong = fmt.Errorf("positional_args has only %d values", next)
		default:
			s.args = append(s.args, o.PositionalArgs[next])
			next++
		}
		return "?"
	})
	if wrong == nil && next < len(o.PositionalArgs) {
		wrong = fmt.Errorf("positional_args has %d values, the statement has places for %d", len(o.PositionalArgs), next)
	}
	return s, wrong
}

// Module is the module mysql_query.
func Module() *modules.Module { return module(mysql.Connect) }

func module(dial mysql.Dial) *modules.Module {
	return modules.Define(modules.Spec{
		Name:          "mysql_query",
		Short:         "Run statements on MySQL and MariaDB",
		Unforeseeable: true,
		Doc: `Statements that certainly only read (SELECT, SHOW, … with nothing in them that could write) run in a session the server holds read-only,
also in a dry run, and change nothing. Others are "maybe" in a dry run. A run says changed when rows were, or when a statement is not one
of INSERT, UPDATE, DELETE, REPLACE. Values go to the server apart from the statement.
Left out against Ansible: check_implicit_admin and config_overrides_defaults.`,
		Returns: []modules.Return{
			{Name: "executed_queries", Type: "list", Doc: "The statements, with ? for values."},
			{Name: "query_result", Type: "list", Doc: "For each statement the list of its rows, which are maps of columns."},
			{Name: "rowcount", Type: "list", Doc: "For each statement how many rows it gave or touched."},
			{Name: "execution_time_ms", Type: "list", Doc: "For each statement how long it took, in milliseconds."},
		},
		Examples: `- name: How many orders are open?
  mysql_query:
    login_db: shop
    query: SELECT COUNT(*) AS n FROM orders WHERE state = %s
    positional_args: [open]
  register: orders
- debug:
    msg: "{{ (index (index .orders.query_result 0) 0).n }}"
`,
	}, func(env modules.Env, o *Options) (modules.Action, error) {
		list, err := o.statements()
		if err != nil {
			return nil, err
		}
		a := &action{Options: o, list: list, server: mysql.NewServer(&o.Login, dial).Prepared()}
		if a.readOnly() {
			return modules.Read(a.read), nil
		}
		return modules.Custom(a.plan, a.apply, modules.Unverifiable), nil
	})
}

type action struct {
	*Options
	list   []statement
	server *mysql.Server
}

func (a *action) readOnly() bool {
	for _, s := range a.list {
		if !mysql.ReadOnly(s.text) {
			return false
		}
	}
	return true
}

func (a *action) read(ctx context.Context, r host.Reader) (modules.Outcome, error) {
	var rep report
	err := a.server.In(a.LoginDB).Read(ctx, r, func(h *mysql.Handle) error {
		for _, s := range a.list {
			begin := time.Now()
			res, err := h.Query(ctx, s.text, s.args...)
			if err != nil {
				return fmt.Errorf("run the statement: %w", err)
			}
			rep.add(s.text, res, int64(len(res.Rows)), begin)
		}
		return nil
	})
	if err != nil {
		if _, wait := waits(r, a.LoginDB); wait && mysql.Code(err) != 0 {
			return modules.Outcome{}, host.Unknownf("the database %s would be made by an earlier task", a.LoginDB)
		}
		return modules.Outcome{}, err
	}
	return modules.Outcome{Values: rep.values()}, nil
}

// waits tells whether a database would be made by an earlier task.
func waits(r host.Reader, name string) (any, bool) { return r.Noted(mysql.DatabaseNote, name) }

func (a *action) plan(context.Context, host.Reader) (modules.Plan, error) {
	return modules.Plan{Verdict: modules.Verdict{Kind: modules.Unknown, Reason: "what a statement does is known only when it runs"}}, nil
}

// dataWords begin statements whose count of rows says whether they changed
// anything.
var dataWords = regexp.MustCompile(`(?i)^\s*(insert|update|delete|replace|select|show|with)\b`)

func (a *action) apply(ctx context.Context, w host.Writer) (modules.Outcome, error) {
	var rep report
	out := modules.Outcome{}
	unknown := host.Unknownf("what a statement does is known only when it runs")
	if host.Pretending(w) {
		return out, unknown
	}
	err := a.server.In(a.LoginDB).Write(ctx, w, nil, func(e *mysql.Editor) error {
		if a.SingleTransaction {
			if err := e.Plain(ctx, "START TRANSACTION"); err != nil {
				return err
			}
		}
		for i, s := range a.list {
			begin := time.Now()
			res, n, err := e.Run(ctx, s.text, s.args...)
			if err != nil {
				if a.SingleTransaction {
					_ = e.Plain(ctx, "ROLLBACK")
				}
				return fmt.Errorf("run statement %d: %w", i+1, err)
			}
			rep.add(s.text, res, n, begin)
			if !mysql.ReadOnly(s.text) && (n > 0 && len(res.Columns) == 0 || !dataWords.MatchString(s.text)) {
				out.Changed = true
			}
		}
		if a.SingleTransaction {
			return e.Plain(ctx, "COMMIT")
		}
		return nil
	})
	out.Values = rep.values()
	return out, err
}

// report collects the return values.
type report struct{ queries, results, counts, times []any }

func (r *report) add(text string, res mysql.Result, n int64, begin time.Time) {
	rows := []any{}
	for _, row := range res.Rows {
		rows = append(rows, map[string]any(row))
	}
	r.queries = append(r.queries, text)
	r.results = append(r.results, rows)
	r.counts = append(r.counts, int(n))
	r.times = append(r.times, float64(time.Since(begin).Microseconds())/1000)
}

func (r *report) values() map[string]any {
	return map[string]any{"executed_queries": r.queries, "query_result": r.results, "rowcount": r.counts, "execution_time_ms": r.times}
}
