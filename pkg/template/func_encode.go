package template

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/source"
	"github.com/foobar-play/foobar-play/pkg/value"
)

// encodeTable: JSON, YAML, base64 and checksums. What cannot be read is an
// error. JSON does not escape <, > and &.
func encodeTable() []*function {
	table := []*function{
		encoder("to_json", func(v any) (string, error) { return jsonText(v, "") }),
		encoder("to_nice_json", func(v any) (string, error) { return jsonText(v, "    ") }),
		encoder("toPrettyJson", func(v any) (string, error) { return jsonText(v, "  ") }),
		encoder("to_yaml", func(v any) (string, error) { return yamlText(v, 2), nil }),
		encoder("to_nice_yaml", func(v any) (string, error) { return yamlText(v, 4), nil }),
		encoder("toYaml", func(v any) (string, error) { return strings.TrimSuffix(yamlText(v, 2), "\n"), nil }),
		mustAdapt("from_json", fromJSON),
		mustAdapt("from_yaml", fromYAML),
		mustAdapt("fromYamlArray", func(s string) ([]any, error) {
			v, err := fromYAML(s)
			if err != nil || v == nil {
				return []any{}, err
			}
			return listOf(v)
		}),
		mustAdapt("b64encode", func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }),
		mustAdapt("b64decode", func(s string) (string, error) {
			out, err := base64.StdEncoding.DecodeString(strings.TrimSpace(s))
			return string(out), err
		}),
		mustAdapt("hash", checksum),
		mustAdapt("md5", func(s string) (string, error) { return checksum("md5", s) }),
		mustAdapt("sha1", func(s string) (string, error) { return checksum("sha1", s) }),
		mustAdapt("checksum", func(s string) (string, error) { return checksum("sha1", s) }),
	}
	for name, of := range map[string]string{
		"toJson": "to_json", "toRawJson": "to_json", "mustToJson": "to_json", "mustToRawJson": "to_json",
		"mustToPrettyJson": "toPrettyJson", "fromJson": "from_json", "mustFromJson": "from_json", "fromYaml": "from_yaml",
		"b64enc": "b64encode", "b64dec": "b64decode",
	} {
		table = append(table, alias(table, name, of))
	}
	return table
}

func encoder(name string, f func(any) (string, error)) *function {
	return &function{name: name, min: 1, max: 1, call: func(_ *run, a []any) (any, error) { return f(a[0]) }}
}

func jsonText(v any, indent string) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	err := enc.Encode(v)
	return strings.TrimSuffix(b.String(), "\n"), err
}

func fromJSON(s string) (any, error) {
	dec := json.NewDecoder(strings.NewReader(s))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		if errors.Is(err, io.EOF) {
			err = errors.New("the text is empty")
		}
		return nil, fmt.Errorf("read JSON: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("read JSON: there is more behind the first value")
	}
	return value.Normalize(v), nil
}

// fromYAML reads one document by the rules of playbooks (package source).
func fromYAML(s string) (any, error) {
	n, list := source.Parse("the text", []byte(s))
	if bad := list.All(); len(bad) > 0 {
		return nil, &hinted{fmt.Sprintf("read YAML: line %d: %s", bad[0].Pos.Line, bad[0].Message), bad[0].Hint}
	}
	return n.Value(), nil
}

var hashes = map[string]func() hash.Hash{
	"md5": md5.New, "sha1": sha1.New, "sha224": sha256.New224, "sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New,
}

// checksum is a text's hash in hexadecimal.
func checksum(kind, s string) (string, error) {
	h, ok := hashes[kind]
	if !ok {
		return "", fmt.Errorf("there is no hash %q; there are %s", kind, strings.Join(value.Keys(hashes), ", "))
	}
	sum := h()
	sum.Write([]byte(s)) // a hash never fails
	return fmt.Sprintf("%x", sum.Sum(nil)), nil
}
