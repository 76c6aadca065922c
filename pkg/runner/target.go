package runner

import (
	"github.com/foobar-play/foobar-play/pkg/agent"
	"github.com/foobar-play/foobar-play/pkg/connection"
	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/inventory"
	"github.com/foobar-play/foobar-play/pkg/template"
	"github.com/foobar-play/foobar-play/pkg/vars"
)

// target is where and as whom a module runs.
type target struct {
	host      *hostState
	delegated bool
	conn      connection.Target
	become    agent.Become
}

// target finds the host that does the work (the task's, or the one it is
// delegated to) and how to reach it.
func (r *taskRun) target(scope *vars.Scope) (target, error) {
	b, c := r.h.batch, r.context(scope)
	t := target{host: r.h.hostState}
	from := scope
	delegate := r.task.DelegateTo
	if delegate == nil {
		delegate = r.f.delegate
	}
	if delegate != nil {
		name, err := text(delegate, c)
		if err != nil {
			return t, err
		}
		if name != "" && name != template.Omit && name != r.h.name() {
			st := b.state(name)
			if st == nil {
				return t, diag.Errorf(delegate.Pos(), "delegate_to: %q is not in the inventory", name)
			}
			t.host, t.delegated = st, true
			if from, _, err = b.hostScope(name); err != nil {
				return t, err
			}
		}
	}
	cv, err := inventory.ReadConnVars(from.Lookup)
	if err != nil {
		return t, err
	}
	if err := r.connect(&t, cv, c); err != nil {
		return t, err
	}
	return t, r.becomeOther(&t, cv, c)
}

// connect settles how the host is reached: its variables, then the keywords
// around the task, then the request.
func (r *taskRun) connect(t *target, cv inventory.ConnVars, c *template.Context) error {
	req, kw := r.h.batch.req, r.f.keywords
	t.conn = connection.Target{
		Name: t.host.name(), Kind: cv.Connection, Host: cv.Host, Port: cv.Port, User: cv.User,
		Password: cv.Password, ProxyJump: cv.ProxyJump,
	}
	if cv.PrivateKeyFile != "" {
		t.conn.KeyFiles = []string{cv.PrivateKeyFile}
	} else if req.PrivateKey != "" {
		t.conn.KeyFiles = []string{req.PrivateKey}
	}
	if err := orKeyword(&t.conn.User, kw.RemoteUser, c, t.delegated); err != nil {
		return err
	}
	if err := orKeyword(&t.conn.Kind, kw.Connection, c, t.delegated); err != nil {
		return err
	}
	orDefault(&t.conn.User, req.RemoteUser)
	orDefault(&t.conn.Kind, req.ConnectionKind)
	orDefault(&t.conn.Password, req.ConnectionPassword)
	if t.conn.Kind == "" || t.conn.Kind == "smart" || t.conn.Kind == "paramiko" {
		t.conn.Kind = connection.SSH
	}
	if t.conn.Port == 0 && kw.Port != nil {
		p, err := number(kw.Port, c)
		if err != nil {
			return err
		}
		t.conn.Port = int(p)
	}
	r.h.batch.mask.add(t.conn.Password)
	return nil
}

// becomeOther settles whether the module runs as another user.
func (r *taskRun) becomeOther(t *target, cv inventory.ConnVars, c *template.Context) error {
	req, kw := r.h.batch.req, r.f.keywords
	on := req.Become
	if kw.Become != nil {
		got, err := kw.Become.Eval(c)
		if err != nil {
			return err
		}
		if on, err = boolOf(got); err != nil {
			if _, unknown := host.IsUnknown(err); unknown {
				return err
			}
			return diag.Errorf(kw.Become.Pos(), "become: %v", err)
		}
	}
	if cv.Become != nil {
		on = *cv.Become
	}
	if !on {
		return nil
	}
	b := agent.Become{Method: cv.BecomeMethod, User: cv.BecomeUser, Password: cv.BecomePassword, Flags: cv.BecomeFlags, Exe: cv.BecomeExe}
	for _, x := range []struct {
		dst *string
		kw  *template.Value
		req string
		def string
	}{
		{&b.User, kw.BecomeUser, req.BecomeUser, "root"},
		{&b.Method, kw.BecomeMethod, req.BecomeMethod, "sudo"},
		{&b.Flags, kw.BecomeFlags, "", ""},
		{&b.Exe, kw.BecomeExe, "", ""},
		{&b.Password, nil, req.BecomePassword, ""},
	} {
		if err := orKeyword(x.dst, x.kw, c, false); err != nil {
			return err
		}
		orDefault(x.dst, x.req)
		orDefault(x.dst, x.def)
	}
	r.h.batch.mask.add(b.Password)
	t.become = b
	return nil
}

// orKeyword sets dst from a keyword unless the host's variables already did.
func orKeyword(dst *string, kw *template.Value, c *template.Context, skip bool) error {
	if *dst != "" || kw == nil || skip {
		return nil
	}
	var err error
	*dst, err = text(kw, c)
	return err
}

func orDefault(dst *string, otherwise string) {
	if *dst == "" {
		*dst = otherwise
	}
}
