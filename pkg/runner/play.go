package runner

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/event"
	"github.com/foobar-play/foobar-play/pkg/inventory"
	"github.com/foobar-play/foobar-play/pkg/playbook"
	"github.com/foobar-play/foobar-play/pkg/template"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// batch is one play over the hosts of one serial batch.
type batch struct {
	*session
	play     *playbook.Play
	hosts    []*hostRun
	strategy strategy
	// allHosts of the play and size of the batch, those lost before included.
	allHosts []string
	size     int

	mu       sync.Mutex
	ended    bool // by meta: end_batch or end_play
	endPlay  bool
	handlers []handler // in the order they run
	notices  map[string]bool

	throttles   throttles
	stepAnswers map[string]StepAnswer
	subsets     *[]any         // of facts to gather, once found
	gather      *playbook.Task // "Gathering Facts"
}

// playScope evaluates a play's own keywords, which no host has a say in.
func (s *session) playScope(play *playbook.Play) *template.Context {
	return s.context(context.Background(), s.playVars(play), nil, play)
}

func (s *session) matchPlay(play *playbook.Play) ([]*inventory.Host, error) {
	v, err := play.Hosts.Eval(s.playScope(play))
	if err != nil {
		return nil, err
	}
	var patterns []string
	switch x := v.(type) {
	case []any:
		for _, e := range x {
			patterns = append(patterns, value.Text(e))
		}
	default:
		patterns = []string{value.Text(x)}
	}
	return s.inv.Match(strings.Join(patterns, ","))
}

func (s *session) playHosts(play *playbook.Play) ([]*inventory.Host, error) {
	hosts, err := s.matchPlay(play)
	if err != nil {
		return nil, err
	}
	if s.req.Limit != "" {
		if hosts, err = s.inv.Limit(hosts, s.req.Limit); err != nil {
			return nil, err
		}
	}
	hosts = slices.Clone(hosts)
	byName := func(a, b *inventory.Host) int { return strings.Compare(a.Name(), b.Name()) }
	switch play.Order {
	case "sorted":
		slices.SortFunc(hosts, byName)
	case "reverse_sorted":
		slices.SortFunc(hosts, byName)
		slices.Reverse(hosts)
	case "reverse_inventory":
		slices.Reverse(hosts)
	}
	return hosts, nil
}

func (s *session) runPlay(ctx context.Context, play *playbook.Play) error {
	matched, err := s.playHosts(play)
	if err != nil {
		return placed(play.Hosts.Pos(), err)
	}
	name, err := s.playName(play)
	if err != nil {
		return err
	}
	hosts := make([]*hostState, len(matched))
	all := make([]string, len(matched))
	for i, h := range matched {
		hosts[i], all[i] = s.state(h.Name()), h.Name()
	}
	if !slices.ContainsFunc(hosts, func(h *hostState) bool { return !h.isLost() }) {
		s.emitter.emit(event.PlayStarted{Name: name, Pos: play.Pos, Batch: 1, Batches: 1})
		if len(matched) > 0 {
			s.emitter.emit(event.Message{Severity: diag.Warning, Text: "all hosts of this play failed before", Pos: play.Pos})
		}
		return nil
	}
	sizes, err := s.batchSizes(play, len(hosts))
	if err != nil {
		return err
	}
	for i, n := range sizes {
		b := &batch{session: s, play: play, allHosts: all, size: n, notices: map[string]bool{}}
		b.take(slices.DeleteFunc(hosts[:n:n], (*hostState).isLost))
		hosts = hosts[n:]
		if len(b.hosts) == 0 {
			continue
		}
		s.emitter.emit(event.PlayStarted{Name: name, Pos: play.Pos, Hosts: b.names(), Batch: i + 1, Batches: len(sizes)})
		if err := b.run(ctx); err != nil {
			return err
		}
		s.startAt = s.startAt && !slices.ContainsFunc(b.hosts, func(h *hostRun) bool { return h.started })
		// As in Ansible, a batch that is lost whole ends the run, not only the
		// play: what follows may build on it.
		s.noHostsLeft = b.strategy.over() || b.allLost()
		if s.stopped() || s.noHostsLeft || b.endPlay {
			return nil
		}
	}
	return nil
}

// placed gives err a place unless it has one.
func placed(pos diag.Pos, err error) error {
	var l diag.List
	l.AddError(pos, err)
	return l.Err()
}

