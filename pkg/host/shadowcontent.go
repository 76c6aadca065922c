package host

import (
	"bytes"
	"io"
	"os"
)

// spillSize is where a pretended file's content goes from memory to a file
// without a name.
const spillSize = 1 << 20

// content is what a pretended file holds: bytes, a spilled file, what the
// host has at a path, or something that cannot be known.
type content struct {
	unknown string // the reason
	data    []byte
	spill   *os.File // unlinked; closed when nobody holds it any more
	size    int64    // of spill
	below   string
}

// keep reads from to its end and stores it.
func keep(from io.Reader) (content, int64, error) {
	head, err := io.ReadAll(io.LimitReader(from, spillSize+1))
	if err != nil {
		return content{}, 0, err
	}
	if len(head) <= spillSize {
		return content{data: head}, int64(len(head)), nil
	}
	f, err := os.CreateTemp("", TempPrefix+"*")
	if err != nil {
		return content{}, 0, err
	}
	os.Remove(f.Name())
	n, err := io.Copy(f, io.MultiReader(bytes.NewReader(head), from))
	if err != nil {
		f.Close()
		return content{}, 0, err
	}
	return content{spill: f, size: n}, n, nil
}

func (c content) open(base Reader) (io.ReadCloser, error) {
	switch {
	case c.unknown != "":
		return nil, &UnknownError{Reason: c.unknown}
	case c.below != "":
		return base.Open(c.below)
	case c.spill != nil:
		return spillReader{io.NewSectionReader(c.spill, 0, c.size), c.spill}, nil
	}
	return io.NopCloser(bytes.NewReader(c.data)), nil
}

// spillReader holds on to the file while it is read.
type spillReader struct {
	io.Reader
	file *os.File
}

func (spillReader) Close() error { return nil }
