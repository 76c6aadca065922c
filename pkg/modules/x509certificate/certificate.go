// Package x509certificate is the module x509_certificate: it keeps a
// certificate in a file, signed by its own key or by a CA whose key is on the
// host the task runs on.
//
// Certificates are made and read with Go's crypto packages; no openssl program
// is needed. A certificate is made anew when its key, the request, the issuer
// or the validity that remains says so. Delegated to localhost, the CA's key
// stays on the controller.
package x509certificate

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/internal/files"
	"github.com/foobar-play/foobar-play/pkg/modules/internal/pki"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// Module is the module x509_certificate.
func Module() *modules.Module {
	return modules.Define(modules.Spec{
		Name:  "x509_certificate",
		Short: "Keep a certificate in a file, signed by its own key or by a CA of one's own.",
		Doc: "Left out against community.crypto: the providers acme and entrust, all passphrases, selfsigned_version and ownca_version (3 always), " +
			"attributes, unsafe_writes and SELinux labels. Added: remaining_days, under the name acme_certificate has for it; " +
			"a certificate that has expired is renewed even without it.",
		Returns: []modules.Return{
			{Name: "filename", Type: "string", Doc: "The path."},
			{Name: "csr", Type: "string", Doc: "The path of the request, when it was given."},
			{Name: "privatekey", Type: "string", Doc: "The path of the private key, when it was given."},
			{Name: "ca_cert", Type: "string", Doc: "The path of the CA's certificate, for ownca."},
			{Name: "ca_privatekey", Type: "string", Doc: "The path of the CA's private key, for ownca."},
			{Name: "notBefore", Type: "string", Doc: "When validity begins: 20270131120000Z. Unknown in a dry run that makes the certificate, like the next two."},
			{Name: "notAfter", Type: "string", Doc: "When validity ends."},
			{Name: "serial_number", Type: "string", Doc: "The serial number in decimal; text, because it does not fit a number."},
			{Name: "backup_file", Type: "string", Doc: "Where the old certificate was kept, when it was."},
			{Name: "certificate", Type: "string", Doc: "The certificate in PEM, with return_content."},
		},
		Examples: "- x509_certificate:\n    path: pki/www.crt\n    csr_content: \"{{ .csr.csr }}\"\n    provider: ownca\n    ownca_path: pki/ca.crt\n    ownca_privatekey_path: pki/ca.key\n    ownca_not_after: +90d\n    remaining_days: 21\n  delegate_to: localhost\n",
	}, func(env modules.Env, o *options) (modules.Action, error) {
		file := pki.Target{Env: env, Path: o.Path, Attrs: o.Attrs, Backup: o.Backup}
		return modules.Managed[state](&resource{o: o, env: env, now: time.Now(), file: file}), nil
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
	now  time.Time
	text []byte // the certificate that is there
	done bool   // it was made by this task
}

// Current looks at the file. Request, keys and CA are read only when there is
// a certificate to compare with them; that they are there is always checked.
func (r *resource) Current(ctx context.Context, h host.Reader) (state, error) {
	st, content, err := r.file.Read(ctx, h)
	cur := state{file: st}
	r.text = content
	if err != nil || r.o.State == "absent" {
		return cur, err
	}
	if st.Type == "" {
		return cur, r.sourcesThere(ctx, h)
	}
	issuer, t, err := r.template(ctx, h)
	if err != nil {
		return cur, err
	}
	cert, err := pki.ParseCertificate(content)
	if err != nil {
		cur.misfit = err.Error()
		return cur, nil
	}
	if cur.misfit = issuer.Misfit(cert, t); cur.misfit == "" {
		cur.misfit = r.untimely(cert, t)
	}
	return cur, nil
}

func (r *resource) sourcesThere(ctx context.Context, h host.Reader) error {
	for _, s := range []struct{ what, path string }{{"request", r.o.CSRPath}, {"private key", r.o.KeyPath},
		{"CA certificate", r.o.CAPath}, {"CA private key", r.o.CAKeyPath}} {
		if err := r.source(s.path, "").There(ctx, h, s.what); err != nil {
			return err
		}
	}
	return nil
}

func (r *resource) source(path, content string) pki.Source {
	return pki.Source{Env: r.env, Path: path, Content: content}
}

// untimely says why a certificate's validity is not right.
func (r *resource) untimely(cert *x509.Certificate, t pki.Template) string {
	switch left := cert.NotAfter.Sub(r.now); {
	case left <= 0:
		return "it has expired on " + cert.NotAfter.UTC().Format(time.DateOnly)
	case left < time.Duration(r.o.RemainingDays)*24*time.Hour:
		return fmt.Sprintf("it is valid for %d days only", int(left.Hours()/24))
	case !r.o.IgnoreTimestamps && !(cert.NotBefore.Equal(t.NotBefore) && cert.NotAfter.Equal(t.NotAfter)):
		return "it is valid at other times"
	}
	return ""
}

// template reads what the certificate shall be made of.
func (r *resource) template(ctx context.Context, h host.Reader) (pki.Issuer, pki.Template, error) {
	var issuer pki.Issuer
	var t pki.Template
	var key crypto.Signer
	if src := r.source(r.o.KeyPath, r.o.KeyContent); src.IsSet() {
		var err error
		if key, err = readKey(ctx, h, src, "private key"); err != nil {
			return issuer, t, err
		}
	}
	if err := r.request(ctx, h, key, &t); err != nil {
		return issuer, t, err
	}
	issuer, err := r.issuer(ctx, h, key)
	if err != nil {
		return issuer, t, err
	}
	from, until, err := r.o.validity()
	t.NotBefore, t.NotAfter = from.From(r.now), until.From(r.now)
	var keyID string
	t.Digest, keyID, t.AuthorityKeyID = r.o.own()
	t.SubjectKeyID = keyID != "never_create"
	if keyID == "always_create" {
		t.Extensions = slices.DeleteFunc(t.Extensions, pki.IsSubjectKeyID)
	}
	return issuer, t, err
}

// request reads the CSR; without one the certificate names nobody.
func (r *resource) request(ctx context.Context, h host.Reader, key crypto.Signer, t *pki.Template) error {
	src := r.source(r.o.CSRPath, r.o.CSRContent)
	if !src.IsSet() {
		subject, err := pki.Name{}.DER()
		t.RawSubject, t.Public = subject, key.Public()
		return err
	}
	text, err := src.Read(ctx, h, "request")
	if err != nil {
		return err
	}
	csr, err := pki.ParseRequest(text)
	if err != nil {
		return err
	}
	if key != nil && !pki.SamePublic(csr.PublicKey, key.Public()) {
		return errors.New("the request is for another private key")
	}
	t.RawSubject, t.Public, t.Extensions = csr.RawSubject, csr.PublicKey, slices.Clone(csr.Extensions)
	return nil
}

func (r *resource) issuer(ctx context.Context, h host.Reader, key crypto.Signer) (pki.Issuer, error) {
	if r.o.Provider == "selfsigned" {
		return pki.Issuer{Key: key}, nil
	}
	caKey, err := readKey(ctx, h, r.source(r.o.CAKeyPath, r.o.CAKeyContent), "CA's private key")
	if err != nil {
		return pki.Issuer{}, err
	}
	text, err := r.source(r.o.CAPath, r.o.CAContent).Read(ctx, h, "CA's certificate")
	if err != nil {
		return pki.Issuer{}, err
	}
	cert, err := pki.ParseCertificate(text)
	if err != nil {
		return pki.Issuer{}, fmt.Errorf("the CA's certificate: %w", err)
	}
	issuer := pki.Issuer{Certificate: cert, Key: caKey}
	if cert.NotAfter.Before(r.now) {
		return issuer, fmt.Errorf("the CA's certificate has expired on %s", cert.NotAfter.UTC().Format(time.DateOnly))
	}
	return issuer, issuer.Check()
}

func readKey(ctx context.Context, h host.Reader, src pki.Source, what string) (crypto.Signer, error) {
	text, err := src.Read(ctx, h, what)
	if err != nil {
		return nil, err
	}
	key, _, err := pki.ParseKey(text)
	if err != nil {
		return nil, fmt.Errorf("the %s: %w", what, err)
	}
	return key, nil
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
		out = append(out, modules.Change{Field: "certificate", Before: why, After: "a new certificate"})
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
	return r.file.Write(w, cur.file, want.file, "the certificate", func() ([]byte, error) {
		issuer, t, err := r.template(ctx, w)
		if err != nil {
			return nil, err
		}
		r.text, err = issuer.Issue(t)
		r.done = true
		return r.text, err
	})
}

// Values describe the certificate; what a dry run cannot know of a new one is
// Unknown.
func (r *resource) Values(cur, want state, _ bool) map[string]any {
	out := map[string]any{"filename": r.o.Path}
	r.file.AddBackup(out)
	if want.file.Type == "" {
		return out
	}
	for name, path := range map[string]string{"csr": r.o.CSRPath, "privatekey": r.o.KeyPath, "ca_cert": r.o.CAPath, "ca_privatekey": r.o.CAKeyPath} {
		if path != "" {
			out[name] = path
		}
	}
	cert, err := pki.ParseCertificate(r.text)
	if err != nil || want.renewed && !r.done {
		unknown := value.Unknown{Reason: "the certificate is made when the task runs"}
		out["notBefore"], out["notAfter"], out["serial_number"] = unknown, unknown, unknown
		if r.o.ReturnContent {
			out["certificate"] = unknown
		}
		return out
	}
	out["notBefore"], out["notAfter"] = pki.FormatTime(cert.NotBefore), pki.FormatTime(cert.NotAfter)
	out["serial_number"] = cert.SerialNumber.String()
	if r.o.ReturnContent {
		out["certificate"] = string(r.text)
	}
	return out
}
