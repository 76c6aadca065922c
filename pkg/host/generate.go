package host

import "bytes"

// WriteGenerated writes content that differs each time it is made: a key, a
// signature. In a dry run make is not called: the file is there afterwards,
// and its content is unknown; reason says why, for people ("the key is made
// when the task runs").
//
// Errors are make's and WriteFile's.
func WriteGenerated(w Writer, path, reason string, attrs Attrs, make func() ([]byte, error)) error {
	if s, dry := w.(*Shadow); dry {
		return s.WriteFile(path, unknowable{reason}, attrs)
	}
	content, err := make()
	if err != nil {
		return err
	}
	return w.WriteFile(path, bytes.NewReader(content), attrs)
}

// unknowable is content that cannot be read yet.
type unknowable struct{ reason string }

func (u unknowable) Read([]byte) (int, error) { return 0, &UnknownError{Reason: u.reason} }
