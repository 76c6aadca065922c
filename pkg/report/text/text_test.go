package text_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/event"
	"github.com/foobar-play/foobar-play/pkg/report/text"
)

var update = flag.Bool("update", false, "write what the report gives into testdata")

// play hands a stream to the sinks, its recap last.
func play(bodies []event.Body, end func(*event.Recap), sinks ...event.Sink) {
	var fold event.Folder
	seq := 0
	emit := func(b event.Body) {
		seq++
		e := event.Event{Seq: seq, Body: b}
		fold.Event(e)
		for _, s := range sinks {
			s.Event(e)
		}
	}
	for _, b := range bodies {
		emit(b)
	}
	recap := fold.Recap()
	recap.Duration = 1234567 * time.Microsecond
	if end != nil {
		end(&recap)
	}
	emit(event.RunEnded{Recap: recap})
}

func rerun(hosts []string) string { return "foobar-play site.yml --limit " + strings.Join(hosts, ",") }

func TestGolden(t *testing.T) {
	for _, c := range []struct {
		name, stream string
		opts         text.Options
		end          func(*event.Recap)
	}{
		{"fine", "fine", text.Options{}, nil},
		{"fine_v", "fine", text.Options{Verbosity: 1}, nil},
		{"fine_color", "fine", text.Options{Color: true}, nil},
		{"failures", "failures", text.Options{Rerun: rerun}, func(r *event.Recap) { r.NoHostsLeft = true }},
		{"failures_color", "failures", text.Options{Color: true, Rerun: rerun}, nil},
		{"loops", "loops", text.Options{}, nil},
		{"loops_v", "loops", text.Options{Verbosity: 1}, nil},
		{"check", "check", text.Options{}, nil},
		{"check_v", "check", text.Options{Verbosity: 1}, nil},
		{"check_color", "check", text.Options{Color: true}, nil},
		{"free", "free", text.Options{}, nil},
		{"details", "details", text.Options{}, nil},
		{"details_v", "details", text.Options{Verbosity: 1}, nil},
		{"details_vv", "details", text.Options{Verbosity: 2}, nil},
		{"details_vvv", "details", text.Options{Verbosity: 3}, nil},
		{"interrupted", "free", text.Options{}, func(r *event.Recap) { r.Interrupted = true }},
		{"nothing", "nothing", text.Options{}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			r := text.New(&out, c.opts)
			play(streams[c.stream], c.end, r)
			if err := r.Err(); err != nil {
				t.Fatal(err)
			}
			golden(t, filepath.Join("testdata", c.name+".txt"), out.Bytes())
		})
	}
}

// golden compares with a file, in which ESC stands as the word.
func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	got = bytes.ReplaceAll(got, []byte("\x1b"), []byte("ESC"))
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got:\n%s\nwant:\n%s", path, got, want)
	}
}

// TestColorOnlyAddsColor finds text that is told only in color, or only without.
func TestColorOnlyAddsColor(t *testing.T) {
	escapes := regexp.MustCompile("\x1b\\[[0-9;]*m")
	for name, s := range streams {
		for v := range 4 {
			var plain, colored bytes.Buffer
			play(s, nil, text.New(&plain, text.Options{Verbosity: v}))
			play(s, nil, text.New(&colored, text.Options{Verbosity: v, Color: true}))
			if strings.Contains(plain.String(), "\x1b") {
				t.Errorf("%s: an escape without color", name)
			}
			if got := escapes.ReplaceAllString(colored.String(), ""); got != plain.String() {
				t.Errorf("%s: without its colors:\n%s\nplain:\n%s", name, got, plain.String())
			}
		}
	}
}

// TestRecapLine pins the bytes that scripts written for Ansible read.
func TestRecapLine(t *testing.T) {
	for want, c := range map[string]struct {
		host  string
		stats event.HostStats
	}{
		"web01                      : ok=12   changed=3    unreachable=0    failed=0    skipped=4    rescued=0    ignored=1   \n": {
			"web01", event.HostStats{OK: 12, Changed: 3, Skipped: 4, Ignored: 1}},
		"a-host-with-a-name-of-more-than-26 : ok=10000 changed=0    unreachable=1    failed=2    skipped=0    rescued=5    ignored=0   \n": {
			"a-host-with-a-name-of-more-than-26", event.HostStats{OK: 10000, Unreachable: 1, Failed: 2, Rescued: 5}},
		"db01                       : ok=1    changed=0    unreachable=0    failed=0    skipped=0    rescued=0    ignored=0    maybe=1   \n": {
			"db01", event.HostStats{OK: 1, Maybe: 1}},
	} {
		var out bytes.Buffer
		text.New(&out, text.Options{}).Event(event.Event{Body: event.RunEnded{Recap: event.Recap{Hosts: map[string]event.HostStats{c.host: c.stats}}}})
		stars := strings.Repeat("*", 69)
		if got := out.String(); got != "\nPLAY RECAP "+stars+"\n"+want+"\n" {
			t.Errorf("got %q", got)
		}
	}
}

type broken struct{ left int }

func (b *broken) Write(p []byte) (int, error) {
	if b.left--; b.left < 0 {
		return 0, errors.New("the pipe is closed")
	}
	return len(p), nil
}

func TestErrKeepsTheFirstError(t *testing.T) {
	r := text.New(&broken{left: 3}, text.Options{})
	play(streams["fine"], nil, r)
	if err := r.Err(); err == nil || err.Error() != "write the report: the pipe is closed" {
		t.Errorf("got %v", err)
	}
}

func TestDiagnostics(t *testing.T) {
	file := filepath.Join(t.TempDir(), "site.yml")
	if err := os.WriteFile(file, []byte("- hosts: all\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	play([]event.Body{
		event.PlayStarted{Name: "x"},
		event.Message{Severity: diag.Warning, Text: "hm", Pos: diag.Pos{File: file, Line: 1, Col: 10}, Hint: "name a host"},
		event.Message{Text: "it broke"},
	}, nil, text.Diagnostics(&out))
	want := "warning: hm\n  --> " + file + ":1:10\n    1 | - hosts: all\n      |          ^\n  help: name a host\nerror: it broke\n"
	if out.String() != want {
		t.Errorf("got %q", out.String())
	}
}
