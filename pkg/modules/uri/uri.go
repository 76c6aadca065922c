// Package uri is the module uri: one HTTP request made by the host, and what
// came back. It needs no program of the host.
//
// It must not know what the request means: it is never made in a dry run.
package uri

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/command"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// Options are the options of the module uri.
type Options struct {
	URL             string         `arg:"url,required" doc:"An http or https address."`
	Method          string         `arg:"method" default:"GET" doc:"GET, POST, PUT, HEAD, DELETE, OPTIONS, PATCH …"`
	Body            any            `arg:"body" doc:"What to send: a text, or a list or map for the formats that take one."`
	BodyFormat      string         `arg:"body_format" default:"raw" choices:"form-multipart,form-urlencoded,json,raw" doc:"How body is sent; all but raw set Content-Type."`
	Src             string         `arg:"src" doc:"File whose content to send, instead of body; of the controller, found as copy finds its files."`
	RemoteSrc       bool           `arg:"remote_src" doc:"src is a file of the host."`
	Headers         map[string]any `arg:"headers" doc:"Headers to send."`
	StatusCode      []any          `arg:"status_code" default:"200" doc:"Status codes that mean success."`
	ReturnContent   bool           `arg:"return_content" doc:"Return the body as content. A failed task always does."`
	Timeout         int            `arg:"timeout" default:"30" doc:"Seconds until the headers of the answer are there, and again for the body."`
	FollowRedirects string         `arg:"follow_redirects" default:"safe" choices:"all,yes,safe,none,no,urllib2" doc:"Which redirects to follow: all, those of GET and HEAD (safe), or none."`
	UserName        string         `arg:"url_username,alias=user" doc:"User for basic authentication."`
	Password        string         `arg:"url_password,alias=password,secret" doc:"Password for basic authentication."`
	ForceBasicAuth  bool           `arg:"force_basic_auth" doc:"Send the password at once, not only when asked."`
	ValidateCerts   bool           `arg:"validate_certs" default:"true" doc:"Verify the server's certificate."`
	CAPath          string         `arg:"ca_path" doc:"File of the host with certificates (PEM) to trust, instead of the host's own."`
	ClientCert      string         `arg:"client_cert" doc:"File of the host with the certificate (PEM) to show, and its key unless client_key is given."`
	ClientKey       string         `arg:"client_key" doc:"File of the host with the key of client_cert."`
	HTTPAgent       string         `arg:"http_agent" default:"ansible-httpget" doc:"The User-Agent header."`
	UseProxy        bool           `arg:"use_proxy" default:"true" doc:"Use the proxy that the environment names."`
	UnixSocket      string         `arg:"unix_socket" doc:"Socket to connect to, instead of the address in url."`
	Decompress      bool           `arg:"decompress" default:"true" doc:"Unpack a gzipped answer."`
	Force           bool           `arg:"force" doc:"Ask caches for a fresh answer."`

	Dest  string           `arg:"dest" doc:"File, or directory, of the host to write the body to."`
	Mode  modules.FileMode `arg:"mode" doc:"Mode of dest."`
	Owner string           `arg:"owner" doc:"Owner of dest."`
	Group string           `arg:"group" doc:"Group of dest."`

	Creates string `arg:"creates" doc:"Path or glob: when something is there, the request is not made."`
	Removes string `arg:"removes" doc:"Path or glob: when nothing is there, the request is not made."`

	SHA256 string `arg:"sha256,internal" doc:"Hash of src."`
	Size   int    `arg:"size,internal" doc:"Size of src in bytes."`
}

// Check finds options that do not go together.
func (o *Options) Check() error {
	u, err := url.Parse(o.URL)
	switch {
	case err != nil:
		return fmt.Errorf("url: %w", err)
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return fmt.Errorf("url: %q is no http or https address", o.URL)
	case o.Body != nil && o.Src != "":
		return errors.New("body and src exclude each other")
	case o.RemoteSrc && o.Src == "":
		return errors.New("remote_src needs the option src")
	case o.ClientKey != "" && o.ClientCert == "":
		return errors.New("client_key needs the option client_cert")
	}
	o.Method = strings.ToUpper(o.Method)
	_, err = o.codes()
	return err
}

// codes are the wanted status codes as numbers.
func (o *Options) codes() ([]int, error) {
	var out []int
	for _, v := range o.StatusCode {
		for s := range strings.SplitSeq(value.Text(v), ",") {
			n, err := strconv.Atoi(strings.TrimSpace(s))
			if err != nil {
				return nil, fmt.Errorf("status_code: %q is no number", s)
			}
			out = append(out, n)
		}
	}
	return out, nil
}

// Module is the module uri.
func Module() *modules.Module {
	return modules.Define(modules.Spec{
		Name:  "uri",
		Short: "Make an HTTP request from the host",
		Doc: `Makes one request and returns what came back. It counts as a change only when dest changes.
A dry run does not make it and reports "maybe", unless creates or removes decide that there is nothing to do.
Redirects that are not followed are answers like others: name their codes in status_code.
Left out against Ansible: use_gssapi, use_netrc, ciphers, unredirected_headers, attributes, and digest authentication.`,
		Returns:       returns,
		Unforeseeable: true,
		Examples: `- name: Is the site up?
  uri:
    url: https://www.example.com/healthz
    return_content: true
  register: answer
  until: eq .answer.status 200
  retries: 5
- name: Post JSON
  uri:
    url: https://api.example.com/things
    method: POST
    body_format: json
    body: {name: thing}
    status_code: [201, 409]
`,
	}, build, modules.Prepare(prepare))
}

