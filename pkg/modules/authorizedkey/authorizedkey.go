// Package authorizedkey is the module authorized_key: who may log in by SSH
// key as a user of the host.
//
// It must not know how sshd is configured: the file is ~/.ssh/authorized_keys
// unless the option path names another.
package authorizedkey

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/host/accounts"
	"github.com/foobar-play/foobar-play/pkg/modules"
)

// Options are the options of the module authorized_key.
type Options struct {
	User          string  `arg:"user,required" doc:"Whose keys; the user must be there."`
	Key           string  `arg:"key,required" doc:"Public keys, one a line, or the http(s) address of such a text, fetched by the host."`
	State         string  `arg:"state" default:"present" choices:"absent,present" doc:"Whether the keys may be used."`
	KeyOptions    string  `arg:"key_options" doc:"Options before the keys, as in sshd(8); left out: those that stand in key."`
	Comment       *string `arg:"comment" doc:"Comment after the keys; left out: what stands in key."`
	Exclusive     bool    `arg:"exclusive" doc:"Remove all other keys of the file. Does not go together with loop: give all keys in one task."`
	Path          string  `arg:"path" doc:"The file; left out: .ssh/authorized_keys in the user's home."`
	ManageDir     bool    `arg:"manage_dir" default:"true" doc:"Make the file's directory and keep it the user's own and private (0700). Set it to false when path lies in a shared directory."`
	ValidateCerts bool    `arg:"validate_certs" default:"true" doc:"Verify the certificate when key is an https address."`
	Follow        bool    `arg:"follow" doc:"When the file is a symbolic link, change what it leads to."`
}

// Check reads the keys.
func (o *Options) Check() error {
	if isAddress(o.Key) {
		return nil
	}
	_, err := parseKeys(o.Key)
	return err
}

// Module is the module authorized_key.
func Module() *modules.Module {
	return modules.Define(modules.Spec{
		Name:  "authorized_key",
		Short: "Manage the SSH keys that may log in",
		Doc: `Adds keys to a user's authorized_keys, or removes them. Two lines with the same key are one; options and comment are
brought to what is asked for. The file is 0600 and the user's own. Lines that are no keys stay, also with exclusive.
Nothing is left out against Ansible.`,
		Returns: []modules.Return{
			{Name: "keyfile", Type: "string", Doc: "The file."},
			{Name: "user, key, key_options, state, exclusive, manage_dir, path", Type: "any", Doc: "The options."},
		},
		Examples: `- name: Let a key in
  authorized_key:
    user: deploy
    key: "{{ lookup \"file\" \"files/deploy.pub\" }}"
`,
	}, func(_ modules.Env, o *Options) (modules.Action, error) {
		return modules.Managed(&resource{Options: o}), nil
	})
}

// state is the file and its directory.
type state struct {
	file, dir entry
	lines     []string
}

// entry is a path with what is managed of it.
type entry struct {
	there    bool
	mode     uint32
	uid, gid int
}

type resource struct {
	*Options
	user accounts.User
	path string
	keys []key
}

func (r *resource) Current(ctx context.Context, h host.Reader) (state, error) {
	var s state
	if err := r.resolve(ctx, h); err != nil {
		return s, err
	}
	var err error
	if s.dir, err = look(h, path.Dir(r.path)); err != nil {
		return s, err
	}
	if !s.dir.there && !r.ManageDir && r.State == "present" {
		return s, fmt.Errorf("the directory %s is not there: make it, or set manage_dir", path.Dir(r.path))
	}
	if s.file, err = look(h, r.path); err != nil || !s.file.there {
		return s, err
	}
	b, err := host.ReadFile(h, r.path)
	if text := strings.TrimSuffix(string(b), "\n"); text != "" {
		s.lines = strings.Split(text, "\n")
	}
	return s, err
}

// resolve finds the user, the file and the keys.
func (r *resource) resolve(ctx context.Context, h host.Reader) error {
	u, ok, err := accounts.LookupUser(ctx, h, r.User)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("Failed to lookup user %s: there is no such user on the host", r.User)
	}
	r.user, r.path = u, r.Path
	if r.path == "" {
		r.path = path.Join(u.Home, ".ssh/authorized_keys")
	}
	if r.Follow {
		if err := r.follow(h); err != nil {
			return err
		}
	}
	text := r.Key
	if isAddress(text) {
		if text, err = fetch(ctx, text, r.ValidateCerts); err != nil {
			return err
		}
	}
	if r.keys, err = parseKeys(text); err != nil {
		return err
	}
	for i := range r.keys {
		if r.KeyOptions != "" {
			r.keys[i].options = r.KeyOptions
		}
		if r.Comment != nil {
			r.keys[i].comment = *r.Comment
		}
	}
	return nil
}

