package files

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
)

// Edited is the Resource of the modules that edit a text file in place: the
// wanted content is a function of the current one. Links are followed, because
// it is the content that counts.
type Edited struct {
	Env    modules.Env
	Path   string
	Attrs  Attrs
	Create bool // make the file when it is not there
	Replacing
	// Edit gives the wanted content and a message about what it does; exists
	// is false when there is no file. It is pure. For a file that is not to be
	// made it must return nil.
	Edit func(text []byte, exists bool) (edited []byte, msg string, err error)
	// Missing makes the error for a file that is not there; nil: its absence is
	// as wanted, and Create decides.
	Missing func(p string) error

	// Extra, when set, gives return values of the module's own.
	Extra func() map[string]any

	planned  Text
	replaced Replaced
	after    *Entry
	unsteady bool
}

// Action makes the action. Its Verify checks that the file holds what was
// planned, and not that editing it again would change nothing: whether that
// is so is up to the user's patterns, and told in a warning.
func (e *Edited) Action() modules.Action { return &editing{Action: modules.Managed(e), e: e} }

type editing struct {
	modules.Action
	e *Edited
}

func (a *editing) Verify(ctx context.Context, r host.Reader) ([]modules.Change, error) {
	now, err := a.e.Current(ctx, r)
	if err != nil {
		return nil, fmt.Errorf("read the file again: %w", err)
	}
	want := a.e.planned
	want.Entry = a.e.Attrs.Want(now.Entry, want.Type, now.own)
	return a.e.Diff(now, want), nil
}

// Text is the state of an edited file.
type Text struct {
	Path string // links followed
	Entry
	Content []byte
	own     Ownership
	msg     string
}

// Current reads the file.
func (e *Edited) Current(ctx context.Context, r host.Reader) (Text, error) {
	p, err := Expand(ctx, e.Env, r, e.Path)
	if err != nil {
		return Text{}, err
	}
	if p, err = Follow(r, p); err != nil {
		return Text{}, err
	}
	t := Text{Path: p}
	if t.Entry, err = Look(ctx, r, p); err != nil {
		return t, err
	}
	if t.own, err = e.Attrs.Ownership(ctx, r); err != nil {
		return t, err
	}
	switch t.Type {
	case host.File:
		t.Content, err = host.ReadFile(r, p)
		return t, err
	case "":
		if e.Missing != nil {
			if err := e.Missing(p); err != nil {
				return t, err
			}
		}
		return t, nil
	}
	return t, fmt.Errorf("%s is a %s, not a file that can be edited", p, t.Type)
}

// Desired edits.
func (e *Edited) Desired(cur Text) (Text, error) {
	want := cur
	exists := cur.Type == host.File
	if !exists && !e.Create {
		return want, nil
	}
	edited, msg, err := e.Edit(cur.Content, exists)
	if err != nil {
		return want, err
	}
	if !exists && edited == nil {
		return want, nil
	}
	want.Entry = e.Attrs.Want(cur.Entry, host.File, cur.own)
	want.Content, want.msg = edited, msg
	want.Size = int64(len(edited))
	e.planned = want
	again, _, err := e.Edit(edited, true)
	e.unsteady = err == nil && !bytes.Equal(again, edited)
	return want, nil
}

// Diff compares content and attributes.
func (e *Edited) Diff(cur, want Text) []modules.Change {
	changes := Changes(cur.Entry, want.Entry, "")
	if want.Type == host.File && !bytes.Equal(cur.Content, want.Content) {
		c := modules.Change{Field: "content", Path: want.Path}
		if e.Env.Diff {
			c.Before, c.After = DiffText(cur.Content), DiffText(want.Content)
		}
		changes = append(changes, c)
	}
	return changes
}

// Apply writes. Without a current state (a dry run that could not know it)
// there is nothing to edit.
func (e *Edited) Apply(ctx context.Context, w host.Writer, cur, want Text) error {
	if want.Path == "" {
		return host.Unknownf("the edited content follows from the current one")
	}
	if err := e.parents(w, want); err != nil {
		return err
	}
	if cur.Type != want.Type || !bytes.Equal(cur.Content, want.Content) {
		open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(want.Content)), nil }
		var err error
		if e.replaced, err = Replace(ctx, w, want.Path, cur.Entry, want.Entry, open, e.Replacing); err != nil {
			return err
		}
	} else if err := Dress(w, want.Path, cur.Entry, want.Entry); err != nil {
		return err
	}
	after, err := Look(ctx, w, want.Path)
	e.after = &after
	return err
}

// parents makes the directories of a new file, as Ansible's editors do.
func (e *Edited) parents(w host.Writer, want Text) error {
	return MakeParents(w, path.Dir(want.Path))
}

// MakeParents makes a directory and what is missing above it (0755).
func MakeParents(w host.Writer, dir string) error {
	_, err := w.Stat(dir)
	if _, unknown := host.IsUnknown(err); unknown || err == nil {
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := MakeParents(w, path.Dir(dir)); err != nil {
		return err
	}
	return w.Mkdir(dir, NewDirMode)
}

// Values are the return values of Ansible's editors: path, msg, backup and the
// attributes.
func (e *Edited) Values(cur, want Text, changed bool) map[string]any {
	entry := want.Entry
	if e.after != nil {
		entry = *e.after
	}
	v := map[string]any{"path": want.Path, "msg": want.msg, "backup": e.replaced.Backup}
	maps.Copy(v, entry.Values())
	if e.replaced.Backup != "" {
		v["backup_file"] = e.replaced.Backup
	}
	if e.Extra != nil {
		maps.Copy(v, e.Extra())
	}
	return v
}

// Warnings tell of edits that would change their own result again.
func (e *Edited) Warnings() []string {
	out := e.replaced.Warnings
	if e.unsteady {
		out = append(out, "the same edit would change its own result again: a second run will not be without changes; make the pattern match only what is still to be edited")
	}
	return out
}
