// Package packages knows the packages of a Debian host. What is installed it
// reads from dpkg's own files through a host.Reader, without starting a
// process; what could be installed it asks apt-get to simulate; changes go
// through apt-get, with a Pretend that notes the simulated transaction in a
// shadow.
//
// It must not know which module asks, or what its options are called.
package packages

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/host"
)

// Dpkg's and apt's files of state.
const (
	statusFile   = "/var/lib/dpkg/status"
	archFile     = "/var/lib/dpkg/arch"
	extendedFile = "/var/lib/apt/extended_states"
)

// noteKind is the kind of note that holds the Package a dry run will have.
const noteKind = "package"

// Package is what a host has of a package.
type Package struct {
	Name    string
	Arch    string
	Version string // "" when not installed; of a pretended one also when not known
	// Installed tells that it is unpacked and configured.
	Installed bool
	// Leftover tells that configuration is left of a removed package.
	Leftover bool
	// Auto tells that it was installed as a dependency only.
	Auto bool
	// Pretended tells that a dry run put it there: its files are not known.
	Pretended bool

	provides []string
}

// Database is the packages of a host at one moment.
type Database struct {
	r      host.Reader
	byName map[string][]Package
	native string // architecture; "" when the host has only one
	auto   map[string]bool
}

// Read reads dpkg's database. A host without one is an error matching
// fs.ErrNotExist.
func Read(r host.Reader) (*Database, error) {
	status, err := host.ReadFile(r, statusFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read what is installed: this host has no dpkg: %w", err)
	}
	if err != nil {
		return nil, fmt.Errorf("read what is installed: %w", err)
	}
	d := &Database{r: r, byName: map[string][]Package{}, auto: map[string]bool{}}
	arch, err := optional(r, archFile)
	if err != nil {
		return nil, err
	}
	native, _, _ := bytes.Cut(arch, []byte("\n"))
	d.native = string(bytes.TrimSpace(native))
	extended, err := optional(r, extendedFile)
	if err != nil {
		return nil, err
	}
	stanzas(extended, func(f fields) {
		if f["Auto-Installed"] == "1" {
			d.auto[f["Package"]+":"+f["Architecture"]] = true
		}
	})
	stanzas(status, func(f fields) { d.add(f) })
	return d, nil
}

func optional(r host.Reader, path string) ([]byte, error) {
	b, err := host.ReadFile(r, path)
	if _, unknown := host.IsUnknown(err); unknown || errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return b, err
}

func (d *Database) add(f fields) {
	words := strings.Fields(f["Status"])
	if len(words) != 3 {
		return
	}
	p := Package{Name: f["Package"], Arch: f["Architecture"], Version: f["Version"]}
	switch words[2] {
	case "installed", "triggers-pending", "triggers-awaited":
		p.Installed = true
	case "not-installed":
		return
	default: // config-files, or an installation that was cut short
		p.Leftover, p.Version = true, ""
	}
	p.Auto = d.auto[p.Name+":"+p.Arch] || p.Arch == "all" && d.auto[p.Name+":"+d.native]
	for alt := range strings.SplitSeq(f["Provides"], ",") {
		if name, _, _ := strings.Cut(strings.TrimSpace(alt), " "); name != "" {
			p.provides = append(p.provides, name)
		}
	}
	d.byName[p.Name] = append(d.byName[p.Name], p)
}

// Get tells what the host has of a package, named "foo" or "foo:arch"; a
// package it knows nothing of has only a Name. In a dry run, what earlier
// tasks would have done counts.
func (d *Database) Get(name string) Package {
	base, arch, _ := strings.Cut(name, ":")
	for _, key := range []string{name, base} {
		v, ok := d.r.Noted(noteKind, key)
		if p, isPackage := v.(Package); ok && isPackage && (arch == "" || p.Arch == "" || arch == p.Arch || arch == "any") {
			return p
		}
	}
	best := Package{Name: base}
	for _, p := range d.byName[base] {
		fits := arch == "any" || arch == p.Arch || p.Arch == "all" ||
			arch == "" && (d.native == "" || p.Arch == d.native)
		if fits && (best.Arch == "" || p.Installed) {
			best = p
		}
	}
	return best
}

// Provider finds an installed package that provides a virtual one.
func (d *Database) Provider(virtual string) (Package, bool) {
	for name, list := range d.byName {
		for _, p := range list {
			if !p.Installed {
				continue
			}
			for _, v := range p.provides {
				if v == virtual {
					if now := d.Get(name); now.Installed {
						return now, true
					}
				}
			}
		}
	}
	return Package{}, false
}

// Names lists the packages dpkg knows for which keep says yes.
func (d *Database) Names(keep func(name string) bool) []string {
	var out []string
	for name := range d.byName {
		if keep(name) {
			out = append(out, name)
		}
	}
	return out
}

// fields are the fields of one stanza that are of interest.
type fields map[string]string

var wanted = map[string]bool{"Package": true, "Status": true, "Architecture": true, "Version": true, "Provides": true, "Auto-Installed": true}

// stanzas reads deb822 text. Continuation lines are skipped: no field of
// interest has them in dpkg's files.
func stanzas(text []byte, each func(fields)) {
	f := fields{}
	for len(text) > 0 {
		var line []byte
		line, text, _ = bytes.Cut(text, []byte("\n"))
		if len(line) == 0 {
			if f["Package"] != "" {
				each(f)
			}
			f = fields{}
			continue
		}
		if line[0] == ' ' || line[0] == '\t' {
			continue
		}
		name, v, ok := bytes.Cut(line, []byte(":"))
		if ok && wanted[string(name)] {
			f[string(name)] = string(bytes.TrimSpace(v))
		}
	}
	if f["Package"] != "" {
		each(f)
	}
}
