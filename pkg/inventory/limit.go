package inventory

import (
	"bufio"
	"fmt"
	"os"
	"strings"
)

// Limit gives those of hosts that the pattern of --limit names, in their order.
// The pattern is that of Match; besides, @FILE stands for the terms in a file,
// one a line, such as the hosts of a retry file (empty lines and those that
// begin with # are passed over). A pattern that only takes away (!web01) takes
// away from hosts.
//
// The error is a *PatternError, or says why the file cannot be read.
func (inv *Inventory) Limit(hosts []*Host, pattern string) ([]*Host, error) {
	terms, err := limitTerms(pattern)
	if err != nil {
		return nil, err
	}
	if len(terms) == 0 {
		return nil, &PatternError{Pattern: pattern, Problem: "it is empty"}
	}
	base := hosts
	if base == nil {
		base = []*Host{}
	}
	allowed, err := inv.match(pattern, terms, base)
	if err != nil {
		return nil, err
	}
	return keep(hosts, allowed, true), nil
}

func limitTerms(pattern string) ([]string, error) {
	var out []string
	for _, part := range cut(pattern, ',') {
		file, ok := strings.CutPrefix(part, "@")
		if !ok {
			out = append(out, splitPattern(part)...)
			continue
		}
		more, err := readLimitFile(file)
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	return out, nil
}

func readLimitFile(path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the hosts to limit the run to: %w", err)
	}
	defer f.Close()
	var out []string
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if line := strings.TrimSpace(lines.Text()); line != "" && line[0] != '#' {
			out = append(out, splitPattern(line)...)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read the hosts to limit the run to from %s: %w", path, err)
	}
	if len(out) == 0 {
		return nil, &PatternError{Pattern: "@" + path, Problem: "the file names no host"}
	}
	return out, nil
}
