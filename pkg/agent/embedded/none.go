//go:build !embed_agents

package embedded

import "io/fs"

var programs fs.FS
