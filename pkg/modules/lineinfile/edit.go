package lineinfile

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/modules/internal/files"
)

// insert gives text with the line in its place, and what was done in words.
func insert(text []byte, a *args) ([]byte, string, error) {
	line := files.Bare(*a.Line)
	lines := files.Lines(text)
	at := matching(lines, a)
	if at < 0 && !a.Backrefs {
		at = slices.IndexFunc(lines, func(l string) bool { return files.Bare(l) == line })
		if at >= 0 {
			return text, "", nil
		}
		return join(place(lines, line, a)), "line added", nil
	}
	if at < 0 {
		return text, "", nil
	}
	if a.Backrefs {
		var err error
		if line, err = refer(line, a.Regexp.Regexp(), files.Bare(lines[at])); err != nil {
			return nil, "", err
		}
	}
	if files.Bare(lines[at]) == line {
		return text, "", nil
	}
	lines[at] = line + "\n"
	return join(lines), "line replaced", nil
}

// matching finds the line that regexp or search_string mean, -1 when there is
// none or neither is given.
func matching(lines []string, a *args) int {
	if !a.Regexp.IsSet() && a.SearchString == "" {
		return -1
	}
	return find(lines, a.FirstMatch, func(l string) bool {
		if re := a.Regexp.Regexp(); re != nil {
			return re.MatchString(l)
		}
		return strings.Contains(l, a.SearchString)
	})
}

// find gives the index of the last line that fits, or of the first.
func find(lines []string, first bool, fits func(bare string) bool) int {
	at := -1
	for i, l := range lines {
		if fits(files.Bare(l)) {
			at = i
			if first {
				break
			}
		}
	}
	return at
}

// place puts a new line where insertafter and insertbefore say.
func place(lines []string, line string, a *args) []string {
	after, before := a.InsertAfter.String(), a.InsertBefore.String()
	if after == "BOF" || before == "BOF" {
		return slices.Insert(lines, 0, line+"\n")
	}
	at := len(lines)
	if re := anchor(a); re != nil {
		if i := find(lines, a.FirstMatch, re.MatchString); i >= 0 && a.InsertAfter.IsSet() {
			at = i + 1
		} else if i >= 0 {
			at = i
		}
	}
	if at > 0 {
		lines[at-1] = files.Ended(lines[at-1])
	}
	return slices.Insert(lines, at, line+"\n")
}

func anchor(a *args) *regexp.Regexp {
	if a.InsertAfter.IsSet() && a.InsertAfter.String() != "EOF" {
		return a.InsertAfter.Regexp()
	}
	return a.InsertBefore.Regexp()
}

// refer puts the groups that re has in old into line.
func refer(line string, re *regexp.Regexp, old string) (string, error) {
	b, err := files.ExpandMatch(nil, line, re, []byte(old), re.FindStringSubmatchIndex(old))
	return string(b), err
}

// remove gives text without the lines that are meant, and their number.
func remove(text []byte, a *args) ([]byte, int) {
	lines := files.Lines(text)
	kept := slices.DeleteFunc(slices.Clone(lines), func(l string) bool {
		switch bare := files.Bare(l); {
		case a.Regexp.IsSet():
			return a.Regexp.Regexp().MatchString(bare)
		case a.SearchString != "":
			return strings.Contains(bare, a.SearchString)
		default:
			return bare == files.Bare(*a.Line)
		}
	})
	if len(kept) == len(lines) {
		return text, 0
	}
	return join(kept), len(lines) - len(kept)
}

func removedMsg(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%d line(s) removed", n)
}

func join(lines []string) []byte { return []byte(strings.Join(lines, "")) }
