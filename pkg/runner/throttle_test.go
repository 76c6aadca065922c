package runner_test

import (
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/runner"
)

// TestThrottle counts how many hosts run a task at the same time.
func TestThrottle(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"hosts": "h[1:8] ansible_connection=local\n",
		"site.yml": `
- hosts: all
  gather_facts: false
  tasks:
    - crowd:
      throttle: "{{ .most }}"
`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for most, want := range map[int]int64{0: 8, 1: 1, 3: 3} {
		var now, peak, all atomic.Int64
		full := make(chan struct{})
		module := modules.Define(modules.Spec{Name: "crowd", Short: "Counts who is there", ReadOnly: true},
			func(modules.Env, *struct{}) (modules.Action, error) {
				return modules.Read(func(context.Context, host.Reader) (modules.Outcome, error) {
					n := now.Add(1)
					defer now.Add(-1)
					all.Add(1)
					for old := peak.Load(); n > old && !peak.CompareAndSwap(old, n); old = peak.Load() {
					}
					if n == want { // as many as may come: were there more, they would come now
						select {
						case <-full:
						case <-time.After(20 * time.Millisecond):
						}
					} else if n < want {
						for peak.Load() < want {
							time.Sleep(time.Millisecond)
						}
					}
					return modules.Outcome{}, nil
				}), nil
			})
		r, err := runner.New(runner.Config{ProjectDir: dir, Modules: []*modules.Module{module}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		recap, err := r.Run(ctx, runner.Request{
			Inventory: []string{filepath.Join(dir, "hosts")}, Playbooks: []string{filepath.Join(dir, "site.yml")},
			ExtraValues: map[string]any{"most": most},
		})
		cancel()
		if err != nil || recap.ExitCode(false) != 0 {
			t.Fatal(err, recap)
		}
		if peak.Load() != want || all.Load() != 8 {
			t.Errorf("throttle %d: %d hosts at a time of %d, want %d", most, peak.Load(), all.Load(), want)
		}
	}
}
