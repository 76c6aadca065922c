// Package mysqlvariables is the module mysql_variables: server variables of
// MySQL and MariaDB, for now and, with MySQL, for later starts.
package mysqlvariables

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/internal/mysql"
)

// Options are the options of the module mysql_variables.
type Options struct {
	Variable string `arg:"variable,required" doc:"The variable."`
	Value    any    `arg:"value" doc:"Its value, a text, number or bool; left out: it is only read."`
	Mode     string `arg:"mode" default:"global" choices:"global,persist,persist_only" doc:"global: until the server restarts. persist: now and after. persist_only: from the next start on. The last two are MySQL's."`
	mysql.Login
}

// Check finds a name that is none.
func (o *Options) Check() error {
	if !mysql.VariableName(o.Variable) {
		return fmt.Errorf("variable: %q is no variable's name", o.Variable)
	}
	switch o.Value.(type) {
	case []any, map[string]any:
		return errors.New("value must be a text, a number or a bool")
	}
	return nil
}

// Module is the module mysql_variables.
func Module() *modules.Module { return module(mysql.Connect) }

func module(dial mysql.Dial) *modules.Module {
	return modules.Define(modules.Spec{
		Name:  "mysql_variables",
		Short: "Set server variables of MySQL and MariaDB",
		Doc: `Values are compared as the server means them: ON is true and 1, 2 is 2.000000. A value that the server rounds to another one is refused,
because it would be set again in every run: the message names the value to give. MariaDB keeps no variables over a restart: put them into its configuration.
Nothing is left out against Ansible but check_implicit_admin, force_context and config_overrides_defaults.`,
		Returns: []modules.Return{
			{Name: "variable", Type: "string", Doc: "The variable."},
			{Name: "value", Type: "string", Doc: "Its value: the wanted one, or without value what it is."},
			{Name: "queries", Type: "list", Doc: "The statements that were executed, or would be."},
			{Name: "msg", Type: "string", Doc: "The value as text, when value was left out."},
		},
		Examples: `- name: Slow queries are logged from one second on
  mysql_variables:
    variable: long_query_time
    value: 1
- name: Read-only, also after a restart (MySQL)
  mysql_variables:
    variable: super_read_only
    value: true
    mode: persist
`,
	}, func(env modules.Env, o *Options) (modules.Action, error) {
		return modules.Managed(&resource{Options: o, server: mysql.NewServer(&o.Login, dial)}), nil
	})
}

// state is a variable now (global) and after the next start (persisted); nil
// is none.
type state struct{ global, persisted *string }

type resource struct {
	*Options
	server *mysql.Server
}

func (r *resource) Current(ctx context.Context, h host.Reader) (state, error) {
	var s state
	if v, ok := h.Noted(mysql.VariableNote, r.Variable); ok {
		return v.(state), nil
	}
	err := r.server.Read(ctx, h, func(s2 *mysql.Handle) error {
		if r.Mode != "global" && s2.Version.MariaDB {
			return fmt.Errorf("mode %s: %s keeps no variables over a restart, put %s into its configuration", r.Mode, s2.Version, r.Variable)
		}
		row, ok, err := s2.Row(ctx, "SHOW GLOBAL VARIABLES WHERE Variable_name = ?", r.Variable)
		if err != nil {
			return fmt.Errorf("read the variable %s: %w", r.Variable, err)
		}
		if !ok {
			return fmt.Errorf("%s has no global variable %s", s2.Version, r.Variable)
		}
		v := row.Text("Value")
		s.global = &v
		if r.Mode == "global" {
			return nil
		}
		row, ok, err = s2.Row(ctx, "SELECT VARIABLE_VALUE AS value FROM performance_schema.persisted_variables WHERE VARIABLE_NAME = ?", r.Variable)
		if err != nil {
			return fmt.Errorf("read the persisted variable %s: %w", r.Variable, err)
		}
		if ok {
			v := row.Text("value")
			s.persisted = &v
		}
		return nil
	})
	return s, err
}

func (r *resource) Desired(cur state) (state, error) {
	if r.Value == nil {
		return cur, nil
	}
	want, value := cur, textOf(r.Value)
	if r.Mode != "persist_only" && !same(cur.global, value) {
		want.global = &value
	}
	if r.Mode != "global" && !same(cur.persisted, value) {
		want.persisted = &value
	}
	return want, nil
}

func textOf(v any) string {
	switch v := v.(type) {
	case bool:
		if v {
			return "ON"
		}
		return "OFF"
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}

// same compares values as the server means them.
func same(have *string, want string) bool {
	if have == nil {
		return false
	}
	if strings.EqualFold(*have, want) {
		return true
	}
	a, b := number(*have), number(want)
	x, errA := strconv.ParseFloat(a, 64)
	y, errB := strconv.ParseFloat(b, 64)
	return errA == nil && errB == nil && x == y
}

func number(v string) string {
	switch strings.ToUpper(v) {
	case "ON", "TRUE", "YES":
		return "1"
	case "OFF", "FALSE", "NO":
		return "0"
	}
	return v
}

func (r *resource) Diff(cur, want state) []modules.Change {
	var out []modules.Change
	add := func(field string, c, w *string) {
		if w != nil && (c == nil || *c != *w) {
			out = append(out, modules.Change{Field: field, Before: shown(c), After: *w})
		}
	}
	add(r.Variable, cur.global, want.global)
	add(r.Variable+" (persisted)", cur.persisted, want.persisted)
	return out
}

func shown(v *string) any {
	if v == nil {
		return nil
	}
	return *v
}

func (r *resource) statement() string {
	return "SET " + strings.ToUpper(r.Mode) + " " + r.Variable + " = "
}

func (r *resource) Apply(ctx context.Context, w host.Writer, cur, want state) error {
	pretend := func() {
		if want.global != nil {
			w.Note(mysql.VariableNote, r.Variable, want)
		}
	}
	return r.server.Write(ctx, w, pretend, func(e *mysql.Editor) error {
		value := textOf(r.Value)
		var arg any = value
		if n, err := strconv.ParseInt(value, 10, 64); err == nil {
			arg = n
		} else if f, err := strconv.ParseFloat(value, 64); err == nil {
			arg = f
		}
		if _, err := e.Exec(ctx, r.statement()+"?", arg); err != nil {
			return err
		}
		if r.Mode == "persist_only" {
			return nil
		}
		row, _, err := e.Row(ctx, "SHOW GLOBAL VARIABLES WHERE Variable_name = ?", r.Variable)
		if got := row.Text("Value"); err == nil && !same(&got, value) {
			return fmt.Errorf("the server made %s of %s = %s: give that value, so that it is not set in every run", got, r.Variable, value)
		}
		return err
	})
}

// Values gives the variable and its value.
func (r *resource) Values(cur, want state, changed bool) map[string]any {
	out := map[string]any{"variable": r.Variable, "queries": []any{}}
	if want.global != nil {
		out["value"] = *want.global
	}
	if r.Value == nil {
		out["msg"] = out["value"]
	} else if changed {
		out["value"] = textOf(r.Value)
		out["queries"] = []any{r.statement() + "'" + textOf(r.Value) + "'"}
	}
	return out
}
