package mysqlinfo

import (
	"context"
	"slices"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/modules/internal/mysql"
)

func version(_ context.Context, s *mysql.Handle, _ *Options) (any, error) {
	v := s.Version
	_, suffix, _ := strings.Cut(v.Full, "-")
	return map[string]any{"major": v.Major, "minor": v.Minor, "release": v.Patch, "suffix": suffix, "full": v.Full}, nil
}

func databases(ctx context.Context, s *mysql.Handle, o *Options) (any, error) {
	sized := !slices.Contains(o.ExcludeFields, "db_size")
	out := map[string]any{}
	if o.ReturnEmptyDBs || !sized {
		res, err := s.Query(ctx, "SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA")
		if err != nil {
			return nil, err
		}
		for _, row := range res.Rows {
			one := map[string]any{}
			if sized {
				one["size"] = 0
			}
			out[row.Text("name")] = one
		}
	}
	if !sized {
		return out, nil
	}
	res, err := s.Query(ctx, "SELECT TABLE_SCHEMA AS name, SUM(DATA_LENGTH + INDEX_LENGTH) AS size FROM information_schema.TABLES GROUP BY TABLE_SCHEMA")
	for _, row := range res.Rows {
		out[row.Text("name")] = map[string]any{"size": row.Int("size")}
	}
	return out, err
}

// pairs reads a statement of names and values.
func pairs(ctx context.Context, s *mysql.Handle, statement string) (any, error) {
	out := map[string]any{}
	res, err := s.Query(ctx, statement)
	for _, row := range res.Rows {
		out[row.Text("Variable_name")] = row["Value"]
	}
	return out, err
}

func settings(ctx context.Context, s *mysql.Handle, _ *Options) (any, error) {
	return pairs(ctx, s, "SHOW GLOBAL VARIABLES")
}

func globalStatus(ctx context.Context, s *mysql.Handle, _ *Options) (any, error) {
	return pairs(ctx, s, "SHOW GLOBAL STATUS")
}

func users(ctx context.Context, s *mysql.Handle, _ *Options) (any, error) {
	out := map[string]any{}
	res, err := s.Query(ctx, "SELECT Host AS host, User AS user, plugin, ssl_type, ssl_cipher, x509_issuer, x509_subject FROM mysql.user")
	for _, row := range res.Rows {
		name := row.Text("host")
		if out[name] == nil {
			out[name] = map[string]any{}
		}
		one := map[string]any{}
		for _, c := range []string{"plugin", "ssl_type", "ssl_cipher", "x509_issuer", "x509_subject"} {
			one[c] = row.Text(c)
		}
		out[name].(map[string]any)[row.Text("user")] = one
	}
	return out, err
}

// by reads a statement into maps by one of its columns.
func by(ctx context.Context, s *mysql.Handle, statement, column string) (any, error) {
	out := map[string]any{}
	res, err := s.Query(ctx, statement)
	for _, row := range res.Rows {
		key := row.Text(column)
		delete(row, column)
		out[key] = map[string]any(row)
	}
	return out, err
}

func engines(ctx context.Context, s *mysql.Handle, _ *Options) (any, error) {
	return by(ctx, s, "SHOW ENGINES", "Engine")
}

func replicaHosts(ctx context.Context, s *mysql.Handle, _ *Options) (any, error) {
	if s.Version.MariaDB {
		return by(ctx, s, "SHOW SLAVE HOSTS", "Server_id")
	}
	return by(ctx, s, "SHOW REPLICAS", "Server_Id")
}

func primaryStatus(ctx context.Context, s *mysql.Handle, _ *Options) (any, error) {
	statement := "SHOW MASTER STATUS"
	if !s.Version.MariaDB && s.Version.AtLeast(8, 2, 0) {
		statement = "SHOW BINARY LOG STATUS"
	}
	row, _, err := s.Row(ctx, statement)
	if row == nil {
		row = mysql.Row{}
	}
	return map[string]any(row), err
}

func replicaStatus(ctx context.Context, s *mysql.Handle, _ *Options) (any, error) {
	statement, word := "SHOW REPLICA STATUS", "Source"
	if s.Version.MariaDB {
		statement, word = "SHOW ALL SLAVES STATUS", "Master"
	}
	res, err := s.Query(ctx, statement)
	out := map[string]any{}
	for _, row := range res.Rows {
		at := out
		for _, key := range []string{row.Text(word + "_Host"), row.Text(word + "_Port")} {
			if at[key] == nil {
				at[key] = map[string]any{}
			}
			at = at[key].(map[string]any)
		}
		at[row.Text(word+"_User")] = map[string]any(row)
	}
	return out, err
}
