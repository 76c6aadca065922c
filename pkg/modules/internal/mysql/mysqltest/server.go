// Package mysqltest is a database server that stands in for a real one in the
// tests of the mysql_* modules. It knows the statements these modules say, in
// both dialects, and nothing else. Its state is a file of the fake host, so
// that the conformance suite sees what a dry run would have written.
package mysqltest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules/internal/mysql"
	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
)

// Socket is where the server listens: the option login_unix_socket of a case.
const Socket = "/run/mysqld/mysqld.sock"

const stateFile = "/var/lib/mysql/state.json"

// State is what the server holds.
type State struct {
	Version   string               // "10.11.6-MariaDB", "9.7.4"
	Databases map[string][2]string // encoding and collation
	Variables map[string]string    //
	Persisted map[string]string    //
	Accounts  map[string]*Account  // by 'user'@'host'
	Link      map[string]string    // the replica's status, by column of the dialect; nil: none
	Password  string               // the link's
	GTID      string               // of the own binary log
}

// Account is an account of the server.
type Account struct {
	User, Host, Plugin, Hash string
	TLS                      string // ssl_type
	Limits                   map[string]string
	Locked                   bool
	Grants                   mysql.Privileges
}

// Host makes a host on which the server runs.
func Host(s State) func(t *testing.T) *modulestest.Host {
	return modulestest.NewTestHost(func(h *modulestest.Host) {
		text, err := json.MarshalIndent(s, "", "  ")
		if err != nil {
			panic(err)
		}
		h.AddFile(stateFile, string(text), 0o600)
	})
}

// Read gives the state of a host's server.
func Read(t *testing.T, r host.Reader) State {
	t.Helper()
	s, err := load(r)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Edit changes the state of a host's server.
func Edit(t *testing.T, w host.Writer, change func(*State)) {
	t.Helper()
	s := Read(t, w)
	change(&s)
	if err := save(w, s); err != nil {
		t.Fatal(err)
	}
}

func load(r host.Reader) (State, error) {
	var s State
	text, err := host.ReadFile(r, stateFile)
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(text, &s)
}

func save(w host.Writer, s State) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return host.WriteString(w, stateFile, string(text))
}

// Dial is the mysql.Dial of the servers that Host makes.
func Dial(_ context.Context, r host.Reader, at mysql.Endpoint) (mysql.Session, error) {
	if at.Address != Socket {
		return nil, fmt.Errorf("the task connects to %s, give it login_unix_socket: %s", at.Address, Socket)
	}
	if _, err := load(r); err != nil {
		return nil, err
	}
	return &session{host: r}, nil
}

type session struct{ host host.Reader }

func (s *session) Close() error { return nil }

func (s *session) Query(_ context.Context, statement string, args ...any) (mysql.Result, error) {
	state, err := load(s.host)
	if err != nil {
		return mysql.Result{}, err
	}
	for _, a := range answers {
		if strings.HasPrefix(statement, a.begins) {
			return a.give(&state, statement, args), nil
		}
	}
	return mysql.Result{}, fmt.Errorf("mysqltest: the server was not told what this means: %s", statement)
}

func (s *session) Exec(_ context.Context, statement string, args ...any) (int64, error) {
	if statement == "SET SESSION TRANSACTION READ ONLY" {
		return 0, nil
	}
	w, ok := s.host.(host.Writer)
	if !ok {
		return 0, errors.New("mysqltest: a plan wrote: " + statement)
	}
	state, err := load(s.host)
	if err != nil {
		return 0, err
	}
	for _, e := range effects {
		if m := e.matches.FindStringSubmatch(statement); m != nil {
			if err := e.do(&state, m, args); err != nil {
				return 0, err
			}
			return 0, save(w, state)
		}
	}
	return 0, fmt.Errorf("mysqltest: the server was not told what this does: %s", statement)
}
