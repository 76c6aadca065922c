package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/event"
	"github.com/foobar-play/foobar-play/pkg/inventory"
	"github.com/foobar-play/foobar-play/pkg/playbook"
	"github.com/foobar-play/foobar-play/pkg/template"
	"github.com/foobar-play/foobar-play/pkg/vars"
)

// Prepared is a request that has been checked and can be run once, or looked
// at (--list-tasks, --syntax-check). Nothing has been contacted.
type Prepared struct {
	s *session
}

// Prepare loads and checks everything a request names, without contacting a
// host. The error is an *InvalidError holding all mistakes.
func (r *Runner) Prepare(ctx context.Context, req Request) (*Prepared, error) {
	s := &session{Runner: r, req: req, states: map[string]*hostState{}, mask: &masker{}, slots: make(chan struct{}, req.forks())}
	s.mask.add(req.BecomePassword)
	s.mask.add(req.ConnectionPassword)
	s.emitter = newEmitter(req.Sinks, s.mask)
	s.startAt = req.StartAtTask != ""
	var l diag.List
	s.loadExtra(&l)
	s.loadInventory(ctx, &l)
	s.loadPlaybooks(&l)
	if s.inv != nil {
		s.checkPlaybookVars(&l)
		s.checkPatterns(&l)
		if !l.HasErrors() {
			l.Merge(playbook.CheckVariables(s.playbooks, s.knownNames))
			s.checkParameters(ctx, &l)
		}
		if !l.HasErrors() {
			s.checkKeywords(&l)
		}
	}
	if l.HasErrors() {
		return nil, &InvalidError{Diags: l}
	}
	s.warnings = l
	return &Prepared{s: s}, nil
}

// Playbooks is the checked tree.
func (p *Prepared) Playbooks() []*playbook.Playbook { return p.s.playbooks }

// Warnings are findings that do not stop a run. A run emits them as messages.
func (p *Prepared) Warnings() diag.List { return p.s.warnings }

// Hosts lists the names of the hosts a play is for, limit applied.
func (p *Prepared) Hosts(play *playbook.Play) ([]string, error) {
	hosts, err := p.s.playHosts(play)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(hosts))
	for i, h := range hosts {
		names[i] = h.Name()
	}
	return names, nil
}

// Run runs the request; see Runner.Run. It may be called once.
func (p *Prepared) Run(ctx context.Context) (event.Recap, error) {
	return p.s.run(ctx)
}

func (s *session) loadExtra(l *diag.List) {
	s.extra = vars.Layer{Name: "extra vars", Vars: map[string]vars.Var{}}
	for _, text := range s.req.ExtraVars {
		m, dl := vars.ParseExtra(text, s.engine)
		l.Merge(dl)
		for k, v := range m {
			s.extra.Vars[k] = v
		}
	}
	for k, v := range s.req.ExtraValues {
		s.extra.Vars[k] = vars.Var{Value: template.Static(v)}
	}
}

func (s *session) loadInventory(ctx context.Context, l *diag.List) {
	inv, dl := inventory.Load(ctx, s.req.Inventory, inventory.Options{Engine: s.engine, Log: s.log})
	l.Merge(dl)
	s.inv = inv
	if dl.HasErrors() {
		s.inv = nil
	}
}

func (s *session) loadPlaybooks(l *diag.List) {
	dir := s.cfg.ProjectDir
	if dir == "" {
		dir, _ = os.Getwd()
	}
	s.loader = playbook.NewLoader(playbook.Config{
		Engine: s.engine, Modules: s.registry, RolesPath: s.cfg.RolesPath, ProjectDir: dir,
	})
	if s.req.Role != "" {
		hosts := s.req.RoleHosts
		if hosts == "" {
			hosts = "all"
		}
		pb, dl := s.loader.RolePlaybook(s.req.Role, hosts)
		l.Merge(dl)
		if pb != nil {
			s.playbooks = []*playbook.Playbook{pb}
		}
		return
	}
	pbs, dl := s.loader.Load(s.req.Playbooks)
	l.Merge(dl)
	s.playbooks = pbs
}

// checkPlaybookVars reads the group_vars and host_vars beside the playbooks.
func (s *session) checkPlaybookVars(l *diag.List) {
	seen := map[string]bool{}
	for _, pb := range s.playbooks {
		for _, play := range pb.Plays {
			if !seen[play.Dir] {
				seen[play.Dir] = true
				l.Merge(s.inv.Check(play.Dir))
			}
		}
	}
}

// checkPatterns finds patterns that name nothing. Once a playbook may add
// hosts itself, later patterns are checked when their play begins.
func (s *session) checkPatterns(l *diag.List) {
	if s.req.Limit != "" {
		if _, err := s.inv.Limit(s.inv.Hosts(), s.req.Limit); err != nil {
			l.AddError(diag.Pos{}, s.patternMistake(diag.Pos{}, fmt.Errorf("--limit: %w", err)))
		}
	}
	for _, pb := range s.playbooks {
		for _, play := range pb.Plays {
			hosts, err := s.matchPlay(play)
			switch {
			case err != nil:
				l.AddError(play.Hosts.Pos(), s.patternMistake(play.Hosts.Pos(), err))
			case len(hosts) == 0:
				l.Add(diag.Diagnostic{Severity: diag.Warning, Pos: play.Hosts.Pos(), Message: "the pattern matches no host of the inventory", Hint: s.inventoryHint()})
			}
			if addsHosts(play) {
				return
			}
		}
	}
}

// patternMistake adds a hint to an unknown name in a pattern.
func (s *session) patternMistake(pos diag.Pos, err error) error {
	var p *inventory.PatternError
	if !errors.As(err, &p) || !p.Unknown || p.Hint != "" {
		return err
	}
	return diag.Errorf(pos, "%v", err).WithHint("%s", s.inventoryHint())
}

func (s *session) inventoryHint() string {
	if len(s.req.Inventory) > 0 {
		return ""
	}
	return "no inventory was given (-i), so there is only localhost"
}

// checkKeywords evaluates what plays say of themselves in templates.
func (s *session) checkKeywords(l *diag.List) {
	for _, pb := range s.playbooks {
		for _, play := range pb.Plays {
			_, err := s.playName(play)
			l.AddError(play.Pos, err)
			_, err = s.serial(play, 1)
			l.AddError(play.Pos, err)
			_, err = s.abortRule(play, 1)
			l.AddError(play.Pos, err)
		}
	}
}

// addsHosts reports whether a play may change the inventory.
func addsHosts(play *playbook.Play) bool {
	found := false
	playbook.Walk(play, func(t *playbook.Task) {
		if t.Include != nil || t.Action != nil && slices.Contains([]string{"add_host", "group_by"}, t.Action.Module.Name) {
			found = true
		}
	})
	return found
}

// knownNames are the variables that something outside of the playbook gives
// to some host of the play.
func (s *session) knownNames(play *playbook.Play) map[string]bool {
	names := map[string]bool{}
	for k := range s.extra.Vars {
		names[k] = true
	}
	for _, h := range s.inv.Hosts() {
		for _, layer := range s.inv.Layers(h, play.Dir) {
			for k := range layer.Vars {
				names[k] = true
			}
		}
	}
	return names
}
