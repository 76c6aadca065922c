package runner

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// masker replaces known secrets wherever they appear, in plain and in every
// escaped form they may take on their way: JSON, Go-quoted, URL, base64.
type masker struct {
	mu       sync.RWMutex
	secrets  map[string]bool
	replacer *strings.Replacer
}

// minSecret is the shortest text that is masked: shorter ones stand in too
// many innocent places.
const minSecret = 4

func (m *masker) add(secret string) {
	if len(secret) < minSecret {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.secrets[secret] {
		return
	}
	if m.secrets == nil {
		m.secrets = map[string]bool{}
	}
	m.secrets[secret] = true
	m.replacer = nil
}

// addValue adds every text inside v.
func (m *masker) addValue(v any) {
	switch x := v.(type) {
	case string:
		m.add(x)
		for line := range strings.Lines(x) {
			if line = strings.TrimSpace(line); len(line) >= 16 {
				m.add(line)
			}
		}
	case []any:
		for _, e := range x {
			m.addValue(e)
		}
	case map[string]any:
		for _, e := range x {
			m.addValue(e)
		}
	}
}

func (m *masker) empty() bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return len(m.secrets) == 0
}

func (m *masker) text(s string) string {
	if s == "" {
		return s
	}
	return m.ready().Replace(s)
}

func (m *masker) ready() *strings.Replacer {
	m.mu.RLock()
	r := m.replacer
	m.mu.RUnlock()
	if r != nil {
		return r
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var forms []string
	for s := range m.secrets {
		forms = append(forms, escaped(s)...)
	}
	// Longest first: a secret that contains another must go as a whole.
	slices.SortFunc(forms, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	var pairs []string
	for _, f := range slices.Compact(forms) {
		pairs = append(pairs, f, hidden)
	}
	m.replacer = strings.NewReplacer(pairs...)
	return m.replacer
}

func escaped(s string) []string {
	js, _ := json.Marshal(s)
	return []string{
		s,
		strings.Trim(string(js), `"`),
		strings.Trim(strconv.Quote(s), `"`),
		url.QueryEscape(s),
		url.PathEscape(s),
		base64.StdEncoding.EncodeToString([]byte(s)),
		base64.URLEncoding.EncodeToString([]byte(s)),
		strings.ReplaceAll(s, "'", `'"'"'`),
		strings.ReplaceAll(s, "'", `'\''`),
	}
}

func (m *masker) value(v any) any {
	switch x := v.(type) {
	case string:
		return m.text(x)
	case []any:
		out := make([]any, len(x))
		for i, e := range x {
			out[i] = m.value(e)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(x))
		for k, e := range x {
			out[m.text(k)] = m.value(e)
		}
		return out
	}
	return v
}
