package agent

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/foobar-play/foobar-play/pkg/agent/internal/testmodules"
	"github.com/foobar-play/foobar-play/pkg/connection"
	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// pipeConn is a connection whose only process is an agent in this process.
type pipeConn struct {
	connection.Connection
	done chan struct{}
}

func (*pipeConn) Name() string            { return "web01" }
func (c *pipeConn) Done() <-chan struct{} { return c.done }
func (*pipeConn) Err() error              { return nil }

type pipeProcess struct {
	net.Conn
	served chan error
}

func (p *pipeProcess) Stdin() io.WriteCloser { return p.Conn }
func (p *pipeProcess) Stdout() io.Reader     { return p.Conn }
func (p *pipeProcess) Stderr() io.Reader     { return strings.NewReader("") }
func (p *pipeProcess) Kill()                 { p.Conn.Close() }
func (p *pipeProcess) Wait() error           { return <-p.served }

// inProcess starts an agent in this process, and its client.
func inProcess(t testing.TB) (*Client, *pipeProcess) {
	t.Helper()
	near, far := net.Pipe()
	w, err := newWorker(testmodules.Registry(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	proc := &pipeProcess{Conn: near, served: make(chan error, 1)}
	go func() {
		err := serve(context.Background(), w, helloMsg{Version: protocolVersion, Info: HostInfo{PID: 77}}, far, far, time.Minute)
		far.Close()
		proc.served <- err
	}()
	store := NewBlobStore()
	c, err := begin(&Client{host: "web01", conn: &pipeConn{done: make(chan struct{})}, proc: proc, stderr: &tail{}, store: store}, bufio.NewReader(near))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close(context.Background())
		store.Close()
	})
	return c, proc
}

func do(t *testing.T, c interface {
	Do(context.Context, Request, func(string, []byte)) (modules.Result, error)
}, module string, args map[string]any) modules.Result {
	t.Helper()
	res, err := c.Do(t.Context(), Request{Module: module, Args: args}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func TestDo(t *testing.T) {
	c, _ := inProcess(t)
	if c.Info().PID != 77 {
		t.Errorf("Info: %+v", c.Info())
	}
	want := everyValue()
	delete(want, "inf")
	got := do(t, c, "echo", map[string]any{"value": want}).Values["value"]
	for k, v := range want {
		if g := got.(map[string]any)[k]; fmt.Sprintf("%#v", g) != fmt.Sprintf("%#v", v) {
			t.Errorf("%s: %#v, want %#v", k, g, v)
		}
	}
}

func TestDoErrors(t *testing.T) {
	c, _ := inProcess(t)
	fail := func(how string) error {
		_, err := c.Do(t.Context(), Request{Module: "fail", Args: map[string]any{"how": how}}, nil)
		return err
	}
	var f *modules.Failure
	if err := fail("failure"); !errors.As(err, &f) || f.Values["rc"] != 7 || fmt.Sprint(f.Values["list"]) != "[a]" {
		t.Errorf("failure: %#v", err)
	}
	if err := fail("command"); !errors.As(err, &f) || f.Values["rc"] != 3 || f.Values["stdout"] != "out\n" {
		t.Errorf("command: %#v", err)
	}
	var d *modules.DefectError
	if err := fail("defect"); !errors.As(err, &d) || d.Changes[0].Before != 1 {
		t.Errorf("defect: %#v", err)
	}
	var p *PanicError
	if err := fail("panic"); !errors.As(err, &p) || p.Module != "fail" || p.Value != "at the disco" || !strings.Contains(p.Stack, "testmodules") {
		t.Errorf("panic: %#v", err)
	}
	if err := fail("big"); err == nil || !strings.Contains(err.Error(), "64 MiB") {
		t.Errorf("big: %v", err)
	}
	var args modules.ArgErrors
	if _, err := c.Do(t.Context(), Request{Module: "sh"}, nil); !errors.As(err, &args) {
		t.Errorf("missing option: %#v", err)
	}
	if _, err := c.Do(t.Context(), Request{Module: "nope"}, nil); err == nil || !strings.Contains(err.Error(), "nope") {
		t.Errorf("no module: %v", err)
	}
	big := map[string]any{"value": strings.Repeat("x", maxFrame)}
	if _, err := c.Do(t.Context(), Request{Module: "echo", Args: big}, nil); err == nil || !strings.Contains(err.Error(), "64 MiB") {
		t.Errorf("big request: %v", err)
	}
	do(t, c, "echo", nil) // it still lives
}

func TestOutput(t *testing.T) {
	c, _ := inProcess(t)
	var mu sync.Mutex
	got := map[string]string{}
	first := make(chan struct{})
	fifo := filepath.Join(t.TempDir(), "go")
	ended := make(chan error, 1)
	go func() {
		_, err := c.Do(t.Context(), Request{Module: "sh", Args: map[string]any{"cmd": "echo one; echo two >&2; until [ -e " + fifo + " ]; do sleep 0.01; done; echo three"}},
			func(stream string, chunk []byte) {
				mu.Lock()
				defer mu.Unlock()
				if len(got) == 0 {
					close(first)
				}
				got[stream] += string(chunk)
			})
		ended <- err
	}()
	<-first // output comes while the command runs
	if err := os.WriteFile(fifo, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if got["stdout"] != "one\nthree\n" || got["stderr"] != "two\n" {
		t.Errorf("%q", got)
	}
}

func TestCancel(t *testing.T) {
	c, _ := inProcess(t)
	ctx, cancel := context.WithCancel(t.Context())
	running := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		_, err := c.Do(ctx, Request{Module: "sh", Args: map[string]any{"cmd": "echo; sleep 1000"}}, func(string, []byte) { close(running) })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("running: %v", err)
		}
	})
	<-running
	queued, cancelQueued := context.WithCancel(t.Context())
	wg.Go(func() {
		_, err := c.Do(queued, Request{Module: "fail", Args: map[string]any{"how": "hang"}}, nil)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("queued: %v", err)
		}
		cancel() // the queued one is answered while the other still runs
	})
	cancelQueued()
	wg.Wait()
	do(t, c, "echo", nil)

	_, err := c.Do(t.Context(), Request{Module: "fail", Args: map[string]any{"how": "hang"}, Timeout: 10 * time.Millisecond}, nil)
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "10ms") {
		t.Errorf("timeout: %v", err)
	}
}

