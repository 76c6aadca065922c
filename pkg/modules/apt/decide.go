package apt

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/host/packages"
	"github.com/foobar-play/foobar-play/pkg/modules"
)

// todo is what has to be done, as far as reading tells.
type todo struct {
	steps   []step
	mark    []string // packages that are dependencies only and are asked for now
	changes []modules.Change
	// unknown is why it cannot be known whether something changes.
	unknown string
}

// step is one call of apt-get.
type step struct {
	flags []string
	verb  string
	names []string
	items []packages.Item
	// blind are packages that no list knows yet, so that nothing could be
	// simulated.
	blind []string
}

func (t *todo) add(s step) {
	t.steps = append(t.steps, s)
	for _, it := range s.items {
		t.changes = append(t.changes, modules.Change{Field: it.Name, Before: version(it.Old), After: version(it.New)})
	}
	for _, name := range s.blind {
		t.changes = append(t.changes, modules.Change{Field: name, After: "installed"})
	}
}

func version(v string) any {
	if v == "" {
		return nil
	}
	return v
}

const newLists = "the package lists would be fetched first"

// decide finds out what has to be done. stale says that the lists will be
// fetched first, so that what can be installed is not known.
func (a *action) decide(ctx context.Context, r host.Reader, stale bool) (todo, error) {
	db, err := packages.Read(r)
	if err != nil {
		return todo{}, err
	}
	d := decider{action: a, ctx: ctx, r: r, db: db, stale: stale || packages.ListsPretended(r)}
	if a.Clean {
		if err := d.clean(); err != nil {
			return todo{}, err
		}
	}
	switch {
	case a.upgrading() != "":
		err = d.upgrade()
	case a.Deb != "":
		err = d.deb()
	case len(a.Name) == 0 && a.State == "fixed":
		err = d.install(nil)
	case len(a.Name) == 0 && a.Autoclean:
		err = d.autoclean()
	case len(a.Name) == 0 && a.Autoremove:
		err = d.simulate(step{verb: "autoremove", flags: a.removeFlags()})
	case a.State == "absent":
		err = d.absent()
	default:
		err = d.present()
	}
	return d.todo, err
}

// decider is one decision in the making.
type decider struct {
	*action
	ctx   context.Context
	r     host.Reader
	db    *packages.Database
	stale bool
	todo
}

// simulate adds a step when apt-get would do something. What a dry run has
// done already does not count.
func (d *decider) simulate(s step) error {
	items, err := packages.Apt{Flags: s.flags}.Simulate(d.ctx, d.r, s.verb, s.names...)
	if err != nil {
		return err
	}
	for _, it := range items {
		now := d.db.Get(it.Name)
		if done := it.New != "" && now.Pretended || it.New == "" && !now.Installed && !(it.Purge && now.Leftover); !done {
			s.items = append(s.items, it)
		}
	}
	if len(s.items) > 0 {
		d.add(s)
	}
	return nil
}

func (d *decider) upgrade() error {
	if d.stale {
		d.unknown = newLists
		return nil
	}
	flags := d.installFlags()
	if d.upgrading() == "upgrade" {
		flags = append(flags, "--with-new-pkgs")
	}
	return d.simulate(step{verb: d.upgrading(), flags: flags})
}

func (d *decider) absent() error {
	var names []string
	for _, n := range d.Name {
		for _, name := range d.expand(n, false) {
			if p := d.db.Get(name); p.Installed || p.Leftover && d.Purge {
				names = append(names, name)
			}
		}
	}
	switch {
	case len(names) > 0:
		return d.remove(names)
	case d.Autoremove && len(d.Name) > 0:
		return d.simulate(step{verb: "autoremove", flags: d.removeFlags()})
	}
	return nil
}

// remove simulates a removal. Packages that only a dry run has installed are
// unknown to apt-get: they just go.
func (d *decider) remove(names []string) error {
	s := step{verb: "remove", flags: d.removeFlags()}
	var pretended []packages.Item
	for _, name := range names {
		if p := d.db.Get(name); p.Pretended {
			pretended = append(pretended, packages.Item{Name: name, Old: p.Version, Purge: d.Purge})
		} else {
			s.names = append(s.names, name)
		}
	}
	if pretended != nil {
		d.add(step{verb: "remove", flags: s.flags, items: pretended})
	}
	if s.names == nil {
		return nil
	}
	return d.simulate(s)
}

// present handles the states present, latest and fixed.
func (d *decider) present() error {
	var need []string
	settled := true // nothing is missing, it is only about newer versions
	for _, n := range d.Name {
		for _, name := range d.expand(n, true) {
			p, ok := d.met(name)
			switch {
			case !ok && d.OnlyUpgrade && !p.Installed:
			case !ok:
				need, settled = append(need, name), false
			case d.State == "latest" || d.State == "fixed":
				need = append(need, name)
			}
			if ok && p.Auto {
				d.mark = append(d.mark, p.Name)
				d.changes = append(d.changes, modules.Change{Field: p.Name + ".manual", Before: false, After: true})
			}
		}
	}
	if len(need) == 0 {
		return nil
	}
	if settled && d.stale {
		d.unknown = newLists
		return nil
	}
	if _, blind := d.r.Noted(blindNote, ""); blind && !settled {
		d.unknown = "what an earlier task installs is known only when the package lists are fetched"
	}
	return d.install(need)
}

