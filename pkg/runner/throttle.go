package runner

import (
	"context"
	"sync"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/playbook"
)

// throttles holds back hosts where a task says how many may run it at a time.
type throttles struct {
	mu      sync.Mutex
	running map[*playbook.Task]int
	freed   chan struct{} // closed and replaced when a host is done
}

// enter waits until fewer than most hosts run the task.
func (t *throttles) enter(ctx context.Context, task *playbook.Task, most int) (leave func(), err error) {
	for {
		t.mu.Lock()
		if t.running == nil {
			t.running, t.freed = map[*playbook.Task]int{}, make(chan struct{})
		}
		if t.running[task] < most {
			t.running[task]++
			t.mu.Unlock()
			return func() { t.leave(task) }, nil
		}
		freed := t.freed
		t.mu.Unlock()
		select {
		case <-freed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (t *throttles) leave(task *playbook.Task) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running[task]--
	close(t.freed)
	t.freed = make(chan struct{})
}

// throttled waits for the task's turn under throttle, then for one of the
// run's forks. Only then may it run.
func (r *taskRun) throttled() (leave func(), err error) {
	free := func() {}
	if v := r.f.keywords.Throttle; v != nil {
		most, err := number(v, r.context(r.scope))
		if _, unknown := host.IsUnknown(err); err != nil && !unknown {
			r.badOnce, r.bad = err, err // told when it runs, which it does not
		} else if most >= 1 {
			if free, err = r.h.batch.throttles.enter(r.ctx, r.task, int(most)); err != nil {
				return nil, err
			}
		}
	}
	slots := r.h.batch.slots
	select {
	case slots <- struct{}{}:
		return func() { <-slots; free() }, nil
	case <-r.ctx.Done():
		free()
		return nil, r.ctx.Err()
	}
}
