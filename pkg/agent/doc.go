// Package agent runs modules on a host. It owns both halves: the agent, which
// is this very program started on the host with a marker as its first
// argument, and the Client on the controller that ships it there, starts it
// and talks to it.
//
// The two talk in length-prefixed CBOR frames over the agent's stdin and
// stdout: one request, one reply, streamed output between, content by hash in
// chunks. The agent runs requests in the order of arrival. It leaves when its
// stdin ends, and takes everything it started with it.
//
// There is one agent per host and become user. Each user has a copy of the
// program in a private cache directory, named by its content, so that it is
// shipped once and reused.
//
// The package must not know of playbooks, templates or the runner; it sees
// connections, modules and hosts.
package agent
