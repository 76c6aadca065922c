// Package testmodules are small modules that exercise the agent in its tests.
package testmodules

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
)

type echoArgs struct {
	Value any `arg:"value" doc:"Given back."`
}

type shArgs struct {
	Cmd     string `arg:"cmd,required" doc:"A shell command."`
	Pretend string `arg:"pretend" doc:"A file that the command makes."`
}

type fileArgs struct {
	Path   string `arg:"path,required" doc:"A file."`
	SHA256 string `arg:"sha256" doc:"Its content."`
	Size   int    `arg:"size" doc:"Its size."`
}

type failArgs struct {
	How string `arg:"how,required" doc:"The kind of failure."`
}

// Registry has echo (gives its value back), sh (runs a command), put (writes a
// blob), get (hands a file over), env (the environment it is told of), exists
// and fail.
func Registry() *modules.Registry {
	reg, err := modules.NewRegistry(
		modules.Define(modules.Spec{Name: "echo"}, echo),
		modules.Define(modules.Spec{Name: "sh"}, sh),
		modules.Define(modules.Spec{Name: "put"}, put),
		modules.Define(modules.Spec{Name: "get"}, get),
		modules.Define(modules.Spec{Name: "exists"}, exists),
		modules.Define(modules.Spec{Name: "env"}, env),
		modules.Define(modules.Spec{Name: "fail"}, fail),
	)
	if err != nil {
		panic(err)
	}
	return reg
}

// Harmless has only echo.
func Harmless() *modules.Registry {
	reg, err := modules.NewRegistry(modules.Define(modules.Spec{Name: "echo"}, echo))
	if err != nil {
		panic(err)
	}
	return reg
}

func values(m map[string]any) (modules.Outcome, error) {
	return modules.Outcome{Changed: true, Values: m}, nil
}

func echo(_ modules.Env, a *echoArgs) (modules.Action, error) {
	return modules.Read(func(context.Context, host.Reader) (modules.Outcome, error) {
		if a.Value == "print" {
			fmt.Println("a module that prints must not break the frames")
		}
		return values(map[string]any{"value": a.Value})
	}), nil
}

func env(e modules.Env, a *echoArgs) (modules.Action, error) {
	return modules.Read(func(context.Context, host.Reader) (modules.Outcome, error) {
		v, _ := e.LookupEnv(a.Value.(string))
		return values(map[string]any{"value": v, "process": os.Getenv(a.Value.(string))})
	}), nil
}

func willChange(context.Context, host.Reader) (modules.Plan, error) {
	return modules.Plan{Verdict: modules.Verdict{Kind: modules.WillChange}}, nil
}

func sh(e modules.Env, a *shArgs) (modules.Action, error) {
	cmd := host.Command{Argv: []string{"/bin/sh", "-c", a.Cmd}, OnOutput: e.OnOutput}
	if a.Pretend != "" {
		cmd.Pretend = func(w host.Writer) error { return w.WriteFile(a.Pretend, strings.NewReader(""), host.Attrs{}) }
	}
	return modules.Custom(willChange, func(ctx context.Context, w host.Writer) (modules.Outcome, error) {
		out, err := w.Run(ctx, cmd)
		if err := host.Check(cmd, out, err); err != nil {
			return modules.Outcome{}, err
		}
		return values(map[string]any{"stdout": string(out.Stdout), "rc": out.RC, "tmp": e.TempDir})
	}, modules.Unverifiable), nil
}

func put(e modules.Env, a *fileArgs) (modules.Action, error) {
	return modules.Custom(willChange, func(ctx context.Context, w host.Writer) (modules.Outcome, error) {
		r, err := e.Blobs.Open(ctx, host.Blob{SHA256: a.SHA256, Size: int64(a.Size)})
		if err != nil {
			return modules.Outcome{}, err
		}
		defer r.Close()
		if a.Path == "first byte only" {
			_, err := r.Read(make([]byte, 1))
			return modules.Outcome{Changed: true}, err
		}
		return modules.Outcome{Changed: true}, w.WriteFile(a.Path, r, host.Attrs{})
	}, modules.Unverifiable), nil
}

func get(e modules.Env, a *fileArgs) (modules.Action, error) {
	return modules.Read(func(ctx context.Context, r host.Reader) (modules.Outcome, error) {
		f, err := r.Open(a.Path)
		if err != nil {
			return modules.Outcome{}, err
		}
		defer f.Close()
		b, err := e.Blobs.Put(ctx, f)
		if err != nil {
			return modules.Outcome{}, err
		}
		return values(map[string]any{"sha256": b.SHA256, "size": b.Size})
	}), nil
}

func exists(_ modules.Env, a *fileArgs) (modules.Action, error) {
	return modules.Read(func(_ context.Context, r host.Reader) (modules.Outcome, error) {
		ok, err := host.Exists(r, a.Path)
		if err != nil {
			return modules.Outcome{}, err
		}
		return values(map[string]any{"exists": ok})
	}), nil
}

func fail(_ modules.Env, a *failArgs) (modules.Action, error) {
	return modules.Read(func(ctx context.Context, r host.Reader) (modules.Outcome, error) {
		switch a.How {
		case "failure":
			return modules.Outcome{}, &modules.Failure{Msg: "it failed", Values: map[string]any{"rc": 7, "list": []string{"a"}}}
		case "defect":
			return modules.Outcome{}, &modules.DefectError{Module: "fail", Changes: []modules.Change{{Field: "mode", Before: 1, After: "2"}}}
		case "command":
			cmd := host.Command{Argv: []string{"/bin/sh", "-c", "echo out; echo err >&2; exit 3"}}
			out, err := r.Query(ctx, cmd)
			return modules.Outcome{}, host.Check(cmd, out, err)
		case "unknown":
			return modules.Outcome{}, host.Unknownf("it is not there yet")
		case "panic":
			panic("at the disco")
		case "exit":
			fmt.Fprintln(os.Stderr, "last words")
			os.Exit(9)
		case "big":
			return values(map[string]any{"stdout": strings.Repeat("x", 65<<20)})
		case "hang":
			<-ctx.Done()
			return modules.Outcome{}, context.Cause(ctx)
		}
		return modules.Outcome{}, io.ErrNoProgress
	}), nil
}
