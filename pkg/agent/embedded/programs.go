//go:build embed_agents

package embedded

import (
	"embed"
	"io/fs"
)

//go:embed *.gz
var files embed.FS

var programs fs.FS = files
