package lab

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// process names a process for good: ids are used again, but not together with
// the same start time.
type process struct {
	PID   int    `json:"pid"`
	Start uint64 `json:"start"` // clock ticks after boot
}

// self is the process that runs this code.
func self() (process, error) { return lookup(os.Getpid()) }

// lookup finds a process by its id; one that is gone or a zombie is an error.
func lookup(pid int) (process, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return process{}, fmt.Errorf("look up process %d: %w", pid, err)
	}
	// The name, in parentheses, may hold anything; what follows may not.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 20 || fields[0] == "Z" || fields[0] == "X" {
		return process{}, fmt.Errorf("look up process %d: it has ended", pid)
	}
	start, err := strconv.ParseUint(fields[19], 10, 64)
	if err != nil {
		return process{}, fmt.Errorf("look up process %d: %w", pid, err)
	}
	return process{PID: pid, Start: start}, nil
}

// alive says whether this very process is still running.
func (p process) alive() bool {
	now, err := lookup(p.PID)
	return err == nil && now == p
}

// findProcesses returns the processes that were started with all the given
// arguments. Zombies have no arguments, so they are not found.
func findProcesses(args ...string) []process {
	return filterProcesses(func(dir string) bool {
		data, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		argv := strings.Split(string(data), "\x00")
		return !slices.ContainsFunc(args, func(arg string) bool { return !slices.Contains(argv, arg) })
	})
}

// rootedIn returns the processes whose root directory is dir.
func rootedIn(dir string) []process {
	return filterProcesses(func(proc string) bool {
		root, err := os.Readlink(filepath.Join(proc, "root"))
		return err == nil && root == dir
	})
}

// filterProcesses returns the processes whose directory in /proc is wanted.
func filterProcesses(wanted func(dir string) bool) []process {
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	var found []process
	for _, dir := range dirs {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil || !wanted(dir) {
			continue
		}
		if p, err := lookup(pid); err == nil {
			found = append(found, p)
		}
	}
	return found
}

// children lists the direct children of a process.
func children(pid int) []int {
	paths, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	var pids []int
	for _, path := range paths {
		data, _ := os.ReadFile(path)
		for _, field := range strings.Fields(string(data)) {
			if child, err := strconv.Atoi(field); err == nil {
				pids = append(pids, child)
			}
		}
	}
	if len(paths) == 0 {
		return childrenByScan(pid)
	}
	return pids
}

// childrenByScan is for kernels without /proc/PID/task/TID/children.
func childrenByScan(parent int) []int {
	var pids []int
	paths, _ := filepath.Glob("/proc/[0-9]*/status")
	for _, path := range paths {
		if statusField(path, "PPid") == strconv.Itoa(parent) {
			if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// statusField reads one field of a /proc/PID/status file, "" if it has none.
func statusField(path, name string) string {
	data, _ := os.ReadFile(path)
	for line := range strings.Lines(string(data)) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
