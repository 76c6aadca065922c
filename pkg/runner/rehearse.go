package runner

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/foobar-play/foobar-play/pkg/agent"
	"github.com/foobar-play/foobar-play/pkg/connection"
	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
)

// rehearsal is a dry run on one machine. Every agent pretends in a shadow of
// its own, so what was pretended as one user is repeated on the agent of
// another before that one is asked: on root's always, on others' only what
// holds no content, because they may not see it. What could not be repeated
// makes that agent's predictions about it uncertain.
type rehearsal struct {
	mu    sync.Mutex
	steps []rehearsed
	seen  map[executor]int // how many of the steps it was told of
	doubt map[executor][]rehearsed
}

// rehearsed is one request that would change something.
type rehearsed struct {
	by    executor
	user  string
	req   agent.Request
	paths []string // it is about
	vague bool     // it may change anything (a command)
}

// rehearse does one request of a dry run.
func (p *pool) rehearse(ctx context.Context, t target, req agent.Request, onOutput func(string, []byte)) (modules.Result, error) {
	name := t.conn.Name
	if t.conn.Kind == connection.Local {
		name = thisMachine
	}
	l := p.link(name)
	r := &l.rehearsal
	r.mu.Lock()
	defer r.mu.Unlock()
	ex, err := p.executorOn(ctx, l, t)
	if err != nil {
		return modules.Result{}, err
	}
	r.catchUp(ctx, ex, t.isRoot())
	res, err := ex.Do(ctx, req, onOutput)
	if err == nil && (res.Changed || res.Unknown != "") {
		r.steps = append(r.steps, rehearsed{
			by: ex, user: t.userName(), req: req, paths: pathsIn(req.Args, nil), vague: res.Unknown != "",
		})
	}
	return r.doubted(ctx, ex, req, res, err)
}

// thisMachine is the link that all local hosts share in a dry run: what is
// pretended on one is there for the others.
const thisMachine = ""

// withoutContent are modules whose requests anybody on the host may see.
var withoutContent = []string{"apt", "file", "group", "hostname", "package", "service", "systemd", "tempfile"}

// catchUp repeats on ex what other agents pretended since it was asked last.
func (r *rehearsal) catchUp(ctx context.Context, ex executor, root bool) {
	if r.seen == nil {
		r.seen, r.doubt = map[executor]int{}, map[executor][]rehearsed{}
	}
	for _, s := range r.steps[r.seen[ex]:] {
		if s.by == ex {
			continue
		}
		if root || slices.Contains(withoutContent, s.req.Module) {
			if _, err := ex.Do(ctx, s.req, nil); err == nil {
				continue
			}
		}
		r.doubt[ex] = append(r.doubt[ex], s)
	}
	r.seen[ex] = len(r.steps)
}

// doubted is what an agent's answer is worth: a failure, and a prediction
// about what an unrepeated step changes, are uncertain.
func (r *rehearsal) doubted(ctx context.Context, ex executor, req agent.Request, res modules.Result, err error) (modules.Result, error) {
	var lost *connection.Error
	mine := pathsIn(req.Args, nil)
	for _, s := range r.doubt[ex] {
		reason := "an earlier task, as " + s.user + ", may have to do with it, and what that pretended cannot be seen as another user"
		switch {
		case errors.As(err, &lost) || ctx.Err() != nil:
			return res, err
		case err != nil:
			return modules.Result{}, &host.UnknownError{Reason: reason}
		case err == nil && res.Unknown == "" && (s.vague && res.Changed || meet(s.paths, mine)):
			res.Changed, res.Unknown = false, reason
		}
	}
	return res, err
}

// pathsIn lists what looks like a path in a module's options.
func pathsIn(v any, out []string) []string {
	switch x := v.(type) {
	case string:
		if strings.HasPrefix(x, "/") || strings.HasPrefix(x, "~") {
			out = append(out, filepath.Clean(x))
		}
	case []any:
		for _, e := range x {
			out = pathsIn(e, out)
		}
	case map[string]any:
		for _, e := range x {
			out = pathsIn(e, out)
		}
	}
	return out
}

// meet reports whether one of the paths is another, or is inside of it.
func meet(a, b []string) bool {
	for _, x := range a {
		for _, y := range b {
			if x == y || strings.HasPrefix(x, y+"/") || strings.HasPrefix(y, x+"/") {
				return true
			}
		}
	}
	return false
}

// isRoot reports whether the module certainly runs as root.
func (t target) isRoot() bool { return t.userName() == "root" }

// userName is who the module runs as, as far as it is known.
func (t target) userName() string {
	switch {
	case t.become.Method != "" && t.become.User != "":
		return t.become.User
	case t.become.Method != "":
		return "root"
	case t.conn.Kind == connection.Local && os.Geteuid() == 0:
		return "root"
	case t.conn.User != "":
		return t.conn.User
	}
	return "the user of the connection"
}
