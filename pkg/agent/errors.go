package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
)

// BecomeError says that the become user could not be reached on a host that
// itself can: wrong or missing password, not allowed, no sudo. The task fails;
// the host is not unreachable.
type BecomeError struct {
	Host string // inventory name
	Msg  string // what, why and what to do
}

// Error gives "HOST: message".
func (e *BecomeError) Error() string { return e.Host + ": " + e.Msg }

// PanicError is a crash inside a module on the host: a defect of the module.
type PanicError struct {
	Module string
	Value  string
	Stack  string
}

// Error names the module and what it said; the stack is on the value.
func (e *PanicError) Error() string {
	return fmt.Sprintf("module %s crashed: %s: this is a defect of the module, please report it", e.Module, e.Value)
}

// remoteError is an error of the host that still matches the one it was there.
type remoteError struct {
	msg string
	is  error
}

func (e *remoteError) Error() string { return e.msg }
func (e *remoteError) Unwrap() error { return e.is }

// Kinds of errorMsg.
const (
	errPlain     = ""
	errFailure   = "failure"
	errDefect    = "defect"
	errArg       = "arg"
	errUnknown   = "unknown"
	errPanic     = "panic"
	errTimeout   = "timeout"
	errCancelled = "cancelled"
)

// errorMsg is an error on the wire.
type errorMsg struct {
	Kind    string
	Msg     string
	Module  string
	Stack   string
	Values  map[string]any
	Changes []modules.Change
	Args    []*modules.ArgError
}

// errNoModule tells that the agent's program lacks a module; see serve.
func errNoModule(name string) error {
	return fmt.Errorf("the agent has no module %s: its program was built without it", name)
}

func encodeError(err error) *errorMsg {
	m := &errorMsg{Msg: err.Error()}
	var (
		failure *modules.Failure
		defect  *modules.DefectError
		args    modules.ArgErrors
		arg     *modules.ArgError
		command *host.CommandError
		crash   *PanicError
	)
	reason, unknown := host.IsUnknown(err)
	switch {
	case errors.As(err, &crash):
		m.Kind, m.Module, m.Msg, m.Stack = errPanic, crash.Module, crash.Value, crash.Stack
	case errors.As(err, &failure):
		m.Kind, m.Values = errFailure, normalMap(failure.Values)
	case errors.As(err, &defect):
		m.Kind, m.Module, m.Changes = errDefect, defect.Module, normalChanges(defect.Changes)
	case errors.As(err, &args):
		m.Kind, m.Args = errArg, args
	case errors.As(err, &arg):
		m.Kind, m.Args = errArg, []*modules.ArgError{arg}
	case unknown:
		m.Kind, m.Msg = errUnknown, reason
	case errors.Is(err, context.DeadlineExceeded):
		m.Kind = errTimeout
	case errors.Is(err, context.Canceled):
		m.Kind = errCancelled
	case errors.As(err, &command):
		m.Kind = errFailure
		m.Values = map[string]any{"rc": command.Output.RC, "stdout": string(command.Output.Stdout), "stderr": string(command.Output.Stderr)}
	}
	return m
}

// decodeError gives the error back as the type it was on the host. A command
// that failed inside a module comes back as a *modules.Failure with rc, stdout
// and stderr.
func decodeError(m *errorMsg) error {
	switch m.Kind {
	case errFailure:
		return &modules.Failure{Msg: m.Msg, Values: m.Values}
	case errDefect:
		if len(m.Changes) > 0 {
			return &modules.DefectError{Module: m.Module, Changes: m.Changes}
		}
	case errArg:
		return modules.ArgErrors(slices.DeleteFunc(m.Args, func(a *modules.ArgError) bool { return a == nil }))
	case errUnknown:
		return &host.UnknownError{Reason: m.Msg}
	case errPanic:
		return &PanicError{Module: m.Module, Value: m.Msg, Stack: m.Stack}
	case errTimeout:
		return &remoteError{m.Msg, context.DeadlineExceeded}
	case errCancelled:
		return &remoteError{m.Msg, context.Canceled}
	}
	return errors.New(m.Msg)
}
