package packages

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/host"
)

// Apt is how apt-get is called.
type Apt struct {
	// Flags are options for every call that changes packages or simulates it.
	Flags []string
	// OnOutput gets the output of long calls; may be nil.
	OnOutput func(stream string, chunk []byte)
}

// Item is one package of a transaction.
type Item struct {
	Name     string // with ":arch" when not the host's own
	Old, New string // versions; "" when not installed before or after
	Purge    bool   // its configuration goes too
}

// NotFoundError says that apt knows no package, or no version of one, to
// install.
type NotFoundError struct {
	Names []string // as asked for
	Said  string   // by apt-get
}

// Error is in Ansible's words.
func (e *NotFoundError) Error() string {
	return fmt.Sprintf("No package matching '%s' is available: %s", strings.Join(e.Names, "', '"), e.Said)
}

// inMemory keeps apt from writing its binary cache: a simulation must leave no
// trace.
var inMemory = []string{"-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache="}

// environment keeps the tools from asking.
var environment = []string{
	"DEBIAN_FRONTEND=noninteractive", "DEBIAN_PRIORITY=critical",
	"APT_LISTCHANGES_FRONTEND=none", "APT_LISTBUGS_FRONTEND=none", "NEEDRESTART_MODE=l", "UCF_FORCE_CONFFOLD=1",
}

// Simulate asks apt-get what a verb (install, remove, upgrade …) would do to
// the host's packages. It is a *NotFoundError when a name of an install is not
// there to be installed.
func (a Apt) Simulate(ctx context.Context, r host.Reader, verb string, names ...string) ([]Item, error) {
	argv := slices.Concat([]string{"apt-get", "-s", "-q", "-y"}, inMemory, a.Flags, []string{verb}, names)
	cmd := host.Command{Argv: argv, Env: environment}
	out, err := r.Query(ctx, cmd)
	if err == nil && out.RC != 0 && verb == "install" {
		if missing := a.missing(ctx, r, names); len(missing) > 0 {
			return nil, &NotFoundError{Names: missing, Said: lastLine(out.Stderr)}
		}
	}
	if err := host.Check(cmd, out, err); err != nil {
		return nil, err
	}
	return parse(string(out.Stdout)), nil
}

// missing finds the names of which apt has nothing to install.
func (a Apt) missing(ctx context.Context, r host.Reader, names []string) []string {
	var missing []string
	var plain []string
	for _, n := range names {
		plain = append(plain, bare(n))
	}
	cands, err := Policy(ctx, r, plain...)
	if err != nil {
		return nil
	}
	for i, n := range names {
		c := cands[plain[i]]
		if _, version, ok := strings.Cut(n, "="); !ok && c.Version == "" || ok && !c.offers(version) {
			missing = append(missing, n)
		}
	}
	return missing
}

// bare takes "=version" and "/release" off a name.
func bare(name string) string {
	name, _, _ = strings.Cut(name, "=")
	name, _, _ = strings.Cut(name, "/")
	return name
}

func lastLine(b []byte) string {
	s := strings.TrimSpace(string(b))
	return s[strings.LastIndexByte(s, '\n')+1:]
}

var (
	instLine = regexp.MustCompile(`^Inst (\S+) (?:\[([^\]]*)\] )?\((\S+)`)
	remvLine = regexp.MustCompile(`^(Remv|Purg) (\S+) \[([^\]]*)\]`)
)

// parse reads the lines of apt-get -s, a format meant for programs.
func parse(text string) []Item {
	var out []Item
	for line := range strings.Lines(text) {
		if m := instLine.FindStringSubmatch(line); m != nil {
			out = append(out, Item{Name: m[1], Old: m[2], New: m[3]})
		} else if m := remvLine.FindStringSubmatch(line); m != nil {
			out = append(out, Item{Name: m[2], Old: m[3], Purge: m[1] == "Purg"})
		}
	}
	return out
}

