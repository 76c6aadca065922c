package runner

import (
	"context"

	"github.com/foobar-play/foobar-play/pkg/event"
	"github.com/foobar-play/foobar-play/pkg/playbook"
)

// walkMeta does a meta action. Metas are steps, so that hosts stay together,
// but no results.
func (h *hostRun) walkMeta(ctx context.Context, t *playbook.Task, f frame) fate {
	b := h.batch
	g, ref, ok := h.enter(t, f, true)
	if !ok {
		return playOver
	}
	run := h.newTaskRun(ctx, t, f.withKeywords(t.Keywords), ref)
	hold, unknown, err := run.conditions(run.scope)
	b.strategy.leave(h, g)
	if err != nil {
		run.emit(outcome{status: event.Failed, msg: err.Error()}, nil)
		return hostFailed
	}
	if unknown != "" {
		b.notice("meta "+t.Meta+" is left out of the dry run: "+unknown, t.Pos)
		return goOn
	}
	if !hold {
		return goOn
	}
	return h.doMeta(ctx, t, f)
}

func (h *hostRun) doMeta(ctx context.Context, t *playbook.Task, f frame) fate {
	b := h.batch
	switch t.Meta {
	case "flush_handlers":
		return h.flush(ctx, f.withPath(f.at.add(0)))
	case "end_host":
		return hostEnded
	case "end_play", "end_batch":
		b.mu.Lock()
		b.endPlay = true
		b.mu.Unlock()
		return hostEnded
	case "clear_facts":
		h.clearFacts()
	case "clear_host_errors":
		for _, o := range b.hosts {
			o.setLost(false)
		}
	case "reset_connection":
		b.pool.drop(h.name())
	case "refresh_inventory":
		b.notice("meta refresh_inventory: the inventory is read once a run; nothing was read again", t.Pos)
	}
	return goOn
}
