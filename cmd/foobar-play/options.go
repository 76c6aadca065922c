package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/foobar-play/foobar-play/pkg/connection"
	"github.com/foobar-play/foobar-play/pkg/runner"
)

// options are the flags, with the defaults of environment and project file
// filled in by resolve.
type options struct {
	io streams

	inventory, limit, tags, skipTags, extraVars []string
	check, diff                                 bool
	forks                                       int
	user, privateKey, connection                string
	become                                      bool
	becomeUser, becomeMethod                    string
	askBecomePass, askPass                      bool
	timeout                                     int
	listHosts, listTasks, listTags, syntaxCheck bool
	startAtTask                                 string
	step, forceHandlers                         bool
	verbosity                                   int
	output, color                               string
	detailed                                    bool
	hostKey                                     string
	knownHosts                                  []string
	sshConfig                                   string
	rolesPath                                   []string
	agentDir                                    string
	lookupEnv                                   []string
	printConfig                                 bool

	project string // the folder of foobar-play.yml, "" when there is none
	sources []setting
	given   []string // the flags on the command line

	becomePassword, connectionPassword string

	stop <-chan struct{} // closed when the run is to end
}

func (o *options) define(f *pflag.FlagSet) {
	f.SortFlags = false
	f.StringArrayVarP(&o.inventory, "inventory", "i", nil, "inventory file, folder, executable, or \"host1,host2,\" (repeatable)")
	f.StringArrayVarP(&o.limit, "limit", "l", nil, "only these hosts: a pattern, or @FILE of names")
	f.StringSliceVarP(&o.tags, "tags", "t", nil, "only plays and tasks with these tags")
	f.StringSliceVar(&o.skipTags, "skip-tags", nil, "no plays and tasks with these tags")
	f.BoolVarP(&o.check, "check", "C", false, "dry run: predict what would change, change nothing")
	f.BoolVarP(&o.diff, "diff", "D", false, "show what changes inside files")
	f.IntVarP(&o.forks, "forks", "f", 50, "how many hosts to work on at once")
	f.StringArrayVarP(&o.extraVars, "extra-vars", "e", nil, "variables over all others: k=v, JSON, YAML, or @FILE (repeatable)")
	f.StringVarP(&o.user, "user", "u", "", "log in as this user")
	f.StringVar(&o.privateKey, "private-key", "", "log in with this key file")
	f.StringVarP(&o.connection, "connection", "c", "", "ssh or local")
	f.IntVarP(&o.timeout, "timeout", "T", 10, "seconds to wait for a connection, and for a host that no longer answers")
	f.BoolVarP(&o.askPass, "ask-pass", "k", false, "ask for the login password")
	f.BoolVarP(&o.become, "become", "b", false, "run tasks as another user")
	f.StringVar(&o.becomeUser, "become-user", "", "the other user (default root)")
	f.StringVar(&o.becomeMethod, "become-method", "", "sudo or su (default sudo)")
	f.BoolVarP(&o.askBecomePass, "ask-become-pass", "K", false, "ask for the password of sudo or su")
	f.BoolVar(&o.listHosts, "list-hosts", false, "show the hosts of each play and stop")
	f.BoolVar(&o.listTasks, "list-tasks", false, "show the tasks and stop")
	f.BoolVar(&o.listTags, "list-tags", false, "show the tags and stop")
	f.BoolVar(&o.syntaxCheck, "syntax-check", false, "check everything that can be checked without a host, and stop")
	f.StringVar(&o.startAtTask, "start-at-task", "", "begin at the task of this name")
	f.BoolVar(&o.step, "step", false, "ask before each task")
	f.BoolVar(&o.forceHandlers, "force-handlers", false, "run notified handlers even where a task failed")
	f.CountVarP(&o.verbosity, "verbose", "v", "show more (repeatable)")
	f.StringVar(&o.output, "output", "text", "text or jsonl")
	f.StringVar(&o.color, "color", "auto", "auto, always or never; NO_COLOR is respected")
	f.BoolVar(&o.detailed, "detailed-exitcode", false, "add 8 to the exit code when something changed or would")
	f.StringVar(&o.hostKey, "host-key", "strict", "strict, accept-new or off: what to do about unknown host keys")
	f.StringArrayVar(&o.knownHosts, "known-hosts", nil, "file of known host keys (repeatable; default ssh's own)")
	f.StringVar(&o.sshConfig, "ssh-config", "", "ssh's configuration file, or none (default ssh's own)")
	f.StringArrayVar(&o.rolesPath, "roles-path", nil, "folder to look for roles in (repeatable)")
	f.StringVar(&o.agentDir, "agent-dir", "", "folder of agents built for other systems")
	f.StringSliceVar(&o.lookupEnv, "lookup-env", nil, "environment variables that lookup \"env\" may read")
	f.BoolVar(&o.printConfig, "print-config", false, "show each setting and where it comes from, and stop")
}

