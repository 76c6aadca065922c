package inventory

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The examples of docs/inventory.md are read without complaint, and it lists
// every connection variable.
func TestDocs(t *testing.T) {
	doc, err := os.ReadFile("../../docs/inventory.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	blocks := regexp.MustCompile("(?s)```(yaml|ini|json)\n(.*?)```").FindAllStringSubmatch(string(doc), -1)
	if len(blocks) != 3 {
		t.Fatal("examples:", len(blocks))
	}
	for _, b := range blocks {
		path, text, mode := filepath.Join(dir, "hosts."+b[1]), b[2], os.FileMode(0o644)
		if b[1] == "json" {
			path, text, mode = filepath.Join(dir, "cloud"), "#!/bin/sh\ncat <<'END'\n"+text+"\nEND\n", 0o755
		}
		write(t, path, text, mode)
		inv, diags := Load(t.Context(), []string{path}, Options{})
		if diags.Len() > 0 || inv.Host("web01") == nil {
			t.Errorf("%s: %v, %v", b[1], diags.All(), inv.Hosts())
		}
	}
	for _, v := range ConnectionVars() {
		if !strings.Contains(string(doc), "`"+v.Name+"`") || !strings.Contains(string(doc), v.Doc) {
			t.Errorf("%s is not in the documentation, or its meaning is another there", v.Name)
		}
	}
}
