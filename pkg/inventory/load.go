package inventory

import (
	"context"

	"github.com/foobar-play/foobar-play/pkg/diag"
	"github.com/foobar-play/foobar-play/pkg/template"
)

type loader struct {
	ctx   context.Context
	inv   *Inventory
	diags diag.List
}

func (l *loader) source(s string) {}
func (l *loader) finish()         {}

type varFiles struct{ engine *template.Engine }

func newVarFiles(e *template.Engine) *varFiles { return &varFiles{engine: e} }

func (inv *Inventory) Check(playbookDir string) diag.List { return diag.List{} }
