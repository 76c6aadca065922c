package lab

import (
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Accounts that every lab host has. The passwords protect nothing: the hosts
// are reachable from the machine they run on only, and live for one run.
const (
	// User has the lab's key and may use sudo without a password.
	User = "deploy"
	// PasswordUser has the lab's key and Password, may log in with either,
	// and needs the password for sudo.
	PasswordUser = "pwsudo"
	// PlainUser has the lab's key, no password and no right to use sudo.
	PlainUser = "plain"
	// Password is PasswordUser's.
	Password = "lab-only-pwsudo"
	// RootPassword is root's, for su. Root may log in over SSH with the
	// lab's key, but not with the password (Debian's default).
	RootPassword = "lab-only-root"
)

// DefaultSuite is the Debian release a host runs unless Config says otherwise.
const DefaultSuite = "bookworm"

const (
	maxHosts      = 200
	firstHostByte = 11
)

// Config says what a lab consists of. The zero value is three hosts, lb01,
// web01 and web02, running DefaultSuite.
type Config struct {
	// Name tells labs on one machine apart; two labs can't share one.
	// Empty: the lab's random id.
	Name string

	// Hosts are the hosts' names: lower-case letters, digits and dashes.
	// Empty: lb01, web01, web02.
	Hosts []string

	// Groups are the inventory's groups and their hosts. Nil: "lb" holds the
	// hosts whose names start with lb, "web" those that start with web, "db"
	// those that start with db or, when there are none, the web hosts.
	Groups map[string][]string

	// Suite is the Debian release, such as "bookworm" or "sid". Empty:
	// DefaultSuite.
	Suite string

	// Log receives progress lines and the output of building a base system.
	// Nil: nothing is written.
	Log io.Writer

	// Detached makes the lab outlive its process: nothing but Close, from
	// this or another process (see Open), removes it.
	Detached bool

	// IgnoreSignals leaves SIGINT, SIGTERM and SIGHUP to the caller, who
	// then has to call Close. Otherwise the first of these signals closes
	// the process's labs and is then raised again.
	IgnoreSignals bool
}

var (
	namePattern  = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$`)
	groupPattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// withDefaults returns the config with empty fields filled in, or says which
// field is wrong.
func (c Config) withDefaults() (Config, error) {
	if len(c.Hosts) == 0 {
		c.Hosts = []string{"lb01", "web01", "web02"}
	}
	c.Hosts = slices.Clone(c.Hosts)
	if c.Suite == "" {
		c.Suite = DefaultSuite
	}
	if c.Log == nil {
		c.Log = io.Discard
	}
	if c.Groups == nil {
		c.Groups = defaultGroups(c.Hosts)
	}
	return c, c.check()
}

func (c Config) check() error {
	if len(c.Hosts) > maxHosts {
		return fmt.Errorf("check the lab's hosts: %d are too many, a lab holds %d", len(c.Hosts), maxHosts)
	}
	if c.Name != "" && !namePattern.MatchString(c.Name) {
		return fmt.Errorf("check the lab's name %q: use up to 32 lower-case letters, digits and dashes", c.Name)
	}
	if !namePattern.MatchString(c.Suite) {
		return fmt.Errorf("check the suite %q: give a Debian release such as %s", c.Suite, DefaultSuite)
	}
	seen := map[string]bool{}
	for _, h := range c.Hosts {
		if !namePattern.MatchString(h) {
			return fmt.Errorf("check the host name %q: use up to 32 lower-case letters, digits and dashes", h)
		}
		if seen[h] {
			return fmt.Errorf("check the lab's hosts: %s is listed twice", h)
		}
		seen[h] = true
	}
	for _, g := range slices.Sorted(maps.Keys(c.Groups)) {
		if !groupPattern.MatchString(g) || g == "all" {
			return fmt.Errorf("check the group name %q: use letters, digits and underscores, and not \"all\"", g)
		}
		for _, h := range c.Groups[g] {
			if !seen[h] {
				return fmt.Errorf("check the group %s: the lab has no host %q", g, h)
			}
		}
	}
	return nil
}

// defaultGroups sorts hosts into lb, web and db by their names.
func defaultGroups(hosts []string) map[string][]string {
	groups := map[string][]string{}
	for _, h := range hosts {
		for _, g := range []string{"lb", "web", "db"} {
			if strings.HasPrefix(h, g) {
				groups[g] = append(groups[g], h)
			}
		}
	}
	if groups["db"] == nil && groups["web"] != nil {
		groups["db"] = slices.Clone(groups["web"])
	}
	return groups
}
