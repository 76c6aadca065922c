// Package ufw is the module ufw: rules, policies, logging and state of the
// Uncomplicated Firewall.
//
// What is there is read from ufw's own files: the tuple lines of
// /etc/ufw/user.rules and user6.rules, /etc/ufw/ufw.conf and
// /etc/default/ufw. The ufw program is run only when something differs,
// because most of its commands reload the firewall even when they change
// nothing. Its effects on those files are known, so a dry run foresees them.
//
// Files: options here; rule.go the rules and their notation; match.go which
// rules a task means; read.go the state; write.go the commands.
package ufw

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
)

type options struct {
	State   string `arg:"state" choices:"enabled,disabled,reloaded,reset" doc:"enabled loads the firewall now and at boot, disabled unloads it; reloaded loads it again (always a change when it is enabled); reset brings all rules back to the package's and disables it."`
	Default string `arg:"default,alias=policy" choices:"allow,deny,reject" doc:"The policy for what no rule matches, in direction."`
	Logging string `arg:"logging" choices:"on,off,low,medium,high,full" doc:"The log level; on keeps a level that is set and means low otherwise."`

	ruleOptions
	Delete bool `arg:"delete" default:"false" doc:"Delete the rule instead of adding it. Action and log must be those of the rule; its comment does not matter."`

	Insert           *int   `arg:"insert" doc:"Where a new rule is put: its number as ufw status numbered counts, beyond the end: last. A rule that is there already is not moved."`
	InsertRelativeTo string `arg:"insert_relative_to" default:"zero" choices:"zero,first-ipv4,last-ipv4,first-ipv6,last-ipv6" doc:"What insert is counted from; 0 is that rule itself."`

	Purge *[]ruleOptions `arg:"purge" doc:"Delete all rules but these (maps of the options of a rule; what they do does not matter, what they match does) and the task's own. Not in Ansible's module."`
}

// ruleOptions say what a rule matches and does.
type ruleOptions struct {
	Direction string `arg:"direction" choices:"in,out,incoming,outgoing,routed" doc:"For a rule in or out (default in); for default incoming (the default), outgoing or routed."`
	Rule      string `arg:"rule" choices:"allow,deny,limit,reject" doc:"What to do with what the rule matches. A rule with the same match and another action, log or comment is replaced where it stands."`
	Route     bool   `arg:"route" default:"false" doc:"The rule is about forwarded packets."`
	FromIP    string `arg:"from_ip,alias=from|src" default:"any" doc:"Source address or network."`
	FromPort  string `arg:"from_port" doc:"Source port, range (1000:2000), list of them (80,443) or service name."`
	ToIP      string `arg:"to_ip,alias=dest|to" default:"any" doc:"Destination address or network."`
	ToPort    string `arg:"to_port,alias=port" doc:"Destination port, range (1000:2000), list of them (80,443) or service name."`
	Proto     string `arg:"proto" choices:"any,tcp,udp,ipv6,esp,ah,gre,igmp,vrrp" doc:"Protocol. Ranges and lists of ports need tcp or udp."`
	Name      string `arg:"name,alias=app" doc:"An application profile of /etc/ufw/applications.d as destination instead of to_port and proto."`

	Interface    string `arg:"interface,alias=if" doc:"The interface of the rule; it needs direction."`
	InterfaceIn  string `arg:"interface_in,alias=if_in" doc:"The interface packets come in by."`
	InterfaceOut string `arg:"interface_out,alias=if_out" doc:"The interface packets go out by."`

	Log     bool    `arg:"log" default:"false" doc:"Log new connections that match the rule."`
	Comment *string `arg:"comment" doc:"The rule's comment. Left out, a comment that is there stays."`
}

// rules are all rules the options name: the task's own and those to keep.
func (o *options) rules() []*ruleOptions {
	var out []*ruleOptions
	if o.Rule != "" {
		out = append(out, &o.ruleOptions)
	}
	if o.Purge != nil {
		for i := range *o.Purge {
			out = append(out, &(*o.Purge)[i])
		}
	}
	return out
}