// Commit has apt-get do what Simulate foresaw as items; in a dry run the items
// are pretended. A nil items in a dry run means: not foreseeable in detail,
// names will be there (install) or be gone.
func (a Apt) Commit(ctx context.Context, w host.Writer, items []Item, verb string, names ...string) (host.Output, error) {
	argv := slices.Concat([]string{"apt-get", "-q", "-y"}, a.Flags, []string{verb}, names)
	cmd := host.Command{
		Argv: argv, Env: environment, OnOutput: a.OnOutput,
		Pretend: func(w host.Writer) error {
			for _, it := range items {
				if err := it.pretend(w); err != nil {
					return err
				}
			}
			return nil
		},
	}
	out, err := w.Run(ctx, cmd)
	return out, host.Check(cmd, out, err)
}

// Update fetches the lists of packages.
func (a Apt) Update(ctx context.Context, w host.Writer, flags ...string) (host.Output, error) {
	argv := slices.Concat([]string{"apt-get", "-q", "-y"}, flags, []string{"update"})
	cmd := host.Command{
		Argv: argv, Env: environment, OnOutput: a.OnOutput,
		Pretend: func(w host.Writer) error { w.Note(updateNote, "", true); return nil },
	}
	out, err := w.Run(ctx, cmd)
	return out, host.Check(cmd, out, err)
}

// Mark makes packages manually installed ones, so that autoremove spares them.
func Mark(ctx context.Context, w host.Writer, names ...string) error {
	cmd := host.Command{
		Argv: append([]string{"apt-mark", "-q", "manual"}, names...),
		Pretend: func(w host.Writer) error {
			d, err := Read(w)
			if err != nil {
				return err
			}
			for _, n := range names {
				p := d.Get(n)
				p.Auto = false
				w.Note(noteKind, n, p)
			}
			return nil
		},
	}
	out, err := w.Run(ctx, cmd)
	return host.Check(cmd, out, err)
}

// updateNote is the kind of note left by a pretended update of the lists.
const updateNote = "package lists updated"

// ListsPretended reports whether an earlier task of a dry run would have
// fetched newer lists than the host has: what can be installed is then not
// known.
func ListsPretended(r host.Reader) bool {
	_, ok := r.Noted(updateNote, "")
	return ok
}

// Candidate is what apt could install of a package.
type Candidate struct {
	Version  string   // "" when there is none
	Versions []string // all it knows, best first
}

// offers reports whether a version, which may hold wildcards, is there.
func (c Candidate) offers(pattern string) bool {
	return slices.ContainsFunc(c.Versions, func(v string) bool { return MatchVersion(pattern, v) })
}

// Policy asks apt-cache for candidates; a name it does not know is left out.
func Policy(ctx context.Context, r host.Reader, names ...string) (map[string]Candidate, error) {
	cmd := host.Command{Argv: slices.Concat([]string{"apt-cache"}, inMemory, []string{"policy"}, names)}
	out, err := r.Query(ctx, cmd)
	if err := host.Check(cmd, out, err); err != nil {
		return nil, err
	}
	return policies(string(out.Stdout)), nil
}

var versionLine = regexp.MustCompile(`^ (?:   |\*\*\*) (\S+) -?\d+`)

func policies(text string) map[string]Candidate {
	found := map[string]Candidate{}
	name := ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		c := found[name]
		if v, ok := strings.CutPrefix(line, "  Candidate: "); ok {
			if v != "(none)" {
				c.Version = v
			}
		} else if m := versionLine.FindStringSubmatch(line); m != nil {
			c.Versions = append(c.Versions, m[1])
		} else if line != "" && line[0] != ' ' {
			name = strings.TrimSuffix(line, ":")
			c = Candidate{}
		}
		if name != "" {
			found[name] = c
		}
	}
	return found
}

// MatchVersion reports whether a version fits a wish, which may hold * and ?
// and [a-z], as in apt-get install foo=1.2*.
func MatchVersion(pattern, version string) bool {
	if !strings.ContainsAny(pattern, "*?[") {
		return pattern == version
	}
	var re strings.Builder
	re.WriteString(`\A`)
	for _, r := range pattern {
		switch r {
		case '*':
			re.WriteString(".*")
		case '?':
			re.WriteByte('.')
		case '[', ']', '-':
			re.WriteRune(r)
		default:
			re.WriteString(regexp.QuoteMeta(string(r)))
		}
	}
	re.WriteString(`\z`)
	x, err := regexp.Compile(re.String())
	return err == nil && x.MatchString(version)
}
