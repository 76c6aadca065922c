package packages

import (
	"fmt"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/host"
)

// pretend does to a shadow what the item does to a host, as far as that is
// known: of an installed package the name and version, not the files; of a
// removed one which files go.
func (it Item) pretend(w host.Writer) error {
	name, arch, _ := strings.Cut(it.Name, ":")
	p := Package{Name: name, Arch: arch}
	if it.New != "" {
		p.Installed, p.Version, p.Pretended = true, it.New, true
		w.Note(noteKind, it.Name, p)
		if it.Old == "" {
			host.NotePending(w, it.Name, notThereYet(it.Name))
		}
		return nil
	}
	wasPretended := false
	if v, ok := w.Noted(noteKind, it.Name); ok {
		old, _ := v.(Package)
		wasPretended = old.Pretended
	}
	p.Leftover = !it.Purge
	w.Note(noteKind, it.Name, p)
	host.NotePending(w, it.Name, "")
	if wasPretended {
		return nil
	}
	return removeFiles(w, it)
}

// PretendInstall notes in a shadow that packages will be installed of which
// nothing else is known. On a real host it does nothing.
func PretendInstall(w host.Writer, names ...string) {
	for _, name := range names {
		w.Note(noteKind, name, Package{Name: name, Installed: true, Pretended: true})
		host.NotePending(w, name, notThereYet(name))
	}
}

func notThereYet(name string) string {
	return fmt.Sprintf("package %s is not installed yet and may ship it", name)
}

// removeFiles removes a package's files; its configuration stays unless it is
// purged. Directories stay: others may use them.
func removeFiles(w host.Writer, it Item) error {
	keep := map[string]bool{}
	if !it.Purge {
		conf, err := list(w, it.Name, "conffiles")
		if err != nil {
			return err
		}
		for _, f := range conf {
			keep[f] = true
		}
	}
	files, err := list(w, it.Name, "list")
	if err != nil {
		return err
	}
	for _, f := range files {
		info, err := w.Lstat(f)
		if err != nil || info.Type == host.Directory || keep[f] {
			continue
		}
		if err := w.Remove(f); err != nil {
			return err
		}
	}
	return nil
}

// list reads one of dpkg's files about a package.
func list(r host.Reader, name, kind string) ([]string, error) {
	for _, n := range []string{name, name + ":" + nativeOf(r)} {
		b, err := optional(r, "/var/lib/dpkg/info/"+n+"."+kind)
		if err != nil {
			return nil, err
		}
		if b != nil {
			return strings.Fields(string(b)), nil
		}
	}
	return nil, nil
}

// nativeOf is the host's architecture, as dpkg's own package has it.
func nativeOf(r host.Reader) string {
	d, err := Read(r)
	if err != nil {
		return ""
	}
	return d.Get("dpkg").Arch
}
