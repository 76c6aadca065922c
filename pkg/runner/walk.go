package runner

import (
	"context"

	"github.com/foobar-play/foobar-play/pkg/event"
	"github.com/foobar-play/foobar-play/pkg/playbook"
	"github.com/foobar-play/foobar-play/pkg/template"
)

// fate is how a stretch of a host's way ended.
type fate int

const (
	goOn       fate = iota
	hostFailed      // a task failed and nothing rescued it
	hostLost        // unreachable
	hostEnded       // end_host, end_play: left in good order
	playOver        // the play ended for everybody, or the run is stopping
)

// The sections of a play, in the order of their paths.
const (
	atFacts = iota
	atPreTasks
	atPreFlush
	atRoles
	atTasks
	atFlush
	atPostTasks
	atPostFlush
	atForced
)

// walkPlay takes the host through its play and reports whether it is lost to
// the rest of the run.
func (h *hostRun) walkPlay(ctx context.Context) (lost bool) {
	root := frame{keywords: h.batch.play.Keywords}
	f := h.walkSections(ctx, root)
	if (f == hostFailed || f == playOver) && h.forceHandlers(ctx) {
		h.flush(ctx, root.withPath(path{{n: atForced}}))
	}
	return f == hostFailed || f == hostLost
}

func (h *hostRun) walkSections(ctx context.Context, root frame) fate {
	play := h.batch.play
	if err := h.loadVarsFiles(ctx, root); err != nil {
		return h.refuse(err)
	}
	sections := []func() fate{
		func() fate { return h.gatherFacts(ctx, root.withPath(path{{n: atFacts}})) },
		func() fate { return h.walkTasks(ctx, play.PreTasks, root.withPath(path{{n: atPreTasks}})) },
		func() fate { return h.flush(ctx, root.withPath(path{{n: atPreFlush}})) },
		func() fate { return h.walkRoles(ctx, root.withPath(path{{n: atRoles}})) },
		func() fate { return h.walkTasks(ctx, play.Tasks, root.withPath(path{{n: atTasks}})) },
		func() fate { return h.flush(ctx, root.withPath(path{{n: atFlush}})) },
		func() fate { return h.walkTasks(ctx, play.PostTasks, root.withPath(path{{n: atPostTasks}})) },
		func() fate { return h.flush(ctx, root.withPath(path{{n: atPostFlush}})) },
	}
	for _, section := range sections {
		if f := section(); f != goOn {
			return f
		}
	}
	return goOn
}

func (h *hostRun) walkRoles(ctx context.Context, f frame) fate {
	for i, use := range h.batch.play.Roles {
		if use.Key != "" && h.rolesDone[use.Key] {
			continue
		}
		rf := f.inRole(use).withPath(f.at.add(i))
		if l := h.checkSpec(use, rf); l.HasErrors() && len(use.When) == 0 {
			return h.refuse(l.Err())
		}
		if got := h.walkTasks(ctx, use.Role.Tasks, rf); got != goOn {
			return got
		}
	}
	return goOn
}

// inRole is the frame of a role's tasks. Its conditions, tags and delegation
// are in the tasks themselves.
func (f frame) inRole(use *playbook.RoleUse) frame {
	f.role = use
	f.roleNames = append(f.roleNames[:len(f.roleNames):len(f.roleNames)], use.Role.Name)
	f = f.withKeywords(use.Keywords)
	if len(use.Vars) > 0 {
		f.roleParams = append(f.roleParams[:len(f.roleParams):len(f.roleParams)], layerOf("parameters of role "+use.Role.Name, use.Vars))
	}
	return f
}

func (h *hostRun) walkTasks(ctx context.Context, tasks []*playbook.Task, f frame) fate {
	for i, t := range tasks {
		if got := h.walkTask(ctx, t, f.withPath(f.at.add(i))); got != goOn {
			return got
		}
	}
	return goOn
}

func (h *hostRun) walkTask(ctx context.Context, t *playbook.Task, f frame) fate {
	switch {
	case t.Block != nil:
		return h.walkBlock(ctx, t, f)
	case !h.selected(t, f):
		return goOn
	case t.Include != nil:
		return h.walkInclude(ctx, t, f)
	case t.Meta != "":
		return h.walkMeta(ctx, t, f)
	}
	return h.walkAction(ctx, t, f)
}

// selected applies tags and --start-at-task. Handlers run whatever the tags.
func (h *hostRun) selected(t *playbook.Task, f frame) bool {
	if f.handler {
		return true
	}
	if !withTags(t, f.tags).Selected(h.batch.req.Tags, h.batch.req.SkipTags) {
		return false
	}
	if h.started || !h.batch.startAt {
		return true
	}
	if t.Include == nil && h.batch.taskName(t, h, f) != h.batch.req.StartAtTask && displayName(t) != h.batch.req.StartAtTask {
		return false
	}
	h.started = t.Include == nil
	return true
}

