// Package opensslcsr is the module openssl_csr: it keeps a certificate signing
// request for a private key in a file.
//
// Requests are made and read with Go's crypto packages; no openssl program is
// needed. A request is made anew when it is for another key or asks for
// something else than the options do.
package opensslcsr

import (
	"context"
	"crypto"
	"fmt"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/internal/files"
	"github.com/foobar-play/foobar-play/pkg/modules/internal/pki"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// Module is the module openssl_csr.
func Module() *modules.Module {
	return modules.Define(modules.Spec{
		Name:  "openssl_csr",
		Short: "Keep a certificate signing request in a file.",
		Doc: "Left out against community.crypto: privatekey_passphrase, authority_cert_issuer, authority_cert_serial_number, authority_key_identifier, " +
			"subject_key_identifier and create_subject_key_identifier (x509_certificate adds both identifiers), crl_distribution_points, name_constraints_*, version, " +
			"SANs of the kinds RID, dirName and otherName, attributes, unsafe_writes and SELinux labels.",
		Returns: []modules.Return{
			{Name: "filename", Type: "string", Doc: "The path."},
			{Name: "privatekey", Type: "string", Doc: "The path of the private key, when it was given."},
			{Name: "subject", Type: "list", Doc: "The subject's name: pairs of kind and value."},
			{Name: "subjectAltName", Type: "list", Doc: "The names the certificate is for, with their prefixes."},
			{Name: "keyUsage", Type: "list", Doc: "As in key_usage."},
			{Name: "extendedKeyUsage", Type: "list", Doc: "As in extended_key_usage."},
			{Name: "basicConstraints", Type: "list", Doc: "As in basic_constraints."},
			{Name: "ocsp_must_staple", Type: "bool", Doc: "As in ocsp_must_staple."},
			{Name: "backup_file", Type: "string", Doc: "Where the old request was kept, when it was."},
			{Name: "csr", Type: "string", Doc: "The request in PEM, with return_content. Unknown in a dry run that makes it."},
		},
		Examples: "- openssl_csr:\n    path: /etc/ssl/www.csr\n    privatekey_path: /etc/ssl/private/www.key\n    common_name: www.example.com\n    subject_alt_name: [\"DNS:www.example.com\", \"DNS:example.com\"]\n",
	}, func(env modules.Env, o *options) (modules.Action, error) {
		file := pki.Target{Env: env, Path: o.Path, Attrs: o.Attrs, Backup: o.Backup}
		return modules.Managed[state](&resource{o: o, env: env, file: file}), nil
	})
}

// state is what is in the file, and why it is to be made anew.
type state struct {
	file    files.Entry
	misfit  string
	renewed bool
}

type resource struct {
	o    *options
	env  modules.Env
	file pki.Target
	text []byte // the request that is there
	done bool   // it was made by this task
}

// Current looks at the file. The key is read only when there is a request to
// compare it with; that it is there is always checked.
func (r *resource) Current(ctx context.Context, h host.Reader) (state, error) {
	st, content, err := r.file.Read(ctx, h)
	cur := state{file: st}
	r.text = content
	if err != nil || r.o.State == "absent" {
		return cur, err
	}
	if st.Type == "" {
		return cur, r.keySource().There(ctx, h, "private key")
	}
	key, err := r.key(ctx, h)
	if err != nil {
		return cur, err
	}
	csr, err := pki.ParseRequest(content)
	if err != nil {
		cur.misfit = err.Error()
		return cur, nil
	}
	want, err := r.o.request()
	if err != nil {
		return cur, err
	}
	cur.misfit, err = want.Misfit(csr, key.Public())
	return cur, err
}

func (r *resource) Desired(cur state) (state, error) {
	want := cur
	if r.o.State == "absent" {
		want.file.Type = ""
		return want, nil
	}
	want.file = r.file.Want(cur.file)
	want.renewed = cur.file.Type == "" || cur.misfit != "" || r.o.Force && !r.done
	return want, nil
}

func (r *resource) Diff(cur, want state) []modules.Change {
	out := files.Changes(cur.file, want.file, "")
	if cur.file.Type != "" && want.renewed {
		why := cur.misfit
		if why == "" {
			why = "force is set"
		}
		out = append(out, modules.Change{Field: "csr", Before: why, After: "a new request"})
	}
	return out
}

func (r *resource) Apply(ctx context.Context, w host.Writer, cur, want state) error {
	switch {
	case want.file.Type == "":
		return r.file.Remove(w, cur.file)
	case !want.renewed:
		return r.file.Adjust(w, cur.file, want.file)
	}
	return r.file.Write(w, cur.file, want.file, "the request", func() ([]byte, error) {
		key, err := r.key(ctx, w)
		if err != nil {
			return nil, err
		}
		req, err := r.o.request()
		if err != nil {
			return nil, err
		}
		r.text, err = req.Sign(key, r.o.Digest)
		r.done = true
		return r.text, err
	})
}

// Values are the options as they went into the request.
func (r *resource) Values(cur, want state, _ bool) map[string]any {
	out := map[string]any{"filename": r.o.Path}
	r.file.AddBackup(out)
	if want.file.Type == "" {
		return out
	}
	if r.o.KeyPath != "" {
		out["privatekey"] = r.o.KeyPath
	}
	if req, err := r.o.request(); err == nil {
		out["subject"] = req.Subject.List()
	}
	out["subjectAltName"] = value.Normalize(r.o.SAN)
	out["keyUsage"] = value.Normalize(r.o.KeyUsage)
	out["extendedKeyUsage"] = value.Normalize(r.o.ExtUsage)
	out["basicConstraints"] = value.Normalize(r.o.Basic)
	out["ocsp_must_staple"] = r.o.MustStaple
	if r.o.ReturnContent {
		out["csr"] = string(r.text)
		if want.renewed && !r.done {
			out["csr"] = value.Unknown{Reason: "the request is made when the task runs"}
		}
	}
	return out
}

func (r *resource) keySource() pki.Source {
	return pki.Source{Env: r.env, Path: r.o.KeyPath, Content: r.o.KeyContent}
}

func (r *resource) key(ctx context.Context, h host.Reader) (crypto.Signer, error) {
	text, err := r.keySource().Read(ctx, h, "private key")
	if err != nil {
		return nil, err
	}
	key, _, err := pki.ParseKey(text)
	if err != nil && r.o.KeyPath != "" {
		return nil, fmt.Errorf("%s: %w", r.o.KeyPath, err)
	}
	return key, err
}
