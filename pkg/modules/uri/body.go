package uri

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime/multipart"
	"net/textproto"
	"net/url"
	"path"
	"strconv"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/host/accounts"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// body makes what is sent, and its type; "" when the user decides.
func (a *action) body(ctx context.Context, r host.Reader) (content []byte, contentType string, err error) {
	if a.Src != "" {
		content, err = a.source(ctx, r)
		return content, "", err
	}
	switch a.BodyFormat {
	case "json":
		if s, ok := a.Body.(string); ok {
			return []byte(s), "application/json", nil
		}
		if a.Body == nil {
			return nil, "application/json", nil
		}
		content, err = json.Marshal(a.Body)
		return content, "application/json", err
	case "form-urlencoded":
		s, err := form(a.Body)
		return []byte(s), "application/x-www-form-urlencoded", err
	case "form-multipart":
		return a.multipart(r)
	}
	return []byte(value.Text(a.Body)), "", nil
}

func (a *action) source(ctx context.Context, r host.Reader) ([]byte, error) {
	var f io.ReadCloser
	var err error
	if a.RemoteSrc {
		f, err = r.Open(a.Src)
	} else {
		f, err = a.env.Blobs.Open(ctx, host.Blob{SHA256: a.SHA256, Size: int64(a.Size)})
	}
	if err != nil {
		return nil, fmt.Errorf("read src: %w", err)
	}
	defer f.Close()
	return io.ReadAll(f)
}

// form encodes a map, a list of pairs, or a text that is encoded already.
func form(body any) (string, error) {
	values := url.Values{}
	add := func(k string, v any) {
		if list, ok := v.([]any); ok {
			for _, e := range list {
				values.Add(k, value.Text(e))
			}
			return
		}
		values.Add(k, value.Text(v))
	}
	switch b := body.(type) {
	case nil:
	case string:
		return b, nil
	case map[string]any:
		for k, v := range b {
			add(k, v)
		}
	case []any:
		for _, pair := range b {
			p, ok := pair.([]any)
			if !ok || len(p) != 2 {
				return "", errors.New("body of a form must be a map, or a list of pairs of name and value")
			}
			add(value.Text(p[0]), p[1])
		}
	default:
		return "", fmt.Errorf("body of a form must be a map, not a %s", value.Kind(body))
	}
	return values.Encode(), nil
}

// multipart encodes a map of texts, or of maps with content, or filename (a
// file of the host when there is no content), and mime_type.
func (a *action) multipart(r host.Reader) ([]byte, string, error) {
	fields, ok := a.Body.(map[string]any)
	if !ok {
		return nil, "", fmt.Errorf("body of form-multipart must be a map, not a %s", value.Kind(a.Body))
	}
	var buf bytes.Buffer
	w := multipart.NewWriter(&buf)
	for _, name := range value.Keys(fields) {
		if err := part(w, r, name, fields[name]); err != nil {
			return nil, "", fmt.Errorf("body: field %s: %w", name, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, "", err
	}
	return buf.Bytes(), w.FormDataContentType(), nil
}

func part(w *multipart.Writer, r host.Reader, name string, v any) error {
	spec, ok := v.(map[string]any)
	if !ok {
		return w.WriteField(name, value.Text(v))
	}
	file := value.Text(spec["filename"])
	content := []byte(value.Text(spec["content"]))
	if _, given := spec["content"]; !given {
		if file == "" {
			return errors.New("needs content or filename")
		}
		var err error
		if content, err = host.ReadFile(r, file); err != nil {
			return err
		}
	}
	h := textproto.MIMEHeader{}
	disposition := "form-data; name=" + strconv.Quote(name)
	if file != "" {
		disposition += "; filename=" + strconv.Quote(path.Base(file))
	}
	h.Set("Content-Disposition", disposition)
	if t := value.Text(spec["mime_type"]); t != "" {
		h.Set("Content-Type", t)
	}
	out, err := w.CreatePart(h)
	if err != nil {
		return err
	}
	_, err = out.Write(content)
	return err
}

// absent turns "not there" into nil.
func absent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// store writes the body to dest when something differs.
func (a *action) store(ctx context.Context, w host.Writer, ans answer) (file string, changed bool, err error) {
	if file, err = a.fileName(w); err != nil {
		return "", false, err
	}
	fi, err := w.Stat(file)
	there := err == nil
	if absent(err) != nil {
		return file, false, err
	}
	mode := uint32(0o644)
	if there {
		mode = fi.Mode
	}
	mode = a.Mode.Resolve(mode, false)
	uid, gid, err := a.ownership(ctx, w)
	if err != nil {
		return file, false, err
	}
	same := there && fi.Mode == mode && (uid == nil || *uid == fi.UID) && (gid == nil || *gid == fi.GID)
	if there && fi.Type == host.File {
		old, err := host.Digest(w, file)
		if err != nil {
			return file, false, err
		}
		same = same && old == host.BlobOf(ans.body)
	}
	if same {
		return file, false, nil
	}
	return file, true, w.WriteFile(file, bytes.NewReader(ans.body), host.Attrs{Mode: &mode, UID: uid, GID: gid})
}

// ownership resolves owner and group; nil leaves one as it is.
func (a *action) ownership(ctx context.Context, r host.Reader) (uid, gid *int, err error) {
	if a.Owner != "" {
		u, ok, err := accounts.LookupUser(ctx, r, a.Owner)
		if n, numErr := strconv.Atoi(a.Owner); err == nil && !ok && numErr == nil {
			u.UID, ok = n, true
		}
		if err != nil || !ok {
			return nil, nil, errors.Join(err, fmt.Errorf("owner: there is no user %s", a.Owner))
		}
		uid = &u.UID
	}
	if a.Group != "" {
		g, ok, err := accounts.LookupGroup(ctx, r, a.Group)
		if n, numErr := strconv.Atoi(a.Group); err == nil && !ok && numErr == nil {
			g.GID, ok = n, true
		}
		if err != nil || !ok {
			return nil, nil, errors.Join(err, fmt.Errorf("group: there is no group %s", a.Group))
		}
		gid = &g.GID
	}
	return uid, gid, nil
}
