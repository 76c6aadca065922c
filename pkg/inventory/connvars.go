package inventory

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/hashicorp/go-multierror"

	"github.com/foobar-play/foobar-play/pkg/value"
)

// ConnVar documents a variable that says how a host is reached.
type ConnVar struct {
	Name string
	// Aliases are older names, looked at when Name is not set.
	Aliases []string
	// Type is "string", "int" or "bool".
	Type string
	// Secret values are masked in output.
	Secret bool
	Doc    string
}

// ConnectionVars lists the variables ReadConnVars reads, in the order they
// should be documented. ansible_python_interpreter is accepted and does
// nothing: hosts need no Python.
//
// Of Ansible's, left out: ansible_shell_type, ansible_shell_executable (the
// agent needs no shell), ansible_ssh_executable, ansible_scp_*, ansible_sftp_*,
// ansible_ssh_pipelining, ansible_ssh_transfer_method (no OpenSSH client is
// run).
func ConnectionVars() []ConnVar {
	return []ConnVar{
		{Name: "ansible_host", Aliases: []string{"ansible_ssh_host"}, Type: "string", Doc: "Name or address to connect to, or a Host of ~/.ssh/config. Default: the inventory name."},
		{Name: "ansible_port", Aliases: []string{"ansible_ssh_port"}, Type: "int", Doc: "Port of sshd, 1 to 65535. Default: that of ~/.ssh/config, else 22."},
		{Name: "ansible_user", Aliases: []string{"ansible_ssh_user"}, Type: "string", Doc: "User to log in as. Default: that of ~/.ssh/config, else the current user."},
		{Name: "ansible_password", Aliases: []string{"ansible_ssh_password", "ansible_ssh_pass"}, Type: "string", Secret: true, Doc: "Password to log in with; keys are tried first."},
		{Name: "ansible_ssh_private_key_file", Aliases: []string{"ansible_private_key_file"}, Type: "string", Doc: "Private key file on the controller; ~ is the home directory."},
		{Name: "ansible_ssh_common_args", Type: "string", Doc: "Only -o ProxyJump=HOSTS and -J HOSTS are used; ProxyCommand is refused, the rest is passed over with a warning."},
		{Name: "ansible_connection", Type: "string", Doc: "ssh (default) or local."},
		{Name: "ansible_become", Type: "bool", Doc: "Become another user for tasks."},
		{Name: "ansible_become_method", Type: "string", Doc: "sudo (default) or su."},
		{Name: "ansible_become_user", Type: "string", Doc: "User to become. Default: root."},
		{Name: "ansible_become_password", Aliases: []string{"ansible_become_pass", "ansible_sudo_pass", "ansible_su_pass"}, Type: "string", Secret: true, Doc: "Password of sudo or su."},
		{Name: "ansible_become_exe", Type: "string", Doc: "Path of sudo or su on the host."},
		{Name: "ansible_become_flags", Type: "string", Doc: "Flags for sudo or su, in place of the default ones."},
		{Name: "ansible_python_interpreter", Type: "string", Doc: "Ignored: hosts need no Python."},
	}
}

// ConnVars are the connection variables of one host. "", 0 and nil mean "not
// set"; defaults are the caller's.
type ConnVars struct {
	Host           string
	Port           int
	User           string
	Password       string
	PrivateKeyFile string
	Connection     string // "", "ssh" or "local"
	Become         *bool
	BecomeMethod   string // "", "sudo" or "su"
	BecomeUser     string
	BecomePassword string
	BecomeExe      string
	BecomeFlags    string
	// ProxyJump lists jump hosts as ssh -J takes them: [user@]host[:port],
	// separated by commas. "none" means no jump, whatever ~/.ssh/config says.
	ProxyJump string
	// IgnoredArgs are the arguments of ansible_ssh_common_args that have no
	// effect here; worth a warning.
	IgnoredArgs []string
}

// ReadConnVars reads the variables through get, which gives a variable's
// evaluated value and whether it is set. The error holds all problems (a
// *multierror.Error): get's own, wrong types, ports out of range, unknown
// methods, ProxyCommand.
func ReadConnVars(get func(name string) (v any, ok bool, err error)) (ConnVars, error) {
	r := connReader{get: get, known: ConnectionVars()}
	c := ConnVars{
		Host:           r.text("ansible_host"),
		Port:           r.port("ansible_port"),
		User:           r.text("ansible_user"),
		Password:       r.text("ansible_password"),
		PrivateKeyFile: r.text("ansible_ssh_private_key_file"),
		Connection:     r.choice("ansible_connection", map[string]string{"ssh": "ssh", "smart": "ssh", "paramiko": "ssh", "paramiko_ssh": "ssh", "local": "local"}),
		Become:         r.bool("ansible_become"),
		BecomeMethod:   r.choice("ansible_become_method", map[string]string{"sudo": "sudo", "su": "su"}),
		BecomeUser:     r.text("ansible_become_user"),
		BecomePassword: r.text("ansible_become_password"),
		BecomeExe:      r.text("ansible_become_exe"),
		BecomeFlags:    r.text("ansible_become_flags"),
	}
	if args := r.text("ansible_ssh_common_args"); args != "" {
		var err error
		c.ProxyJump, c.IgnoredArgs, err = readSSHArgs(args)
		r.fail("ansible_ssh_common_args", err)
	}
	return c, r.errs.ErrorOrNil()
}

