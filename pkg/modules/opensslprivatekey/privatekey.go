// Package opensslprivatekey is the module openssl_privatekey: it keeps a
// private key in a file.
//
// Keys are made and read with Go's crypto packages; no openssl program is
// needed. The key itself is never part of an error, a change or, unless
// return_content asks for it, a return value. In a dry run a new key's content
// is unknown, that it is there is not.
package opensslprivatekey

import (
	"context"
	"crypto"
	"errors"
	"fmt"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/internal/files"
	"github.com/foobar-play/foobar-play/pkg/modules/internal/pki"
	"github.com/foobar-play/foobar-play/pkg/value"
)

type options struct {
	Path           string           `arg:"path,required" doc:"The file of the key. Its directory must exist."`
	State          string           `arg:"state" default:"present" choices:"present,absent" doc:"Whether the key is there."`
	Type           string           `arg:"type" default:"RSA" choices:"RSA,ECC,Ed25519" doc:"The kind of key."`
	Size           int              `arg:"size" default:"4096" doc:"Bits of an RSA key."`
	Curve          string           `arg:"curve" choices:"secp224r1,secp256r1,secp384r1,secp521r1" doc:"The curve of an ECC key; needed for these."`
	Format         string           `arg:"format" default:"auto_ignore" choices:"auto,auto_ignore,pkcs1,pkcs8" doc:"How the key is written. auto is pkcs1 for RSA and ECC, pkcs8 for Ed25519; auto_ignore is the same and leaves an existing file's format alone."`
	FormatMismatch string           `arg:"format_mismatch" default:"regenerate" choices:"regenerate,convert" doc:"What to do with a good key in another format: make a new one, or write the same key in the wanted format."`
	Regenerate     string           `arg:"regenerate" default:"full_idempotence" choices:"never,fail,partial_idempotence,full_idempotence,always" doc:"When an existing key is replaced: never; fail instead of it; when it does not fit the options (partial: a file that is no key is an error; full: it is replaced); always."`
	Force          bool             `arg:"force" default:"false" doc:"The same as regenerate: always."`
	Mode           modules.FileMode `arg:"mode" default:"0600" doc:"The file's permission bits."`
	Owner          string           `arg:"owner" doc:"The file's owner, by name or number. Left out: as it is."`
	Group          string           `arg:"group" doc:"The file's group, by name or number. Left out: as it is."`
	Backup         bool             `arg:"backup" default:"false" doc:"Keep a key that is replaced or removed beside it."`
	ReturnContent  bool             `arg:"return_content" default:"false" doc:"Return the key itself as privatekey. Use it with no_log: true."`
}

// Check finds options that do not go together.
func (o *options) Check() error {
	switch {
	case o.Type == pki.ECC && o.Curve == "":
		return errors.New("an ECC key needs a curve, such as secp256r1")
	case o.Type == pki.RSA && (o.Size < 1024 || o.Size > 16384):
		return fmt.Errorf("an RSA key of %d bits is not possible: 2048 to 16384 is safe, 1024 the least", o.Size)
	case o.Type == pki.Ed25519 && o.Format == "pkcs1":
		return errors.New("an Ed25519 key has no pkcs1 format")
	}
	return nil
}

// Module is the module openssl_privatekey.
func Module() *modules.Module {
	return modules.Define(modules.Spec{
		Name:  "openssl_privatekey",
		Short: "Keep a private key in a file.",
		Doc: "Left out against community.crypto: passphrase and cipher (a key with a passphrase is refused), the types DSA, Ed448, X25519 and X448, " +
			"other curves, the format raw, attributes, unsafe_writes and SELinux labels. regenerate: fail fails for a file in another format too.",
		Returns: []modules.Return{
			{Name: "filename", Type: "string", Doc: "The path."},
			{Name: "type", Type: "string", Doc: "RSA, ECC or Ed25519."},
			{Name: "size", Type: "int", Doc: "Bits; 0 for Ed25519."},
			{Name: "curve", Type: "string", Doc: "The curve of an ECC key."},
			{Name: "fingerprint", Type: "map", Doc: "Hashes of the public key by algorithm: hex in pairs joined by colons. Unknown in a dry run that makes the key."},
			{Name: "backup_file", Type: "string", Doc: "Where the old key was kept, when it was."},
			{Name: "privatekey", Type: "string", Doc: "The key in PEM, with return_content."},
		},
		Examples: "- openssl_privatekey:\n    path: /etc/ssl/private/www.key\n    type: ECC\n    curve: secp256r1\n",
	}, func(env modules.Env, o *options) (modules.Action, error) {
		return modules.Managed[state](&resource{o: o, file: pki.Target{Env: env, Path: o.Path, Backup: o.Backup,
			Attrs: files.Attrs{Mode: o.Mode, Owner: o.Owner, Group: o.Group}}}), nil
	})
}

// state is what is in the file.
type state struct {
	file files.Entry
	info pki.KeyInfo
	// broken says why the content is no usable key; "" when it is one.
	broken string
	// renewed is wanted when the key is made anew, or converted.
	renewed, converted string
}

type resource struct {
	o    *options
	file pki.Target
	key  crypto.Signer // the key that is there, for return values
	done bool          // the key was made by this task
}

func (r *resource) Current(ctx context.Context, h host.Reader) (state, error) {
	st, content, err := r.file.Read(ctx, h)
	cur := state{file: st}
	r.key = nil
	if err != nil || st.Type == "" {
		return cur, err
	}
	r.key, cur.info, err = pki.ParseKey(content)
	if err != nil {
		cur.broken = err.Error()
	}
	return cur, nil
}

