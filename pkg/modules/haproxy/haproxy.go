// Package haproxy is the module haproxy: it takes servers of a running haproxy
// out of service and back in, through the admin socket.
//
// It owns the runtime API (socket.go), what haproxy says of its servers
// (server.go) and the order in which a server is drained, stopped and brought
// back (action.go). It must not know of configuration files: what is set here
// lasts until haproxy is reloaded, or longer when it keeps a server-state-file.
package haproxy

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/foobar-play/foobar-play/pkg/modules"
)

// sockets are where the admin socket is when nothing is said: Ansible's
// default, and Debian's.
var sockets = []string{"/var/run/haproxy.sock", "/run/haproxy/admin.sock"}

// Options are the options of the module haproxy.
type Options struct {
	State            string `arg:"state,required" choices:"disabled,drain,enabled" doc:"enabled: takes new connections. drain: takes no new ones but those that stick to it, and is still checked. disabled: out of service (MAINT), not checked."`
	Host             string `arg:"host,required" doc:"The server, by its name in the backend."`
	Backend          string `arg:"backend" doc:"The backend; without it, every backend that has the server."`
	Socket           string `arg:"socket" doc:"The admin socket (level admin). Without it /var/run/haproxy.sock or, when that is not there, Debian's /run/haproxy/admin.sock."`
	Weight           string `arg:"weight" doc:"Set the weight: 0 to 256, or 0% to 100% of the configured one."`
	Wait             bool   `arg:"wait" doc:"Wait until it is so: enabled and found healthy by all its checks, or in MAINT or DRAIN."`
	WaitInterval     int    `arg:"wait_interval" default:"5" doc:"Seconds between two looks."`
	WaitRetries      int    `arg:"wait_retries" default:"25" doc:"How many looks until it takes too long."`
	Drain            bool   `arg:"drain" doc:"With disabled and drain: wait until the server has no sessions any more. One that is down is not waited for."`
	ShutdownSessions bool   `arg:"shutdown_sessions" doc:"With disabled and drain: end the sessions the server has; with the option drain those that are left when the wait is over."`
	FailOnNotFound   bool   `arg:"fail_on_not_found" doc:"Fail when there is no such server, instead of a warning."`
	Health           bool   `arg:"health" doc:"Enable or disable the health checks too; not with drain."`
	Agent            bool   `arg:"agent" doc:"Enable or disable the agent checks too; not with drain."`
}

// Check finds options that do not go together.
func (o *Options) Check() error {
	switch {
	case strings.ContainsAny(o.Host+o.Backend, " \t\n;/\\") || o.Host == "":
		return errors.New("host and backend are names as in haproxy's configuration, without blanks, / and ;")
	case o.State == "enabled" && o.ShutdownSessions:
		return errors.New("shutdown_sessions is for the states disabled and drain")
	case o.State == "drain" && (o.Health || o.Agent):
		return errors.New("health and agent are for the states enabled and disabled: a drained server is still checked")
	case o.WaitInterval < 0 || o.WaitRetries < 1:
		return errors.New("wait_interval is not negative, wait_retries at least 1")
	}
	_, err := parseWeight(o.Weight)
	return err
}

// weight is a wish for a server's weight.
type weight struct {
	given    bool
	n        int
	relative bool // n is percent of the configured weight
}

func parseWeight(s string) (weight, error) {
	if s == "" {
		return weight{}, nil
	}
	text, relative := strings.CutSuffix(s, "%")
	n, err := strconv.Atoi(text)
	top := 256
	if relative {
		top = 100
	}
	if err != nil || n < 0 || n > top {
		return weight{}, fmt.Errorf("weight is %q, and must be 0 to 256, or 0%% to 100%%", s)
	}
	return weight{true, n, relative}, nil
}

// of is the weight a server gets, as haproxy computes it.
func (w weight) of(s server) int {
	switch {
	case !w.given:
		return s.weight
	case w.relative:
		return s.configured * w.n / 100
	}
	return w.n
}

// Module is the module haproxy.
func Module() *modules.Module {
	return modules.Define(modules.Spec{
		Name:  "haproxy",
		Short: "Take servers of a running haproxy out of service and back in",
		Doc: `Talks to haproxy's admin socket, and changes only what is otherwise. haproxy's answers are read: a command it refuses is a failure.
A drained server is known by its administrative state, not by the status column, so that a server that is down can be drained too
and does not make the task wait forever; with state enabled nothing waits for sessions to end.
wait with state enabled waits for a check that succeeded since, not only for the word UP.
A drain that takes too long fails and leaves the server drained, unless shutdown_sessions says to end what is left.
A dry run does not wait: where only waiting is left to do, the task is "maybe".
Against Ansible's module: without socket, Debian's place is tried as well; shutdown_sessions holds with drain too, for what is left after it.`,
		Returns: []modules.Return{
			{Name: "servers", Type: "list", Doc: "A map for each backend that has the server, as it was found: backend, host, status (haproxy's word), state (enabled, drain or disabled), weight, sessions."},
			{Name: "commands", Type: "list", Doc: "The commands haproxy was given, or would be."},
		},
		Examples: `- name: Take web01 out, when its last session has ended or after two minutes
  haproxy:
    state: drain
    host: web01
    backend: be_https
    drain: true
    shutdown_sessions: true
    wait_interval: 1
    wait_retries: 120
- name: And back, when it is healthy
  haproxy:
    state: enabled
    host: web01
    backend: be_https
    wait: true
`,
	}, func(_ modules.Env, o *Options) (modules.Action, error) {
		a := &action{Options: o, unit: time.Second}
		return modules.Custom(a.plan, a.apply, a.verify), nil
	})
}