type connReader struct {
	get   func(string) (any, bool, error)
	known []ConnVar
	errs  *multierror.Error
}

func (r *connReader) fail(name string, err error) {
	if err != nil {
		r.errs = multierror.Append(r.errs, fmt.Errorf("%s: %w", name, err))
	}
}

// value gives the variable under its name or an older one; null counts as not
// set. used is the name that was found.
func (r *connReader) value(name string) (v any, used string) {
	names := []string{name}
	for _, k := range r.known {
		if k.Name == name {
			names = append(names, k.Aliases...)
		}
	}
	for _, n := range names {
		v, ok, err := r.get(n)
		if err != nil {
			r.errs = multierror.Append(r.errs, fmt.Errorf("read the connection variable %s: %w", n, err))
			return nil, n
		}
		if !ok || v == nil {
			continue
		}
		v = value.Normalize(v)
		if u, unknown := value.FindUnknown(v); unknown {
			r.fail(n, fmt.Errorf("is not known in a dry run: %s", u.Reason))
			return nil, n
		}
		return v, n
	}
	return nil, name
}

// text reads a string; numbers are taken as they are written (a numeric
// password, an all-digits user).
func (r *connReader) text(name string) string {
	v, used := r.value(name)
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return x
	case int, float64:
		return value.Text(x)
	}
	r.fail(used, fmt.Errorf("must be text, found a %s", value.Kind(v)))
	return ""
}

func (r *connReader) port(name string) int {
	v, used := r.value(name)
	port, err := portOf(v)
	r.fail(used, err)
	return port
}

func portOf(v any) (int, error) {
	bad := fmt.Errorf("%q is not a port (1 to 65535)", value.Text(v))
	switch x := v.(type) {
	case nil:
		return 0, nil
	case int:
		if x < 1 || x > 65535 {
			return 0, bad
		}
		return x, nil
	case float64:
		if x != math.Trunc(x) {
			return 0, bad
		}
		return portOf(int(x))
	case string:
		if strings.TrimSpace(x) == "" {
			return 0, nil
		}
		return parsePort(strings.TrimSpace(x))
	}
	return 0, bad
}

func (r *connReader) bool(name string) *bool {
	v, used := r.value(name)
	if v == nil {
		return nil
	}
	b, err := value.Bool(v)
	if err != nil {
		r.fail(used, fmt.Errorf("%q is neither true nor false", value.Text(v)))
		return nil
	}
	return &b
}

// choice reads one of words; a name under ansible.builtin.* or community.* counts by
// its last part.
func (r *connReader) choice(name string, words map[string]string) string {
	text := r.text(name)
	if text == "" {
		return ""
	}
	word, ok := words[text[strings.LastIndex(text, ".")+1:]]
	if !ok {
		r.fail(name, fmt.Errorf("%q is not supported; use one of %s", text, strings.Join(value.Keys(words), ", ")))
	}
	return word
}

var errProxyCommand = errors.New("ProxyCommand is not supported; use ProxyJump (-o ProxyJump=HOST, or -J HOST), here or in ~/.ssh/config")

// readSSHArgs finds the jump hosts among arguments of ssh.
func readSSHArgs(text string) (jump string, ignored []string, err error) {
	tokens, err := splitLine(text)
	if err != nil {
		return "", nil, err
	}
	for i := 0; i < len(tokens); i++ {
		arg := tokens[i].text
		flag, rest := arg, ""
		if len(arg) > 2 && arg[0] == '-' {
			flag, rest = arg[:2], arg[2:]
		}
		if (flag == "-J" || flag == "-o") && rest == "" {
			if i++; i == len(tokens) {
				return "", nil, fmt.Errorf("%s needs a value after it", flag)
			}
			rest = tokens[i].text
		}
		switch flag {
		case "-J":
			jump = first(jump, rest)
		case "-o":
			key, val := sshOption(rest)
			switch {
			case strings.EqualFold(key, "ProxyJump"):
				jump = first(jump, val)
			case strings.EqualFold(key, "ProxyCommand") && !strings.EqualFold(val, "none"):
				return "", nil, errProxyCommand
			default:
				ignored = append(ignored, "-o "+rest)
			}
		default:
			ignored = append(ignored, arg)
		}
	}
	return jump, ignored, nil
}

// first keeps the first value given, as ssh does.
func first(have, next string) string {
	if have != "" {
		return have
	}
	return next
}

// sshOption splits "Key=value" and "Key value".
func sshOption(s string) (key, val string) {
	i := strings.IndexAny(s, "= \t")
	if i < 0 {
		return s, ""
	}
	return s[:i], strings.TrimSpace(strings.TrimLeft(s[i:], "= \t"))
}
