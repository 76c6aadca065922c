// Package lab gives tests real servers to work on: throw-away Debian machines
// with systemd, sshd, sudo and an address each, all on the machine the tests
// run on. A lab is a set of hosts on a bridge of its own, plus an outside
// client that sees the hosts only through the network.
//
// The package owns everything it makes: a cached base system (debootstrap),
// one overlay per host, one systemd-nspawn per host, a bridge, a network
// namespace and a few firewall rules tagged with the lab's id. It removes all
// of it on Close, on SIGINT and SIGTERM, and, when its process was killed, at
// the next Start on the machine. It ends no process it did not start.
//
// It knows nothing of playbooks: it hands out addresses, a key, known host
// keys and an inventory, and it breaks hosts and networks on request.
//
// What a lab host is not: its kernel is the machine's, so /proc/sys is
// read-only outside net, modules can't be loaded, and the clock is shared.
// Files are never synced to disk, so installing packages is faster than on a
// real server. Base systems carry no Python, on purpose.
//
// The lab needs root on Linux with the tools that Missing names.
package lab
