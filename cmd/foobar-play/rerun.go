package main

import (
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// notAgain are flags that the command that tries again does not repeat.
var notAgain = []string{"limit", "start-at-task", "step"}

// commandLine gives the flags that were set, as they are written. Defaults of
// environment and project file apply again by themselves.
func commandLine(flags *pflag.FlagSet) []string {
	var words []string
	flags.Visit(func(f *pflag.Flag) {
		if !slices.Contains(notAgain, f.Name) {
			words = append(words, written(f)...)
		}
	})
	return words
}

func written(f *pflag.Flag) []string {
	name := "--" + f.Name
	if f.Shorthand != "" {
		name = "-" + f.Shorthand
	}
	switch f.Value.Type() {
	case "bool":
		if f.Value.String() == "true" {
			return []string{name}
		}
		return []string{"--" + f.Name + "=" + f.Value.String()}
	case "count":
		return []string{"--" + f.Name + "=" + f.Value.String()}
	}
	list, ok := f.Value.(pflag.SliceValue)
	if !ok {
		return []string{name, f.Value.String()}
	}
	var words []string
	for _, v := range list.GetSlice() {
		if f.Name == "extra-vars" {
			v = withoutSecrets(v)
		}
		words = append(words, name, v)
	}
	return words
}

var secretName = regexp.MustCompile(`(?i)pass|secret|token|credential|private|key`)

// withoutSecrets leaves out what an extra variable says when its name tells
// that it is secret: the command is shown, and may end up in a log.
func withoutSecrets(extra string) string {
	if strings.HasPrefix(extra, "@") || !secretName.MatchString(extra) {
		return extra
	}
	return "…"
}

// again gives the command that tries again on some hosts.
func (o *options) again(what []string) func(hosts []string) string {
	return func(hosts []string) string {
		words := slices.Concat([]string{"foobar-play"}, what, o.given, []string{"--limit", strings.Join(hosts, ",")})
		for i, w := range words {
			words[i] = shellQuote(w)
		}
		return strings.Join(words, " ")
	}
}

// shellQuote writes a word so that a shell reads it as it is.
func shellQuote(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./,:=@%+…", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