// enter waits for the host's turn. ok is false when the play is over.
func (h *hostRun) enter(t *playbook.Task, f frame, silent bool) (g *group, ref event.TaskRef, ok bool) {
	b := h.batch
	ref = b.ref(t, h, f)
	g = b.strategy.enter(h, f.at, step{task: t, ref: ref, silent: silent})
	if g == nil {
		return nil, ref, false
	}
	if b.stopped() || b.isEnded() {
		b.strategy.leave(h, g)
		return nil, ref, false
	}
	return g, ref, true
}

func (h *hostRun) walkAction(ctx context.Context, t *playbook.Task, f frame) fate {
	b := h.batch
	g, ref, ok := h.enter(t, f, false)
	if !ok {
		return playOver
	}
	defer b.strategy.leave(h, g)
	if !b.confirmed(ref) {
		return goOn
	}
	f = f.withKeywords(t.Keywords)
	run := h.newTaskRun(ctx, t, f, ref)
	return h.settle(t, f, h.runInGroup(g, run))
}

// runInGroup runs the task. With run_once only the group's first host does;
// the others wait for it and take its outcome over.
func (h *hostRun) runInGroup(g *group, run *taskRun) outcome {
	if g.first == h {
		defer g.end()
		g.out = run.run()
		return g.out
	}
	if run.task.Action.Module.RunsOnce || run.runOnce {
		<-g.done
		if g.out.status == event.Unreachable && run.flag("ignore_errors", run.f.keywords.IgnoreErrors) {
			return skipped("the host it was to run on is unreachable")
		}
		return g.out
	}
	return run.run()
}

// settle takes over what a task left: variables, facts, notifications.
func (h *hostRun) settle(t *playbook.Task, f frame, out outcome) fate {
	if f.role != nil && f.role.Key != "" && out.status != event.Skipped {
		h.rolesDone[f.role.Key] = true
	}
	if out.status == event.Maybe && (t.Include != nil || t.Action != nil && t.Action.Module.Name == "include_vars") {
		h.setVague(out.reason)
	}
	target := h.hostState
	if out.factsTo != nil {
		target = out.factsTo
	}
	target.addFacts(out.facts)
	target.setVars(out.setVars)
	h.includeVars(out.include)
	if t.Register != "" && out.register != nil {
		h.setVar(t.Register, out.register)
	}
	if (out.status == event.Failed || out.status == event.Unreachable) && !out.ignored {
		h.fatal = out.fatal
	}
	switch out.status {
	case event.Failed:
		if out.ignored {
			return goOn
		}
		h.setVars(map[string]any{
			"ansible_failed_task":   map[string]any{"name": out.taskName, "action": t.ActionName()},
			"ansible_failed_result": out.register,
		})
		return hostFailed
	case event.Unreachable:
		if out.ignored {
			return goOn
		}
		return hostLost
	}
	return goOn
}

func (h *hostRun) walkBlock(ctx context.Context, t *playbook.Task, f frame) fate {
	f = f.withKeywords(t.Keywords).withBlockVars("block", t.Pos, t.Vars)
	if use := t.Block.Role; use != nil {
		// What the import says is in the block's variables.
		params := f.roleParams
		f = f.inRole(use)
		f.roleParams = params
		h.batch.addRoleHandlers(use)
		if l := h.checkSpec(use, f); l.HasErrors() && len(use.When) == 0 {
			return h.refuse(l.Err())
		}
	}
	if t.DelegateTo != nil {
		f.delegate = t.DelegateTo
	}
	if len(t.Block.Rescue) > 0 {
		h.rescuable++
	}
	got := h.walkTasks(ctx, t.Block.Tasks, f.withPath(f.at.add(0)))
	if len(t.Block.Rescue) > 0 {
		h.rescuable--
		if got == hostFailed {
			got = h.walkTasks(ctx, t.Block.Rescue, f.withPath(f.at.add(1)))
		}
	}
	if got == goOn || got == hostFailed {
		if after := h.walkTasks(ctx, t.Block.Always, f.withPath(f.at.add(2))); after != goOn {
			got = after
		}
	}
	return got
}

// confirmed asks --step, once a task.
func (b *batch) confirmed(ref event.TaskRef) bool {
	if b.req.Step == nil {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stepAll {
		return true
	}
	if b.stepAnswers == nil {
		b.stepAnswers = map[string]StepAnswer{}
	}
	answer, asked := b.stepAnswers[ref.ID]
	if !asked {
		answer = b.req.Step(ref)
		b.stepAnswers[ref.ID] = answer
		b.stepAll = answer == StepContinue
	}
	return answer != StepNo
}

// isEnded reports whether end_batch or end_play was met.
func (b *batch) isEnded() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ended
}

// forceHandlers reports whether the owed handlers of a failed host still run.
func (h *hostRun) forceHandlers(ctx context.Context) bool {
	if len(h.notified) == 0 || h.batch.stopped() {
		return false
	}
	if h.batch.req.ForceHandlers {
		return true
	}
	return h.batch.playFlag(h.batch.play.ForceHandlers)
}

func (b *batch) playFlag(v *template.Value) bool {
	if v == nil {
		return false
	}
	got, err := v.Eval(b.playScope(b.play))
	if err != nil {
		return false
	}
	ok, err := boolOf(got)
	return err == nil && ok
}
