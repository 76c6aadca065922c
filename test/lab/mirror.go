package lab

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// MirrorEnv overrides the Debian mirror that the machine's own apt uses.
const MirrorEnv = "FOOBAR_PLAY_LAB_MIRROR"

// mirror is where Debian packages come from.
type mirror struct {
	url      string
	updates  bool   // it is used for SUITE-updates too
	security string // where SUITE-security comes from, "" for nowhere
}

// lines are the apt sources for a suite on this mirror.
func (m mirror) lines(suite string) string {
	lines := []string{"deb " + m.url + " " + suite + " main"}
	if suite != "sid" && suite != "unstable" {
		if m.updates {
			lines = append(lines, "deb "+m.url+" "+suite+"-updates main")
		}
		if m.security != "" {
			lines = append(lines, "deb "+m.security+" "+suite+"-security main")
		}
	}
	return strings.Join(lines, "\n") + "\n"
}

// aptSource is one entry of apt's sources, in either of its two formats.
type aptSource struct {
	uris, suites, components []string
	signedBy                 string
}

var (
	debianSuite   = regexp.MustCompile(`^(bullseye|bookworm|trixie|forky|duke|sid|unstable|testing|stable|oldstable)$`)
	sourceOptions = regexp.MustCompile(`\[[^\]]*\]`)
	signedBy      = regexp.MustCompile(`signed-by=([^ \]]+)`)
)

// findMirror picks the Debian mirror among the machine's apt sources and
// leaves third parties aside.
func findMirror(root fs.FS, getenv func(string) string) (mirror, error) {
	var found mirror
	best := 0
	for _, s := range readSources(root) {
		rank := s.rank()
		if rank == 0 {
			continue
		}
		for _, suite := range s.suites {
			base, kind, _ := strings.Cut(strings.ReplaceAll(suite, "/", "-"), "-")
			if !debianSuite.MatchString(base) {
				continue
			}
			switch {
			case kind == "" && rank > best:
				found.url, best = s.uris[0], rank
				found.updates = slices.Contains(s.suites, suite+"-updates")
			case kind == "updates" && strings.HasSuffix(suite, "-updates"):
				found.updates = found.updates || found.url == s.uris[0]
			case kind == "security" || kind == "updates":
				found.security = cmp.Or(found.security, s.uris[0])
			}
		}
	}
	found.url = cmp.Or(getenv(MirrorEnv), found.url)
	if found.url == "" {
		return mirror{}, errors.New("a Debian mirror among its apt sources (name one in " + MirrorEnv + ")")
	}
	return found, nil
}

// rank is 0 for a source that is not Debian's, more the surer it is.
func (s aptSource) rank() int {
	if len(s.uris) == 0 || !strings.HasPrefix(s.uris[0], "http") || !slices.Contains(s.components, "main") {
		return 0
	}
	switch {
	case strings.Contains(s.signedBy, "debian-archive"):
		return 3
	case s.signedBy != "":
		return 0
	case strings.Contains(path.Base(strings.TrimSuffix(s.uris[0], "/")), "debian"):
		return 2
	}
	return 1
}

func readSources(root fs.FS) []aptSource {
	var sources []aptSource
	lists, _ := fs.Glob(root, "etc/apt/sources.list.d/*.list")
	for _, name := range append([]string{"etc/apt/sources.list"}, lists...) {
		if data, err := fs.ReadFile(root, name); err == nil {
			sources = append(sources, parseList(string(data))...)
		}
	}
	deb822, _ := fs.Glob(root, "etc/apt/sources.list.d/*.sources")
	for _, name := range deb822 {
		if data, err := fs.ReadFile(root, name); err == nil {
			sources = append(sources, parseDeb822(string(data))...)
		}
	}
	return sources
}

// parseList reads the one-line format: deb [options] URI suite components.
func parseList(text string) []aptSource {
	var sources []aptSource
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		rest, isDeb := strings.CutPrefix(strings.TrimSpace(line), "deb ")
		if !isDeb {
			continue
		}
		var s aptSource
		if m := signedBy.FindStringSubmatch(rest); m != nil {
			s.signedBy = m[1]
		}
		fields := strings.Fields(sourceOptions.ReplaceAllString(rest, ""))
		if len(fields) < 3 {
			continue
		}
		s.uris, s.suites, s.components = fields[:1], fields[1:2], fields[2:]
		sources = append(sources, s)
	}
	return sources
}

// parseDeb822 reads the stanza format of .sources files.
func parseDeb822(text string) []aptSource {
	var sources []aptSource
	fields := map[string]string{}
	flush := func() {
		disabled := strings.EqualFold(fields["enabled"], "no") || strings.EqualFold(fields["enabled"], "false")
		if slices.Contains(strings.Fields(fields["types"]), "deb") && !disabled {
			sources = append(sources, aptSource{
				uris: strings.Fields(fields["uris"]), suites: strings.Fields(fields["suites"]),
				components: strings.Fields(fields["components"]), signedBy: fields["signed-by"],
			})
		}
		fields = map[string]string{}
	}
	last := ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		switch {
		case strings.HasPrefix(line, "#"):
		case strings.TrimSpace(line) == "":
			flush()
		case line[0] == ' ' || line[0] == '\t':
			fields[last] += "\n" + line
		default:
			key, value, _ := strings.Cut(line, ":")
			last = strings.ToLower(key)
			fields[last] = strings.TrimSpace(value)
		}
	}
	flush()
	return sources
}

// aptSettings are the lines of "apt-config dump" that decide how packages are
// fetched (proxy, certificates, checks), for use inside the hosts.
func aptSettings(dump string, getenv func(string) string) string {
	var kept strings.Builder
	for line := range strings.Lines(dump) {
		key, _, _ := strings.Cut(strings.ToLower(line), " ")
		for _, prefix := range []string{"acquire::http::", "acquire::https::", "acquire::check-valid-until", "acquire::check-date", "acquire::retries", "acquire::forceipv4"} {
			if strings.HasPrefix(key, prefix) {
				kept.WriteString(line)
				break
			}
		}
	}
	for _, scheme := range []string{"http", "https"} {
		proxy := cmp.Or(getenv(scheme+"_proxy"), getenv(strings.ToUpper(scheme)+"_PROXY"))
		if proxy != "" && !strings.Contains(strings.ToLower(kept.String()), "acquire::"+scheme+"::proxy ") {
			fmt.Fprintf(&kept, "Acquire::%s::Proxy %q;\n", scheme, proxy)
		}
	}
	return kept.String()
}
