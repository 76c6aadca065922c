// Package waitfor is the module wait_for: it waits on the host until a port is
// open or closed, a file is there or gone, or a text appears.
//
// It must not change anything.
package waitfor

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// Options are the options of the module wait_for.
type Options struct {
	Host                   string   `arg:"host" default:"127.0.0.1" doc:"Name or address to connect to, from the host."`
	Port                   int      `arg:"port" doc:"TCP port to look at; excludes path."`
	Path                   string   `arg:"path" doc:"File to look at; excludes port."`
	SearchRegex            string   `arg:"search_regex" doc:"Text to wait for in the file, or in what the port sends (Go's regular expressions, ^ and $ at lines)."`
	State                  string   `arg:"state" default:"started" choices:"absent,drained,present,started,stopped" doc:"started and present: the port is open, the file there. stopped and absent: it is not. drained: nobody is connected to the port."`
	Timeout                int      `arg:"timeout" default:"300" doc:"Seconds to wait at most; without port and path just so long."`
	ConnectTimeout         int      `arg:"connect_timeout" default:"5" doc:"Seconds that one connection may take."`
	Delay                  int      `arg:"delay" default:"0" doc:"Seconds to wait before the first look."`
	Sleep                  int      `arg:"sleep" default:"1" doc:"Seconds between two looks."`
	Msg                    string   `arg:"msg" doc:"Message of the failure, instead of the usual one."`
	ActiveConnectionStates []string `arg:"active_connection_states" default:"ESTABLISHED,FIN_WAIT1,FIN_WAIT2,SYN_RECV,SYN_SENT,TIME_WAIT" doc:"For drained: the states of TCP that count as connected."`
	ExcludeHosts           []string `arg:"exclude_hosts" doc:"For drained: addresses whose connections do not count."`
}

// Check finds options that do not go together.
func (o *Options) Check() error {
	switch {
	case o.Port != 0 && o.Path != "":
		return errors.New("port and path exclude each other")
	case o.Path != "" && (o.State == "stopped" || o.State == "drained"):
		return fmt.Errorf("state %s is about a port: use absent with path", o.State)
	case o.State == "drained" && o.Port == 0:
		return errors.New("state drained needs the option port")
	case o.ExcludeHosts != nil && o.State != "drained":
		return errors.New("exclude_hosts is for the state drained")
	case o.SearchRegex != "" && (o.State == "drained" || o.Port == 0 && o.Path == ""):
		return errors.New("search_regex needs a path, or a port with state started")
	}
	if _, err := o.regexp(); err != nil {
		return fmt.Errorf("search_regex: %w", err)
	}
	for _, s := range o.ActiveConnectionStates {
		if !slices.Contains(tcpStates, s) {
			return fmt.Errorf("active_connection_states: TCP has no state %q", s)
		}
	}
	return nil
}

func (o *Options) regexp() (*regexp.Regexp, error) {
	if o.SearchRegex == "" {
		return nil, nil
	}
	return regexp.Compile("(?m)" + o.SearchRegex)
}

// Module is the module wait_for.
func Module() *modules.Module {
	return modules.Define(modules.Spec{
		Name:  "wait_for",
		Short: "Wait for a port, a file or a text",
		Doc: `Waits on the host, without starting a program. It never changes anything.
A dry run does not wait: when the condition does not hold at once, the task is "maybe".
Nothing is left out against Ansible.`,
		Returns: []modules.Return{
			{Name: "elapsed", Type: "int", Doc: "Seconds it took."},
			{Name: "match_groups", Type: "list", Doc: "The groups of search_regex, when it matched."},
			{Name: "match_groupdict", Type: "map", Doc: "Its named groups."},
			{Name: "state, port, path, search_regex", Type: "any", Doc: "The options."},
		},
		Examples: `- name: Until nginx answers
  wait_for:
    port: 443
    timeout: 60
`,
	}, build)
}

const second = time.Second

func build(_ modules.Env, o *Options) (modules.Action, error) {
	w := &wait{Options: o, unit: second}
	return w.action()
}

// wait is one task. unit is a second, less in tests.
type wait struct {
	*Options
	unit time.Duration
	re   *regexp.Regexp
}

func (a *wait) action() (modules.Action, error) {
	var err error
	if a.re, err = a.regexp(); err != nil {
		return nil, err
	}
	return modules.Custom(a.plan, a.apply, modules.Unverifiable), nil
}

