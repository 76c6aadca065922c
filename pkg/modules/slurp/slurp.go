// Package slurp is the module slurp: it brings a file's content into a
// variable, in base64. It only reads.
package slurp

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/internal/files"
)

type args struct {
	Src string `arg:"src,required,alias=path" doc:"The file on the host, absolute or beginning with ~."`
}

// Module returns the module slurp.
func Module() *modules.Module {
	return modules.Define(modules.Spec{
		Name:     "slurp",
		Short:    "Brings a file of the host into a variable",
		Doc:      "The content is held in memory on both sides, as base64; for large files use fetch. Nothing is left out.",
		ReadOnly: true,
		Returns: []modules.Return{
			{Name: "content", Type: "string", Doc: "The file's content in base64."},
			{Name: "encoding", Type: "string", Doc: "Always base64."},
			{Name: "source", Type: "string", Doc: "The file that was read."},
		},
		Examples: `- slurp:
    src: /etc/machine-id
  register: id
- debug:
    msg: "{{ .id.content | b64dec }}"
`,
	}, func(env modules.Env, a *args) (modules.Action, error) {
		return modules.Read(func(ctx context.Context, r host.Reader) (modules.Outcome, error) {
			p, err := files.Expand(ctx, env, r, a.Src)
			if err != nil {
				return modules.Outcome{}, err
			}
			b, err := host.ReadFile(r, p)
			switch {
			case errors.Is(err, fs.ErrNotExist):
				return modules.Outcome{}, fmt.Errorf("%s does not exist", p)
			case err != nil:
				return modules.Outcome{}, fmt.Errorf("read %s: %w", p, err)
			}
			return modules.Outcome{Values: map[string]any{
				"content": base64.StdEncoding.EncodeToString(b), "encoding": "base64", "source": p,
			}}, nil
		}), nil
	})
}