// onlyLooks is true when nothing is to be run.
func (o *options) onlyLooks() bool {
	return o.listHosts || o.listTasks || o.listTags || o.syntaxCheck || o.printConfig
}

// request turns the options into what the runner takes.
func (o *options) request() runner.Request {
	req := runner.Request{
		Inventory: o.inventory, Limit: joinPatterns(o.limit), Tags: o.tags, SkipTags: o.skipTags,
		ExtraVars: o.extraVars, Check: o.check, Diff: o.diff, Forks: o.forks, ForceHandlers: o.forceHandlers,
		StartAtTask: o.startAtTask, RemoteUser: o.user, PrivateKey: o.privateKey, ConnectionKind: o.connection,
		Become: o.become, BecomeUser: o.becomeUser, BecomeMethod: o.becomeMethod,
		ConnectionPassword: o.connectionPassword, BecomePassword: o.becomePassword,
		Verbosity: o.verbosity,
	}
	if o.isTerminal(o.io.in) {
		req.Prompt = o.ask
	}
	if o.step {
		req.Step = o.askStep
	}
	return req
}

func joinPatterns(list []string) string {
	out := ""
	for i, p := range list {
		if i > 0 {
			out += ","
		}
		out += p
	}
	return out
}

// config is what the runner keeps.
func (o *options) config() (runner.Config, error) {
	mode, err := connection.ParseHostKeyMode(o.hostKey)
	if err != nil {
		return runner.Config{}, usageError{fmt.Errorf("--host-key: %w", err)}
	}
	log := zerolog.Nop()
	if o.verbosity >= 4 {
		log = zerolog.New(zerolog.ConsoleWriter{Out: o.io.err, NoColor: !o.colored(o.io.err)}).With().Timestamp().Logger()
	}
	return runner.Config{
		RolesPath: o.rolesPath, ProjectDir: o.project, AgentDir: o.agentDir, EnvAllow: o.lookupEnv, Log: &log, Version: version,
		Connection: connection.Options{
			ConnectTimeout: time.Duration(o.timeout) * time.Second,
			// Three misses lose a host: within the same time as a connection.
			KeepAlive: time.Duration(o.timeout) * time.Second / 3,
			HostKey:   mode, KnownHosts: o.knownHosts, SSHConfig: o.sshConfig, UseAgent: true,
			Log: log,
		},
	}, nil
}

// validate finds values that no flag takes.
func (o *options) validate() error {
	for _, c := range []struct {
		flag, value string
		words       []string
	}{
		{"output", o.output, []string{"text", "jsonl"}},
		{"color", o.color, []string{"auto", "always", "never"}},
		{"become-method", o.becomeMethod, []string{"sudo", "su"}},
		{"connection", o.connection, []string{"ssh", "local", "smart"}},
	} {
		if c.value != "" && !slices.Contains(c.words, c.value) {
			return usageError{fmt.Errorf("--%s: %q is not one of %s", c.flag, c.value, strings.Join(c.words, ", "))}
		}
	}
	for flag, path := range map[string]string{"ssh-config": o.sshConfig, "agent-dir": o.agentDir} {
		if _, err := os.Stat(path); path != "" && path != "none" && err != nil {
			return usageError{fmt.Errorf("--%s: %w", flag, err)}
		}
	}
	if o.forks < 1 {
		return usageError{errors.New("--forks must be at least 1")}
	}
	if o.timeout < 1 {
		return usageError{errors.New("--timeout must be at least 1 second")}
	}
	return nil
}

func (o *options) isTerminal(s any) bool {
	f, ok := s.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func (o *options) colored(w any) bool {
	switch {
	case o.color == "always":
		return true
	case o.color == "never" || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb":
		return false
	}
	return o.isTerminal(w)
}
