package agent

import (
	"time"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
)

// kind says what a frame holds.
type kind byte

const (
	kindHello    kind = iota + 1 // agent: helloMsg, the first frame
	kindRequest                  // controller: requestMsg
	kindOutput                   // agent: outputMsg
	kindReply                    // agent: replyMsg
	kindCancel                   // controller: idMsg of a request
	kindShutdown                 // controller: idMsg, empty
	kindPing                     // controller: idMsg, empty; only shows that it lives
	kindNeed                     // agent: needMsg, asks for a blob as a stream
	kindOffer                    // agent: idMsg of a stream that begins
	kindStored                   // controller: storedMsg, what an offered stream came to
	kindChunk                    // both: chunkMsg, part of a stream
	kindCredit                   // both: idMsg of a stream: one more chunk may be sent
	kindStop                     // both: idMsg of a stream that nobody reads any more
)

type helloMsg struct {
	Version int
	Program string // file name, which holds the content's hash
	Info    HostInfo
}

// HostInfo is what the agent says of itself and its host.
type HostInfo struct {
	GOOS, GOARCH string // "linux", "amd64"
	UID, GID     int    // effective
	User, Home   string
	PID          int
	// TempDir is the agent's private directory, removed at its end.
	TempDir string
}

type requestMsg struct {
	ID      uint64
	Module  string
	Args    map[string]any
	Check   bool
	Diff    bool
	Env     map[string]string
	Timeout time.Duration
	Stream  bool // send output as it comes
}

type idMsg struct{ ID uint64 }

type outputMsg struct {
	ID     uint64
	Stream string
	Data   []byte
}

type replyMsg struct {
	ID     uint64
	Result modules.Result
	Error  *errorMsg
}

type needMsg struct {
	ID   uint64 // of the stream
	Blob host.Blob
}

type chunkMsg struct {
	ID   uint64
	Data []byte
	End  bool
	Err  string // with End: why there is no more
}

type storedMsg struct {
	ID   uint64
	Blob host.Blob
	Err  string
}
