package agent

import (
	"fmt"
	"strings"
)

// Become says as whom an agent runs on its host. The zero value is the user of
// the connection.
type Become struct {
	Method   string // "" none, "sudo", "su"
	User     string // "" is root
	Password string // given through stdin when it is asked for, never before. Secret.
	// Flags are words for the method's command line, before ours; "" is "-H"
	// for sudo.
	Flags string
	// Exe is the method's program, "" is its name.
	Exe string
}

func (b Become) user() string {
	if b.User == "" {
		return "root"
	}
	return b.User
}

// command wraps a shell script, which must hold no single quote, for the far
// shell. prompt is what sudo asks with.
func (b Become) command(script, prompt string) (string, error) {
	shell := "/bin/sh -c '" + script + "'"
	if strings.ContainsAny(b.user(), "'\n\x00") || strings.HasPrefix(b.user(), "-") {
		return "", fmt.Errorf("%q is no user name", b.User)
	}
	exe := b.Exe
	if exe == "" {
		exe = b.Method
	}
	switch b.Method {
	case "":
		return "exec " + shell, nil
	case "sudo":
		flags := b.Flags
		if flags == "" {
			flags = "-H"
		}
		how := "-n" // fail rather than ask
		if b.Password != "" {
			how = "-S -p '" + prompt + "'"
		}
		return fmt.Sprintf("exec %s %s %s -u '%s' -- %s", exe, flags, how, b.user(), shell), nil
	case "su":
		return fmt.Sprintf("exec %s %s -s /bin/sh -c '%s' '%s'", exe, b.Flags, script, b.user()), nil
	}
	return "", fmt.Errorf("there is no become method %q: use sudo or su", b.Method)
}

// asks reports whether what the method said so far, up to the last byte, is a
// question for the password. sudo asks with our own prompt, or with that of the
// host's PAM; su's is in the language of the host. So it is a line without an
// end that closes with a colon, and no message, which begins with the program's
// name. su asks once only: afterwards it has nothing to ask.
func (b Become) asks(said, prompt string, given bool) bool {
	if b.Method == "sudo" && strings.Contains(said, prompt) {
		return true
	}
	line := strings.TrimSpace(said[strings.LastIndexByte(said, '\n')+1:])
	if strings.HasPrefix(line, b.Method+":") || b.Method == "su" && given {
		return false
	}
	return strings.HasSuffix(line, ":") || strings.HasSuffix(line, "：")
}

// failure explains why the other user was not become. said is what the method
// printed, given whether it got the password.
func (b Become) failure(host, said string, given, again bool, exit error) *BecomeError {
	msg := fmt.Sprintf("become %s by %s: ", b.user(), b.Method)
	hint := ""
	switch {
	case again:
		return &BecomeError{Host: host, Msg: msg + "the password is wrong; give the right one by -K or ansible_become_password"}
	case given:
		msg += "the password was given, but it was refused or did not suffice"
		hint = "check the password and that the user is allowed to"
	case b.Password == "":
		msg += "refused"
		hint = "if it needs a password, give it by -K or ansible_become_password"
	default:
		msg += "refused before a password was asked for"
	}
	if exit != nil {
		msg += " (" + exit.Error() + ")"
	}
	if said != "" {
		msg += ": " + said
	}
	if hint != "" {
		msg += "\n" + hint
	}
	return &BecomeError{Host: host, Msg: msg}
}
