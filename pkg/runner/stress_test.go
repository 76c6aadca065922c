package runner_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/foobar-play/foobar-play/pkg/event"
	"github.com/foobar-play/foobar-play/pkg/runner"
)

// turbulent is a play in which hosts fail, are rescued, end, wait for one
// another and include different things; %s are the play's keywords.
const turbulent = `
- hosts: all
  gather_facts: false
%s
  tasks:
    - command: sleep 0.005
      notify: h1
    - name: some fail
      fail: {msg: no}
      when: eq (mod (int .n) 7) 3
    - block:
        - name: some are rescued
          fail: {msg: no}
          when: eq (mod (int .n) 5) 1
        - include_tasks: "inc{{ mod (int .n) 2 }}.yml"
          loop: [1, 2]
          loop_control: {loop_var: turn}
      rescue:
        - debug: {msg: rescued}
      always:
        - ping:
          run_once: true
    - name: once, on a host that may fail
      fail: {msg: no}
      run_once: true
      ignore_errors: true
    - meta: flush_handlers
    - meta: end_host
      when: eq (mod (int .n) 11) 2
    - name: retried
      stat: {path: /nothing/is/here}
      register: r
      until: .r.stat.exists
      retries: 2
      delay: 0.001
      ignore_errors: true
    - set_fact: {other: "{{ (index .hostvars (first .ansible_play_hosts)).n }}"}
    - meta: end_batch
      when: eq .inventory_hostname "h4"
    - ping:
      changed_when: true
      notify: [h1, h2]
  handlers:
    - name: h1
      ping:
      changed_when: true
      notify: h2
    - name: h2
      debug: {msg: "{{ .inventory_hostname }}"}
`

// TestEveryRunEnds runs turbulent plays under every strategy, stops some of
// them at a random moment, and holds that the run ends, tells its end last and
// leaves no goroutine behind.
func TestEveryRunEnds(t *testing.T) {
	plays := map[string]string{
		"linear":     "",
		"free":       "  strategy: free",
		"serial":     "  serial: [1, 3, 40%]",
		"fatal":      "  any_errors_fatal: true",
		"free fatal": "  strategy: free\n  any_errors_fatal: true",
		"max fail":   "  max_fail_percentage: 20\n  serial: 6",
		"throttled":  "  throttle: 2\n  force_handlers: true",
	}
	var hosts strings.Builder
	hosts.WriteString("all:\n  vars: {ansible_connection: local}\n  hosts:\n")
	for i := range 12 {
		fmt.Fprintf(&hosts, "    h%d: {n: %d}\n", i, i)
	}
	before := runtime.NumGoroutine()
	for name, keywords := range plays {
		dir := t.TempDir()
		for file, text := range map[string]string{
			"hosts.yml": hosts.String(), "site.yml": fmt.Sprintf(turbulent, keywords) + fmt.Sprintf(turbulent, ""),
			"inc0.yml": "- ping:\n- debug: {msg: '{{ .turn }}'}\n", "inc1.yml": "- include_tasks: inc0.yml\n",
		} {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		for round := range 6 {
			t.Run(fmt.Sprintf("%s %d", name, round), func(t *testing.T) { endsWell(t, dir, round) })
		}
	}
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; {
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<20)
			t.Fatalf("%d goroutines before, %d after:\n%s", before, runtime.NumGoroutine(), buf[:runtime.Stack(buf, true)])
		}
		runtime.Gosched()
	}
}

// endsWell runs a play; in odd rounds it is stopped, in every fourth its
// context ends at once.
func endsWell(t *testing.T, dir string, round int) {
	r, err := runner.New(runner.Config{ProjectDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stop := make(chan struct{})
	if round%2 == 1 {
		moment := rand.N(40 * time.Millisecond)
		timer := time.AfterFunc(moment, func() {
			close(stop)
			if round%4 == 3 {
				cancel()
			}
		})
		defer timer.Stop()
	}
	var last event.Body
	var events atomic.Int64
	ended := make(chan error, 1)
	go func() {
		_, err := r.Run(ctx, runner.Request{
			Inventory: []string{filepath.Join(dir, "hosts.yml")}, Playbooks: []string{filepath.Join(dir, "site.yml")},
			Forks: 1 + round*2, Stop: stop, Grace: 50 * time.Millisecond,
			Sinks: []event.Sink{event.SinkFunc(func(e event.Event) { last = e.Body; events.Add(1) })},
		})
		ended <- err
	}()
	tick := time.NewTicker(20 * time.Second)
	defer tick.Stop()
	for before, running := int64(-1), true; running; {
		select {
		case err := <-ended:
			if running = false; err != nil {
				t.Fatal(err)
			}
		case <-tick.C:
			now := events.Load()
			if now == before {
				buf := make([]byte, 1<<20)
				t.Fatalf("the run stands still:\n%s", buf[:runtime.Stack(buf, true)])
			}
			before = now
		}
	}
	if _, ok := last.(event.RunEnded); !ok {
		t.Errorf("the last event is %T", last)
	}
}
