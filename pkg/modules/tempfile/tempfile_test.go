package tempfile_test

import (
	"strings"
	"testing"

	"github.com/foobar-play/foobar-play/pkg/host"
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/modulestest"
	"github.com/foobar-play/foobar-play/pkg/modules/tempfile"
	"github.com/foobar-play/foobar-play/pkg/value"
)

type m = map[string]any

func TestConformance(t *testing.T) {
	fake := modulestest.NewTestHost(nil)
	for name, c := range map[string]modulestest.Case{
		"file":       {Host: fake, Args: m{"path": "/srv"}, Repeats: true, Values: m{"mode": "0600", "state": "file", "size": 0}},
		"directory":  {Args: m{"path": "$DIR", "state": "directory", "prefix": "x", "suffix": ".d"}, Repeats: true, Values: m{"mode": "0700", "state": "directory"}},
		"no parent":  {Host: fake, Args: m{"path": "/srv/none"}, WantErr: "the directory /srv/none"},
		"not a path": {Host: fake, Args: m{"path": "srv"}, WantErr: "is relative"},
	} {
		c.Module = tempfile.Module()
		t.Run(name, func(t *testing.T) { modulestest.Conformance(t, c) })
	}
	if errs := tempfile.Module().CheckArgs(m{"prefix": "../"}, nil); !strings.Contains(errs.Error(), "no slash") {
		t.Fatal(errs)
	}
}

// Two runs make two files; in a dry run the path is not known.
func TestPath(t *testing.T) {
	h := modulestest.NewHost(t)
	exec := func(w host.Writer, check bool) any {
		a, err := tempfile.Module().Build(modules.Env{Environ: []string{"TMPDIR=/srv"}}, m{"suffix": ".x"})
		if err != nil {
			t.Fatal(err)
		}
		res, err := modules.Execute(t.Context(), "tempfile", a, w, modules.Mode{Check: check})
		if err != nil || !res.Changed {
			t.Fatalf("%+v %v", res, err)
		}
		return res.Values["path"]
	}
	if u, ok := exec(host.NewShadow(h), true).(value.Unknown); !ok || u.Reason == "" {
		t.Fatal("the dry run made a path up")
	}
	one, two := exec(h, false).(string), exec(h, false).(string)
	if one == two || !strings.HasPrefix(one, "/srv/ansible.") || !strings.HasSuffix(two, ".x") {
		t.Fatalf("%s, %s", one, two)
	}
	if list, _ := h.ReadDir("/srv"); len(list) != 2 {
		t.Fatalf("%v", list)
	}
}