func TestOrder(t *testing.T) {
	c, _ := inProcess(t)
	log := filepath.Join(t.TempDir(), "log")
	last := &call{reply: make(chan replyMsg, 1)}
	c.mu.Lock()
	c.calls[119] = last
	c.mu.Unlock()
	want := ""
	for i := range 20 { // all are under way before the first is done
		m := Request{Module: "sh", Args: map[string]any{"cmd": fmt.Sprintf("sleep 0.00%d; echo %d >> %s", 9-i%10, i, log)}}.message()
		m.ID = uint64(100 + i)
		if err := c.wire.send(t.Context(), kindRequest, m); err != nil {
			t.Fatal(err)
		}
		want += fmt.Sprintln(i)
	}
	<-last.reply
	if text, err := os.ReadFile(log); err != nil || string(text) != want {
		t.Errorf("%q, %v", text, err)
	}
}

func TestEnvironment(t *testing.T) {
	c, _ := inProcess(t)
	req := Request{Module: "sh", Args: map[string]any{"cmd": "echo $COLOUR $LC_ALL"}, Env: map[string]string{"COLOUR": "blue", "LC_ALL": "de_DE.UTF-8"}}
	res, err := c.Do(t.Context(), req, nil)
	if err != nil || res.Values["stdout"] != "blue C\n" {
		t.Errorf("%v, %v", res.Values, err)
	}
	if got := do(t, c, "sh", req.Args).Values["stdout"]; got != " C\n" && got != "C\n" {
		t.Errorf("the next request has it, too: %q", got)
	}
	res, err = c.Do(t.Context(), Request{Module: "env", Args: map[string]any{"value": "https_proxy"}, Env: map[string]string{"https_proxy": "http://p"}}, nil)
	if err != nil || res.Values["value"] != "http://p" || res.Values["process"] != os.Getenv("https_proxy") {
		t.Errorf("%v, %v", res.Values, err)
	}
}

