package haproxy

import (
	"context"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
)

// server is one server in one backend, as haproxy has it.
type server struct {
	backend, name string
	admin         string // enabled, drain or disabled: what an administrator wants
	weight        int    // in use
	configured    int    // weight in the configuration
	health, agent bool   // whether these checks are switched on; true where there are none
	status        string // "UP", "DOWN", "UP 1/2", "DRAIN", "MAINT", "no check", …
	check         string // what the last check said
	sessions      int    // now
}

func (s server) path() string { return s.backend + "/" + s.name }

// down reports whether haproxy gives it no traffic because it is broken.
func (s server) down() bool { return strings.HasPrefix(s.status, "DOWN") || s.status == "NOLB" }

// healthy reports whether all checks say so, or nobody checks.
func (s server) healthy() bool { return s.status == "UP" || s.status == "no check" }

// Bits of srv_admin_state and of the check states, from haproxy's
// include/haproxy/server-t.h and check-t.h.
const (
	forcedMaint = 0x01
	forcedDrain = 0x08

	checkConfigured = 0x02
	checkEnabled    = 0x04
)

// readServers asks for the servers of that name, in one backend or in all ("").
func readServers(ctx context.Context, socket, backend, name string) ([]server, error) {
	text, err := ask(ctx, socket, "show servers state")
	if err != nil {
		return nil, err
	}
	list, err := parseState(text)
	if err != nil {
		return nil, fmt.Errorf("read the state of haproxy's servers: %w", err)
	}
	text, err = ask(ctx, socket, "show stat -1 4 -1")
	if err != nil {
		return nil, err
	}
	stats, err := parseStat(text)
	if err != nil {
		return nil, fmt.Errorf("read haproxy's statistics: %w", err)
	}
	var out []server
	for _, s := range list {
		if s.name != name || backend != "" && s.backend != backend {
			continue
		}
		row, ok := stats[s.path()]
		if !ok {
			return nil, fmt.Errorf("haproxy's statistics do not have the server %s, which its states do", s.path())
		}
		if s.sessions, err = strconv.Atoi(row["scur"]); err != nil {
			return nil, fmt.Errorf("sessions of %s: %w", s.path(), err)
		}
		s.status = row["status"]
		s.check = strings.TrimSpace(row["check_status"] + " " + row["last_chk"])
		out = append(out, s)
	}
	return out, nil
}

// parseState reads `show servers state`: the format's version, a line of
// column names after "# ", then a line of words for each server.
func parseState(text string) ([]server, error) {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) < 2 || strings.TrimSpace(lines[0]) != "1" || !strings.HasPrefix(lines[1], "# ") {
		return nil, fmt.Errorf("haproxy said %q", clip(text))
	}
	names := strings.Fields(lines[1][2:])
	var out []server
	for _, line := range lines[2:] {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		s, err := stateOf(row(names, words))
		if err != nil {
			return nil, fmt.Errorf("%w in the line %q", err, line)
		}
		out = append(out, s)
	}
	return out, nil
}

func row(names, words []string) map[string]string {
	m := map[string]string{}
	for i, n := range names {
		if i < len(words) {
			m[n] = words[i]
		}
	}
	return m
}

func stateOf(m map[string]string) (server, error) {
	s := server{backend: m["be_name"], name: m["srv_name"], admin: "enabled"}
	var admin, check, agent int
	for name, into := range map[string]*int{
		"srv_admin_state": &admin, "srv_uweight": &s.weight, "srv_iweight": &s.configured,
		"srv_check_state": &check, "srv_agent_state": &agent,
	} {
		n, err := strconv.Atoi(m[name])
		if err != nil {
			return s, fmt.Errorf("%s is %q", name, m[name])
		}
		*into = n
	}
	if s.backend == "" || s.name == "" {
		return s, fmt.Errorf("no names")
	}
	switch {
	case admin&forcedMaint != 0:
		s.admin = "disabled"
	case admin&forcedDrain != 0:
		s.admin = "drain"
	}
	on := func(state int) bool { return state&checkConfigured == 0 || state&checkEnabled != 0 }
	s.health, s.agent = on(check), on(agent)
	return s, nil
}

// parseStat reads `show stat`: CSV whose first line begins with "# ", by
// backend/server.
func parseStat(text string) (map[string]map[string]string, error) {
	text, ok := strings.CutPrefix(text, "# ")
	if !ok {
		return nil, fmt.Errorf("haproxy said %q", clip(text))
	}
	in := csv.NewReader(strings.NewReader(text))
	in.FieldsPerRecord = -1
	records, err := in.ReadAll()
	if err != nil {
		return nil, err
	}
	if len(records) == 0 {
		return nil, fmt.Errorf("haproxy gave no names of columns")
	}
	out := map[string]map[string]string{}
	for _, words := range records[1:] {
		m := row(records[0], words)
		out[m["pxname"]+"/"+m["svname"]] = m
	}
	return out, nil
}

// clip shortens what is quoted in an error.
func clip(s string) string {
	if s = strings.TrimSpace(s); len(s) > 200 {
		return s[:200] + "…"
	}
	return s
}