// install simulates an installation. Names that no list has are left for the
// run when the lists are fetched before it.
func (d *decider) install(names []string) error {
	s := step{verb: "install", flags: d.installFlags(), names: names}
	err := d.simulate(s)
	var missing *packages.NotFoundError
	var refused *host.CommandError
	if d.stale && (errors.As(err, &missing) || errors.As(err, &refused)) {
		s.blind = names
		d.add(s)
		return nil
	}
	return err
}

// met tells whether a wish for a package is fulfilled, and by which package.
func (d *decider) met(wish string) (packages.Package, bool) {
	return met(d.db, wish)
}

func met(db *packages.Database, wish string) (packages.Package, bool) {
	name, want, pinned := strings.Cut(wish, "=")
	name, _, _ = strings.Cut(name, "/")
	p := db.Get(name)
	if !p.Installed && !pinned {
		if by, ok := db.Provider(name); ok {
			by.Auto = false
			return by, true
		}
	}
	return p, p.Installed && (!pinned || packages.MatchVersion(want, p.Version))
}

var isPattern = regexp.MustCompile(`^[^=/]*[*?[]`)

// expand resolves a shell pattern of package names.
func (d *decider) expand(name string, installable bool) []string {
	if !isPattern.MatchString(name) {
		return []string{name}
	}
	fits := func(n string) bool { ok, _ := path.Match(name, n); return ok }
	out := d.db.Names(fits)
	if installable && !d.OnlyUpgrade {
		cmd := host.Command{Argv: []string{"apt-cache", "pkgnames"}}
		if res, err := d.r.Query(d.ctx, cmd); host.Check(cmd, res, err) == nil {
			for n := range strings.FieldsSeq(string(res.Stdout)) {
				if fits(n) {
					out = append(out, n)
				}
			}
		}
	}
	slices.Sort(out)
	out = slices.Compact(out)
	if len(out) == 0 && installable {
		return []string{name}
	}
	return out
}

// deb compares a package file with what is installed.
func (d *decider) deb() error {
	file := d.Deb
	if _, err := d.r.Stat(file); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("there is no file %s on the host: copy or download it first: %w", file, err)
		}
		return err
	}
	cmd := host.Command{Argv: []string{"dpkg-deb", "-f", file, "Package", "Version", "Architecture"}}
	out, err := d.r.Query(d.ctx, cmd)
	if err == nil && out.RC != 0 && d.pretended(file) {
		d.unknown = fmt.Sprintf("%s would be brought by an earlier task", file)
		return nil
	}
	if err := host.Check(cmd, out, err); err != nil {
		return fmt.Errorf("read %s: %w", file, err)
	}
	f := map[string]string{}
	for line := range strings.Lines(string(out.Stdout)) {
		k, v, _ := strings.Cut(line, ":")
		f[k] = strings.TrimSpace(v)
	}
	if p := d.db.Get(f["Package"]); p.Installed && p.Version == f["Version"] {
		return nil
	}
	return d.simulate(step{verb: "install", flags: d.installFlags(), names: []string{file}})
}

// pretended tells that a file is there for this reader only, not for programs.
func (d *decider) pretended(file string) bool {
	out, err := d.r.Query(d.ctx, host.Command{Argv: []string{"test", "-e", file}})
	return err == nil && out.RC != 0
}

const archives = "/var/cache/apt/archives"

// clean looks for downloaded packages.
func (d *decider) clean() error {
	list, err := d.r.ReadDir(archives)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	n := 0
	for _, fi := range list {
		if strings.HasSuffix(fi.Path, ".deb") {
			n++
		}
	}
	if n > 0 {
		d.steps = append(d.steps, step{verb: "clean", flags: d.flags()})
		d.changes = append(d.changes, modules.Change{Field: archives, Before: fmt.Sprintf("%d packages", n), After: "0 packages"})
	}
	return nil
}

var delLine = regexp.MustCompile(`(?m)^Del (\S+) (\S+)`)

func (d *decider) autoclean() error {
	cmd := host.Command{Argv: []string{"apt-get", "-s", "-q", "autoclean"}}
	out, err := d.r.Query(d.ctx, cmd)
	if err := host.Check(cmd, out, err); err != nil {
		return err
	}
	list := delLine.FindAllStringSubmatch(string(out.Stdout), -1)
	if len(list) > 0 {
		d.steps = append(d.steps, step{verb: "autoclean", flags: d.flags()})
	}
	for _, m := range list {
		d.changes = append(d.changes, modules.Change{Field: archives + "/" + m[1], Before: m[2]})
	}
	return nil
}

// lists are where apt keeps the package lists; stamp is written by hosts that
// update themselves.
const (
	lists = "/var/lib/apt/lists"
	stamp = "/var/lib/apt/periodic/update-success-stamp"
)

// updated tells when the lists were fetched last; the zero time when never.
func updated(r host.Reader) (time.Time, error) {
	var last time.Time
	for _, p := range []string{stamp, lists} {
		fi, err := r.Stat(p)
		if _, unknown := host.IsUnknown(err); unknown || errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return last, err
		}
		if fi.ModTime.After(last) {
			last = fi.ModTime
		}
	}
	return last, nil
}

// due tells whether the lists have to be fetched.
func (a *action) due(r host.Reader) (bool, time.Time, error) {
	last, err := updated(r)
	if err != nil || !a.UpdateCache && a.CacheValidTime == 0 {
		return false, last, err
	}
	valid := time.Duration(a.CacheValidTime) * time.Second
	return valid == 0 || a.now().Sub(last) >= valid, last, nil
}