// Check finds options that do not go together.
func (o *options) Check() error {
	for _, check := range []func() error{o.checkRule, o.checkDirection, o.checkPlace} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (o *options) checkRule() error {
	if o.State == "" && o.Default == "" && o.Logging == "" && o.Rule == "" && o.Purge == nil {
		return errors.New("one of state, default, logging, rule and purge is needed")
	}
	if o.Purge != nil {
		for i, keep := range *o.Purge {
			if err := keep.check(); err != nil {
				return fmt.Errorf("purge[%d]: %w", i, err)
			}
		}
	}
	if o.Rule == "" {
		for name, given := range map[string]bool{"delete": o.Delete, "route": o.Route, "log": o.Log, "name": o.Name != "",
			"to_port": o.ToPort != "", "from_port": o.FromPort != "", "proto": o.Proto != "", "insert": o.Insert != nil, "comment": o.Comment != nil} {
			if given {
				return fmt.Errorf("%s is about a rule: say which with rule: allow, deny, limit or reject", name)
			}
		}
		return nil
	}
	return o.check()
}

// check finds what cannot be a rule.
func (o *ruleOptions) check() error {
	if o.Name != "" && (o.ToPort != "" || (o.Proto != "" && o.Proto != "any")) {
		return errors.New("name excludes to_port and proto: the profile has them")
	}
	if err := o.checkInterfaces(); err != nil {
		return err
	}
	_, err := o.wanted(names{})
	var missing *missingName
	if errors.As(err, &missing) {
		return nil // the host knows
	}
	return err
}

func (o *ruleOptions) checkInterfaces() error {
	switch {
	case o.Interface != "" && (o.InterfaceIn != "" || o.InterfaceOut != ""):
		return errors.New("interface excludes interface_in and interface_out")
	case o.Interface != "" && o.Direction != "in" && o.Direction != "out":
		return errors.New("interface needs direction: in or out")
	case o.InterfaceIn != "" && o.InterfaceOut != "" && !o.Route:
		return errors.New("only a route rule can have both interface_in and interface_out")
	case !o.Route && o.Direction == "out" && o.InterfaceIn != "", !o.Route && o.Direction == "in" && o.InterfaceOut != "":
		return errors.New("direction contradicts the interface")
	}
	return nil
}

func (o *options) checkDirection() error {
	switch o.Direction {
	case "in", "out":
		if o.Default != "" {
			return errors.New("for default, direction is incoming, outgoing or routed")
		}
	case "incoming", "outgoing", "routed":
		if o.Rule != "" {
			return errors.New("for a rule, direction is in or out")
		}
	}
	return nil
}

func (o *options) checkPlace() error {
	switch {
	case o.Insert == nil:
		return nil
	case o.Delete:
		return errors.New("insert and delete exclude each other")
	case o.InsertRelativeTo == "zero" && *o.Insert < 1:
		return errors.New("insert counts from 1")
	}
	return nil
}

// Module is the module ufw.
func Module() *modules.Module {
	return modules.Define(modules.Spec{
		Name:  "ufw",
		Short: "Manage the firewall with ufw.",
		Doc: "Reads ufw's files and runs ufw only when something differs. In one task logging comes first, then the policy, the rule and last the state, " +
			"so that a firewall is not enabled before its rules are there. ufw must be installed; the task needs root. " +
			"Against Ansible's module: a rule whose match is there with another action is replaced even with insert (Ansible's leaves the old one); " +
			"purge is added; a comment left out is kept (Ansible's removes it); the return value msg with ufw's status is left out.",
		Returns: []modules.Return{
			{Name: "commands", Type: "list", Doc: "The command lines that were run, or would be."},
		},
		Examples: "- ufw:\n    rule: limit\n    port: 22\n    proto: tcp\n- ufw:\n    default: deny\n    direction: incoming\n- ufw:\n    state: enabled\n",
	}, func(_ modules.Env, o *options) (modules.Action, error) {
		return modules.Managed[firewall](&resource{o: o}), nil
	})
}

// resource is the firewall as one task wants it.
type resource struct {
	o        *options
	reloaded bool
}

// Current reads ufw's files and whether its chains are loaded.
func (r *resource) Current(ctx context.Context, h host.Reader) (firewall, error) {
	fw, err := read(ctx, h)
	if err != nil {
		return fw, err
	}
	if r.o.State == "reset" {
		if fw.altered, err = alteredFiles(h); err != nil {
			return fw, err
		}
	}
	fw.names, err = readNames(h, r.o.rules()...)
	return fw, err
}

// Desired applies the options to what is there.
func (r *resource) Desired(cur firewall) (firewall, error) {
	want := cur
	if r.o.State == "reset" {
		want.enabled, want.running, want.rules, want.rules6, want.altered = false, false, nil, nil, nil
	}
	switch {
	case r.o.Logging == "on" && cur.logging == "off":
		want.logging = "low"
	case r.o.Logging != "" && r.o.Logging != "on":
		want.logging = r.o.Logging
	}
	if r.o.Default != "" {
		want.policies = want.policies.with(r.o.policyDirection(), r.o.Default)
	}
	if r.o.Rule != "" {
		if err := r.desireRule(&want); err != nil {
			return want, err
		}
	}
	if r.o.Purge != nil {
		if err := r.desirePurged(&want); err != nil {
			return want, err
		}
	}
	switch r.o.State {
	case "enabled":
		want.enabled, want.running = true, true
	case "disabled":
		want.enabled, want.running = false, false
	}
	return want, nil
}

func (r *resource) desireRule(want *firewall) error {
	rules, err := r.o.wanted(want.names)
	if err != nil {
		return err
	}
	at := r.o.place(len(want.rules), len(want.rules6), has(rules, false), want.ipv6 && has(rules, true))
	for _, w := range rules {
		list, pos := &want.rules, at.at
		if w.v6 {
			if list, pos = &want.rules6, at.at6; !want.ipv6 {
				continue
			}
		}
		if r.o.Delete {
			*list = without(*list, w)
		} else {
			*list = with(*list, w, r.o.Comment, pos)
		}
	}
	return nil
}

// desirePurged leaves only the rules to keep, and the task's own.
func (r *resource) desirePurged(want *firewall) error {
	keep := map[rule]bool{}
	for _, o := range r.o.rules() {
		rules, err := o.wanted(want.names)
		if err != nil {
			return err
		}
		for _, k := range rules {
			keep[k.match()] = true
		}
	}
	gone := func(r rule) bool { return !keep[r.match()] }
	want.rules = slices.DeleteFunc(slices.Clone(want.rules), gone)
	want.rules6 = slices.DeleteFunc(slices.Clone(want.rules6), gone)
	return nil
}

// Diff lists what differs, rules one by one.
func (r *resource) Diff(cur, want firewall) []modules.Change {
	var out []modules.Change
	differ := func(field string, before, after any) {
		if before != after {
			out = append(out, modules.Change{Field: field, Before: before, After: after})
		}
	}
	differ("logging", cur.logging, want.logging)
	for _, d := range directions {
		differ("policy "+d, cur.policies.of(d), want.policies.of(d))
	}
	out = append(out, diffRules("rule", cur.rules, want.rules)...)
	out = append(out, diffRules("rule (v6)", cur.rules6, want.rules6)...)
	for _, path := range cur.altered {
		if len(want.altered) == 0 {
			out = append(out, modules.Change{Field: "content", Before: "altered", After: "as the package has it", Path: path})
		}
	}
	differ("enabled", cur.enabled, want.enabled)
	if cur.enabled == want.enabled {
		differ("running", cur.running, want.running)
	}
	if r.o.State == "reloaded" && cur.enabled && !r.reloaded {
		out = append(out, modules.Change{Field: "state", Before: "enabled", After: "reloaded"})
	}
	return out
}

// Apply runs the commands that are needed.
func (r *resource) Apply(ctx context.Context, w host.Writer, cur, want firewall) error {
	for _, s := range r.steps(cur, want) {
		if err := s.run(ctx, w); err != nil {
			return err
		}
	}
	r.reloaded = true
	if !want.running {
		return nil
	}
	// ufw enable succeeds where chains are left of rules that could not be
	// loaded; reload starts anew, and says what is wrong.
	on, err := running(ctx, w, want)
	if err != nil || on {
		return err
	}
	return reload.run(ctx, w)
}

// Values gives the command lines.
func (r *resource) Values(cur, want firewall, changed bool) map[string]any {
	commands := []any{}
	if changed {
		for _, s := range r.steps(cur, want) {
			commands = append(commands, s.line())
		}
	}
	return map[string]any{"commands": commands}
}
