package inventory

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/source"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// maxScriptOutput bounds what a script may print, in bytes.
const maxScriptOutput = 128 << 20

// hostCalls is how many --host calls run at a time.
const hostCalls = 8

// script is an executable that prints an inventory as JSON: with --list the
// groups, each a list of hosts or a map of hosts, children and vars, and under
// _meta.hostvars the variables of all hosts; where _meta is missing, they are
// asked for with --host NAME.
//
// It inherits the environment and the working directory, is started without a
// shell, and is ended with its process group when the time is over.
type script struct {
	path string
	o    Options
}

func (s script) load(ctx context.Context) (content, diag.List) {
	pos := diag.Pos{File: s.path}
	var diags diag.List
	root, err := s.ask(ctx, "--list")
	if err != nil {
		diags.AddError(pos, err)
		return content{}, diags
	}
	if root.Kind != source.Map {
		diags.Errorf(pos, "printed %s for --list, not a map of groups", root.Kind)
		return content{}, diags
	}
	p := scriptParser{yamlParser: yamlParser{diags: diags}}
	meta := root.Get("_meta")
	for _, f := range root.Fields {
		if f.Name != "_meta" {
			p.group(f)
		}
	}
	hostVars := meta.Get("hostvars")
	if hostVars == nil {
		hostVars, err = s.askHosts(ctx, p.hostNames())
		p.diags.AddError(pos, err)
	}
	if hostVars != nil {
		p.hostVars(hostVars)
	}
	return p.out, p.diags
}

// askHosts calls --host for every host.
func (s script) askHosts(ctx context.Context, hosts []string) (*source.Node, error) {
	out := &source.Node{Kind: source.Map, Fields: make([]source.Field, len(hosts))}
	errs := make([]error, len(hosts))
	slots := make(chan struct{}, hostCalls)
	var wg sync.WaitGroup
	for i, h := range hosts {
		wg.Add(1)
		slots <- struct{}{}
		go func() {
			defer func() { <-slots; wg.Done() }()
			var n *source.Node
			n, errs[i] = s.ask(ctx, "--host", h)
			out.Fields[i] = source.Field{Name: h, Node: n}
		}()
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, firstOf(errs)
	}
	return out, nil
}

// firstOf gives the first error and says how many are like it.
func firstOf(errs []error) error {
	var first error
	more := 0
	for _, err := range errs {
		switch {
		case err == nil:
		case first == nil:
			first = err
		default:
			more++
		}
	}
	if more > 0 {
		return fmt.Errorf("%w\n  (and so for %d more)", first, more)
	}
	return first
}

// ask runs the script once and reads the JSON it prints.
func (s script) ask(ctx context.Context, args ...string) (*source.Node, error) {
	call := strings.Join(args, " ")
	ctx, cancel := context.WithTimeout(ctx, s.o.ScriptTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, absolute(s.path), args...)
	var stdout, stderr capped
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	endWithGroup(cmd)
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	switch {
	case ctx.Err() == context.DeadlineExceeded:
		return nil, fmt.Errorf("run the inventory script with %s: it did not end within %s%s", call, s.o.ScriptTimeout, said(&stderr))
	case ctx.Err() != nil:
		return nil, fmt.Errorf("run the inventory script: %w", ctx.Err())
	case cmd.Process == nil:
		return nil, s.notStarted(err)
	case err != nil:
		return nil, fmt.Errorf("run the inventory script with %s: %w%s", call, err, said(&stderr))
	case stdout.full:
		return nil, fmt.Errorf("the inventory script printed more than %d bytes for %s", maxScriptOutput, call)
	}
	if text := strings.TrimSpace(stderr.String()); text != "" {
		s.o.Log.Warn().Str("script", s.path).Str("stderr", text).Msg("inventory script")
	}
	n, err := readJSON(stdout.Bytes(), diag.Pos{File: s.path})
	if err != nil {
		return nil, fmt.Errorf("the inventory script did not print JSON for %s: %w%s", call, err, beginning(stdout.String()))
	}
	return n, nil
}

// notStarted explains why the script could not be started. "No such file" is
// about its interpreter, since the file itself has been read.
func (s script) notStarted(err error) error {
	if text, readErr := os.ReadFile(s.path); readErr == nil && errors.Is(err, fs.ErrNotExist) {
		line, _, _ := strings.Cut(string(text), "\n")
		return fmt.Errorf("start the inventory script: the interpreter in its first line is not there: %s", strings.TrimSpace(line))
	}
	return fmt.Errorf("start the inventory script: %w", err)
}

// said quotes the end of stderr.
func said(b *capped) string {
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(lines) == 1 && lines[0] == "" {
		return "; it wrote nothing to stderr"
	}
	if len(lines) > 10 {
		lines = append([]string{"…"}, lines[len(lines)-10:]...)
	}
	return "; it wrote:\n    " + strings.Join(lines, "\n    ")
}

func beginning(out string) string {
	out = strings.TrimSpace(out)
	if out == "" {
		return "; it printed nothing"
	}
	if r := []rune(out); len(r) > 80 {
		out = string(r[:80]) + "…"
	}
	return fmt.Sprintf("; it printed %q", out)
}

// capped keeps the first maxScriptOutput bytes.
type capped struct {
	bytes.Buffer
	full bool
}

// Write keeps what fits and takes the rest for written.
func (c *capped) Write(p []byte) (int, error) {
	n := len(p)
	if room := maxScriptOutput - c.Len(); n > room {
		p, c.full = p[:room], true
	}
	c.Buffer.Write(p)
	return n, nil
}

// readJSON reads one JSON value into nodes, the order of keys kept, all at pos.
func readJSON(text []byte, pos diag.Pos) (*source.Node, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	n, err := readNode(dec, pos)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("there is more after the first value")
	}
	return n, nil
}

func readNode(dec *json.Decoder, pos diag.Pos) (*source.Node, error) {
	t, err := dec.Token()
	if err == io.EOF {
		return nil, io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, err
	}
	switch d, _ := t.(json.Delim); d {
	case '[':
		n := &source.Node{Kind: source.List, Pos: pos}
		for dec.More() {
			e, err := readNode(dec, pos)
			if err != nil {
				return nil, err
			}
			n.Items = append(n.Items, e)
		}
		_, err := dec.Token()
		return n, err
	case '{':
		return readMap(dec, pos)
	}
	return source.FromValue(value.Normalize(t), pos), nil
}

func readMap(dec *json.Decoder, pos diag.Pos) (*source.Node, error) {
	n := &source.Node{Kind: source.Map, Pos: pos}
	at := map[string]int{}
	for dec.More() {
		k, err := dec.Token()
		if err != nil {
			return nil, err
		}
		name, _ := k.(string)
		v, err := readNode(dec, pos)
		if err != nil {
			return nil, err
		}
		f := source.Field{Name: name, Pos: pos, Node: v}
		if i, twice := at[name]; twice {
			n.Fields[i] = f
			continue
		}
		at[name] = len(n.Fields)
		n.Fields = append(n.Fields, f)
	}
	_, err := dec.Token()
	return n, err
}
