package agent

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	// keepPrograms is how many programs stay on a host, the last used first.
	keepPrograms = 3
	// staleAfter is the age at which what an interrupted start or a killed agent
	// left behind is removed.
	staleAfter = 24 * time.Hour
)

// prune removes old programs from the agent's directory, and what was left
// behind; never a program that runs, nor self. Errors are of no consequence:
// the next installation tries again.
func prune(dir, self string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	running := runningPrograms()
	type program struct {
		path string
		used time.Time
	}
	var old []program
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			continue
		}
		path := filepath.Join(dir, e.Name())
		switch stale := time.Since(info.ModTime()) > staleAfter; {
		case strings.HasPrefix(e.Name(), programPrefix) && e.Name() != self && !running[path]:
			old = append(old, program{path, info.ModTime()})
		case stale && (strings.HasPrefix(e.Name(), tempPrefix) || strings.HasPrefix(e.Name(), ".")):
			os.RemoveAll(path)
		}
	}
	slices.SortFunc(old, func(a, b program) int { return b.used.Compare(a.used) })
	for i, p := range old {
		if i >= keepPrograms-1 { // self is one of those kept
			os.Remove(p.path)
		}
	}
}

// runningPrograms are the executables of all processes we may look at.
func runningPrograms() map[string]bool {
	out := map[string]bool{}
	links, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, l := range links {
		if target, err := os.Readlink(l); err == nil {
			out[target] = true
		}
	}
	return out
}
