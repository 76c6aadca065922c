// Package std is the one list of the modules that ship with foobar-play. A new
// module adds one line here, in alphabetical order, and nothing else outside
// its own package. An embedder builds a registry from this list and their own.
package std

import (
	"github.com/foobar-play/foobar-play/pkg/modules"
	"github.com/foobar-play/foobar-play/pkg/modules/addhost"
	"github.com/foobar-play/foobar-play/pkg/modules/apt"
	"github.com/foobar-play/foobar-play/pkg/modules/assert"
	"github.com/foobar-play/foobar-play/pkg/modules/authorizedkey"
	"github.com/foobar-play/foobar-play/pkg/modules/blockinfile"
	"github.com/foobar-play/foobar-play/pkg/modules/command"
	"github.com/foobar-play/foobar-play/pkg/modules/copy"
	"github.com/foobar-play/foobar-play/pkg/modules/cron"
	"github.com/foobar-play/foobar-play/pkg/modules/debug"
	"github.com/foobar-play/foobar-play/pkg/modules/fail"
	"github.com/foobar-play/foobar-play/pkg/modules/fetch"
	"github.com/foobar-play/foobar-play/pkg/modules/file"
	"github.com/foobar-play/foobar-play/pkg/modules/find"
	"github.com/foobar-play/foobar-play/pkg/modules/geturl"
	"github.com/foobar-play/foobar-play/pkg/modules/group"
	"github.com/foobar-play/foobar-play/pkg/modules/groupby"
	"github.com/foobar-play/foobar-play/pkg/modules/haproxy"
	"github.com/foobar-play/foobar-play/pkg/modules/hostname"
	"github.com/foobar-play/foobar-play/pkg/modules/includevars"
	"github.com/foobar-play/foobar-play/pkg/modules/lineinfile"
	"github.com/foobar-play/foobar-play/pkg/modules/mysqldb"
	"github.com/foobar-play/foobar-play/pkg/modules/mysqlinfo"
	"github.com/foobar-play/foobar-play/pkg/modules/mysqlquery"
	"github.com/foobar-play/foobar-play/pkg/modules/mysqlreplication"
	"github.com/foobar-play/foobar-play/pkg/modules/mysqluser"
	"github.com/foobar-play/foobar-play/pkg/modules/mysqlvariables"
	"github.com/foobar-play/foobar-play/pkg/modules/opensslcsr"
	"github.com/foobar-play/foobar-play/pkg/modules/opensslprivatekey"
	"github.com/foobar-play/foobar-play/pkg/modules/ospackage"
	"github.com/foobar-play/foobar-play/pkg/modules/pause"
	"github.com/foobar-play/foobar-play/pkg/modules/ping"
	"github.com/foobar-play/foobar-play/pkg/modules/raw"
	"github.com/foobar-play/foobar-play/pkg/modules/replace"
	"github.com/foobar-play/foobar-play/pkg/modules/script"
	"github.com/foobar-play/foobar-play/pkg/modules/service"
	"github.com/foobar-play/foobar-play/pkg/modules/setfact"
	"github.com/foobar-play/foobar-play/pkg/modules/setup"
	"github.com/foobar-play/foobar-play/pkg/modules/shell"
	"github.com/foobar-play/foobar-play/pkg/modules/slurp"
	"github.com/foobar-play/foobar-play/pkg/modules/stat"
	"github.com/foobar-play/foobar-play/pkg/modules/sysctl"
	"github.com/foobar-play/foobar-play/pkg/modules/systemd"
	"github.com/foobar-play/foobar-play/pkg/modules/tempfile"
	"github.com/foobar-play/foobar-play/pkg/modules/template"
	"github.com/foobar-play/foobar-play/pkg/modules/ufw"
	"github.com/foobar-play/foobar-play/pkg/modules/uri"
	"github.com/foobar-play/foobar-play/pkg/modules/user"
	"github.com/foobar-play/foobar-play/pkg/modules/waitfor"
	"github.com/foobar-play/foobar-play/pkg/modules/x509certificate"
	"github.com/foobar-play/foobar-play/pkg/modules/x509certificateinfo"
)

// All lists the modules that ship, by package name. The list is new at every
// call and may be changed by the caller.
func All() []*modules.Module {
	return []*modules.Module{
		addhost.Module(),
		apt.Module(),
		assert.Module(),
		authorizedkey.Module(),
		blockinfile.Module(),
		command.Module(),
		copy.Module(),
		cron.Module(),
		debug.Module(),
		fail.Module(),
		fetch.Module(),
		file.Module(),
		find.Module(),
		geturl.Module(),
		group.Module(),
		groupby.Module(),
		haproxy.Module(),
		hostname.Module(),
		includevars.Module(),
		lineinfile.Module(),
		mysqldb.Module(),
		mysqlinfo.Module(),
		mysqlquery.Module(),
		mysqlreplication.Module(),
		mysqluser.Module(),
		mysqlvariables.Module(),
		opensslcsr.Module(),
		opensslprivatekey.Module(),
		ospackage.Module(),
		pause.Module(),
		ping.Module(),
		raw.Module(),
		replace.Module(),
		script.Module(),
		service.Module(),
		setfact.Module(),
		setup.Module(),
		shell.Module(),
		slurp.Module(),
		stat.Module(),
		sysctl.Module(),
		systemd.Module(),
		systemd.ServiceModule(),
		tempfile.Module(),
		template.Module(),
		ufw.Module(),
		uri.Module(),
		user.Module(),
		waitfor.Module(),
		x509certificate.Module(),
		x509certificateinfo.Module(),
	}
}
