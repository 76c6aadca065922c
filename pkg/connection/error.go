package connection

// ErrorKind says what went wrong on the way to a host.
type ErrorKind string

// The kinds of Error.
const (
	BadConfig      ErrorKind = "config"           // ssh_config, key file or target cannot be used
	UnknownName    ErrorKind = "dns"              // the name does not resolve
	Refused        ErrorKind = "refused"          // nothing listens on the port
	NoRoute        ErrorKind = "no-route"         // network or host unreachable
	Timeout        ErrorKind = "timeout"          // no answer in time
	Cancelled      ErrorKind = "cancelled"        // the caller's context ended
	Handshake      ErrorKind = "handshake"        // no SSH server, or no common algorithm
	HostKeyUnknown ErrorKind = "host-key-unknown" // first contact
	HostKeyChanged ErrorKind = "host-key-changed" // another key than the known one, or a revoked one
	AuthFailed     ErrorKind = "auth"             // no key or password was accepted
	NoSession      ErrorKind = "session"          // the server refused to start a process
	NoAgent        ErrorKind = "agent"            // our agent cannot be installed or started there
	Lost           ErrorKind = "lost"             // was connected, is no more
)

// Error says that a host cannot be reached, or no longer. The runner reports
// it as "unreachable".
type Error struct {
	Host string // the inventory name
	Kind ErrorKind
	Msg  string // what, where, why and what to do; may have several lines
	Err  error  // the cause, may be nil
}

// Error gives "HOST: message".
func (e *Error) Error() string {
	if e.Host == "" {
		return e.Msg
	}
	return e.Host + ": " + e.Msg
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }
