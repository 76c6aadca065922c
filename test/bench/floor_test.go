// Package bench measures the program against what is physically possible: the
// same work as one hand-written script per host over plain ssh, both in one
// run. Only ratios are asserted.
package bench

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/foobar-play/foobar-play/test/lab"
	"github.com/foobar-play/foobar-play/test/play"
)

func TestMain(m *testing.M) { os.Exit(play.Main(m)) }

const (
	files = 50
	pairs = 7
)

// TestUnchangedCopies compares 50 copy tasks that change nothing with a script
// that checks the same 50 files, on three hosts.
func TestUnchangedCopies(t *testing.T) {
	l := lab.ForTest(t, lab.Config{})
	dir := t.TempDir()
	var tasks, script strings.Builder
	script.WriteString("set -eu\nmkdir -p /var/tmp/bench\n")
	for i := range files {
		name, content := fmt.Sprintf("f%02d.conf", i), strings.Repeat(fmt.Sprintf("line of file %d\n", i), 20)
		play.Write(t, dir, "files/"+name, content)
		fmt.Fprintf(&tasks, "    - copy: {src: %s, dest: /var/tmp/bench/%s, mode: \"0644\"}\n", name, name)
		fmt.Fprintf(&script, "f=/var/tmp/bench/%s\n", name)
		fmt.Fprintf(&script, "[ \"$(sha256sum <$f 2>/dev/null)\" = \"%s  -\" ] && [ \"$(stat -c %%a $f)\" = 644 ] || { cat >$f <<'EOF'\n%sEOF\nchmod 644 $f; }\n", sum(t, content), content)
	}
	book := play.Write(t, dir, "copies.yml", "- hosts: all\n  gather_facts: false\n  tasks:\n    - file: {path: /var/tmp/bench, state: directory}\n"+tasks.String())

	play.Run(t, l, book).Must(t, 0)
	var ours, floor []time.Duration
	for range pairs {
		floor = append(floor, overSSH(t, l, script.String()))
		r := play.Run(t, l, book, "--output", "jsonl").Must(t, 0)
		for host, s := range r.Recap(t) {
			if s.Changed != 0 || s.OK != files+1 {
				t.Fatalf("%s: %+v", host, s)
			}
		}
		ours = append(ours, r.Wall)
	}
	ratio := median(ours).Seconds() / median(floor).Seconds()
	t.Logf("50 unchanged copy tasks, 3 hosts: ours %v, script over ssh %v, ratio %.2f (medians of %d pairs)", median(ours), median(floor), ratio, pairs)
	if ratio >= 3 {
		t.Errorf("ratio %.2f, want under 3", ratio)
	}
}

func sum(t *testing.T, content string) string {
	cmd := exec.Command("sha256sum")
	cmd.Stdin = strings.NewReader(content)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out))[0]
}

// overSSH runs the script on all hosts at once, one ssh each.
func overSSH(t *testing.T, l *lab.Lab, script string) time.Duration {
	t.Helper()
	start := time.Now()
	var wg sync.WaitGroup
	for _, h := range l.Hosts() {
		wg.Go(func() {
			cmd := exec.Command("ssh", append(h.SSHArgs(), "sh", "-s")...)
			cmd.Stdin = strings.NewReader(script)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", h.Name, err, out)
			}
		})
	}
	wg.Wait()
	return time.Since(start)
}

func median(d []time.Duration) time.Duration {
	s := slices.Clone(d)
	slices.Sort(s)
	return s[len(s)/2]
}
