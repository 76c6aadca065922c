package agent

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/foobar-play/foobar-play/pkg/modules"
)

// The agent's arguments are marker, a nonce of the controller, and firstTime
// when its program was just installed.
const (
	marker    = "__foobar-play-agent"
	firstTime = "installed"
)

// announcement is the line after which the frames begin.
func announcement(nonce string) string { return "foobar-play " + nonce + " AGENT\n" }

// isAgent tells that this program can be its own agent.
var isAgent bool

// Main makes a program its own agent. Call it first thing in main, with the
// modules the program's playbooks use: when this process was started as an
// agent it serves requests on stdin and stdout and exits; otherwise Main
// returns at once.
func Main(reg *modules.Registry) {
	isAgent = true
	if len(os.Args) < 3 || os.Args[1] != marker {
		return
	}
	if err := serveStdio(reg, os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "foobar-play agent:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func serveStdio(reg *modules.Registry, args []string) error {
	in, out, err := takeStdio()
	if err != nil {
		return fmt.Errorf("take over stdin and stdout: %w", err)
	}
	// Handled rather than ignored: an ignored signal would stay ignored in
	// every command a task starts.
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM, syscall.SIGPIPE)
	ctx, cancel := context.WithCancelCause(context.Background())
	go func() {
		for s := range signals {
			if s != syscall.SIGPIPE { // a broken pipe is seen where it is written to
				cancel(fmt.Errorf("signal: %v", s))
			}
		}
	}()
	home := installedIn()
	w, err := newWorker(reg, home)
	if err != nil {
		return err
	}
	info := describeHost()
	info.TempDir = w.tempDir
	if home != "" {
		now := time.Now() // the time of last use decides what prune keeps
		_ = os.Chtimes(filepath.Join(home, programName()), now, now)
		if len(args) > 1 && args[1] == firstTime {
			go prune(home, programName())
		}
	}
	if os.Chdir(info.Home) != nil {
		_ = os.Chdir("/")
	}
	if _, err := out.WriteString(announcement(args[0])); err != nil {
		w.close()
		return err
	}
	return serve(ctx, w, helloMsg{Version: protocolVersion, Program: programName(), Info: info}, in, out, silence)
}

func programName() string {
	exe, err := os.Executable()
	if err != nil {
		return ""
	}
	return filepath.Base(exe)
}

// installedIn is the private directory that the bootstrap put this program
// into, "" when it was started otherwise.
func installedIn() string {
	exe, err := os.Executable()
	if err != nil || !strings.HasPrefix(filepath.Base(exe), programPrefix) ||
		!strings.HasPrefix(filepath.Base(filepath.Dir(exe)), dirName) {
		return ""
	}
	return filepath.Dir(exe)
}

func describeHost() HostInfo {
	info := HostInfo{
		GOOS: runtime.GOOS, GOARCH: runtime.GOARCH,
		UID: os.Geteuid(), GID: os.Getegid(), PID: os.Getpid(),
		User: os.Getenv("USER"), Home: os.Getenv("HOME"),
	}
	if u, err := user.LookupId(strconv.Itoa(info.UID)); err == nil {
		info.User = u.Username
		if info.Home == "" {
			info.Home = u.HomeDir
		}
	}
	return info
}
