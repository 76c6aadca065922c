package host

// Pretending reports whether what is written to w is only pretended, as in a
// dry run. It is for values that only a real run can give (a generated key, a
// number the system chooses): they are left unknown then, not invented.
func Pretending(w Writer) bool {
	const kind = "pretending"
	w.Note(kind, "", true)
	_, noted := w.Noted(kind, "")
	w.Note(kind, "", nil)
	return noted
}