func TestCheckLaysAShadow(t *testing.T) {
	c, _ := inProcess(t)
	file := filepath.Join(t.TempDir(), "file")
	check := func(module string, args map[string]any) modules.Result {
		res, err := c.Do(t.Context(), Request{Module: module, Args: args, Check: true}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	if res := check("sh", map[string]any{"cmd": "touch " + file, "pretend": file}); !res.Changed {
		t.Errorf("%+v", res)
	}
	if res := check("exists", map[string]any{"path": file}); res.Values["exists"] != true {
		t.Errorf("a later dry run does not see it: %+v", res)
	}
	if res := do(t, c, "exists", map[string]any{"path": file}); res.Values["exists"] != false {
		t.Errorf("the dry run wrote: %+v", res)
	}
	_, err := c.Do(t.Context(), Request{Module: "fail", Args: map[string]any{"how": "unknown"}}, nil)
	if _, ok := host.IsUnknown(err); !ok {
		t.Errorf("unknown in a run: %v", err)
	}
	if res := check("fail", map[string]any{"how": "unknown"}); res.Unknown != "it is not there yet" {
		t.Errorf("unknown in a dry run: %+v", res)
	}
}

func TestLostAgent(t *testing.T) {
	c, proc := inProcess(t)
	pid := filepath.Join(t.TempDir(), "pid")
	running := make(chan struct{})
	failed := make(chan error, 1)
	go func() {
		_, err := c.Do(t.Context(), Request{Module: "sh", Args: map[string]any{"cmd": `trap "" TERM HUP; echo $$ > ` + pid + "; echo; while :; do sleep 0.05; done"}},
			func(string, []byte) { close(running) })
		failed <- err
	}()
	<-running
	proc.Conn.Close()
	var e *connection.Error
	if err := <-failed; !errors.As(err, &e) || e.Host != "web01" || e.Kind != connection.Lost {
		t.Errorf("pending: %v", err)
	}
	<-c.Done()
	if _, err := c.Do(t.Context(), Request{Module: "echo"}, nil); !errors.As(err, &e) {
		t.Errorf("afterwards: %v", err)
	}
	text, err := os.ReadFile(pid)
	if err != nil {
		t.Fatal(err)
	}
	proc.served <- nil // it was taken by the client
	gone(t, strings.TrimSpace(string(text)))
}

// gone waits until a process has ended.
func gone(t *testing.T, pid string) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		stat, err := os.ReadFile("/proc/" + pid + "/stat")
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("process %s still runs", pid)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestMalformed(t *testing.T) {
	for name, frame := range map[string][]byte{
		"kind":   {0, 0, 0, 2, 99, 0xa0},
		"body":   {0, 0, 0, 2, byte(kindRequest), 0xff},
		"length": {0, 0, 0, 0, 1},
	} {
		w, err := newWorker(testmodules.Registry(), t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		dir := w.tempDir
		err = serve(t.Context(), w, helloMsg{}, bytes.NewReader(frame), io.Discard, time.Minute)
		if err == nil || !strings.Contains(err.Error(), "malformed") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Errorf("%s: the temporary directory is left: %v", name, err)
		}
	}
}

func TestSilence(t *testing.T) {
	w, err := newWorker(testmodules.Registry(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	in, _ := io.Pipe()
	if err := serve(t.Context(), w, helloMsg{}, in, io.Discard, 10*time.Millisecond); err == nil || !strings.Contains(err.Error(), "nothing was heard") {
		t.Errorf("got %v", err)
	}
}

func TestLocal(t *testing.T) {
	store := NewBlobStore()
	l, err := NewLocal(testmodules.Registry(), store)
	if err != nil {
		t.Fatal(err)
	}
	b := store.AddBytes([]byte("hello"))
	dst := filepath.Join(t.TempDir(), "dst")
	do(t, l, "put", map[string]any{"path": dst, "sha256": b.SHA256, "size": 5})
	if got, _ := os.ReadFile(dst); string(got) != "hello" {
		t.Errorf("%q", got)
	}
	if got := do(t, l, "echo", map[string]any{"value": value.Unknown{Reason: "r"}}).Values["value"]; got != (value.Unknown{Reason: "r"}) {
		t.Errorf("%#v", got)
	}
	running, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		_, err := l.Do(t.Context(), Request{Module: "sh", Args: map[string]any{"cmd": "echo; sleep 1000"}}, func(string, []byte) { close(running) })
		ended <- err
	}()
	<-running
	if err := l.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err == nil {
		t.Error("Close did not stop the command")
	}
	<-l.Done()
	if _, err := os.Stat(l.worker.tempDir); !os.IsNotExist(err) {
		t.Errorf("the temporary directory is left: %v", err)
	}
}

// TestNoLeak: an ended conversation leaves no goroutine.
func TestNoLeak(t *testing.T) {
	base := runtime.NumGoroutine()
	for range 5 {
		c, proc := inProcess(t)
		do(t, c, "sh", map[string]any{"cmd": "true"})
		src, _ := randomFile(t, 3*window*chunkSize)
		b, err := c.store.AddFile(src)
		if err != nil {
			t.Fatal(err)
		}
		do(t, c, "put", map[string]any{"path": "first byte only", "sha256": b.SHA256, "size": int(b.Size)})
		if err := c.Close(t.Context()); err != nil {
			t.Error(err)
		}
		proc.served <- nil
	}
	deadline := time.Now().Add(10 * time.Second)
	for runtime.NumGoroutine() > base {
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), base, buf[:runtime.Stack(buf, true)])
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// BenchmarkDo is one task's way there and back, without a network.
func BenchmarkDo(b *testing.B) {
	c, _ := inProcess(b)
	args := map[string]any{"value": map[string]any{"path": "/etc/motd", "mode": "0644", "list": []any{1, 2, 3}}}
	for b.Loop() {
		if _, err := c.Do(b.Context(), Request{Module: "echo", Args: args}, nil); err != nil {
			b.Fatal(err)
		}
	}
}
