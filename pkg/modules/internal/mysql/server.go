// Package mysql is how the modules for MySQL and MariaDB talk to a server: how
// they log in, what the two dialects call things, and what accounts,
// privileges and password hashes look like.
//
// A module reads through a Handle, which takes nothing but one SELECT or SHOW,
// in a session that the server itself holds read-only; it writes through an
// Editor, which only a host.Writer leads to. In a dry run no Editor is made:
// what would be done is noted on the shadow, where later tasks read it before
// they ask the server.
//
// A server that is not there, because its package or service would only come
// with the run, is a *host.UnknownError. The package must not know the options
// or the results of single modules.
package mysql

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/host/units"
)

// Server is a database server as one task reaches it. Make it with NewServer.
type Server struct {
	login    *Login
	dial     Dial
	vars     map[string]any // of the sessions
	database string
	// prepare sends arguments apart from statements (see Endpoint.Prepare).
	prepare bool
}

// NewServer makes a server from the options to log in.
func NewServer(login *Login, dial Dial) *Server {
	return &Server{login: login, dial: dial, vars: login.SessionVars}
}

// Prepared makes the server's sessions send arguments apart from statements.
func (s *Server) Prepared() *Server {
	c := *s
	c.prepare = true
	return &c
}

// In makes the server's sessions use a database; "" is none.
func (s *Server) In(database string) *Server {
	c := *s
	c.database = database
	return &c
}

// Read calls look with a handle that can only read. Errors are look's; those
// of connecting say what to do; *host.UnknownError when the server is to come
// with the run.
func (s *Server) Read(ctx context.Context, r host.Reader, look func(*Handle) error) error {
	h, err := s.open(ctx, r)
	if err != nil {
		return err
	}
	defer h.session.Close()
	if _, err := h.session.Exec(ctx, "SET SESSION TRANSACTION READ ONLY"); err != nil {
		return fmt.Errorf("make the session read-only: %w", err)
	}
	return look(h)
}

// Write calls change with a handle that may write. In a dry run it does not
// connect, and calls pretend instead, which notes what would be.
func (s *Server) Write(ctx context.Context, w host.Writer, pretend func(), change func(*Editor) error) error {
	if host.Pretending(w) {
		if pretend != nil {
			pretend()
		}
		return nil
	}
	h, err := s.open(ctx, w)
	if err != nil {
		return err
	}
	defer h.session.Close()
	return change(&Editor{Handle: h})
}

// open connects and finds out what answers.
func (s *Server) open(ctx context.Context, r host.Reader) (*Handle, error) {
	at, err := s.login.endpoint(r)
	if err != nil {
		return nil, err
	}
	at.Prepare, at.Database = s.prepare, s.database
	session, err := s.dial(ctx, r, at)
	if err != nil {
		return nil, explain(r, at, err)
	}
	h := &Handle{session: session}
	if err := h.greet(ctx, s.vars); err != nil {
		session.Close()
		return nil, err
	}
	return h, nil
}

// services are the units under which the servers run.
var services = []string{"mariadb.service", "mysql.service", "mysqld.service"}

// explain says what a failed connection means and what to do.
func explain(r host.Reader, at Endpoint, err error) error {
	var refused *net.OpError
	down := errors.As(err, &refused) || errors.Is(err, os.ErrNotExist)
	if down {
		if why := toCome(r); why != "" {
			return host.Unknownf("no database server answers at %s yet: %s", at.Address, why)
		}
		return fmt.Errorf("no database server answers at %s (is it installed and started?): %w", at.Address, err)
	}
	if code := Code(err); code == errAccessDenied || code == errNoSuchLogin {
		if _, ok := r.Noted(UserHostsNote, at.User); ok {
			return host.Unknownf("the account %s would be made or changed by an earlier task", at.User)
		}
		return fmt.Errorf("log in at %s as %s (login_user, login_password; root may come in over the socket without a password): %w", at.Address, at.User, err)
	}
	return fmt.Errorf("log in at %s: %w", at.Address, err)
}

// toCome says why a server that is not there may be there in the run.
func toCome(r host.Reader) string {
	if reason, ok := host.Pending(r); ok {
		return reason
	}
	for _, name := range services {
		if units.Pretended(r, units.System, name) {
			return "an earlier task would start or restart " + name
		}
	}
	return ""
}

// sockets are where servers listen by default, Debian's first.
var sockets = []string{"/run/mysqld/mysqld.sock", "/var/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock", "/tmp/mysql.sock"}

// findSocket finds the socket of a server that runs on the host.
func findSocket(r host.Reader) (string, error) {
	for _, path := range sockets {
		info, err := r.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		if info.Type == host.Other {
			return path, nil
		}
	}
	if why := toCome(r); why != "" {
		return "", host.Unknownf("there is no database server yet: %s", why)
	}
	return "", fmt.Errorf("there is no database server on this host: nothing listens at %s. Install and start one, or set login_unix_socket or login_host", sockets[0])
}
