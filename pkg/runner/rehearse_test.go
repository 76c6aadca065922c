package runner

import (
	"context"
	"strings"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/agent"
	"github.com/foobar-play/foobar-play/pkg/modules"
)

// pretender is an agent that knows only the paths it pretended to make.
type pretender struct{ made map[string]bool }

func (p *pretender) Do(_ context.Context, r agent.Request, _ func(string, []byte)) (modules.Result, error) {
	path, _ := r.Args["path"].(string)
	switch {
	case r.Module == "stat" && !p.made[path]:
		return modules.Result{}, &modules.Failure{Msg: path + " is not there"}
	case r.Module == "stat" || p.made[path]:
		return modules.Result{}, nil
	case r.Module == "command":
		return modules.Result{Unknown: "not run"}, nil
	}
	p.made[path] = true
	return modules.Result{Changed: true}, nil
}

func (p *pretender) Close(context.Context) error { return nil }
func (p *pretender) Done() <-chan struct{}       { return nil }

// TestRehearse tells what a dry run says of a task after others have pretended
// as another user: "changed", "ok", "failed" or "maybe".
func TestRehearse(t *testing.T) {
	for name, c := range map[string]struct{ steps, want string }{
		"as the same user":                    {"app copy /d/f, app stat /d/f", "ok"},
		"root sees what others pretended":     {"app copy /d/f, root stat /d/f", "ok"},
		"others see what root's file does":    {"root file /d, app stat /d", "ok"},
		"content is not shown to others":      {"root copy /d/f, app stat /d/f", "maybe"},
		"nor is the failure it may explain":   {"root copy /d/f, app stat /e", "maybe"},
		"a change elsewhere is certain":       {"root copy /d/f, app copy /e", "changed"},
		"a change near it is not":             {"root copy /d/f, app copy /d", "maybe"},
		"nor is any after a command":          {"root command x, app copy /e", "maybe"},
		"its own command is its own business": {"app command x, app copy /e", "changed"},
		"nothing pretended":                   {"root stat /d, app stat /d", "failed"},
		"each step is repeated once":          {"app copy /d, root stat /d, app copy /e, root copy /e", "ok"},
	} {
		t.Run(name, func(t *testing.T) {
			p := &pool{hosts: map[string]*link{"h": {agents: map[agent.Become]executor{}}}}
			got := ""
			for step := range strings.SplitSeq(c.steps, ", ") {
				f := strings.Fields(step)
				var to target
				to.conn.Name, to.become = "h", agent.Become{Method: "sudo", User: f[0]}
				agents := p.hosts["h"].agents
				if agents[to.become] == nil {
					agents[to.become] = &pretender{made: map[string]bool{}}
				}
				res, err := p.rehearse(t.Context(), to, agent.Request{Module: f[1], Args: map[string]any{"path": f[2]}, Check: true}, nil)
				out := fromResult(res, err)
				got = string(out.status)
				if err != nil && strings.Contains(err.Error(), "another user") {
					got = "maybe"
				}
			}
			if got != c.want {
				t.Errorf("the last is %s, want %s", got, c.want)
			}
		})
	}
}
