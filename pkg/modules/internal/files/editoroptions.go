package files

import (
	"fmt"

	"github.com/foobar-play/foobar-play/pkg/modules"
)

// Editing are the options that all editors of text files share; embed it in an
// options struct.
type Editing struct {
	Path     string `arg:"path,required,alias=dest|destfile|name" doc:"The file to edit, absolute or beginning with ~. A link is followed."`
	Backup   bool   `arg:"backup" doc:"Keep the old file under a name with the time in it (backup_file)."`
	Validate string `arg:"validate" doc:"A command, without a shell, that is run on the new content before it replaces the file; %s stands for the file to look at. When it fails the file is left alone."`
	Attrs
}

// Returns document what all editors return.
func (Editing) Returns() []modules.Return {
	return append([]modules.Return{
		{Name: "path", Type: "string", Doc: "The file that was edited, links followed."},
		{Name: "msg", Type: "string", Doc: "What was done, in words; empty when nothing was."},
		{Name: "backup", Type: "string", Doc: "As backup_file; empty when there is none."},
		{Name: "backup_file", Type: "string", Doc: "Where the old file was kept, when backup asked for it."},
	}, AttrReturns...)
}

// AttrReturns document what Entry.Values returns.
var AttrReturns = []modules.Return{
	{Name: "state", Type: "string", Doc: "file, directory, link, hard or absent."},
	{Name: "mode", Type: "string", Doc: "Permission bits in octal, such as \"0644\"."},
	{Name: "owner", Type: "string", Doc: "Name of the owner, its number when it has none."},
	{Name: "group", Type: "string", Doc: "Name of the group, its number when it has none."},
	{Name: "uid", Type: "int", Doc: "Number of the owner."},
	{Name: "gid", Type: "int", Doc: "Number of the group."},
	{Name: "size", Type: "int", Doc: "Bytes."},
}

// Editor makes the Resource of an editor.
func (o Editing) Editor(env modules.Env, create bool, edit func(text []byte, exists bool) ([]byte, string, error)) *Edited {
	return &Edited{
		Env: env, Path: o.Path, Attrs: o.Attrs, Create: create, Edit: edit,
		Replacing: Replacing{Backup: o.Backup, Validate: o.Validate, TempDir: env.TempDir},
	}
}

// NotThere is the Missing of editors that make no file.
func NotThere(hint string) func(string) error {
	return func(p string) error { return fmt.Errorf("%s does not exist%s", p, hint) }
}
