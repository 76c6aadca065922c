package command

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
)

// Guards are the options that decide whether a command has to run at all.
type Guards struct {
	Chdir   string `arg:"chdir" doc:"Directory to change to first; relative paths of creates and removes count from it."`
	Creates string `arg:"creates" doc:"Path or glob: when something is there, the command is not run."`
	Removes string `arg:"removes" doc:"Path or glob: when nothing is there, the command is not run."`
}

// Skip reports why there is nothing to do; reason is "" when the command must
// run. Both return values are in Ansible's words.
func (g Guards) Skip(env modules.Env, r host.Reader) (reason, msg string, err error) {
	if g.Creates != "" {
		there, err := g.matches(env, r, g.Creates)
		if err != nil {
			return "", "", fmt.Errorf("look for creates: %w", err)
		}
		if there {
			return fmt.Sprintf("skipped, since %s exists", g.Creates),
				fmt.Sprintf("Did not run command since '%s' exists", g.Creates), nil
		}
	}
	if g.Removes != "" {
		there, err := g.matches(env, r, g.Removes)
		if err != nil {
			return "", "", fmt.Errorf("look for removes: %w", err)
		}
		if !there {
			return fmt.Sprintf("skipped, since %s does not exist", g.Removes),
				fmt.Sprintf("Did not run command since '%s' does not exist", g.Removes), nil
		}
	}
	return "", "", nil
}

func (g Guards) matches(env modules.Env, r host.Reader, pattern string) (bool, error) {
	return matches(r, g.absolute(env, pattern))
}

// absolute resolves a path as the command itself would see it.
func (g Guards) absolute(env modules.Env, p string) string {
	p = Expand(env, p)
	if !path.IsAbs(p) && g.Chdir != "" {
		p = path.Join(Expand(env, g.Chdir), p)
	}
	if dir, err := os.Getwd(); err == nil && !path.IsAbs(p) {
		p = path.Join(dir, p) // where the command runs without chdir
	}
	return path.Clean(p)
}

// matches reports whether anything is at an absolute path or glob. As in
// Ansible, a wildcard does not match a leading dot.
func matches(r host.Reader, pattern string) (bool, error) {
	if !strings.ContainsAny(pattern, "*?[") {
		ok, err := host.Exists(r, pattern)
		return ok, absent(err)
	}
	return walk(r, "/", strings.Split(strings.TrimPrefix(pattern, "/"), "/"))
}

func walk(r host.Reader, dir string, parts []string) (bool, error) {
	part, rest := parts[0], parts[1:]
	if !strings.ContainsAny(part, "*?[") {
		p := path.Join(dir, part)
		if len(rest) > 0 {
			return walk(r, p, rest)
		}
		ok, err := host.Exists(r, p)
		return ok, absent(err)
	}
	list, err := r.ReadDir(dir)
	if err != nil {
		return false, absent(err)
	}
	for _, fi := range list {
		name := path.Base(fi.Path)
		if strings.HasPrefix(name, ".") && !strings.HasPrefix(part, ".") {
			continue
		}
		ok, err := path.Match(part, name)
		if err != nil {
			return false, fmt.Errorf("glob %q: %w", part, err)
		}
		if !ok {
			continue
		}
		if len(rest) == 0 {
			return true, nil
		}
		if ok, err := walk(r, path.Join(dir, name), rest); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// absent turns "there is no such path" into nil: below a missing directory,
// or below a file, nothing exists.
func absent(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil
	}
	return err
}
