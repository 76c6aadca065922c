package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/foobar-play/foobar-play/pkg/event"
	"github.com/foobar-play/foobar-play/pkg/runner"
)

// askPasswords asks for what -k and -K want. An empty become password means
// the login password, as with ansible-playbook.
func (o *options) askPasswords() error {
	if o.onlyLooks() {
		return nil
	}
	var err error
	if o.askPass {
		if o.connectionPassword, err = o.secret("SSH password: "); err != nil {
			return err
		}
	}
	if o.askBecomePass {
		prompt := "BECOME password: "
		if o.askPass {
			prompt = "BECOME password[defaults to SSH password]: "
		}
		if o.becomePassword, err = o.secret(prompt); err != nil {
			return err
		}
		if o.becomePassword == "" {
			o.becomePassword = o.connectionPassword
		}
	}
	return nil
}

// secret reads a line without showing it; without a terminal, the next line of
// standard input.
func (o *options) secret(prompt string) (string, error) {
	if !o.isTerminal(o.io.in) {
		return o.line()
	}
	return o.ask(prompt, false)
}

// ask shows a prompt at the terminal and reads the answer.
func (o *options) ask(prompt string, echo bool) (string, error) {
	fmt.Fprint(o.io.err, prompt)
	if echo {
		return o.line()
	}
	f, ok := o.io.in.(*os.File)
	if !ok {
		return o.line()
	}
	b, err := term.ReadPassword(int(f.Fd()))
	fmt.Fprintln(o.io.err)
	return string(b), err
}

// line reads one line, a byte at a time, so that what follows stays for the
// next reader.
func (o *options) line() (string, error) {
	var line []byte
	for b := make([]byte, 1); ; {
		n, err := o.io.in.Read(b)
		switch {
		case n == 1 && b[0] == '\n', err != nil && len(line) > 0:
			return strings.TrimSuffix(string(line), "\r"), nil
		case n == 1:
			line = append(line, b[0])
		case errors.Is(err, io.EOF):
			return "", errors.New("standard input ended where an answer was expected")
		case err != nil:
			return "", fmt.Errorf("read the answer from standard input: %w", err)
		}
	}
}

// askStep asks before a task, for --step. No answer is no.
func (o *options) askStep(t event.TaskRef) runner.StepAnswer {
	answers := make(chan string, 1)
	go func() {
		answer, err := o.ask(fmt.Sprintf("Perform task: TASK: %s (N)o/(y)es/(c)ontinue: ", t.Name), true)
		if err != nil {
			answer = "no"
		}
		answers <- strings.ToLower(strings.TrimSpace(answer))
	}()
	select {
	case a := <-answers:
		switch a {
		case "y", "yes":
			return runner.StepYes
		case "c", "continue":
			return runner.StepContinue
		}
	case <-o.stop:
	}
	return runner.StepNo
}
