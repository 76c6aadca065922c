package geturl

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/modules/internal/files"
)

// checksum is the option checksum; the zero value stands for none.
type checksum struct {
	algorithm string
	hex       string
	url       string // of a file of checksums, until it was read
}

func (c checksum) isSet() bool { return c.algorithm != "" }

func parseChecksum(text string) (checksum, error) {
	if text == "" {
		return checksum{}, nil
	}
	algorithm, rest, ok := strings.Cut(text, ":")
	c := checksum{algorithm: strings.ToLower(strings.TrimSpace(algorithm))}
	rest = strings.TrimSpace(rest)
	if _, known := files.Algorithms[c.algorithm]; !ok || !known {
		return c, fmt.Errorf("checksum must be ALGORITHM:HEX or ALGORITHM:URL, with md5, sha1, sha224, sha256, sha384 or sha512: %q", text)
	}
	if strings.HasPrefix(rest, "http://") || strings.HasPrefix(rest, "https://") {
		if _, err := url.Parse(rest); err != nil {
			return c, errors.New("the URL of checksum cannot be read")
		}
		c.url = rest
		return c, nil
	}
	c.hex = strings.ToLower(rest)
	return c, c.plausible()
}

// plausible checks that hex is one of the algorithm's size.
func (c checksum) plausible() error {
	b, err := hex.DecodeString(c.hex)
	if want := files.Algorithms[c.algorithm]().Size(); err != nil || len(b) != want {
		return fmt.Errorf("checksum: %q is not a %s, which has %d hexadecimal digits", c.hex, c.algorithm, want*2)
	}
	return nil
}

// lookup finds the checksum of name in a file as sha256sum(1) writes it, in
// BSD's form "SHA256 (name) = hex", or of one checksum alone.
func (c checksum) lookup(list, name string) (checksum, error) {
	var alone []string
	for line := range strings.Lines(list) {
		line = strings.TrimSpace(line)
		digest, file := splitLine(line)
		if file == "" && line != "" && !strings.ContainsAny(line, " \t") {
			alone = append(alone, line)
		}
		if file != "" && path.Base(file) == name {
			c.hex, c.url = strings.ToLower(digest), ""
			return c, c.plausible()
		}
	}
	if len(alone) == 1 {
		c.hex, c.url = strings.ToLower(alone[0]), ""
		return c, c.plausible()
	}
	return c, fmt.Errorf("there is no checksum for %s in %s", name, c.url)
}

func splitLine(line string) (digest, file string) {
	if _, rest, ok := strings.Cut(line, " ("); ok {
		if file, digest, ok := strings.Cut(rest, ") = "); ok {
			return digest, file
		}
	}
	digest, file, _ = strings.Cut(line, " ")
	return digest, strings.TrimPrefix(strings.TrimSpace(file), "*")
}
