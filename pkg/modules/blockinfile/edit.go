package blockinfile

import (
	"slices"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/modules/internal/files"
)

// edit gives text with the block as wanted, and what was done in words.
func edit(text []byte, a *args) ([]byte, string) {
	lines := files.Lines(text)
	block := blockOf(a)
	at, end := find(lines, a)
	switch {
	case at >= 0:
		lines = slices.Delete(lines, at, end+1)
	case block == nil:
		return text, ""
	default:
		at = position(lines, a)
	}
	if block != nil {
		lines = put(lines, block, at, a)
	}
	out := strings.Join(lines, "")
	switch {
	case out == string(text):
		return text, ""
	case block == nil:
		return []byte(out), "Block removed"
	}
	return []byte(out), "Block inserted"
}

// blockOf is the block with its markers, nil when it is to be removed.
func blockOf(a *args) []string {
	if a.State == "absent" || a.Block == "" {
		return nil
	}
	out := append([]string{a.begin() + "\n"}, files.Lines([]byte(a.Block))...)
	out[len(out)-1] = files.Ended(out[len(out)-1])
	return append(out, a.end()+"\n")
}

// find gives the lines of the last pair of markers, -1 when there is none.
func find(lines []string, a *args) (begin, end int) {
	begin, end = -1, -1
	open := -1
	for i, l := range lines {
		switch bare := files.Bare(l); {
		case bare == a.begin():
			open = i
		case bare == a.end() && open >= 0:
			begin, end, open = open, i, -1
		}
	}
	return begin, end
}

// position is where a new block goes.
func position(lines []string, a *args) int {
	if a.InsertBefore.String() == "BOF" {
		return 0
	}
	re, offset := a.InsertBefore.Regexp(), 0
	if a.InsertAfter.IsSet() {
		re, offset = a.InsertAfter.Regexp(), 1
	}
	if re == nil || a.InsertAfter.String() == "EOF" {
		return len(lines)
	}
	for i, l := range slices.Backward(lines) {
		if re.MatchString(files.Bare(l)) {
			return i + offset
		}
	}
	return len(lines)
}

func put(lines, block []string, at int, a *args) []string {
	if at > 0 {
		lines[at-1] = files.Ended(lines[at-1])
	}
	if a.PrependNewline && at > 0 && lines[at-1] != "\n" {
		lines = slices.Insert(lines, at, "\n")
		at++
	}
	lines = slices.Insert(lines, at, block...)
	if next := at + len(block); a.AppendNewline && next < len(lines) && lines[next] != "\n" {
		lines = slices.Insert(lines, next, "\n")
	}
	return lines
}
