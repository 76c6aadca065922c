package agent

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/foobar-play/foobar-play/pkg/agent/embedded"
)

// errNotThis marks a way to get a program that does not apply; its text says
// why.
type errNotThis string

func (e errNotThis) Error() string { return string(e) }

// SelfBinary finds the program to ship as an agent: in this order the running
// executable itself, when the host's platform is ours and it needs no dynamic
// loader; one that a release build has embedded (build tag embed_agents);
// DIR/foobar-play-agent_GOOS_GOARCH, when dir is not ""; one built from this
// program's source by the Go toolchain, when both are here. The error names
// all of these and why each failed.
func SelfBinary(dir string) func(goos, goarch string) (string, error) {
	return func(goos, goarch string) (string, error) {
		p := platform{goos, goarch}
		ways := []struct {
			name string
			find func(platform) (string, error)
		}{
			{"this program itself", running},
			{"embedded in this program (release builds have linux/amd64 and linux/arm64)", extracted},
			{"--agent-dir", func(p platform) (string, error) { return inDir(dir, p) }},
			{"built by the Go toolchain", built},
		}
		report := fmt.Sprintf("there is no agent program for %s:", p)
		for _, w := range ways {
			path, err := w.find(p)
			if err == nil {
				return path, nil
			}
			report += fmt.Sprintf("\n  %s: %v", w.name, err)
		}
		return "", errors.New(report + fmt.Sprintf(
			"\nUse a release build, or build it (CGO_ENABLED=0 GOOS=%s GOARCH=%s go build) and put it as %s into the folder --agent-dir names",
			goos, goarch, programFile(p)))
	}
}

// running is this very executable.
func running(p platform) (string, error) {
	if own := (platform{runtime.GOOS, runtime.GOARCH}); p != own {
		return "", errNotThis("it is for " + own.String())
	}
	if !isAgent {
		return "", errNotThis("its main does not call agent.Main")
	}
	path, err := os.Executable()
	if err != nil {
		return "", err
	}
	if runtime.GOOS != "linux" {
		return path, nil
	}
	// What runs, even when another build has replaced the file meanwhile.
	path = "/proc/self/exe"
	needs, err := loader(path)
	if err != nil {
		return "", err
	}
	if needs != "" {
		return "", errNotThis("it needs the dynamic loader " + needs + " (built with cgo)")
	}
	return path, nil
}

// loader names the dynamic loader an ELF program needs, "" for a static one.
func loader(path string) (string, error) {
	f, err := elf.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	for _, prog := range f.Progs {
		if prog.Type != elf.PT_INTERP {
			continue
		}
		name := make([]byte, min(prog.Filesz, 256))
		if _, err := prog.ReadAt(name, 0); err != nil {
			return "", err
		}
		for len(name) > 0 && name[len(name)-1] == 0 {
			name = name[:len(name)-1]
		}
		return string(name), nil
	}
	return "", nil
}

func programFile(p platform) string { return "foobar-play-agent_" + p.goos + "_" + p.goarch }

// extracted is a program out of this one, kept in the user's cache.
func extracted(p platform) (string, error) {
	name := programFile(p)
	in, err := embedded.Open(name)
	if err != nil {
		return "", errNotThis("this build has none for " + p.String())
	}
	defer in.Close()
	return cacheProgram(name, in)
}

func inDir(dir string, p platform) (string, error) {
	if dir == "" {
		return "", errNotThis("not given")
	}
	path := filepath.Join(dir, programFile(p))
	fi, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !fi.Mode().IsRegular() {
		return "", fmt.Errorf("%s is not a regular file", path)
	}
	return path, nil
}
