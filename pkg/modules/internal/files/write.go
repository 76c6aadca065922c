package files

import (
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/command"
)

// Opener gives content from its beginning; the caller closes it.
type Opener func() (io.ReadCloser, error)

// Sums are the hashes of a file's content, in lower-case hex.
type Sums struct{ SHA256, SHA1, MD5 string }

type summer struct{ sha256, sha1, md5 hash.Hash }

func newSummer() summer { return summer{sha256.New(), sha1.New(), md5.New()} }

func (s summer) Write(p []byte) (int, error) {
	s.sha256.Write(p)
	s.sha1.Write(p)
	return s.md5.Write(p)
}

func (s summer) sums() Sums {
	return Sums{hex.EncodeToString(s.sha256.Sum(nil)), hex.EncodeToString(s.sha1.Sum(nil)), hex.EncodeToString(s.md5.Sum(nil))}
}

// SumsOf hashes content.
func SumsOf(content []byte) Sums {
	s := newSummer()
	_, _ = s.Write(content)
	return s.sums()
}

// SumReader hashes what is read from in, to its end.
func SumReader(in io.Reader) (Sums, error) {
	s := newSummer()
	_, err := io.Copy(s, in)
	return s.sums(), err
}

// Sum hashes a file and counts its bytes.
func Sum(r host.Reader, p string) (Sums, int64, error) {
	f, err := r.Open(p)
	if err != nil {
		return Sums{}, 0, err
	}
	defer f.Close()
	s := newSummer()
	n, err := io.Copy(s, f)
	if err != nil {
		return Sums{}, 0, fmt.Errorf("read %s: %w", p, err)
	}
	return s.sums(), n, nil
}

// Replacing is how a file's content is to be replaced.
type Replacing struct {
	Backup   bool
	Validate string // a command with %s, "" for none
	TempDir  string // private, for what Validate looks at
}

// Replaced is what a replacement left.
type Replaced struct {
	Backup   string // path of the backup, "" when none was made
	Warnings []string
}

// Replace writes content to p, with the attributes of want, as one atomic
// step. cur is what is there. When validation fails nothing is touched.
func Replace(ctx context.Context, w host.Writer, p string, cur, want Entry, open Opener, how Replacing) (Replaced, error) {
	var out Replaced
	if how.Validate != "" {
		private, err := private(how.TempDir, open)
		if err != nil {
			return out, err
		}
		defer os.Remove(private)
		warning, err := validate(ctx, w, how.Validate, private)
		if err != nil {
			return out, fmt.Errorf("%s stays as it is: %w", p, err)
		}
		if warning != "" {
			out.Warnings = append(out.Warnings, warning)
		}
		open = func() (io.ReadCloser, error) { return os.Open(private) }
	}
	if how.Backup && cur.Type == host.File {
		backup, err := Backup(w, p, cur)
		if err != nil {
			return out, err
		}
		out.Backup = backup
	}
	in, err := open()
	if err != nil {
		return out, err
	}
	defer in.Close()
	attrs := host.Attrs{Mode: &want.Mode}
	if want.UID >= 0 {
		attrs.UID = &want.UID
	}
	if want.GID >= 0 {
		attrs.GID = &want.GID
	}
	return out, w.WriteFile(p, in, attrs)
}

// private writes content to a file of its own (0600) for a validator.
func private(dir string, open Opener) (string, error) {
	in, err := open()
	if err != nil {
		return "", err
	}
	defer in.Close()
	f, err := os.CreateTemp(dir, "validate-*")
	if err != nil {
		return "", fmt.Errorf("make a temporary file to validate: %w", err)
	}
	_, err = io.Copy(f, in)
	if err = errors.Join(err, f.Close()); err != nil {
		os.Remove(f.Name())
		return "", fmt.Errorf("write a temporary file to validate: %w", err)
	}
	return f.Name(), nil
}

// Backup copies the file at p to a name with the time in it, with the same
// mode and owner, and returns that name.
func Backup(w host.Writer, p string, cur Entry) (string, error) {
	in, err := w.Open(p)
	if err != nil {
		return "", fmt.Errorf("back %s up: %w", p, err)
	}
	defer in.Close()
	name := fmt.Sprintf("%s.%d.%s~", p, os.Getpid(), time.Now().Format("2006-01-02@15:04:05"))
	err = w.WriteFile(name, in, host.Attrs{Mode: &cur.Mode, UID: &cur.UID, GID: &cur.GID})
	if err != nil {
		return "", fmt.Errorf("back %s up: %w", p, err)
	}
	return name, nil
}

// CheckValidate is the rule for the option validate: a command with %s.
func CheckValidate(validate string) error {
	if validate == "" {
		return nil
	}
	words, err := command.Words(validate)
	if err != nil {
		return fmt.Errorf("validate: %w", err)
	}
	if len(words) == 0 || !strings.Contains(validate, "%s") {
		return errors.New("validate must contain %s, which stands for the file to look at")
	}
	return nil
}

// validate runs the user's command on the file. In a dry run it is run too: it
// sees a private file only. It may fail there just because it looks at what
// earlier tasks would have written; then it is a warning.
func validate(ctx context.Context, w host.Writer, template, file string) (warning string, err error) {
	words, err := command.Words(template)
	if err != nil {
		return "", err
	}
	for i := range words {
		words[i] = strings.ReplaceAll(words[i], "%s", file)
	}
	cmd := host.Command{Argv: words}
	cmd.Pretend = func(w host.Writer) error {
		out, err := w.Query(ctx, host.Command{Argv: words})
		err = invalid(words, out, err)
		pretended, ok := w.(interface{ Pretended() bool })
		if err != nil && ok && pretended.Pretended() {
			warning = fmt.Sprintf("not validated in this dry run, what earlier tasks would have done is not there yet: %v", err)
			return nil
		}
		return err
	}
	out, err := w.Run(ctx, cmd)
	return warning, invalid(words, out, err)
}

func invalid(words []string, out host.Output, err error) error {
	if err != nil {
		return fmt.Errorf("validate with %s: %w", words[0], err)
	}
	if out.RC == 0 {
		return nil
	}
	return &modules.Failure{
		Msg: fmt.Sprintf("validation failed: %v", host.Check(host.Command{Argv: words}, out, nil)),
		Values: map[string]any{
			"rc": out.RC, "exit_status": out.RC, "stdout": string(out.Stdout), "stderr": string(out.Stderr),
		},
	}
}

// diffLimit is the size from which content is not shown in a diff; it is
// Ansible's.
const diffLimit = 104448

// DiffText is content as it is shown in a diff.
func DiffText(content []byte) string {
	switch {
	case len(content) > diffLimit:
		return fmt.Sprintf("(%d bytes, too large to show)\n", len(content))
	case !utf8.Valid(content) || strings.ContainsRune(string(content), 0):
		return fmt.Sprintf("(%d bytes, binary)\n", len(content))
	}
	return string(content)
}

// DiffFile is DiffText for a file on the host; "" when nothing is there.
func DiffFile(r host.Reader, p string, e Entry) (string, error) {
	if e.Type != host.File {
		return "", nil
	}
	if e.Size > diffLimit {
		return fmt.Sprintf("(%d bytes, too large to show)\n", e.Size), nil
	}
	b, err := host.ReadFile(r, p)
	return DiffText(b), err
}