func (r *resource) Desired(cur state) (state, error) {
	want := cur
	if r.o.State == "absent" {
		want.file.Type = ""
		return want, nil
	}
	want.file = r.file.Want(cur.file)
	if cur.file.Type == "" {
		want.renewed = "there is none"
		return want, r.describe(&want)
	}
	why := r.misfit(cur)
	if r.done || why == "" && r.o.Regenerate != "always" && !r.o.Force {
		return want, nil
	}
	convert := cur.broken == "" && r.o.FormatMismatch == "convert" && r.typeMisfit(cur) == ""
	switch {
	case r.o.Force || r.o.Regenerate == "always":
		why = "regenerate: always"
	case r.o.Regenerate == "never":
		if cur.broken != "" {
			return want, fmt.Errorf("%s: %s (regenerate: never forbids replacing it)", r.o.Path, cur.broken)
		}
		return want, nil
	case r.o.Regenerate == "fail":
		return want, fmt.Errorf("%s: %s (regenerate: fail forbids replacing it)", r.o.Path, why)
	case r.o.Regenerate == "partial_idempotence" && cur.broken != "":
		return want, fmt.Errorf("%s: %s (regenerate: full_idempotence replaces it)", r.o.Path, cur.broken)
	case convert:
		want.info.Format, want.converted = r.format(), why
		return want, nil
	}
	want.renewed = why
	return want, r.describe(&want)
}

// misfit says why the key does not fit the options; "" when it does.
func (r *resource) misfit(cur state) string {
	if cur.broken != "" {
		return cur.broken
	}
	if why := r.typeMisfit(cur); why != "" {
		return why
	}
	if r.o.Format != "auto_ignore" && cur.info.Format != r.format() {
		return fmt.Sprintf("its format is %s, not %s", cur.info.Format, r.format())
	}
	return ""
}

func (r *resource) typeMisfit(cur state) string {
	switch {
	case cur.info.Type != r.o.Type:
		return fmt.Sprintf("it is a key of type %s, not %s", cur.info.Type, r.o.Type)
	case r.o.Type == pki.RSA && cur.info.Size != r.o.Size:
		return fmt.Sprintf("it has %d bits, not %d", cur.info.Size, r.o.Size)
	case r.o.Type == pki.ECC && cur.info.Curve != r.o.Curve:
		return fmt.Sprintf("its curve is %s, not %s", cur.info.Curve, r.o.Curve)
	}
	return ""
}

// format is the wanted format.
func (r *resource) format() string {
	switch {
	case r.o.Format == "pkcs1" || r.o.Format == "pkcs8":
		return r.o.Format
	case r.o.Type == pki.Ed25519:
		return "pkcs8"
	}
	return "pkcs1"
}

// describe fills in what is known of a key that is yet to be made.
func (r *resource) describe(want *state) error {
	want.broken = ""
	want.info = pki.KeyInfo{Type: r.o.Type, Format: r.format()}
	switch r.o.Type {
	case pki.RSA:
		want.info.Size = r.o.Size
	case pki.ECC:
		want.info.Curve, want.info.Size = r.o.Curve, pki.CurveSize(r.o.Curve)
	}
	return nil
}

func (r *resource) Diff(cur, want state) []modules.Change {
	out := files.Changes(cur.file, want.file, "")
	if cur.file.Type != "" && want.renewed != "" {
		out = append(out, modules.Change{Field: "key", Before: want.renewed, After: "a new key"})
	}
	if want.converted != "" {
		out = append(out, modules.Change{Field: "format", Before: cur.info.Format, After: want.info.Format})
	}
	return out
}

func (r *resource) Apply(_ context.Context, w host.Writer, cur, want state) error {
	switch {
	case want.file.Type == "":
		return r.file.Remove(w, cur.file)
	case want.renewed == "" && want.converted == "":
		return r.file.Adjust(w, cur.file, want.file)
	}
	return r.file.Write(w, cur.file, want.file, "the key", func() ([]byte, error) {
		key := r.key
		if want.converted == "" {
			var err error
			if key, err = pki.GenerateKey(want.info.Type, want.info.Size, want.info.Curve); err != nil {
				return nil, err
			}
		}
		r.key, r.done = key, true
		return pki.EncodeKey(key, want.info.Format)
	})
}

// Values describe the key; what a dry run cannot know of a new one is Unknown.
func (r *resource) Values(cur, want state, _ bool) map[string]any {
	out := map[string]any{"filename": r.o.Path}
	r.file.AddBackup(out)
	if want.file.Type == "" {
		return out
	}
	out["type"], out["size"] = want.info.Type, want.info.Size
	if want.info.Curve != "" {
		out["curve"] = want.info.Curve
	}
	if r.key == nil || want.renewed != "" && !r.done {
		unknown := value.Unknown{Reason: "the key is made when the task runs"}
		out["fingerprint"] = unknown
		if r.o.ReturnContent {
			out["privatekey"] = unknown
		}
		return out
	}
	if prints, err := pki.KeyFingerprints(r.key.Public()); err == nil {
		out["fingerprint"] = prints
	}
	if pem, err := pki.EncodeKey(r.key, want.info.Format); r.o.ReturnContent && err == nil {
		out["privatekey"] = string(pem)
	}
	return out
}
