package host

import "strings"

// PendingNote is the kind of note that says: something is to be installed that
// may bring files, commands and accounts which cannot be foreseen. Its value
// is the reason, a clause for people. See NotePending.
const PendingNote = "pending"

// NotePending records in a dry run that name (a package, say) is not there yet
// and may bring things that cannot be foreseen: "package nginx is not
// installed yet and may ship it". From then on the shadow answers
// *UnknownError where it would otherwise have to say "not there". An empty
// reason takes the note back. On a real host it does nothing.
func NotePending(w Writer, name, reason string) {
	if reason == "" {
		w.Note(PendingNote, name, nil)
		return
	}
	w.Note(PendingNote, name, reason)
}

// NotePendingAnywhere is NotePending for what may make things anywhere, also
// where packages ship nothing: a command that a dry run does not execute.
func NotePendingAnywhere(w Writer, name, reason string) {
	w.Note(PendingNote, name, pendingAnywhere(reason))
}

type pendingAnywhere string

// Pending reports whether anything is pending, and the reason of the latest.
// Code that looks for what is not a file (an account, a unit) asks it before
// it says "not there".
func Pending(r Reader) (reason string, ok bool) {
	v, ok := r.Noted(PendingNote, "")
	if !ok {
		return "", false
	}
	reason, ok = v.(string)
	return reason, ok
}

// UnknownPathNote is the kind of note that says: something is to be at a path,
// but what cannot be foreseen. See NoteUnknownPath.
const UnknownPathNote = "unknown path"

// NoteUnknownPath records in a dry run that the run leaves something at path,
// or changes what is below it, that cannot be foreseen: what a download or an
// archive holds. From then on whoever looks there, or below, gets
// *UnknownError, until something is written there. reason is a clause for
// people. On a real host it does nothing.
func NoteUnknownPath(w Writer, path, reason string) { w.Note(UnknownPathNote, path, reason) }

// Pretends reports whether w belongs to a dry run: what is written to it
// reaches no host.
func Pretends(w Writer) bool {
	_, ok := w.(interface{ Pretended() bool })
	return ok
}

// unshipped are where packages put nothing, by Debian's policy and the
// Filesystem Hierarchy Standard: what is not there now is not brought by one.
var unshipped = []string{
	"/home", "/root", "/tmp", "/var/tmp", "/run/user", "/usr/local", "/srv", "/mnt", "/media",
	"/proc", "/sys", "/dev", "/boot/efi", "/lost+found",
}

// shippable reports whether a package may bring path.
func shippable(path string) bool {
	for _, dir := range unshipped {
		if path == dir || strings.HasPrefix(path, dir+"/") {
			return false
		}
	}
	return true
}
