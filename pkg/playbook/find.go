package playbook

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// NotFoundError says that a file of the controller is in none of the folders
// that are searched for it.
type NotFoundError struct {
	Kind     string // "files", "templates", "vars", "tasks"
	Name     string
	Searched []string // the paths, in the order of searching
}

// Error lists the searched paths.
func (e *NotFoundError) Error() string {
	return fmt.Sprintf("no file %q; searched: %s", e.Name, joined(e.Searched))
}

func joined(paths []string) string { return strings.Join(paths, ", ") }

// FindFile resolves the name of a file or folder of the controller as Ansible
// does: below the role the task is written in ("roles/x/files", "roles/x"),
// below the folder of the task's file, then below the play's, each time in the
// folder of the kind ("files", "templates", "vars", "tasks") first. A task file
// is searched beside the including file before anything else. t may be nil,
// for what belongs to the play. The error is a *NotFoundError.
func (l *Loader) FindFile(kind, name string, t *Task, playDir string) (string, error) {
	at := place{playDir: playDir}
	if t != nil {
		at.role, at.dir = t.Role, t.Dir
	}
	return at.find(kind, name)
}

func (p place) find(kind, name string) (string, error) {
	e := &NotFoundError{Kind: kind, Name: name}
	for _, dir := range p.searched(kind) {
		path := inDir(dir, name)
		if slices.Contains(e.Searched, path) {
			continue
		}
		_, err := os.Stat(path)
		if err == nil {
			return path, nil
		}
		if !missing(err) {
			return "", err
		}
		e.Searched = append(e.Searched, path)
	}
	return "", e
}

// missing reports whether a path is certainly not there; ENOTDIR is the same
// below a file.
func missing(err error) bool {
	return errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// searched lists the folders in which a file of a kind is looked for.
func (p place) searched(kind string) []string {
	var out []string
	if kind == "tasks" && p.dir != "" {
		out = append(out, p.dir)
	}
	for _, dir := range []string{p.roleDir(), p.dir, p.playDir} {
		if dir != "" {
			out = append(out, filepath.Join(dir, kind), dir)
		}
	}
	if len(out) == 0 {
		out = []string{"."}
	}
	return out
}

func (p place) roleDir() string {
	if p.role == nil {
		return ""
	}
	return p.role.Dir
}

// inDir makes name relative to dir, unless it is absolute or starts with "~/".
func inDir(dir, name string) string {
	if rest, ok := strings.CutPrefix(name, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, rest)
		}
	}
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(dir, name)
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
