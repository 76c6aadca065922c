package mysql

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Version is which server answers.
type Version struct {
	MariaDB             bool
	Major, Minor, Patch int
	Full                string // as the server says it
}

var versionText = regexp.MustCompile(`^(\d+)\.(\d+)\.(\d+)`)

// ParseVersion reads @@version and @@version_comment.
func ParseVersion(version, comment string) (Version, error) {
	text := strings.TrimPrefix(version, "5.5.5-") // what MariaDB tells old clients
	m := versionText.FindStringSubmatch(text)
	if m == nil {
		return Version{}, fmt.Errorf("the server's version %q is none that is understood", version)
	}
	v := Version{MariaDB: strings.Contains(strings.ToLower(version+comment), "mariadb"), Full: version}
	v.Major, _ = strconv.Atoi(m[1])
	v.Minor, _ = strconv.Atoi(m[2])
	v.Patch, _ = strconv.Atoi(m[3])
	return v, nil
}

// AtLeast reports whether the version is this one or later, within its
// dialect.
func (v Version) AtLeast(major, minor, patch int) bool {
	have, want := [3]int{v.Major, v.Minor, v.Patch}, [3]int{major, minor, patch}
	for i := range have {
		if have[i] != want[i] {
			return have[i] > want[i]
		}
	}
	return true
}

// Engine is the server's name.
func (v Version) Engine() string {
	if v.MariaDB {
		return "MariaDB"
	}
	return "MySQL"
}

// String is for messages: "MariaDB 10.11.6".
func (v Version) String() string {
	return fmt.Sprintf("%s %d.%d.%d", v.Engine(), v.Major, v.Minor, v.Patch)
}
