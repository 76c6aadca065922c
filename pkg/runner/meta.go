package runner

import (
	"context"

	"github.com/foobar-play/foobar-play/pkg/event"
	"github.com/foobar-play/foobar-play/pkg/playbook"
)

// walkMeta does a meta action. Metas are steps, so that hosts stay together,
// but no results.
func (h *hostRun) walkMeta(ctx context.Context, t *playbook.Task, f frame) fate {
	g, ref, ok := h.enter(t, f, true)
	if !ok {
		return playOver
	}
	if ofBatch(t.Meta) {
		return h.batchMeta(ctx, t, f, g, ref)
	}
	got, hold := h.metaHolds(ctx, t, f, ref)
	h.batch.strategy.leave(h, g)
	if !hold {
		return got
	}
	switch t.Meta {
	case "flush_handlers":
		return h.flush(ctx, f.withPath(f.at.add(0)))
	case "end_host":
		return hostEnded
	case "reset_connection":
		if !h.batch.req.Check { // what was pretended would be lost with it
			h.batch.pool.drop(h.name())
		}
	}
	return goOn
}

// ofBatch tells the actions that are about all hosts of the batch. As in
// Ansible, their condition is the first host's to decide.
func ofBatch(meta string) bool {
	switch meta {
	case "end_play", "end_batch", "clear_facts", "clear_host_errors", "refresh_inventory":
		return true
	}
	return false
}

func (h *hostRun) batchMeta(ctx context.Context, t *playbook.Task, f frame, g *group, ref event.TaskRef) fate {
	b := h.batch
	defer b.strategy.leave(h, g)
	if g.first == h {
		defer g.end()
		got, hold := h.metaHolds(ctx, t, f, ref)
		if !hold {
			return got
		}
		b.doMeta(t)
	} else {
		<-g.done
	}
	if b.isEnded() {
		return hostEnded
	}
	return goOn
}

// metaHolds tests the action's condition; got is what to do when it does not
// hold.
func (h *hostRun) metaHolds(ctx context.Context, t *playbook.Task, f frame, ref event.TaskRef) (got fate, hold bool) {
	run := h.newTaskRun(ctx, t, f.withKeywords(t.Keywords), ref)
	hold, unknown, err := run.conditions(run.scope)
	switch {
	case err != nil:
		run.emit(outcome{status: event.Failed, msg: err.Error()}, nil)
		return hostFailed, false
	case unknown != "":
		h.batch.notice("meta "+t.Meta+" is left out of the dry run: "+unknown, t.Pos)
		return goOn, false
	}
	return goOn, hold
}

func (b *batch) doMeta(t *playbook.Task) {
	switch t.Meta {
	case "end_play", "end_batch":
		b.mu.Lock()
		b.ended, b.endPlay = true, t.Meta == "end_play"
		b.mu.Unlock()
	case "clear_facts":
		for _, h := range b.hosts {
			h.clearFacts()
		}
	case "clear_host_errors":
		for _, name := range b.allHosts {
			b.state(name).setLost(false)
		}
	case "refresh_inventory":
		b.notice("meta refresh_inventory: the inventory is read once a run; nothing was read again", t.Pos)
	}
}
