package text

import (
	"io"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/event"
)

// Diagnostics is a sink that renders the run's messages as diagnostics, with
// the source line they are about. w is usually standard error.
func Diagnostics(w io.Writer) event.Sink {
	return event.SinkFunc(func(e event.Event) {
		if b, ok := e.Body.(event.Message); ok {
			var l diag.List
			l.Add(diag.Diagnostic{Severity: b.Severity, Pos: b.Pos, Message: b.Text, Hint: b.Hint})
			diag.Render(w, l, nil)
		}
	})
}