func (s *session) playName(play *playbook.Play) (string, error) {
	v := play.Name
	if v == nil {
		v = play.Hosts
	}
	got, err := v.Eval(s.playScope(play))
	if err != nil {
		return "", err
	}
	if l, ok := got.([]any); ok {
		parts := make([]string, len(l))
		for i, e := range l {
			parts[i] = value.Text(e)
		}
		return strings.Join(parts, ","), nil
	}
	return value.Text(got), nil
}

// batchSizes divides a play's hosts; the last size of serial repeats until no
// hosts are left.
func (s *session) batchSizes(play *playbook.Play, total int) ([]int, error) {
	serial, err := s.serial(play, total)
	if err != nil {
		return nil, err
	}
	var sizes []int
	for left, i := total, 0; left > 0; i++ {
		n := min(serial[min(i, len(serial)-1)], left)
		sizes = append(sizes, n)
		left -= n
	}
	return sizes, nil
}

// serial reads the keyword: numbers and percentages of all hosts, at least one
// size.
func (s *session) serial(play *playbook.Play, total int) ([]int, error) {
	if play.Serial == nil {
		return []int{total}, nil
	}
	v, err := play.Serial.Eval(s.playScope(play))
	if err != nil {
		return nil, err
	}
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	if len(list) == 0 {
		return []int{total}, nil
	}
	sizes := make([]int, len(list))
	for i, e := range list {
		if sizes[i], err = batchSize(e, total); err != nil {
			return nil, diag.Errorf(play.Serial.Pos(), "serial: %v", err)
		}
	}
	return sizes, nil
}

func batchSize(v any, total int) (int, error) {
	text := strings.TrimSpace(value.Text(v))
	if pct, ok := strings.CutSuffix(text, "%"); ok {
		f, err := strconv.ParseFloat(pct, 64)
		if err != nil || f <= 0 {
			return 0, fmt.Errorf("%q is not a percentage", text)
		}
		return max(1, int(f*float64(total)/100)), nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%q is neither a number nor a percentage", text)
	}
	if n == 0 {
		return total, nil
	}
	return n, nil
}

func (b *batch) take(hosts []*hostState) {
	for i, h := range hosts {
		b.hosts = append(b.hosts, &hostRun{
			hostState: h, batch: b, index: i,
			notified: map[*playbook.Task]string{}, rolesDone: map[string]bool{},
		})
	}
}

func (b *batch) names() []string {
	out := make([]string, len(b.hosts))
	for i, h := range b.hosts {
		out[i] = h.name()
	}
	return out
}

func (b *batch) allLost() bool {
	return !slices.ContainsFunc(b.hosts, func(h *hostRun) bool { return !h.isLost() })
}

// run lets every host walk the play.
func (b *batch) run(ctx context.Context) error {
	rule, err := b.abortRule(b.play, b.size)
	if err != nil {
		return err
	}
	announce := func(s step, n int) {
		if !b.stopped() && b.confirmed(s.ref) {
			b.emitter.emit(event.TaskStarted{Task: s.ref, Hosts: n})
		}
	}
	if b.play.Strategy == "free" || b.play.Strategy == "host_pinned" {
		b.strategy = newFree(rule, announce)
	} else {
		b.strategy = newLinear(len(b.hosts), rule, announce)
	}
	b.collectHandlers()
	var wg sync.WaitGroup
	for _, h := range b.hosts {
		wg.Go(func() {
			failed := h.walkPlay(ctx)
			if failed {
				h.setLost(true)
			}
			b.strategy.quit(h, failed)
		})
	}
	wg.Wait()
	return nil
}

// abortRule reads when failures of some of a batch's hosts end the play.
func (s *session) abortRule(play *playbook.Play, hosts int) (abortRule, error) {
	rule := abortRule{maxFailPct: -1, total: hosts}
	c := s.playScope(play)
	if v := play.MaxFailPercentage; v != nil {
		got, err := v.Eval(c)
		if err != nil {
			return rule, err
		}
		f, err := strconv.ParseFloat(value.Text(got), 64)
		if err != nil {
			return rule, diag.Errorf(v.Pos(), "max_fail_percentage: %q is not a number", value.Text(got))
		}
		rule.maxFailPct = f
	}
	return rule, nil
}

// notice emits a message once a batch.
func (b *batch) notice(text string, pos diag.Pos) {
	b.mu.Lock()
	seen := b.notices[text]
	b.notices[text] = true
	b.mu.Unlock()
	if !seen {
		b.emitter.emit(event.Message{Severity: diag.Warning, Text: text, Pos: pos})
	}
}