// follow takes the file a symbolic link leads to.
func (r *resource) follow(h host.Reader) error {
	fi, err := h.Lstat(r.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil || fi.Type != host.Link {
		return err
	}
	dir := path.Dir(r.path)
	if r.path = fi.Target; !path.IsAbs(fi.Target) {
		r.path = path.Join(dir, fi.Target)
	}
	return nil
}

func look(h host.Reader, p string) (entry, error) {
	fi, err := h.Stat(p)
	if errors.Is(err, fs.ErrNotExist) {
		return entry{}, nil
	}
	return entry{there: err == nil, mode: fi.Mode, uid: fi.UID, gid: fi.GID}, err
}

func (r *resource) Desired(cur state) (state, error) {
	want := cur
	want.lines = r.wanted(cur.lines)
	if r.State == "absent" {
		return want, nil
	}
	want.file = entry{true, 0o600, r.user.UID, r.user.GID}
	if r.ManageDir {
		want.dir = entry{true, 0o700, r.user.UID, r.user.GID}
	}
	return want, nil
}

// wanted gives the lines the file should have.
func (r *resource) wanted(lines []string) []string {
	var out []string
	done := map[string]bool{}
	for _, line := range lines {
		k, isKey := parseLine(line)
		i := slices.IndexFunc(r.keys, func(w key) bool { return isKey && w.id == k.id })
		switch {
		case i < 0 && isKey && r.Exclusive && r.State == "present":
		case i < 0:
			out = append(out, line)
		case r.State == "present" && !done[k.id]:
			done[k.id] = true
			if r.keys[i] == k {
				out = append(out, line)
			} else {
				out = append(out, r.keys[i].line())
			}
		}
	}
	for _, k := range r.keys {
		if r.State == "present" && !done[k.id] {
			done[k.id] = true
			out = append(out, k.line())
		}
	}
	return out
}

func (r *resource) Diff(cur, want state) []modules.Change {
	var out []modules.Change
	if !slices.Equal(cur.lines, want.lines) {
		out = append(out, modules.Change{Field: "keys", Path: r.path, Before: join(cur.lines), After: join(want.lines)})
	}
	if r.State == "absent" {
		return out
	}
	for _, e := range []struct {
		name      string
		cur, want entry
	}{{path.Dir(r.path), cur.dir, want.dir}, {r.path, cur.file, want.file}} {
		switch {
		case !e.cur.there && e.want.there:
			out = append(out, modules.Change{Field: e.name, Before: "absent", After: "present"})
			continue
		case e.cur.mode != e.want.mode:
			out = append(out, modules.Change{Field: e.name + ".mode", Before: octal(e.cur.mode), After: octal(e.want.mode)})
		}
		if e.cur.uid != e.want.uid || e.cur.gid != e.want.gid {
			out = append(out, modules.Change{Field: e.name + ".owner",
				Before: fmt.Sprintf("%d:%d", e.cur.uid, e.cur.gid), After: fmt.Sprintf("%d:%d", e.want.uid, e.want.gid)})
		}
	}
	return out
}

func octal(mode uint32) string { return fmt.Sprintf("%04o", mode) }

func join(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	return strings.Join(lines, "\n") + "\n"
}

func (r *resource) Apply(_ context.Context, w host.Writer, cur, want state) error {
	if r.user.Name == "" { // a dry run that does not know the user
		return host.Unknownf("the user %s is not there yet", r.User)
	}
	if r.State == "present" && r.ManageDir {
		if err := directory(w, path.Dir(r.path), cur.dir, want.dir); err != nil {
			return err
		}
	}
	attrs := host.Attrs{}
	if r.State == "present" {
		mode := want.file.mode
		attrs = host.Attrs{Mode: &mode, UID: &want.file.uid, GID: &want.file.gid}
	}
	return w.WriteFile(r.path, strings.NewReader(join(want.lines)), attrs)
}

// directory makes the file's directory the user's own and private.
func directory(w host.Writer, dir string, cur, want entry) error {
	if !cur.there {
		if err := w.Mkdir(dir, want.mode); err != nil {
			return err
		}
	} else if cur.mode != want.mode {
		if err := w.Chmod(dir, want.mode); err != nil {
			return err
		}
	}
	if cur.there && cur.uid == want.uid && cur.gid == want.gid {
		return nil
	}
	return w.Chown(dir, want.uid, want.gid)
}

func (r *resource) Values(state, state, bool) map[string]any {
	v := map[string]any{
		"user": r.User, "key": r.Key, "state": r.State, "exclusive": r.Exclusive, "manage_dir": r.ManageDir,
		"key_options": nil, "path": nil, "keyfile": r.path,
	}
	if r.KeyOptions != "" {
		v["key_options"] = r.KeyOptions
	}
	if r.Path != "" {
		v["path"] = r.Path
	}
	return v
}
