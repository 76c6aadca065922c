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
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/internal/files"
)

// Target is the file a task keeps. Set the exported fields, then Read.
type Target struct {
	Env    modules.Env
	Path   string
	Attrs  files.Attrs
	Backup bool

	at     string // the path, absolute and without a final link
	own    files.Ownership
	backup string // the file the backup went to
}

// Read describes the file, of type "" when there is none, and looks up the
// accounts the options name. What is no file is an error.
func (t *Target) Read(ctx context.Context, r host.Reader) (cur files.Entry, content []byte, err error) {
	if t.own, err = t.Attrs.Ownership(ctx, r); err != nil {
		return cur, nil, err
	}
	if t.at, err = files.Expand(ctx, t.Env, r, t.Path); err != nil {
		return cur, nil, err
	}
	if t.at, err = files.Follow(r, t.at); err != nil {
		return cur, nil, err
	}
	cur, err = files.Look(ctx, r, t.at)
	if err != nil || cur.Type == "" {
		return cur, nil, err
	}
	if cur.Type != host.File {
		return cur, nil, fmt.Errorf("%s is a %s, not a file", t.Path, cur.Type)
	}
	content, err = host.ReadFile(r, t.at)
	return cur, content, err
}

// Want gives the attributes that the options want of a file.
func (t *Target) Want(cur files.Entry) files.Entry { return t.Attrs.Want(cur, host.File, t.own) }

// Write puts new content there with the wanted attributes, a backup first when
// the options ask for one. make is not called in a dry run; what names the
// content for people.
func (t *Target) Write(w host.Writer, cur, want files.Entry, what string, make func() ([]byte, error)) error {
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
	return host.WriteGenerated(w, t.at, what+" is made when the task runs", attrs, make)
}

// Adjust brings mode and owners of a file whose content stays to want.
func (t *Target) Adjust(w host.Writer, cur, want files.Entry) error {
	return files.Dress(w, t.at, cur, want)
}

// Remove deletes the file, after a backup when the options ask for one.
func (t *Target) Remove(w host.Writer, cur files.Entry) error {
	if err := t.keep(w, cur); err != nil {
		return err
	}
	return w.Remove(t.at)
}

func (t *Target) keep(w host.Writer, cur files.Entry) (err error) {
	if t.Backup && cur.Type == host.File {
		t.backup, err = files.Backup(w, t.at, cur)
	}
	return err
}

// AddBackup puts the backup's name among the return values when one was made.
func (t *Target) AddBackup(values map[string]any) {
	if t.backup != "" {
		values["backup_file"] = t.backup
	}
}

// Source is a PEM option given as a file on the host or as text.
type Source struct {
	Env           modules.Env
	Path, Content string
}

// IsSet reports whether one was given.
func (s Source) IsSet() bool { return s.Path != "" || s.Content != "" }

// Read gives the content; what names it in errors.
func (s Source) Read(ctx context.Context, r host.Reader, what string) ([]byte, error) {
	if s.Content != "" {
		return []byte(s.Content), nil
	}
	at, err := files.Expand(ctx, s.Env, r, s.Path)
	if err != nil {
		return nil, err
	}
	b, err := host.ReadFile(r, at)
	if err != nil {
		return nil, fmt.Errorf("read the %s: %w", what, err)
	}
	return b, nil
}

// There fails when the file is not there. Its content is not looked at, so
// that a dry run can say yes before it is made.
func (s Source) There(ctx context.Context, r host.Reader, what string) error {
	if s.Path == "" {
		return nil
	}
	at, err := files.Expand(ctx, s.Env, r, s.Path)
	if err != nil {
		return err
	}
	_, err = r.Stat(at)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no %s %s: make it first", what, s.Path)
	}
	return err
}
