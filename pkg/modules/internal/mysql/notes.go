package mysql

// The kinds of notes that a dry run leaves (see host.Writer.Note): what will
// be, by the name of the thing. Their values are the modules' own.
const (
	DatabaseNote    = "mysql database"
	UserNote        = "mysql user"         // by AccountName.String
	UserHostsNote   = "mysql user's hosts" // by the user's name: []string
	VariableNote    = "mysql variable"     // by the variable's name
	ReplicationNote = "mysql replication"  // by the channel's name
)
