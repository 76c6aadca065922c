package host

import (
	"path/filepath"
	"testing"
)

func TestGeneratedContentIsUnknownInADryRun(t *testing.T) {
	s := NewShadow(NewReal())
	name := filepath.Join(t.TempDir(), "key")
	mode := uint32(0o600)
	err := WriteGenerated(s, name, "made by the run", Attrs{Mode: &mode}, func() ([]byte, error) {
		t.Error("content was made in a dry run")
		return nil, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if info, err := s.Stat(name); err != nil || info.Mode != 0o600 || info.Type != File {
		t.Errorf("got %+v, %v", info, err)
	}
	_, err = ReadFile(s, name)
	if reason, unknown := IsUnknown(err); !unknown || reason != "made by the run" {
		t.Errorf("reading gives %v", err)
	}
}

func TestGeneratedContentIsWritten(t *testing.T) {
	r := NewReal()
	name := filepath.Join(t.TempDir(), "key")
	if err := WriteGenerated(r, name, "", Attrs{}, func() ([]byte, error) { return []byte("x"), nil }); err != nil {
		t.Fatal(err)
	}
	if b, err := ReadFile(r, name); err != nil || string(b) != "x" {
		t.Errorf("got %q, %v", b, err)
	}
}
