package mysql

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/foobar-play/foobar-play/test/lab"
	"github.com/foobar-play/foobar-play/test/play"
)

func TestModules(t *testing.T) {
	for _, d := range dialects {
		t.Run(d.flavor, func(t *testing.T) {
			l := lab.ForTest(t, lab.Config{Suite: d.suite, Hosts: []string{"web01"}})
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			out, err := l.Host("web01").Exec(ctx, "sh", "-c",
				"apt-get -o Acquire::Check-Valid-Until=false update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "+d.flavor+"-server")
			if err != nil {
				t.Fatalf("install: %v\n%s", err, out)
			}
			run := func(args ...string) play.Result {
				t.Helper()
				return play.Run(t, l, append([]string{"--output", "jsonl", "testdata/modules.yml"}, args...)...).Must(t, 0)
			}
			predicted := changes(t, run("--check"))
			real := changes(t, run())
			if !slices.Equal(predicted, slices.DeleteFunc(slices.Clone(real), func(task string) bool { return task == "a row" })) {
				t.Errorf("the dry run predicted\n%q\nand the run changed\n%q", predicted, real)
			}
			if len(real) < 8 {
				t.Errorf("the run changed only %q", real)
			}
			if left := changes(t, run("-e", "again=true")); len(left) > 0 {
				t.Errorf("the second run changed %q", left)
			}
			if left := changes(t, run("--check", "-e", "again=true")); len(left) > 0 {
				t.Errorf("a dry run after it predicts %q", left)
			}
		})
	}
}

// changes lists the tasks that changed something, or would.
func changes(t *testing.T, r play.Result) []string {
	t.Helper()
	var out []string
	for _, l := range r.Lines(t) {
		if l.Type == "task_result" && l.Item == nil && l.Status == "changed" {
			out = append(out, l.Task)
		}
	}
	return out
}
