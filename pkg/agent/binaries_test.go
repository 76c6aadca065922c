package agent

import (
	"bytes"
	"compress/gzip"
	"debug/elf"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestScriptIsOneSafeWord(t *testing.T) {
	script := bootstrap("NONCE", []string{"agent-1", "agent-2"}, false)
	if strings.ContainsAny(script, "'!\\\n\t") || strings.Contains(script, "@") {
		t.Errorf("a login shell may spoil it: %s", script)
	}
	for _, shell := range []string{"sh", "dash", "bash", "busybox"} {
		path, err := exec.LookPath(shell)
		if err != nil {
			continue
		}
		args := []string{"-n", "-c", script}
		if shell == "busybox" {
			args = append([]string{"sh"}, args...)
		}
		if out, err := exec.Command(path, args...).CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", shell, err, out)
		}
	}
}

func TestBinaries(t *testing.T) {
	dir := t.TempDir()
	content := bytes.Repeat([]byte("program"), 1000)
	path := filepath.Join(dir, "p")
	if err := os.WriteFile(path, content, 0o700); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	asked := map[string]int{}
	b := NewBinaries(func(goos, goarch string) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		asked[goos+"/"+goarch]++
		if goarch == "mips" {
			return "", os.ErrNotExist
		}
		return path, nil
	})
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			p, err := b.get(platform{"linux", "arm64"})
			if err != nil {
				t.Error(err)
				return
			}
			packed, size, err := b.pack(p)
			if err != nil {
				t.Error(err)
				return
			}
			f, err := os.Open(packed)
			if err != nil {
				t.Error(err)
				return
			}
			defer f.Close()
			if fi, _ := f.Stat(); fi.Size() != size {
				t.Errorf("%d bytes, said to be %d", fi.Size(), size)
			}
			z, err := gzip.NewReader(f)
			if err != nil {
				t.Error(err)
				return
			}
			if got, err := io.ReadAll(z); err != nil || !bytes.Equal(got, content) {
				t.Errorf("unpacked %d bytes, %v", len(got), err)
			}
		})
	}
	wg.Wait()
	b.get(platform{"linux", "mips"})
	if asked["linux/arm64"] != 1 {
		t.Errorf("asked %v", asked)
	}
	names := map[string]bool{}
	for _, p := range b.likely() {
		names[p.name] = true
	}
	if len(names) != 1 {
		t.Errorf("likely: %v", names)
	}
	temp := b.temp
	if err := b.Close(); err != nil || len(temp) != 1 {
		t.Fatal(temp, err)
	}
	if _, err := os.Stat(temp[0]); !os.IsNotExist(err) {
		t.Errorf("the compressed copy is left: %v", err)
	}
}

func TestPrune(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	add := func(name string, age time.Duration) {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, nil, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, now.Add(-age), now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	add("agent-self", 99*time.Hour)
	for i, name := range []string{"agent-1", "agent-2", "agent-3", "agent-4"} {
		add(name, time.Duration(i)*time.Hour)
	}
	add(".new-old", 48*time.Hour)
	add(".new-now", 0)
	add("tmp-old", 48*time.Hour)
	add("tmp-now", 0)
	add("other", 999*time.Hour)
	// A running program stays, however old.
	running := filepath.Join(dir, "agent-running")
	text, err := os.ReadFile("/bin/sleep")
	if err != nil {
		t.Skip(err)
	}
	if err := os.WriteFile(running, text, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(running, "1000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	os.Chtimes(running, now.Add(-999*time.Hour), now.Add(-999*time.Hour))

	prune(dir, "agent-self")
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if got, want := strings.Join(left, " "), ".new-now agent-1 agent-2 agent-running agent-self other tmp-now"; got != want {
		t.Errorf("left %s, want %s", got, want)
	}
}

func TestSelfBinary(t *testing.T) {
	dir := t.TempDir()
	find := SelfBinary(dir)
	_, err := find("plan9", "mips")
	for _, word := range []string{"plan9/mips", "this program itself", "embedded", "--agent-dir", "Go toolchain", "CGO_ENABLED=0 GOOS=plan9 GOARCH=mips go build", "foobar-play-agent_plan9_mips"} {
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("the error does not mention %q: %v", word, err)
		}
	}
	path := filepath.Join(dir, "foobar-play-agent_plan9_mips")
	if err := os.WriteFile(path, nil, 0o700); err != nil {
		t.Fatal(err)
	}
	if got, err := find("plan9", "mips"); got != path || err != nil {
		t.Errorf("%s, %v", got, err)
	}
	// This test program never called Main: it must not be shipped as an agent.
	if got, err := running(platform{runtime.GOOS, runtime.GOARCH}); err == nil {
		t.Errorf("it would ship %s", got)
	}
}

func TestLoader(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("no ELF here")
	}
	if got, err := loader("/bin/sh"); err != nil || !strings.Contains(got, "ld") {
		t.Errorf("/bin/sh: %q, %v", got, err)
	}
	static := filepath.Join(t.TempDir(), "static")
	build := exec.Command("go", "build", "-o", static, "./internal/testagent")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if got, err := loader(static); err != nil || got != "" {
		t.Errorf("static: %q, %v", got, err)
	}
}

// TestFindInProgram asks real programs what they would ship.
func TestFindInProgram(t *testing.T) {
	if testing.Short() {
		t.Skip("it compiles several programs")
	}
	tool, err := goTool()
	if err != nil || runtime.GOOS != "linux" {
		t.Skip(err)
	}
	gocache, err := runGo(tool, ".", nil, "env", "GOCACHE")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOCACHE", strings.TrimSpace(gocache))
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	build := func(env string, flags ...string) string {
		path := filepath.Join(t.TempDir(), "testagent")
		args := append(append([]string{"build", "-o", path}, flags...), "./internal/testagent")
		if _, err := runGo(tool, ".", []string{env}, args...); err != nil {
			t.Fatal(err)
		}
		return path
	}
	find := func(program, goarch string) (string, error) {
		cmd := exec.Command(program, "find", "linux", goarch)
		cmd.Dir = t.TempDir()
		out, err := cmd.CombinedOutput()
		return strings.TrimSpace(string(out)), err
	}
	other := map[string]string{"amd64": "arm64"}[runtime.GOARCH]
	if other == "" {
		other = "amd64"
	}
	static := build("CGO_ENABLED=0")
	if got, err := find(static, runtime.GOARCH); err != nil || got != "/proc/self/exe" {
		t.Errorf("static: %s, %v", got, err)
	}
	got, err := find(static, other)
	if err != nil {
		t.Fatalf("%s, %v", got, err)
	}
	f, err := elf.Open(got)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if want := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}[other]; f.Machine != want {
		t.Errorf("%s is for %v", got, f.Machine)
	}
	if need, err := loader(got); err != nil || need != "" {
		t.Errorf("loader %q, %v", need, err)
	}
	trimmed := build("CGO_ENABLED=0", "-trimpath", "-buildvcs=false")
	if got, err := find(trimmed, other); err == nil || !strings.Contains(got, "is not here") {
		t.Errorf("without its source: %s, %v", got, err)
	}
	if _, err := exec.LookPath("gcc"); err != nil {
		return
	}
	dynamic := build("CGO_ENABLED=1", "-race")
	got, err = find(dynamic, runtime.GOARCH)
	if err != nil {
		t.Fatalf("%s, %v", got, err)
	}
	if need, err := loader(got); err != nil || need != "" || strings.HasPrefix(got, "/proc") {
		t.Errorf("dynamic: %s, loader %q, %v", got, need, err)
	}
}
