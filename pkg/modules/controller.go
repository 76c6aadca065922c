package modules

import (
	"context"

	"github.com/foobar-play/foobar-play/pkg/host"
)

// Controller is what a module may use of the controller, for one task on one
// host: in a Prepare or Finish step, or in a local module.
type Controller interface {
	// Host is the inventory name of the host the task is for.
	Host() string
	// Check and Diff tell the task's mode.
	Check() bool
	Diff() bool
	// Verbosity is the number of -v flags.
	Verbosity() int

	// Find resolves a relative name as Ansible does: below the role, then below
	// the folder of the task's file, then below the playbook's, each time in the
	// kind's folder ("files", "templates", "vars", "tasks") first. The error
	// lists where was searched.
	Find(kind, name string) (path string, err error)
	// Render renders the template file at path with the task's variables,
	// extra laid over them.
	Render(ctx context.Context, path string, opts RenderOptions) ([]byte, error)
	// Eval evaluates a bare pipeline (`eq .x 1`) and returns its native value.
	Eval(expr string) (any, error)
	// Test evaluates a condition. An Unknown is a *host.UnknownError.
	Test(expr string) (bool, error)
	// LoadVars reads a YAML or JSON file of variables (vault-aware).
	LoadVars(path string) (map[string]any, error)

	// BlobFile and BlobBytes offer content to the host by its hash; the file
	// must not change until the run ends.
	BlobFile(path string) (host.Blob, error)
	BlobBytes(content []byte) host.Blob
	// Blobs opens content the host has handed over.
	Blobs() host.Blobs

	// Prompt asks the person at the terminal; echo shows what is typed. It
	// fails when there is no terminal.
	Prompt(ctx context.Context, text string, echo bool) (string, error)
	// RunOnHost runs another module on the task's host, for modules that are made
	// of others.
	RunOnHost(ctx context.Context, module string, args map[string]any) (Result, error)
}

// Based is an optional capability of a Controller: BaseDir is the playbook's
// directory, where relative paths of files to be written on the controller
// begin.
type Based interface{ BaseDir() string }

// RenderOptions tune Controller.Render.
type RenderOptions struct {
	// Extra variables over the task's.
	Extra map[string]any
	// Delimiters other than "{{" and "}}".
	LeftDelim, RightDelim string
}
