package modulestest_test

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
)

// motd is a module as small as one can be: it keeps the message of the day.
type motdArgs struct {
	Text string `arg:"text,required" doc:"The message."`
}

type motd struct{ args *motdArgs }

func (m motd) Current(_ context.Context, r host.Reader) (string, error) {
	b, err := host.ReadFile(r, "/etc/motd")
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return string(b), err
}

func (m motd) Desired(string) (string, error) { return m.args.Text + "\n", nil }

func (m motd) Diff(cur, want string) []modules.Change {
	if cur == want {
		return nil
	}
	return []modules.Change{{Field: "content", Path: "/etc/motd", Before: cur, After: want}}
}

func (m motd) Apply(_ context.Context, w host.Writer, cur, want string) error {
	return w.WriteFile("/etc/motd", strings.NewReader(want), host.Attrs{})
}

func motdModule() *modules.Module {
	return modules.Define(modules.Spec{Name: "motd", Short: "Keeps the message of the day."},
		func(_ modules.Env, a *motdArgs) (modules.Action, error) { return modules.Managed(motd{a}), nil })
}

// A module's test file is a list of cases.
func TestMotd(t *testing.T) {
	modulestest.Conformance(t, modulestest.Case{
		Module: motdModule(),
		Args:   map[string]any{"text": "hello"},
		Host:   modulestest.NewTestHost(nil),
		Drift: func(t *testing.T, w host.Writer, _ string) {
			if err := w.Remove("/etc/motd"); err != nil {
				t.Fatal(err)
			}
		},
	})
}
