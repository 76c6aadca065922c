// Package modulestest is for authors of modules: a conformance suite that
// holds a module to its contract, a fake host in memory that refuses every
// command it was not told of, and a fake controller.
//
// One Case is one task. Conformance runs it as the engine does and asserts
// that a dry run writes nothing and predicts what the run then does, that the
// run reaches the wanted state and says so, that a second run changes nothing,
// that drift is repaired exactly, and that a failing read is an error and
// never taken for "not there".
//
// A case runs against a fake Host, or against real files in a temporary
// directory; modules that only handle files should have cases of both kinds.
// The package is meant for tests only.
package modulestest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// Case is one task and what is expected of it. Only Module and Args are
// needed.
type Case struct {
	Module *modules.Module
	// Args are the task's options. "$DIR" in a string, here and in Values, is
	// replaced by the case's directory (see Dir).
	Args map[string]any
	// Host makes the host in its state before the task; it is called several
	// times and gives a new one each time. nil: the case runs on this
	// machine's own files, in a temporary directory.
	Host func(t *testing.T) *Host
	// Dir fills the temporary directory when Host is nil.
	Dir func(t *testing.T, dir string)
	// Controller is used for Prepare, Finish and Blobs; nil: an empty one.
	Controller *Controller
	// Diff asks for content in the changes.
	Diff bool
	// Unchanged expects that the host is as wanted from the start.
	Unchanged bool
	// Maybe expects that the dry run cannot know whether something changes.
	// Repeats also says that a second run changes something again, for
	// commands and the like.
	Maybe, Repeats bool
	// Generated says that what is written differs from call to call (a key, a
	// signature), so that the shadow can show that it is there, but not what it
	// is; see host.WriteGenerated.
	Generated bool
	// WantErr expects that the task fails, with this text in the message, and
	// changes nothing; a dry run must fail so too unless Maybe is set.
	WantErr string
	// Values are return values the run must give; others are not looked at.
	Values map[string]any
	// Drift breaks what the task reached; the next run must repair exactly
	// that. dir is the case's directory.
	Drift func(t *testing.T, w host.Writer, dir string)
	// Check looks at the host after the run.
	Check func(t *testing.T, r host.Reader, dir string)
	// LenientReads says that the module may go on when a read fails.
	LenientReads bool
}

// Conformance runs the case. Each promise is a subtest of t.
func Conformance(t *testing.T, c Case) {
	t.Helper()
	if c.Controller == nil {
		c.Controller = &Controller{}
	}
	t.Run("converges", c.converges)
	if !c.LenientReads {
		t.Run("failing reads", c.failingReads)
	}
}

// site is one host of a case: fake or a directory of this machine.
type site struct {
	host.Writer
	fake *Host
	dir  string
}

func (c Case) site(t *testing.T) site {
	t.Helper()
	if c.Host != nil {
		h := c.Host(t)
		return site{Writer: h, fake: h, dir: "/srv"}
	}
	dir := t.TempDir()
	if c.Dir != nil {
		c.Dir(t, dir)
	}
	return site{Writer: host.NewReal(), dir: dir}
}

// state describes everything on the site that a module may have changed.
func (s site) state() map[string]string {
	root := s.dir
	if s.fake != nil {
		root = "/"
	}
	return snapshot(s.Writer, root)
}

// ran counts the commands that were executed to change something.
func (s site) ran() int {
	if s.fake == nil {
		return 0
	}
	return len(s.fake.Ran())
}

// action prepares the task as the controller and the agent do.
func (c Case) action(t *testing.T, dir string) (modules.Action, map[string]any) {
	t.Helper()
	args := expand(c.Args, dir).(map[string]any)
	if errs := c.Module.CheckArgs(args, nil); errs != nil {
		t.Fatalf("options: %v", errs)
	}
	args, err := c.Module.Prepare(t.Context(), c.Controller, args)
	if err != nil {
		t.Fatalf("prepare: %v", err)
	}
	a, err := c.Module.Build(modules.Env{
		Blobs: c.Controller.Blobs(), Diff: c.Diff, TempDir: t.TempDir(),
		OnOutput: func(string, []byte) {},
	}, args)
	if err != nil {
		t.Fatalf("build: %v", err)
	}
	return a, args
}

// execute runs the task once on w.
func (c Case) execute(t *testing.T, w host.Writer, dir string, check bool) (modules.Result, error) {
	t.Helper()
	a, args := c.action(t, dir)
	res, err := modules.Execute(t.Context(), c.Module.Name, a, w, modules.Mode{Check: check})
	if err == nil && !check {
		err = c.Module.Finish(t.Context(), c.Controller, args, &res)
	}
	return res, err
}

func (c Case) converges(t *testing.T) {
	s := c.site(t)
	predicted := c.dryRun(t, s)
	before := s.state()
	res, err := c.execute(t, s.Writer, s.dir, false)
	if c.WantErr != "" {
		expectError(t, "the run", err, c.WantErr)
		same(t, "a run that failed", before, s.state())
		return
	}
	if err != nil {
		t.Fatalf("the run failed: %v", err)
	}
	if res.Changed == c.Unchanged {
		t.Fatalf("the run says changed=%v", res.Changed)
	}
	if !c.Maybe && !equalChanges(predicted.Changes, res.Changes) {
		t.Fatalf("the dry run predicted other changes\n%s\nthan the run made\n%s", show(predicted.Changes), show(res.Changes))
	}
	c.expectValues(t, s.dir, res)
	if c.Check != nil {
		c.Check(t, s, s.dir)
	}
	if c.Repeats {
		return
	}
	c.settled(t, s)
	if c.Drift != nil {
		c.repairs(t, s)
	}
}

