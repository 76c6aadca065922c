package runner_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"sync"

	"github.com/foobar-play/foobar-play/pkg/event"
	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/runner"
)

// playbook writes a playbook and returns its path and what removes it.
func playbook(text string) (path string, remove func()) {
	dir, err := os.MkdirTemp("", "example-")
	if err != nil {
		log.Fatal(err)
	}
	path = filepath.Join(dir, "site.yml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		log.Fatal(err)
	}
	return path, func() { os.RemoveAll(dir) }
}

// Run a playbook and look at its recap.
func ExampleRunner_Run() {
	path, remove := playbook(`
- hosts: localhost
  tasks:
    - name: say hello
      command: echo hello
      changed_when: false
`)
	defer remove()
	r, err := runner.New(runner.Config{})
	if err != nil {
		log.Fatal(err)
	}
	recap, err := r.Run(context.Background(), runner.Request{Playbooks: []string{path}})
	if err != nil {
		log.Fatal(err) // the run could not be done; failed tasks are in recap
	}
	fmt.Println(recap.Hosts["localhost"].OK, "ok, exit code", recap.ExitCode(false))
	// Output: 1 ok, exit code 0
}

// Receive what happens while it happens.
func ExampleRequest_sinks() {
	path, remove := playbook(`
- hosts: localhost
  vars: {who: world}
  tasks:
    - name: greet
      debug: {msg: "hello {{ .who }}"}
`)
	defer remove()
	r, err := runner.New(runner.Config{})
	if err != nil {
		log.Fatal(err)
	}
	sink := event.SinkFunc(func(e event.Event) {
		if b, ok := e.Body.(event.TaskResult); ok {
			fmt.Println(b.Task.Name, b.Host, b.Status, b.Msg)
		}
	})
	if _, err := r.Run(context.Background(), runner.Request{Playbooks: []string{path}, Sinks: []event.Sink{sink}}); err != nil {
		log.Fatal(err)
	}
	// Output: greet localhost ok hello world
}

// motd is a module of one's own: a line in a file. It reads and writes through
// the host it is given, so it has a true dry run.
type motd struct {
	Text string `arg:"text,required" doc:"What the file is to say."`
	Path string `arg:"path" default:"/etc/motd" doc:"The file."`
}

func (m *motd) Current(_ context.Context, r host.Reader) (string, error) {
	there, err := host.Exists(r, m.Path)
	if err != nil || !there {
		return "", err
	}
	content, err := host.ReadFile(r, m.Path)
	return string(content), err
}

func (m *motd) Desired(string) (string, error) { return m.Text + "\n", nil }

func (m *motd) Diff(cur, want string) []modules.Change {
	if cur == want {
		return nil
	}
	return []modules.Change{{Field: "content", Path: m.Path, Before: cur, After: want}}
}

func (m *motd) Apply(_ context.Context, w host.Writer, _, want string) error {
	return host.WriteString(w, m.Path, want)
}

func motdModule() *modules.Module {
	return modules.Define(modules.Spec{Name: "motd", Short: "Say something at login"},
		func(_ modules.Env, args *motd) (modules.Action, error) { return modules.Managed(args), nil })
}

// Add a module of one's own. To run it on other hosts too, the program becomes
// the agent there: call agent.Main with Runner.Registry at the top of main.
func ExampleConfig_modules() {
	path, remove := playbook(`
- hosts: localhost
  tasks:
    - motd: {text: be kind, path: "{{ .playbook_dir }}/motd"}
`)
	defer remove()
	r, err := runner.New(runner.Config{Modules: []*modules.Module{motdModule()}})
	if err != nil {
		log.Fatal(err)
	}
	for _, what := range []string{"dry run", "run", "again"} {
		recap, err := r.Run(context.Background(), runner.Request{Playbooks: []string{path}, Check: what == "dry run"})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(what, "changed", recap.Hosts["localhost"].Changed)
	}
	// Output:
	// dry run changed 1
	// run changed 1
	// again changed 0
}

// Two runners in one process share nothing.
func Example_twoRunners() {
	path, remove := playbook(`
- hosts: localhost
  tasks:
    - debug: {msg: "{{ .name }}"}
`)
	defer remove()
	var wg sync.WaitGroup
	said := make([]string, 2)
	for i, name := range []string{"one", "two"} {
		wg.Go(func() {
			r, err := runner.New(runner.Config{})
			if err != nil {
				log.Fatal(err)
			}
			sink := event.SinkFunc(func(e event.Event) {
				if b, ok := e.Body.(event.TaskResult); ok {
					said[i] = b.Msg
				}
			})
			req := runner.Request{Playbooks: []string{path}, ExtraValues: map[string]any{"name": name}, Sinks: []event.Sink{sink}}
			if _, err := r.Run(context.Background(), req); err != nil {
				log.Fatal(err)
			}
		})
	}
	wg.Wait()
	fmt.Println(said[0], said[1])
	// Output: one two
}
