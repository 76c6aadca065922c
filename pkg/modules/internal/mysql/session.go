package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	driver "github.com/go-sql-driver/mysql"

	"github.com/foobar-play/foobar-play/pkg/host"
)

// Dial opens a session from the host r. Its errors keep the server's (see Code)
// and the network's. Connect is the real one; tests hand in their own, whose
// server lives on their fake host.
type Dial func(ctx context.Context, r host.Reader, at Endpoint) (Session, error)

// Session is one connection to a server. Statements have a ? for each
// argument.
type Session interface {
	// Query runs a statement that may give rows.
	Query(ctx context.Context, statement string, args ...any) (Result, error)
	// Exec runs a statement that gives none.
	Exec(ctx context.Context, statement string, args ...any) (affected int64, err error)
	Close() error
}

// Result is what a statement gave.
type Result struct {
	Columns []string // none: the statement gives no rows
	Rows    []Row
}

// Row is one row by column: nil, int, float64 or string.
type Row map[string]any

// Text gives a column as text, "" when it is NULL or not there.
func (r Row) Text(column string) string {
	switch v := r[column].(type) {
	case nil:
		return ""
	case string:
		return v
	default:
		return fmt.Sprint(v)
	}
}

// Columns are the names of the row's columns, sorted.
func (r Row) Columns() []string { return slices.Sorted(maps.Keys(r)) }

// Int gives a column as a number, 0 when it is none.
func (r Row) Int(column string) int {
	n, _ := strconv.Atoi(r.Text(column))
	return n
}

// The server's error codes that mean something to us.
const (
	errAccessDenied = 1045
	errNoSuchLogin  = 1698 // the socket's plugin refuses
)

// Code gives the server's number of an error, 0 when it did not come from the
// server.
func Code(err error) int {
	var e *driver.MySQLError
	if errors.As(err, &e) {
		return int(e.Number)
	}
	return 0
}

// ServerError makes an error as a server reports it, for servers that stand in
// for a real one.
func ServerError(number int, message string) error {
	return &driver.MySQLError{Number: uint16(number), Message: message}
}

// silent keeps the driver from writing to stderr, which is not ours.
type silent struct{}

func (silent) Print(...any) {}

// Connect opens a session through go-sql-driver.
func Connect(ctx context.Context, _ host.Reader, at Endpoint) (Session, error) {
	cfg := driver.NewConfig()
	cfg.Net, cfg.Addr, cfg.User, cfg.Passwd, cfg.DBName = at.Network, at.Address, at.User, at.Password, at.Database
	cfg.TLS, cfg.Timeout = at.TLS, at.Timeout
	cfg.Logger, cfg.InterpolateParams = silent{}, !at.Prepare
	connector, err := driver.NewConnector(cfg)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	conn, err := db.Conn(ctx)
	if err != nil {
		db.Close()
		return nil, err
	}
	return &session{db: db, conn: conn}, nil
}

type session struct {
	db   *sql.DB
	conn *sql.Conn
}

func (s *session) Close() error {
	s.conn.Close()
	return s.db.Close()
}

func (s *session) Exec(ctx context.Context, statement string, args ...any) (int64, error) {
	res, err := s.conn.ExecContext(ctx, statement, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (s *session) Query(ctx context.Context, statement string, args ...any) (Result, error) {
	rows, err := s.conn.QueryContext(ctx, statement, args...)
	if err != nil {
		return Result{}, err
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		return Result{}, err
	}
	var out Result
	for _, t := range types {
		out.Columns = append(out.Columns, t.Name())
	}
	cells, places := make([]any, len(types)), make([]any, len(types))
	for i := range cells {
		places[i] = &cells[i]
	}
	for rows.Next() {
		if err := rows.Scan(places...); err != nil {
			return Result{}, err
		}
		row := Row{}
		for i, t := range types {
			row[t.Name()] = cell(cells[i], t.DatabaseTypeName())
		}
		out.Rows = append(out.Rows, row)
	}
	return out, rows.Err()
}

// cell makes a value of ours from the driver's. Numbers that fit neither kind
// stay text.
func cell(v any, kind string) any {
	var text string
	switch v := v.(type) {
	case nil:
		return nil
	case []byte:
		text = string(v)
	case int64:
		return int(v)
	case float64:
		return v
	case float32:
		f, _ := strconv.ParseFloat(strconv.FormatFloat(float64(v), 'g', -1, 32), 64)
		return f
	default:
		text = fmt.Sprint(v)
	}
	if strings.HasSuffix(kind, "INT") {
		if n, err := strconv.Atoi(text); err == nil {
			return n
		}
	}
	if kind == "FLOAT" || kind == "DOUBLE" {
		if f, err := strconv.ParseFloat(text, 64); err == nil {
			return f
		}
	}
	return text
}
