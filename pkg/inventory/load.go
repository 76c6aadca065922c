package inventory

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/source"
)

// source reads one source of the command line.
func (l *loader) source(s string) {
	l.inv.sources = append(l.inv.sources, s)
	info, err := os.Stat(s)
	switch {
	case err == nil && info.IsDir():
		l.varsBeside(s)
		l.directory(s)
	case err == nil:
		l.varsBeside(filepath.Dir(s))
		l.file(s, info)
	case strings.Contains(s, ","):
		l.list(s)
	case errors.Is(err, fs.ErrNotExist):
		d := diag.Errorf(diag.Pos{File: s}, "there is no such inventory")
		if _, _, err := expandHost(s); err == nil && filepath.Base(s) == s && !slices.Contains(append(yamlEnds, ".ini"), filepath.Ext(s)) {
			d = d.WithHint("for a list of hosts put a comma at its end: -i %q", s+",")
		}
		l.diags.Add(d)
	default:
		l.diags.AddError(diag.Pos{File: s}, err)
	}
}

// varsBeside remembers where group_vars and host_vars of a source are.
func (l *loader) varsBeside(dir string) {
	if !slices.ContainsFunc(l.inv.dirs, func(d string) bool { return absolute(d) == absolute(dir) }) {
		l.inv.dirs = append(l.inv.dirs, dir)
	}
}

// list reads "web01,db[1:3]:2222,". The commas of the list are those outside
// of brackets.
func (l *loader) list(s string) {
	e := groupEntry{name: "ungrouped"}
	start := 0
	for _, end := range append(outside(s, ','), len(s)) {
		item := strings.TrimSpace(s[start:end])
		start = end + 1
		if item == "" {
			continue
		}
		names, port, err := expandHost(item)
		if err != nil {
			l.diags.Errorf(diag.Pos{}, "inventory %q: %s", s, err)
			continue
		}
		e.hosts = append(e.hosts, hostEntry{names: names, port: port})
	}
	l.merge(content{groups: []groupEntry{e}}, "")
}

var (
	// ignoredNames and ignoredEnds are Ansible's list of what is passed over in
	// a directory.
	ignoredNames = regexp.MustCompile(`^(\..*|group_vars|host_vars|vars_plugins)$`)
	ignoredEnds  = []string{".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig", ".ini", ".cfg", ".retry"}
)

// directory reads all files of a directory and of those inside, by name.
func (l *loader) directory(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		l.diags.AddError(diag.Pos{File: dir}, err)
		return
	}
	read := 0
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if ignoredNames.MatchString(e.Name()) {
			continue
		}
		if slices.ContainsFunc(ignoredEnds, func(end string) bool { return strings.HasSuffix(e.Name(), end) }) {
			l.passedOver(path, entries)
			continue
		}
		info, err := os.Stat(path)
		if err != nil {
			l.diags.AddError(diag.Pos{File: path}, err)
			continue
		}
		read++
		if info.IsDir() {
			l.directory(path)
		} else {
			l.file(path, info)
		}
	}
	if read == 0 {
		l.diags.Add(warning(diag.Pos{File: dir}, "there is no inventory file in this directory"))
	}
}

// passedOver warns of a file that looks like an inventory and is not read. An
// .ini beside a program of the same name is that program's configuration.
func (l *loader) passedOver(path string, entries []os.DirEntry) {
	l.inv.opts.Log.Debug().Str("file", path).Msg("not read: the ending is on the list of ignored ones")
	stem := strings.TrimSuffix(filepath.Base(path), ".ini")
	if stem == filepath.Base(path) || slices.ContainsFunc(entries, func(e os.DirEntry) bool {
		return e.Name() != filepath.Base(path) && strings.HasPrefix(e.Name(), stem)
	}) {
		return
	}
	text, err := os.ReadFile(path)
	if err != nil || !looksLikeINI(text) {
		return
	}
	l.diags.Add(warning(diag.Pos{File: path}, "files that end in .ini are not read from an inventory directory").
		WithHint("take the ending off its name"))
}

// file reads one file by what it is: an executable, YAML, INI.
func (l *loader) file(path string, info os.FileInfo) {
	pos := diag.Pos{File: path}
	if !info.Mode().IsRegular() {
		// A pipe: -i <(command).
		if info.Mode()&(fs.ModeNamedPipe|fs.ModeCharDevice) == 0 {
			l.diags.Errorf(pos, "is neither a file nor a directory")
			return
		}
	} else if info.Size() > source.MaxSize {
		l.diags.Errorf(pos, "is %d bytes; at most %d are read", info.Size(), source.MaxSize)
		return
	}
	text, err := os.ReadFile(path)
	if err != nil {
		l.diags.AddError(pos, err)
		return
	}
	c, diags := l.parse(path, info, text)
	l.diags.Merge(diags)
	if !diags.HasErrors() {
		l.inv.opts.Log.Debug().Str("file", path).Int("groups", len(c.groups)).Msg("inventory read")
	}
	l.merge(c, absolute(path))
}

func (l *loader) parse(path string, info os.FileInfo, text []byte) (content, diag.List) {
	var diags diag.List
	runnable := info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
	shebang := bytes.HasPrefix(text, []byte("#!"))
	switch ext := filepath.Ext(path); {
	case bytes.HasPrefix(text, []byte("$ANSIBLE_VAULT")):
		diags.Add(vaultFile(path))
		return content{}, diags
	case runnable && (shebang || !utf8.Valid(text)):
		return script{path, l.inv.opts}.load(l.ctx)
	case shebang:
		diags.Add(diag.Errorf(diag.Pos{File: path, Line: 1, Col: 1}, "is an inventory script, but not executable").
			WithHint("chmod +x %s", path))
		return content{}, diags
	case slices.Contains(yamlEnds, ext):
		return parseYAML(path, text)
	case ext != "":
		return parseINI(path, text)
	}
	return parseEither(path, text)
}

var yamlEnds = []string{".yml", ".yaml", ".json"}

// parseEither reads a file without an ending: as YAML, and if it is none as
// INI. If it is neither, the mistakes shown are those of the one it looks like.
func parseEither(path string, text []byte) (content, diag.List) {
	c, asYAML := parseYAML(path, text)
	if !asYAML.HasErrors() {
		return c, asYAML
	}
	ini, asINI := parseINI(path, text)
	if asINI.HasErrors() && looksLikeYAML(text) && !looksLikeINI(text) {
		return c, asYAML
	}
	return ini, asINI
}

func vaultFile(path string) diag.Diagnostic {
	return diag.Errorf(diag.Pos{File: path, Line: 1, Col: 1}, "this file is encrypted with Ansible Vault, which is not read yet").
		WithHint("decrypt it with `ansible-vault decrypt`, and keep secrets apart, in a file of mode 0600")
}
