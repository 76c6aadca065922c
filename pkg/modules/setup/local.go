package setup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// local reads the facts a host keeps of itself: *.fact files of JSON or INI,
// or programs that print either. A broken one becomes a text that says so, as
// in Ansible.
func (p *probe) local(ctx context.Context) (map[string]any, error) {
	facts := map[string]any{}
	list, err := p.ReadDir(p.factPath)
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]any{"local": facts}, nil
	}
	if err != nil {
		return nil, err
	}
	for _, fi := range list {
		name, ok := strings.CutSuffix(path.Base(fi.Path), ".fact")
		if !ok {
			continue
		}
		text, err := p.fact(ctx, fi.Path)
		if err != nil {
			facts[name] = fmt.Sprintf("error loading fact - please check content: %v", err)
			continue
		}
		facts[name] = parseFact(text)
	}
	return map[string]any{"local": facts}, nil
}

func (p *probe) fact(ctx context.Context, file string) (string, error) {
	fi, err := p.Stat(file)
	if err != nil {
		return "", err
	}
	if fi.Type == host.File && fi.Mode&0o111 != 0 {
		return p.query(ctx, file)
	}
	b, err := host.ReadFile(p, file)
	return string(b), err
}

func parseFact(text string) any {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) == nil && !dec.More() {
		return value.Normalize(v)
	}
	ini, err := parseINI(text)
	if err != nil {
		return fmt.Sprintf("error loading facts as JSON or ini - please check content: %v", err)
	}
	return ini
}

// parseINI reads sections of name=value or name: value; names are in lower
// case.
func parseINI(text string) (map[string]any, error) {
	out := map[string]any{}
	var section map[string]any
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#' || line[0] == ';':
		case line[0] == '[' && strings.HasSuffix(line, "]"):
			section = map[string]any{}
			out[line[1:len(line)-1]] = section
		case section == nil:
			return nil, fmt.Errorf("line %d is before the first [section]", n)
		default:
			i := strings.IndexAny(line, "=:")
			if i < 0 {
				return nil, fmt.Errorf("line %d is not name = value", n)
			}
			section[strings.ToLower(strings.TrimSpace(line[:i]))] = strings.TrimSpace(line[i+1:])
		}
	}
	if len(out) == 0 {
		return nil, errors.New("there is nothing in it")
	}
	return out, nil
}
