package modulestest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
)

// Controller is a fake modules.Controller. Its zero value works: no files are
// found, nothing can be evaluated, and content lives in memory.
type Controller struct {
	Name      string // Host; "testhost" when empty
	CheckMode bool
	DiffMode  bool
	Verbose   int
	// Dir is where Find searches: Dir/KIND/NAME, then Dir/NAME.
	Dir string
	// RenderFunc renders; nil: a template's text is returned as it is.
	RenderFunc func(path string, opts modules.RenderOptions) ([]byte, error)
	// EvalFunc and TestFunc evaluate; nil: every expression is an error.
	EvalFunc func(expr string) (any, error)
	TestFunc func(expr string) (bool, error)
	// VarsFunc reads a file of variables; nil: an error.
	VarsFunc func(path string) (map[string]any, error)
	// Answers are what the person at the terminal types, in order; when there
	// is none left, there is no terminal.
	Answers []string
	// RunFunc runs another module; nil: an error.
	RunFunc func(ctx context.Context, module string, args map[string]any) (modules.Result, error)

	mu      sync.Mutex
	blobs   map[string][]byte
	opened  []string
	prompts []string
}

var _ modules.Controller = (*Controller)(nil)

// Host gives Name.
func (c *Controller) Host() string {
	if c.Name == "" {
		return "testhost"
	}
	return c.Name
}

// BaseDir gives Dir.
func (c *Controller) BaseDir() string { return c.Dir }

// Check gives CheckMode.
func (c *Controller) Check() bool { return c.CheckMode }

// Diff gives DiffMode.
func (c *Controller) Diff() bool { return c.DiffMode }

// Verbosity gives Verbose.
func (c *Controller) Verbosity() int { return c.Verbose }

// Find searches below Dir; an absolute name is itself.
func (c *Controller) Find(kind, name string) (string, error) {
	tried := []string{filepath.Join(c.Dir, kind, name), filepath.Join(c.Dir, name)}
	if filepath.IsAbs(name) {
		tried = []string{filepath.Clean(name)}
	}
	for _, p := range tried {
		if _, err := os.Stat(p); err == nil {
			return p, nil
		}
	}
	return "", fmt.Errorf("there is no %s, searched in %v", name, tried)
}

// Render renders the file at path.
func (c *Controller) Render(_ context.Context, path string, opts modules.RenderOptions) ([]byte, error) {
	if c.RenderFunc != nil {
		return c.RenderFunc(path, opts)
	}
	return os.ReadFile(path)
}

// Eval evaluates by EvalFunc.
func (c *Controller) Eval(expr string) (any, error) {
	if c.EvalFunc == nil {
		return nil, fmt.Errorf("evaluate %q: the fake controller has no EvalFunc", expr)
	}
	return c.EvalFunc(expr)
}

// Test evaluates by TestFunc.
func (c *Controller) Test(expr string) (bool, error) {
	if c.TestFunc == nil {
		return false, fmt.Errorf("test %q: the fake controller has no TestFunc", expr)
	}
	return c.TestFunc(expr)
}

// LoadVars reads by VarsFunc.
func (c *Controller) LoadVars(path string) (map[string]any, error) {
	if c.VarsFunc == nil {
		return nil, fmt.Errorf("load %s: the fake controller has no VarsFunc", path)
	}
	return c.VarsFunc(path)
}

// BlobFile keeps a file's content.
func (c *Controller) BlobFile(path string) (host.Blob, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return host.Blob{}, err
	}
	return c.BlobBytes(content), nil
}

// BlobBytes keeps content.
func (c *Controller) BlobBytes(content []byte) host.Blob {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.blobs == nil {
		c.blobs = map[string][]byte{}
	}
	b := host.BlobOf(content)
	c.blobs[b.SHA256] = bytes.Clone(content)
	return b
}

// Blobs gives what was kept, to both sides.
func (c *Controller) Blobs() host.Blobs { return blobs{c} }

// Opened lists the hashes of the content that was asked for, in order.
func (c *Controller) Opened() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.opened
}

// Prompt answers with the next of Answers.
func (c *Controller) Prompt(_ context.Context, text string, echo bool) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.prompts = append(c.prompts, text)
	if len(c.Answers) == 0 {
		return "", errors.New("there is no terminal to ask at")
	}
	answer := c.Answers[0]
	c.Answers = c.Answers[1:]
	return answer, nil
}

// Prompts lists what was asked, in order.
func (c *Controller) Prompts() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.prompts
}

// RunOnHost runs by RunFunc.
func (c *Controller) RunOnHost(ctx context.Context, module string, args map[string]any) (modules.Result, error) {
	if c.RunFunc == nil {
		return modules.Result{}, fmt.Errorf("run %s: the fake controller has no RunFunc", module)
	}
	return c.RunFunc(ctx, module, args)
}

type blobs struct{ c *Controller }

func (b blobs) Open(_ context.Context, want host.Blob) (io.ReadCloser, error) {
	b.c.mu.Lock()
	defer b.c.mu.Unlock()
	content, ok := b.c.blobs[want.SHA256]
	if !ok {
		return nil, fmt.Errorf("nobody offered content with the hash %s", want.SHA256)
	}
	b.c.opened = append(b.c.opened, want.SHA256)
	return io.NopCloser(bytes.NewReader(content)), nil
}

func (b blobs) Put(_ context.Context, r io.Reader) (host.Blob, error) {
	content, err := io.ReadAll(r)
	if err != nil {
		return host.Blob{}, err
	}
	return b.c.BlobBytes(content), nil
}
