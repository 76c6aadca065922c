// Package pki is what the modules openssl_privatekey, openssl_csr,
// x509_certificate and x509_certificate_info share: keys, requests and
// certificates in PEM, names, subject alternative names and usages in the
// notation of Ansible's community.crypto, points in time, and the file a task
// keeps such a thing in.
//
// It uses Go's crypto packages, no openssl program. It must not know of tasks
// or options; secrets never appear in its errors.
package pki

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"time"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/host/accounts"
	"github.com/foobar-play/foobar-play/pkg/modules"
)

// Target is the file a task keeps.
type Target struct {
	Path         string
	Mode         modules.FileMode
	Owner, Group string // names or numbers; "" keeps
	Backup       bool

	backup string // the file the backup went to
}

// FileState is what is at a Target's path. UID and GID are also wanted ones,
// -1 where nothing is wanted.
type FileState struct {
	Exists   bool
	Mode     uint32
	UID, GID int
	// WantUID and WantGID are the numbers of the options owner and group, -1
	// when they were left out.
	WantUID, WantGID int
}

// Read describes the file and looks up the accounts the options name; content
// is nil when there is no file. A directory at the path is an error.
func (t *Target) Read(ctx context.Context, r host.Reader) (st FileState, content []byte, err error) {
	if st.WantUID, st.WantGID, err = t.accounts(ctx, r); err != nil {
		return st, nil, err
	}
	info, err := r.Stat(t.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return st, nil, nil
	}
	if err != nil {
		return st, nil, err
	}
	if info.Type != host.File {
		return st, nil, fmt.Errorf("%s is a %s, not a file", t.Path, info.Type)
	}
	st.Exists, st.Mode, st.UID, st.GID = true, info.Mode, info.UID, info.GID
	content, err = host.ReadFile(r, t.Path)
	return st, content, err
}

func (t *Target) accounts(ctx context.Context, r host.Reader) (uid, gid int, err error) {
	uid, err = id(t.Owner, func() (int, bool, error) {
		u, ok, err := accounts.LookupUser(ctx, r, t.Owner)
		return u.UID, ok, err
	})
	if err != nil {
		return -1, -1, fmt.Errorf("owner: %w", err)
	}
	gid, err = id(t.Group, func() (int, bool, error) {
		g, ok, err := accounts.LookupGroup(ctx, r, t.Group)
		return g.GID, ok, err
	})
	if err != nil {
		return -1, -1, fmt.Errorf("group: %w", err)
	}
	return uid, gid, nil
}

// id gives the number of an account's name: -1 for no name, a number as it is.
func id(name string, lookup func() (int, bool, error)) (int, error) {
	if name == "" {
		return -1, nil
	}
	if n, err := strconv.Atoi(name); err == nil {
		return n, nil
	}
	n, ok, err := lookup()
	if err == nil && !ok {
		err = fmt.Errorf("there is no account %q on the host", name)
	}
	return n, err
}

// Desired is the state the options want of a file that shall be there. A new
// file has mode otherwise when the options name none.
func (t *Target) Desired(cur FileState, otherwise uint32) FileState {
	want := cur
	if !cur.Exists {
		want.Exists, want.Mode, want.UID, want.GID = true, otherwise, -1, -1
	}
	want.Mode = t.Mode.Resolve(want.Mode, false)
	if cur.WantUID >= 0 {
		want.UID = cur.WantUID
	}
	if cur.WantGID >= 0 {
		want.GID = cur.WantGID
	}
	return want
}

// Diff lists how the files differ; their content is not its business.
func Diff(cur, want FileState) []modules.Change {
	word := map[bool]string{true: "present", false: "absent"}
	if cur.Exists != want.Exists {
		return []modules.Change{{Field: "state", Before: word[cur.Exists], After: word[want.Exists]}}
	}
	var out []modules.Change
	if cur.Mode != want.Mode {
		out = append(out, modules.Change{Field: "mode", Before: fmt.Sprintf("%04o", cur.Mode), After: fmt.Sprintf("%04o", want.Mode)})
	}
	if cur.UID != want.UID {
		out = append(out, modules.Change{Field: "owner", Before: cur.UID, After: want.UID})
	}
	if cur.GID != want.GID {
		out = append(out, modules.Change{Field: "group", Before: cur.GID, After: want.GID})
	}
	return out
}

// Write puts new content there with the wanted attributes, a backup first when
// the options ask for one. make is not called in a dry run.
func (t *Target) Write(w host.Writer, cur, want FileState, what string, make func() ([]byte, error)) error {
	if err := t.keep(w, cur); err != nil {
		return err
	}
	attrs := host.Attrs{Mode: &want.Mode}
	if want.UID >= 0 {
		attrs.UID = &want.UID
	}
	if want.GID >= 0 {
		attrs.GID = &want.GID
	}
	return host.WriteGenerated(w, t.Path, what+" is made when the task runs", attrs, make)
}

// Adjust brings mode and owners of a file whose content stays to want.
func (t *Target) Adjust(w host.Writer, cur, want FileState) error {
	if cur.UID != want.UID || cur.GID != want.GID {
		if err := w.Chown(t.Path, want.UID, want.GID); err != nil {
			return err
		}
	}
	if cur.Mode != want.Mode || cur.UID != want.UID || cur.GID != want.GID {
		return w.Chmod(t.Path, want.Mode)
	}
	return nil
}

// Remove deletes the file, after a backup when the options ask for one.
func (t *Target) Remove(w host.Writer, cur FileState) error {
	if err := t.keep(w, cur); err != nil {
		return err
	}
	return w.Remove(t.Path)
}

// keep copies the file beside itself, under Ansible's kind of name.
func (t *Target) keep(w host.Writer, cur FileState) error {
	if !t.Backup || !cur.Exists {
		return nil
	}
	content, err := host.ReadFile(w, t.Path)
	if err != nil {
		return fmt.Errorf("make a backup: %w", err)
	}
	name := t.Path + "." + time.Now().Format("2006-01-02@15:04:05.000000") + "~"
	attrs := host.Attrs{Mode: &cur.Mode, UID: &cur.UID, GID: &cur.GID}
	if err := w.WriteFile(name, bytes.NewReader(content), attrs); err != nil {
		return fmt.Errorf("make a backup: %w", err)
	}
	t.backup = name
	return nil
}

// AddBackup puts the backup's name among the return values when one was made.
func (t *Target) AddBackup(values map[string]any) {
	if t.backup != "" {
		values["backup_file"] = t.backup
	}
}

// Source is a PEM option given as a file on the host or as text.
type Source struct {
	Path, Content string
}

// IsSet reports whether one was given.
func (s Source) IsSet() bool { return s.Path != "" || s.Content != "" }

// Read gives the content; what names it in errors.
func (s Source) Read(r host.Reader, what string) ([]byte, error) {
	if s.Content != "" {
		return []byte(s.Content), nil
	}
	b, err := host.ReadFile(r, s.Path)
	if err != nil {
		return nil, fmt.Errorf("read the %s: %w", what, err)
	}
	return b, nil
}
