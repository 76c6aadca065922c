// Package setup is the module setup: it gathers the facts of a host natively,
// from /proc, /sys and the files of /etc, under Ansible's names. Nothing but
// executable local facts starts a process.
//
// Subsets tells the runner which subsets provide the facts a play mentions, so
// that only those are gathered.
//
// The package must not know how facts are published to templates.
package setup

import (
	"context"
	"fmt"
	"maps"
	"path"
	"strings"
	"time"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// Options are the options of the module setup.
type Options struct {
	GatherSubset  []string `arg:"gather_subset" default:"all" doc:"Subsets to gather: all, min, hardware, network, virtual, or the name of a collector or fact; with ! in front: not this one. min is always gathered unless !min is given."`
	Filter        []string `arg:"filter" doc:"Keep only facts whose name matches one of these shell patterns, with or without ansible_ in front."`
	GatherTimeout int      `arg:"gather_timeout" default:"10" doc:"Seconds that one mount or one local fact may take."`
	FactPath      string   `arg:"fact_path" default:"/etc/ansible/facts.d" doc:"Directory of local facts (*.fact: JSON, INI or executable)."`
}

// Module is the module setup.
func Module() *modules.Module {
	return modules.Define(modules.Spec{
		Name:  "setup",
		Short: "Gather the facts of a host",
		Doc: `Gathers facts under Ansible's names. A list of exclusions alone ("!hardware") starts from everything.
fqdn and domain come from /etc/hosts and the host's name, never from DNS. A collector that fails leaves its facts out and gives a warning.
Left out against Ansible: the subsets ohai and facter; the facts python*, device_links, lvm, iscsi_iqn, fibre_channel_wwn,
hostnqn, lsmod, selinux_python_present and, of an interface, features, timestamping and pciid.`,
		ReadOnly: true,
		Returns: []modules.Return{
			{Name: "ansible_facts", Type: "map", Doc: "The facts, by their names without ansible_."},
		},
		Examples: `- name: Gather only what concerns the network
  setup:
    gather_subset: ["!all", "!min", network]
`,
	}, build)
}

func build(env modules.Env, o *Options) (modules.Action, error) {
	list, err := choose(o.GatherSubset)
	if err != nil {
		return nil, &modules.ArgError{Option: "gather_subset", Message: err.Error()}
	}
	return modules.Read(func(ctx context.Context, r host.Reader) (modules.Outcome, error) {
		p := &probe{
			Reader: r, sys: native{}, env: env, factPath: o.FactPath,
			timeout: time.Duration(max(o.GatherTimeout, 1)) * time.Second,
		}
		facts, warnings := p.gather(ctx, list)
		facts["gather_subset"] = value.Normalize(o.GatherSubset)
		facts["module_setup"] = true
		return modules.Outcome{Facts: filtered(facts, o.Filter), Warnings: warnings}, ctx.Err()
	}), nil
}

// probe is one gathering of facts: the host's files and what only system calls
// tell.
type probe struct {
	host.Reader
	sys      system
	env      modules.Env
	factPath string
	timeout  time.Duration

	release map[string]string // os-release, see osRelease
	unknown string            // why a dry run cannot know a file, "" when it can
}

// gather runs the collectors. What a dry run cannot know becomes Unknown.
func (p *probe) gather(ctx context.Context, list []collector) (facts map[string]any, warnings []string) {
	facts = map[string]any{}
	for _, c := range list {
		if ctx.Err() != nil {
			break
		}
		p.unknown = ""
		got, err := c.collect(p, ctx)
		if err != nil && !p.noticed(err) {
			warnings = append(warnings, fmt.Sprintf("gather the facts of %s: %v", c.name, err))
		}
		maps.Copy(facts, got)
		if p.unknown != "" {
			for _, name := range c.facts {
				facts[name] = value.Unknown{Reason: p.unknown}
			}
		}
	}
	return facts, warnings
}

// filtered keeps the facts whose names match one of the patterns.
func filtered(facts map[string]any, patterns []string) map[string]any {
	if len(patterns) == 0 {
		return facts
	}
	out := map[string]any{}
	for name, v := range facts {
		for _, pat := range patterns {
			bare, _ := path.Match(strings.TrimPrefix(pat, "ansible_"), name)
			full, _ := path.Match(pat, "ansible_"+name)
			if bare || full || pat == "" {
				out[name] = v
			}
		}
	}
	return out
}

// noticed remembers an error that says a dry run cannot know.
func (p *probe) noticed(err error) bool {
	reason, unknown := host.IsUnknown(err)
	if unknown {
		p.unknown = reason
	}
	return unknown
}

// text reads a small file, without the blanks around it; "" when it is not
// there or cannot be read (much of /sys is for root only).
func (p *probe) text(file string) string {
	b, err := host.ReadFile(p, file)
	if err != nil {
		p.noticed(err)
		return ""
	}
	return strings.TrimSpace(strings.ToValidUTF8(string(b), "\uFFFD"))
}

// lines reads a file's lines; none when it is not there.
func (p *probe) lines(file string) []string {
	s := p.text(file)
	if s == "" {
		return nil
	}
	return strings.Split(s, "\n")
}

func (p *probe) exists(file string) bool {
	_, err := p.Stat(file)
	p.noticed(err)
	return err == nil
}

// assignments reads NAME=value lines as a shell would, quotes taken off.
func (p *probe) assignments(file string) map[string]string {
	out := map[string]string{}
	for _, line := range p.lines(file) {
		k, v, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok || strings.HasPrefix(k, "#") {
			continue
		}
		if len(v) >= 2 && (v[0] == '"' || v[0] == '\'') && v[len(v)-1] == v[0] {
			v = v[1 : len(v)-1]
		}
		out[k] = v
	}
	return out
}