// plan looks once. When that is enough there is nothing to wait for.
func (a *wait) plan(ctx context.Context, r host.Reader) (modules.Plan, error) {
	reason := "it is not waited for in a dry run"
	if a.Delay == 0 && (a.Port != 0 || a.Path != "") {
		f, err := a.look(ctx, r)
		if why, unknown := host.IsUnknown(err); unknown {
			reason, err = why, nil
		}
		if err != nil {
			return modules.Plan{}, err
		}
		if f.holds {
			return modules.Plan{Verdict: modules.Verdict{Kind: modules.NoChange}, Values: a.values(0, f)}, nil
		}
	}
	v := a.values(0, finding{})
	u := value.Unknown{Reason: reason}
	v["elapsed"], v["match_groups"], v["match_groupdict"] = u, u, u
	return modules.Plan{Verdict: modules.Verdict{Kind: modules.Unknown, Reason: reason}, Values: v}, nil
}

// apply waits.
func (a *wait) apply(ctx context.Context, w host.Writer) (modules.Outcome, error) {
	if host.Pretending(w) {
		return modules.Outcome{}, host.Unknownf("it is not waited for in a dry run")
	}
	start := time.Now()
	end := start.Add(time.Duration(a.Timeout) * a.unit)
	if err := a.pause(ctx, a.Delay); err != nil {
		return modules.Outcome{}, err
	}
	if a.Port == 0 && a.Path == "" {
		if rest := time.Until(end); rest > 0 {
			if err := sleep(ctx, rest); err != nil {
				return modules.Outcome{}, err
			}
		}
		return modules.Outcome{Values: a.values(time.Since(start), finding{})}, nil
	}
	for {
		f, err := a.look(ctx, w)
		if err != nil {
			return modules.Outcome{}, err
		}
		if f.holds {
			return modules.Outcome{Values: a.values(time.Since(start), f)}, nil
		}
		if !time.Now().Before(end) {
			v := a.values(time.Since(start), finding{})
			return modules.Outcome{Values: v}, &modules.Failure{Msg: a.message(), Values: v}
		}
		if err := a.pause(ctx, a.Sleep); err != nil {
			return modules.Outcome{}, err
		}
	}
}

func (a *wait) pause(ctx context.Context, n int) error {
	if n <= 0 {
		return ctx.Err()
	}
	return sleep(ctx, time.Duration(n)*a.unit)
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// message says in Ansible's words what did not happen.
func (a *wait) message() string {
	where := a.Path
	if a.Path == "" {
		where = fmt.Sprintf("%s:%d", a.Host, a.Port)
	}
	switch {
	case a.Msg != "":
		return a.Msg
	case a.State == "drained":
		return fmt.Sprintf("Timeout when waiting for %s to drain", where)
	case a.State == "absent" && a.Path != "":
		return fmt.Sprintf("Timeout when waiting for %s to be absent.", where)
	case a.State == "absent" || a.State == "stopped":
		return fmt.Sprintf("Timeout when waiting for %s to stop.", where)
	case a.SearchRegex != "":
		return fmt.Sprintf("Timeout when waiting for search string %s in %s", a.SearchRegex, where)
	case a.Path != "":
		return fmt.Sprintf("Timeout when waiting for file %s", where)
	}
	return fmt.Sprintf("Timeout when waiting for %s", where)
}

func (a *wait) values(elapsed time.Duration, f finding) map[string]any {
	v := map[string]any{"elapsed": int(elapsed / a.unit), "state": a.State, "match_groups": []any{}, "match_groupdict": map[string]any{},
		"port": nil, "path": nil, "search_regex": nil}
	if a.Port != 0 {
		v["port"] = a.Port
	}
	if a.Path != "" {
		v["path"] = a.Path
	}
	if a.SearchRegex != "" {
		v["search_regex"] = a.SearchRegex
	}
	if f.groups != nil {
		groups, named := []any{}, map[string]any{}
		for i, name := range a.re.SubexpNames() {
			if i == 0 {
				continue
			}
			groups = append(groups, f.groups[i])
			if name != "" {
				named[name] = f.groups[i]
			}
		}
		v["match_groups"], v["match_groupdict"] = groups, named
	}
	return v
}
