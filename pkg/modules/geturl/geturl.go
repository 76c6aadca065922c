// Package geturl is the module get_url: the host downloads a file over HTTP or
// HTTPS. request.go speaks HTTP, checksum.go understands the option checksum;
// writing is shared with the other file modules.
//
// What is downloaded to be compared lies in the agent's own directory; the
// destination is replaced in one step, and only by content that passed its
// checksum.
package geturl

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/internal/files"
)

type args struct {
	URL           string         `arg:"url,required" doc:"What to download: http:// or https://."`
	Dest          string         `arg:"dest,required" doc:"Where to, absolute or beginning with ~. In a directory the file gets the last part of the URL's path as its name."`
	Checksum      string         `arg:"checksum" doc:"ALGORITHM:HEX, or ALGORITHM:URL of a file of checksums in which the name is looked up. A file that has it is not downloaded; a download that has another is refused."`
	Force         bool           `arg:"force" doc:"Download every time. Without, a file that is there is downloaded only when the server has a newer one, or when its checksum is another."`
	Timeout       int            `arg:"timeout" default:"10" doc:"Seconds without anything from the server after which it is given up."`
	Headers       map[string]any `arg:"headers" doc:"Headers of the request, as a map."`
	Username      string         `arg:"url_username,alias=username" doc:"User for basic authentication."`
	Password      string         `arg:"url_password,alias=password,secret" doc:"Password for basic authentication."`
	ForceBasic    bool           `arg:"force_basic_auth" doc:"Accepted for Ansible's sake: credentials are always sent with the first request."`
	ValidateCerts bool           `arg:"validate_certs" default:"true" doc:"Whether the server's certificate must be valid. Without, anybody on the way can put another file in its place."`
	CAPath        string         `arg:"ca_path" doc:"A file on the host with certificates of authorities to trust besides the system's."`
	ClientCert    string         `arg:"client_cert" doc:"A PEM file on the host with a client certificate, and the key if client_key is left out."`
	ClientKey     string         `arg:"client_key" doc:"A PEM file on the host with the key of client_cert."`
	UseProxy      bool           `arg:"use_proxy" default:"true" doc:"Whether http_proxy, https_proxy and no_proxy of the task's environment count."`
	Agent         string         `arg:"http_agent" default:"ansible-httpget" doc:"The header User-Agent."`
	Decompress    bool           `arg:"decompress" default:"true" doc:"Whether a response that the server compressed for the way is unpacked."`
	Backup        bool           `arg:"backup" doc:"Keep a file that is replaced under a name with the time in it (backup_file)."`
	files.Attrs
}

// Check has the rules between options.
func (a *args) Check() error {
	u, err := url.Parse(a.URL)
	switch {
	case err != nil:
		return errors.New("url cannot be read") // the error may hold a password
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return fmt.Errorf("url must begin with http:// or https:// and name a server: %s", u.Redacted())
	case a.Timeout < 1:
		return errors.New("timeout must be at least 1 second")
	case a.ClientKey != "" && a.ClientCert == "":
		return errors.New("client_key needs client_cert")
	case a.Mode.IsPreserve():
		return errors.New("mode: preserve is for modules that copy a file")
	}
	_, err = parseChecksum(a.Checksum)
	return err
}

// shownURL is the URL without a password.
func (a *args) shownURL() string {
	u, err := url.Parse(a.URL)
	if err != nil {
		return ""
	}
	return u.Redacted()
}

// name is what a download is called in a directory.
func (a *args) name() string {
	u, err := url.Parse(a.URL)
	if err != nil {
		return "index.html"
	}
	if name := path.Base(u.Path); name != "/" && name != "." && !strings.ContainsRune(name, 0) {
		return name
	}
	return "index.html"
}

// Module returns the module get_url.
func Module() *modules.Module {
	return modules.Define(modules.Spec{
		Name:  "get_url",
		Short: "Downloads a file to the host",
		Doc: "Without force and checksum the server is asked whether it has something newer (If-Modified-Since); what it then sends is compared, " +
			"and replaces the file only when it differs. A checksum saves the request. " +
			"A dry run asks the server the same; a file that is not there yet is not downloaded, and what it would hold is unknown to later tasks.\n\n" +
			files.LeftOut + " Also ciphers, tmp_dest (the new file lies beside the old one), unredirected_headers, use_gssapi, use_netrc, and ftp:// and file:// URLs. " +
			"In a directory the name comes from the URL, never from Content-Disposition.",
		Returns: append([]modules.Return{
			{Name: "dest", Type: "string", Doc: "The file that was written."},
			{Name: "url", Type: "string", Doc: "The URL, its password hidden."},
			{Name: "msg", Type: "string", Doc: "What the server answered, or why it was not asked."},
			{Name: "status_code", Type: "int", Doc: "HTTP status, when the server was asked."},
			{Name: "elapsed", Type: "int", Doc: "Seconds the download took."},
			{Name: "checksum_src", Type: "string", Doc: "SHA-1 of the download, when there was one."},
			{Name: "checksum_dest", Type: "string", Doc: "SHA-1 of the file that was there before; null when there was none."},
			{Name: "md5sum", Type: "string", Doc: "MD5 of the download, when there was one."},
			{Name: "backup_file", Type: "string", Doc: "Where the old file was kept, when backup asked for it."},
		}, files.AttrReturns...),
		Examples: `- get_url:
    url: https://example.com/tool-1.2.tar.gz
    dest: /usr/local/src/
    checksum: sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
`,
	}, func(env modules.Env, a *args) (modules.Action, error) { return newDownload(env, a).action(), nil })
}