var returns = []modules.Return{
	{Name: "status", Type: "int", Doc: "The status code; -1 when there was no answer."},
	{Name: "url", Type: "string", Doc: "The address that answered, after redirects."},
	{Name: "redirected", Type: "bool", Doc: "Whether it is another than url."},
	{Name: "content", Type: "string", Doc: "The body, with return_content or after a failure."},
	{Name: "json", Type: "any", Doc: "The body's value, when it is JSON."},
	{Name: "msg", Type: "string", Doc: "The status in words, or why it failed."},
	{Name: "elapsed", Type: "int", Doc: "Seconds it took."},
	{Name: "cookies", Type: "map", Doc: "The cookies that were set."},
	{Name: "cookies_string", Type: "string", Doc: "They as a header would send them back."},
	{Name: "path", Type: "string", Doc: "The file written, with dest."},
	{Name: "content_type, content_length, …", Type: "string", Doc: "Every header of the answer, in lower case, - as _."},
}

func prepare(_ context.Context, ctl modules.Controller, o *Options) error {
	if o.Src == "" || o.RemoteSrc {
		return nil
	}
	local, err := ctl.Find("files", o.Src)
	if err != nil {
		return fmt.Errorf("find src: %w", err)
	}
	blob, err := ctl.BlobFile(local)
	if err != nil {
		return fmt.Errorf("read src: %w", err)
	}
	o.SHA256, o.Size = blob.SHA256, int(blob.Size)
	return nil
}

// action is one task.
type action struct {
	*Options
	env modules.Env
}

func build(env modules.Env, o *Options) (modules.Action, error) {
	return &action{o, env}, nil
}

const notMade = "the request is not made in a dry run"

// Plan decides by creates and removes only.
func (a *action) Plan(_ context.Context, r host.Reader) (modules.Plan, error) {
	why, msg, err := command.Guards{Creates: a.Creates, Removes: a.Removes}.Skip(a.env, r)
	reason, unknown := host.IsUnknown(err)
	switch {
	case unknown:
	case err != nil:
		return modules.Plan{}, err
	case why != "":
		return modules.Plan{Verdict: modules.Verdict{Kind: modules.NoChange, Reason: why}, Values: map[string]any{"stdout": why, "msg": msg}}, nil
	default:
		reason = notMade
	}
	return modules.Plan{Verdict: modules.Verdict{Kind: modules.Unknown, Reason: reason}}, nil
}

// Apply makes the request and looks at the answer.
func (a *action) Apply(ctx context.Context, w host.Writer) (modules.Outcome, error) {
	if host.Pretending(w) {
		return modules.Outcome{}, a.pretend(w)
	}
	ans, err := a.request(ctx, w)
	if err != nil {
		return modules.Outcome{}, err
	}
	vals := ans.values(a.URL)
	codes, err := a.codes()
	if err != nil {
		return modules.Outcome{}, err
	}
	if !slices.Contains(codes, ans.status) {
		vals["content"] = ans.text()
		msg := fmt.Sprintf("Status code was %d and not %v: %s", ans.status, codes, ans.msg)
		vals["msg"] = msg
		return modules.Outcome{Values: vals}, &modules.Failure{Msg: msg, Values: vals}
	}
	if a.ReturnContent {
		vals["content"] = ans.text()
	}
	out := modules.Outcome{Values: vals}
	if a.Dest != "" {
		file, changed, err := a.store(ctx, w, ans)
		if err != nil {
			return out, err
		}
		vals["path"] = file
		if out.Changed = changed; changed {
			out.Changes = []modules.Change{{Field: "content", Path: file, After: fmt.Sprintf("%d bytes", len(ans.body))}}
		}
	}
	return out, nil
}

// pretend says that dest may be there afterwards.
func (a *action) pretend(w host.Writer) error {
	if a.Dest != "" {
		host.NotePending(w, "uri "+a.Dest, fmt.Sprintf("the request to %s is not made in a dry run and may write it", a.shown()))
	}
	return host.Unknownf("%s", notMade)
}

// shown is the address without a password in it.
func (a *action) shown() string {
	u, err := url.Parse(a.URL)
	if err != nil {
		return "the address"
	}
	return u.Redacted()
}

// Verify has nothing to read: an answer is not a state of the host.
func (a *action) Verify(context.Context, host.Reader) ([]modules.Change, error) { return nil, nil }

// fileName is dest, or the name the address ends with, in dest.
func (a *action) fileName(r host.Reader) (string, error) {
	fi, err := r.Stat(a.Dest)
	if err != nil || fi.Type != host.Directory {
		return a.Dest, absent(err)
	}
	u, err := url.Parse(a.URL)
	if err != nil {
		return "", err
	}
	name := path.Base(u.Path)
	if name == "/" || name == "." {
		name = "index.html"
	}
	return path.Join(a.Dest, name), nil
}
