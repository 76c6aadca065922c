package agent

import "strings"

// bootstrapScript finds the agent's program on the host and becomes it, or
// asks for it: one line of POSIX shell without single quotes, exclamation
// marks, backslashes and newlines, so that every login shell hands it on
// unharmed.
//
// It talks in lines that begin with "foobar-play NONCE": RUN before it starts
// a program that was there; NEED and the platform when none was; SEND when
// none of the name offered by "try NAME" was either; ERR and the reason. Then
// it takes "put NAME LENGTH SHA256 gz|raw" and LENGTH bytes.
//
// The directory must be ours alone (0700, no link) and must run programs;
// otherwise the next one is tried. A program appears under its name only when
// it is whole, by a rename.
var bootstrapScript = oneLine(`
m=$(umask); umask 077; u=$(id -u);
say() { echo "foobar-play @NONCE@ $*"; };
own() { set -- $(ls -ldn "$1" 2>/dev/null) - - -; case "$1 $3" in drwx--[-S]---*" $u") return 0;; esac; return 1; };
run() { say RUN; umask $m; exec "$1" @MARKER@ @NONCE@ $2; };
try() { for d in "$c1" "$c2"; do
  if [ -x "$d/$1" ] && [ -s "$d/$1" ] && own "$d"; then run "$d/$1"; fi;
done; };
c1="@HOME@/foobar-play"; c2="/var/tmp/foobar-play-$u";
for n in @NAMES@; do try $n; done;
w=; g=;
for d in "$c1" "$c2"; do
  t="$d/.try-@NONCE@";
  if e=$(mkdir -p "$d" 2>&1) && own "$d"; then
    if e=$( { echo "exit 0" >"$t"; } 2>&1 ) && e=$(chmod 700 "$t" 2>&1) && e=$("$t" 2>&1); then rm -f "$t"; g="$d"; break; fi;
    rm -f "$t"; w="$w; $d: ${e:-programs cannot be run there}";
  else w="$w; $d: ${e:-not a directory of ours with mode 0700}"; fi;
done;
if [ -z "$g" ]; then say ERR "there is no place for the agent program$w"; exit 1; fi;
z=raw; if command -v gzip >/dev/null 2>&1; then z=gz; fi;
say NEED $(uname -sm) $z;
while read -r c n l s z; do case "$c" in try) try "$n"; say SEND;; put) break;; esac; done;
if [ "$c" = put ]; then :; else exit 1; fi;
t="$g/.new-@NONCE@";
if [ "$z" = gz ]; then e=$( { head -c "$l" | gzip -dc >"$t"; } 2>&1 ); else e=$( { head -c "$l" >"$t"; } 2>&1 ); fi; r=$?;
if [ $r = 0 ]; then h=$(sha256sum <"$t" 2>/dev/null); case "$h" in ""|"$s "*) ;; *) r=1; e="what arrived is damaged: ${e:-$h}";; esac; fi;
if [ $r = 0 ]; then e=$( { chmod 700 "$t" && mv -f "$t" "$g/$n"; } 2>&1 ); r=$?; fi;
if [ $r = 0 ]; then run "$g/$n" installed; fi;
rm -f "$t"; say ERR "write the agent program to $g: $e"; exit 1
`)

// oneLine joins the lines of a script in which every statement is closed.
func oneLine(script string) string { return strings.Join(strings.Fields(script), " ") }

// bootstrap fills the script in. Programs of these names are run without asking
// when they are there.
func bootstrap(nonce string, names []string, become bool) string {
	home := "${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}"
	if become {
		// su hands XDG_CACHE_HOME of the first user on.
		home = "${HOME:-/nonexistent}/.cache"
	}
	return strings.NewReplacer("@NONCE@", nonce, "@MARKER@", marker, "@HOME@", home, "@NAMES@", strings.Join(names, " ")).Replace(bootstrapScript)
}
