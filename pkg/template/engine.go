package template

import (
	"fmt"
	"slices"
	"sync"
)

// Config sets an Engine up. The zero value is valid.
type Config struct {
	// EnvAllow names the environment variables of this process that
	// `lookup "env"` may read. None by default.
	EnvAllow []string
	// Funcs adds functions, or replaces those of the language. A function
	// takes and returns what `any` of the language is: parameters string, any
	// integer or float, bool, any, []string, []any, map[string]any; it returns
	// a value, or a value and an error. It must give the same for the same
	// arguments, and must not keep or change them. A panic in it is an error
	// of the template.
	Funcs map[string]any
}

// Engine compiles templates. It is immutable after New, safe for concurrent
// use, and independent of other Engines.
type Engine struct {
	funcs map[string]*function
	names []string
	env   []string
	files fileCache

	texts      sync.Mutex
	tpls       map[string]*compiled // of the function tpl
	badFuncErr error
}

// New makes an Engine. A value of cfg.Funcs that is no proper function is
// reported by every Compile.
func New(cfg Config) *Engine {
	e := &Engine{funcs: map[string]*function{}, env: slices.Clone(cfg.EnvAllow), tpls: map[string]*compiled{}}
	for _, table := range tables {
		for _, f := range table() {
			e.funcs[f.name] = f
		}
	}
	for _, name := range keys(cfg.Funcs) {
		f, err := adapt(name, cfg.Funcs[name])
		if err != nil {
			e.badFuncErr = fmt.Errorf("set up templates: %w", err)
			continue
		}
		e.funcs[name] = f
	}
	e.names = keys(e.funcs)
	return e
}

// Functions lists the names of all functions, sorted.
func (e *Engine) Functions() []string { return slices.Clone(e.names) }

// tables are where the functions are.
var tables = []func() []*function{
	sprigTable, logicTable, compareTable, mathTable, listTable, selectTable, mapTable,
	textTable, regexTable, encodeTable, resultTable, fileTable,
}
