// Package find is the module find: it lists what is below directories, by
// name, age, size, type, mode and content. It only reads. Which of what it
// meets is meant is decided in filter.go.
package find

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/internal/files"
)

type args struct {
	Paths       []string         `arg:"paths,required,alias=name|path" doc:"The directories to search, absolute or beginning with ~."`
	Patterns    []string         `arg:"patterns,alias=pattern" doc:"Shell patterns, or with use_regex regular expressions, of which the name must match one. Left out: any name."`
	Excludes    []string         `arg:"excludes,alias=exclude" doc:"Patterns of names to leave out."`
	UseRegex    bool             `arg:"use_regex" doc:"patterns and excludes are regular expressions that match from the name's beginning."`
	Contains    files.Pattern    `arg:"contains" doc:"A regular expression that must match from the beginning of a line of the file, or with read_whole_file anywhere in it."`
	WholeFile   bool             `arg:"read_whole_file" doc:"Match contains against the whole content."`
	FileType    string           `arg:"file_type" default:"file" choices:"any,directory,file,link" doc:"What to list."`
	Recurse     bool             `arg:"recurse" doc:"Search the directories below too."`
	Depth       *int             `arg:"depth" doc:"With recurse, how many levels deep; 1 is what lies in paths themselves."`
	Hidden      bool             `arg:"hidden" doc:"List names that begin with a dot too, and search such directories."`
	Follow      bool             `arg:"follow" doc:"With recurse, search directories behind links too."`
	Age         string           `arg:"age" doc:"At least so old, or with a minus at most: a number with s, m, h, d or w (seconds without)."`
	AgeStamp    string           `arg:"age_stamp" default:"mtime" choices:"atime,ctime,mtime" doc:"Which time age is counted from."`
	Size        string           `arg:"size" doc:"At least so large, or with a minus at most: a number with b, k, m, g or t (bytes without)."`
	Mode        modules.FileMode `arg:"mode" doc:"Permission bits, octal or symbolic."`
	ExactMode   bool             `arg:"exact_mode" default:"true" doc:"The mode must be exactly mode; otherwise these bits must be among it."`
	GetChecksum bool             `arg:"get_checksum" doc:"Hash every file that is listed."`
	Algorithm   string           `arg:"checksum_algorithm,alias=checksum|checksum_algo" default:"sha1" choices:"md5,sha1,sha224,sha256,sha384,sha512" doc:"The hash to take."`
	Limit       *int             `arg:"limit" doc:"Stop after so many."`
}

// Check has the rules between options.
func (a *args) Check() error {
	_, err := a.filter()
	if err == nil && a.Mode.IsPreserve() {
		err = errors.New("mode: preserve is for modules that copy a file")
	}
	return err
}

// Module returns the module find.
func Module() *modules.Module {
	return modules.Define(modules.Spec{
		Name:  "find",
		Short: "Lists files and directories by name, age, size, type, mode and content",
		Doc: "A directory of paths that is missing or may not be read is told in skipped_paths, and is no failure. " +
			files.PatternNote + "\n\nLeft out: encoding.",
		ReadOnly: true,
		Returns: []modules.Return{
			{Name: "files", Type: "list", Doc: "What was found, in order of the names: maps as stat returns them, with checksum when asked for."},
			{Name: "matched", Type: "int", Doc: "How many were found."},
			{Name: "examined", Type: "int", Doc: "How many were looked at."},
			{Name: "skipped_paths", Type: "map", Doc: "Directories that were not searched, with the reason."},
			{Name: "msg", Type: "string", Doc: "Whether all paths were searched."},
		},
		Examples: `- find:
    paths: /var/backups
    patterns: "*.gz"
    age: 4w
  register: old
`,
	}, build)
}

func build(env modules.Env, a *args) (modules.Action, error) {
	f, err := a.filter()
	if err != nil {
		return nil, err
	}
	return modules.Read(func(ctx context.Context, r host.Reader) (modules.Outcome, error) {
		s := &search{args: a, filter: f, ctx: ctx, r: r, found: []any{}, skipped: map[string]any{}}
		for _, p := range a.Paths {
			at, err := files.Expand(ctx, env, r, p)
			if err != nil {
				return modules.Outcome{}, err
			}
			if err := s.root(path.Clean(at)); err != nil {
				return modules.Outcome{}, err
			}
		}
		msg := "All paths examined"
		if len(s.skipped) > 0 {
			msg = "Not all paths examined, check warnings for details"
		}
		return modules.Outcome{Values: map[string]any{
			"files": s.found, "matched": len(s.found), "examined": s.examined, "skipped_paths": s.skipped, "msg": msg,
		}}, nil
	}), nil
}

// search walks.
type search struct {
	*args
	filter   *filter
	ctx      context.Context
	r        host.Reader
	found    []any
	examined int
	skipped  map[string]any
}

// maxDepth stops a walk that links lead in circles.
const maxDepth = 64

// root searches one of the paths; one that cannot be read is skipped.
func (s *search) root(p string) error {
	info, err := s.r.Stat(p)
	if err == nil && info.Type != host.Directory {
		s.skipped[p] = fmt.Sprintf("'%s' is not a directory", p)
		return nil
	}
	if err == nil {
		err = s.dir(p, 1)
	}
	return s.skip(p, err)
}

// skip notes what people expect when they search broadly: a path that is
// missing or closed. Anything else is an error.
func (s *search) skip(p string, err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		s.skipped[p] = err.Error()
		return nil
	}
	return err
}

func (s *search) full() bool { return s.Limit != nil && len(s.found) >= *s.Limit }

func (s *search) dir(p string, depth int) error {
	list, err := s.r.ReadDir(p)
	if err != nil {
		return err
	}
	for _, e := range list {
		if s.full() {
			return nil
		}
		if err := s.ctx.Err(); err != nil {
			return err
		}
		s.examined++
		if name := path.Base(e.Path); name[0] == '.' && !s.Hidden {
			continue
		}
		if err := s.entry(e); err != nil {
			return err
		}
		if s.deeper(e, depth) {
			if err := s.skip(e.Path, s.dir(e.Path, depth+1)); err != nil {
				return err
			}
		}
	}
	return nil
}

// deeper reports whether a directory is to be searched.
func (s *search) deeper(e host.FileInfo, depth int) bool {
	if !s.Recurse || s.Depth != nil && depth >= *s.Depth || depth >= maxDepth {
		return false
	}
	if e.Type == host.Link && s.Follow {
		to, err := s.r.Stat(e.Path)
		return err == nil && to.Type == host.Directory
	}
	return e.Type == host.Directory
}

// entry lists what fits.
func (s *search) entry(e host.FileInfo) error {
	fits, err := s.filter.fits(s.r, e)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, os.ErrPermission) {
		return nil // as grep -s: what may not be read does not match
	}
	if err != nil || !fits {
		return err
	}
	v, err := files.StatValues(s.ctx, s.r, e)
	if err != nil {
		return err
	}
	delete(v, "exists")
	if s.GetChecksum && e.Type == host.File {
		if v["checksum"], err = files.Checksum(s.r, e.Path, s.Algorithm); err != nil {
			return err
		}
	}
	s.found = append(s.found, v)
	return nil
}
