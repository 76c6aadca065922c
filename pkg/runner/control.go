package runner

import (
	"context"
	"errors"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/source"
	"github.com/foobar-play/foobar-play/pkg/template"
	"github.com/foobar-play/foobar-play/pkg/value"
	"github.com/foobar-play/foobar-play/pkg/vars"
)

// controller is what a module may use of the controller, for one task.
type controller struct {
	run    *taskRun
	scope  *vars.Scope
	target target
}

var _ modules.Controller = (*controller)(nil)

func (c *controller) Host() string   { return c.run.h.name() }
func (c *controller) Check() bool    { return c.run.check }
func (c *controller) Diff() bool     { return c.run.diff }
func (c *controller) Verbosity() int { return c.run.h.batch.req.Verbosity }

// BaseDir is where relative destinations on the controller start.
func (c *controller) BaseDir() string { return c.run.h.batch.play.Dir }

func (c *controller) context() *template.Context { return c.run.context(c.scope) }

func (c *controller) Find(kind, name string) (string, error) {
	return c.run.h.batch.loader.FindFile(kind, name, c.run.task, c.run.h.batch.play.Dir)
}

func (c *controller) Render(ctx context.Context, path string, o modules.RenderOptions) ([]byte, error) {
	tc := c.context()
	tc.Ctx = ctx
	return c.run.h.batch.engine.RenderFile(tc, path, template.FileOptions{Left: o.LeftDelim, Right: o.RightDelim, Extra: o.Extra})
}

func (c *controller) Eval(expr string) (any, error) {
	e, dl := c.run.h.batch.engine.CompileExpr(expr, c.run.task.Pos)
	if err := dl.Err(); err != nil {
		return nil, err
	}
	return e.Eval(c.context())
}

func (c *controller) Test(expr string) (bool, error) {
	cond, dl := c.run.h.batch.engine.CompileCondition(source.FromValue(expr, c.run.task.Pos))
	if err := dl.Err(); err != nil {
		return false, err
	}
	ok, unknown, err := cond.Test(c.context())
	if err == nil && unknown.Reason != "" {
		return false, &host.UnknownError{Reason: unknown.Reason}
	}
	return ok, err
}

func (c *controller) LoadVars(path string) (map[string]any, error) {
	b := c.run.h.batch
	m, dl := vars.LoadFile(path, b.engine)
	if err := dl.Err(); err != nil {
		return nil, err
	}
	scope := c.scope.With(layerOf(path, m))
	out := make(map[string]any, len(m))
	for k := range m {
		v, _, err := scope.Lookup(k)
		if err != nil {
			return nil, err
		}
		out[k] = v
	}
	return out, nil
}

func (c *controller) BlobFile(path string) (host.Blob, error) {
	return c.run.h.batch.store.AddFile(path)
}
func (c *controller) BlobBytes(content []byte) host.Blob {
	return c.run.h.batch.store.AddBytes(content)
}
func (c *controller) Blobs() host.Blobs { return c.run.h.batch.store }

func (c *controller) Prompt(ctx context.Context, text string, echo bool) (string, error) {
	ask := c.run.h.batch.req.Prompt
	if ask == nil {
		return "", errors.New("nobody can be asked: there is no terminal")
	}
	type answer struct {
		text string
		err  error
	}
	got := make(chan answer, 1)
	go func() { s, err := ask(text, echo); got <- answer{s, err} }()
	select {
	case a := <-got:
		return a.text, a.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func (c *controller) RunOnHost(ctx context.Context, module string, args map[string]any) (modules.Result, error) {
	m, ok := c.run.h.batch.registry.Lookup(module)
	if !ok {
		return modules.Result{}, diag.Errorf(c.run.task.Pos, "there is no module %q", module)
	}
	sent, err := m.Prepare(ctx, c, args)
	if err != nil {
		return modules.Result{}, err
	}
	return c.run.send(ctx, m.Name, value.Normalize(sent).(map[string]any), c)
}