// dryRun checks that it predicts a change, writes nothing, and that the shadow
// then shows the wanted state.
func (c Case) dryRun(t *testing.T, s site) modules.Result {
	t.Helper()
	before, ran := s.state(), s.ran()
	shadow := host.NewShadow(s.Writer)
	res, err := c.execute(t, shadow, s.dir, true)
	same(t, "the dry run", before, s.state())
	if n := s.ran() - ran; n > 0 {
		t.Fatalf("the dry run executed %d commands: %q", n, s.fake.Ran()[ran:])
	}
	switch {
	case c.WantErr != "" && !c.Maybe:
		expectError(t, "the dry run", err, c.WantErr)
		return res
	case err != nil:
		t.Fatalf("the dry run failed: %v", err)
	case c.Maybe && res.Unknown == "":
		t.Fatalf("the dry run does not say maybe: %+v", res)
	case c.Maybe:
		return res
	case res.Unknown != "":
		t.Fatalf("the dry run says maybe: %s", res.Unknown)
	case res.Changed == c.Unchanged:
		t.Fatalf("the dry run predicts changed=%v", res.Changed)
	case res.Changed && len(res.Changes) == 0:
		t.Fatal("the dry run predicts a change, but none in particular")
	}
	if c.Repeats {
		return res
	}
	again, err := c.execute(t, shadow, s.dir, true)
	if err != nil || again.Changed || again.Unknown != "" && !c.Generated {
		t.Fatalf("the shadow does not show the wanted state after the dry run: changed=%v unknown=%q err=%v\n%s",
			again.Changed, again.Unknown, err, show(again.Changes))
	}
	return res
}

// settled checks that nothing is left to do.
func (c Case) settled(t *testing.T, s site) {
	t.Helper()
	before, ran := s.state(), s.ran()
	res, err := c.execute(t, host.NewShadow(s.Writer), s.dir, true)
	if err != nil || res.Changed || !c.Maybe && res.Unknown != "" {
		t.Fatalf("a dry run after the run: changed=%v unknown=%q err=%v\n%s", res.Changed, res.Unknown, err, show(res.Changes))
	}
	res, err = c.execute(t, s.Writer, s.dir, false)
	if err != nil || res.Changed {
		t.Fatalf("the second run: changed=%v err=%v\n%s", res.Changed, err, show(res.Changes))
	}
	same(t, "the second run", before, s.state())
	if n := s.ran() - ran; n > 0 {
		t.Fatalf("the second run executed commands: %q", s.fake.Ran()[ran:])
	}
}

func (c Case) repairs(t *testing.T, s site) {
	t.Helper()
	want := s.state()
	c.Drift(t, s, s.dir)
	predicted, err := c.execute(t, host.NewShadow(s.Writer), s.dir, true)
	if err != nil || !predicted.Changed && predicted.Unknown == "" {
		t.Fatalf("the dry run does not see the drift: %+v, %v", predicted, err)
	}
	res, err := c.execute(t, s.Writer, s.dir, false)
	if err != nil || !res.Changed {
		t.Fatalf("the run does not repair the drift: %+v, %v", res, err)
	}
	if !c.Maybe && !equalChanges(predicted.Changes, res.Changes) {
		t.Fatalf("the dry run predicted another repair\n%s\nthan the run made\n%s", show(predicted.Changes), show(res.Changes))
	}
	if c.Generated {
		return // repaired, but not to the same bytes
	}
	same(t, "drift and repair", want, s.state())
}

func (c Case) expectValues(t *testing.T, dir string, res modules.Result) {
	t.Helper()
	for k, want := range c.Values {
		want = expand(want, dir)
		got, ok := lookupValue(res.Values, k)
		if !ok || !value.Equal(got, want) {
			t.Errorf("return value %s is %#v, want %#v", k, got, want)
		}
	}
}

// lookupValue finds "stat.exists" in nested values.
func lookupValue(values map[string]any, key string) (any, bool) {
	if v, ok := values[key]; ok {
		return v, true
	}
	head, rest, nested := strings.Cut(key, ".")
	if inner, ok := values[head].(map[string]any); nested && ok {
		return lookupValue(inner, rest)
	}
	return nil, false
}

// failingReads makes every read of the plan fail in turn.
func (c Case) failingReads(t *testing.T) {
	s := c.site(t)
	log := &faulty{Reader: s}
	a, _ := c.action(t, s.dir)
	if _, err := a.Plan(context.Background(), log); err != nil && c.WantErr == "" {
		t.Fatalf("plan: %v", err)
	}
	for _, read := range log.reads {
		a, _ := c.action(t, s.dir)
		p, err := a.Plan(context.Background(), &faulty{Reader: s, fail: read})
		if err == nil {
			t.Errorf("%s failed, and the plan went on: %s", read, describePlan(p))
		}
	}
}

func describePlan(p modules.Plan) string {
	return fmt.Sprintf("verdict %d, changes\n%s", p.Verdict.Kind, show(p.Changes))
}
