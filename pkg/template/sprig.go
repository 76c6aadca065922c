package template

import (
	"github.com/Masterminds/semver/v3"
	"github.com/Masterminds/sprig/v3"
)

// allowed are the functions taken from sprig as they are. What is not here is
// either ours (same meaning, with errors instead of silence) or removed.
var allowed = []string{
	"abbrev", "abbrevboth", "trunc", "trim", "upper", "lower", "title", "untitle", "substr",
	"trimall", "trimAll", "trimSuffix", "trimPrefix", "nospace", "initials", "swapcase",
	"snakecase", "camelcase", "kebabcase", "wrap", "wrapWith", "hasPrefix", "hasSuffix", "cat",
	"replace", "plural", "sha1sum", "sha256sum", "sha512sum", "adler32sum", "splitList", "splitn",
	"typeOf", "typeIs", "typeIsLike", "kindOf", "kindIs",
	"base", "dir", "clean", "ext", "isAbs", "osBase", "osClean", "osDir", "osExt", "osIsAbs",
	"b32enc", "b32dec", "semverCompare", "urlParse", "urlJoin", "duration",
}

// removed are sprig's functions that are left out, and why.
var removed = func() map[string]string {
	out := map[string]string{}
	for why, names := range map[string][]string{
		"it reads the environment (use `lookup \"env\"` with an allowed name)": {"env", "expandenv"},
		"it contacts the network": {"getHostByName"},
		"it depends on the clock, so that every run would change something": {
			"now", "ago", "date", "date_in_zone", "dateInZone", "date_modify", "dateModify", "must_date_modify", "mustDateModify",
			"htmlDate", "htmlDateInZone", "toDate", "mustToDate", "unixEpoch", "durationRound",
		},
		"it gives something else on each call, so that every run would change something": {
			"randAlphaNum", "randAlpha", "randAscii", "randNumeric", "randBytes", "randInt", "shuffle", "uuidv4",
			"bcrypt", "htpasswd", "encryptAES", "genPrivateKey", "genCA", "genCAWithKey", "genSelfSignedCert",
			"genSelfSignedCertWithKey", "genSignedCert", "genSignedCertWithKey",
		},
		"keys and certificates are made by modules": {"buildCustomCert", "derivePassword", "decryptAES"},
		"it hides its errors (use `int`)":           {"toDecimal"},
		"it says nothing":                           {"hello"},
	} {
		for _, n := range names {
			out[n] = why
		}
	}
	return out
}()

func sprigTable() []*function {
	theirs := sprig.TxtFuncMap()
	table := make([]*function, 0, len(allowed))
	for _, name := range allowed {
		table = append(table, mustAdapt(name, theirs[name]))
	}
	return append(table, mustAdapt("semver", parseSemver))
}

// parseSemver gives a version's parts under sprig's names.
func parseSemver(s string) (map[string]any, error) {
	v, err := semver.NewVersion(s)
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"Major": int(v.Major()), "Minor": int(v.Minor()), "Patch": int(v.Patch()),
		"Prerelease": v.Prerelease(), "Metadata": v.Metadata(), "Original": s,
	}, nil
}
