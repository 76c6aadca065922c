package lab

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// recipeVersion changes when bases must be built anew for a reason that the
// rest of the recipe does not show.
const recipeVersion = 1

// baseLifetime is how long package lists stay good enough to install from;
// bases are built anew after it.
const baseLifetime = 14 * 24 * time.Hour

// basePackages is what a small Debian server has beside the required ones.
var basePackages = []string{
	"systemd", "systemd-sysv", "libpam-systemd", "dbus", "openssh-server", "iproute2", "iputils-ping",
	"ca-certificates", "sudo", "procps", "netbase", "cron",
}

// recipe is everything a base system depends on. Its hash names the base.
type recipe struct {
	Version  int
	Epoch    int64 // changes once per baseLifetime
	Suite    string
	Arch     string
	Packages []string
	Mirror   string
	Sources  string
	Apt      string            // settings for fetching packages
	Files    map[string]string // copied from the machine: certificates
	Script   string
}

// baseScript finishes a base from inside. It runs under "sh -eu".
const baseScript = `
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
useradd --uid 1000 --create-home --shell /bin/bash ` + User + `
useradd --uid 1001 --create-home --shell /bin/bash --groups sudo ` + PasswordUser + `
useradd --uid 1002 --create-home --shell /bin/bash ` + PlainUser + `
printf '%s\n' '` + PasswordUser + `:` + Password + `' 'root:` + RootPassword + `' | chpasswd
printf '%s\n' '` + User + ` ALL=(ALL:ALL) NOPASSWD: ALL' > /etc/sudoers.d/` + User + `
chmod 0440 /etc/sudoers.d/` + User + `
for home in /root /home/*; do
  user=$(basename "$home")
  install -d -m 0700 -o "$user" -g "$user" "$home/.ssh"
done
systemctl enable systemd-networkd.service
systemctl mask apt-daily.timer apt-daily-upgrade.timer systemd-networkd-wait-online.service
rm -f /etc/ssh/ssh_host_*
: > /etc/machine-id
update-ca-certificates
apt-get update
rm -f /var/cache/apt/archives/*.deb
`

var copiedByApt = regexp.MustCompile(`(?im)^Acquire::https?::(?:.*::)?(?:CaInfo|SslCert|SslKey|CrlFile) "(/[^"]+)";`)

// newRecipe reads from the machine what a base of the suite depends on.
func newRecipe(ctx context.Context, suite string) (recipe, error) {
	source, err := findMirror(os.DirFS("/"), os.Getenv)
	if err != nil {
		return recipe{}, fmt.Errorf("choose a mirror: this machine lacks %w", err)
	}
	dump, _ := run(ctx, "apt-config", "dump") // no apt, no settings to copy
	r := recipe{
		Version: recipeVersion, Epoch: time.Now().Unix() / int64(baseLifetime.Seconds()),
		Suite: suite, Arch: runtime.GOARCH, Packages: basePackages,
		Mirror: source.url, Sources: source.lines(suite), Apt: aptSettings(dump, os.Getenv),
		Files: map[string]string{}, Script: baseScript,
	}
	copied, _ := filepath.Glob("/usr/local/share/ca-certificates/*.crt")
	for _, m := range copiedByApt.FindAllStringSubmatch(r.Apt, -1) {
		copied = append(copied, m[1])
	}
	for _, path := range copied {
		if data, err := os.ReadFile(path); err == nil {
			r.Files[path] = string(data)
		}
	}
	return r, nil
}

// name is the base's directory name: suite and hash.
func (r recipe) name() string {
	data, err := json.Marshal(r)
	if err != nil {
		panic(err) // strings and numbers only
	}
	sum := sha256.Sum256(data)
	return r.Suite + "-" + hex.EncodeToString(sum[:6])
}

// ensureBase returns the recipe's base directory, building it when there is
// none yet. Of two callers at once, one builds and the other waits.
func (c cache) ensureBase(ctx context.Context, r recipe, log io.Writer) (string, error) {
	unlock, err := lockFile(ctx, filepath.Join(c.bases(), ".lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	base := filepath.Join(c.bases(), r.name())
	if _, err := os.Stat(base); err == nil {
		return base, nil
	}
	temp := filepath.Join(c.bases(), ".building-"+r.name())
	if err := c.clearUnfinished(ctx); err != nil {
		return "", fmt.Errorf("clear an unfinished base: %w", err)
	}
	started := time.Now()
	fmt.Fprintf(log, "building the %s base system (once, a minute or two)\n", r.Suite)
	if err := r.build(ctx, temp, log); err != nil {
		return "", errors.Join(fmt.Errorf("build the %s base system: %w", r.Suite, err), removeTree(temp))
	}
	if err := os.Rename(temp, base); err != nil {
		return "", errors.Join(fmt.Errorf("keep the new base system: %w", err), removeTree(temp))
	}
	fmt.Fprintf(log, "built %s in %s\n", base, time.Since(started).Round(time.Second))
	return base, c.pruneBases(r)
}

// clearUnfinished removes what a killed build left, and ends its debootstrap
// if that has outlived it. The caller holds the bases' lock.
func (c cache) clearUnfinished(ctx context.Context) error {
	dirs, err := filepath.Glob(filepath.Join(c.bases(), ".building-*"))
	for _, dir := range dirs {
		err = errors.Join(err, until(ctx, "an unfinished build has ended", func() (bool, error) {
			left := append(findProcesses(dir), rootedIn(dir)...)
			for _, p := range left {
				_ = send(p.PID, syscall.SIGKILL)
			}
			return len(left) == 0, nil
		}), removeTree(dir))
	}
	return err
}

// build makes a base system in dir.
func (r recipe) build(ctx context.Context, dir string, log io.Writer) error {
	bootstrap := command(ctx, "debootstrap", "--variant=minbase", "--include="+strings.Join(r.Packages, ","), r.Suite, dir, r.Mirror)
	if m := regexp.MustCompile(`(?im)^Acquire::http::Proxy "([^"]+)";`).FindStringSubmatch(r.Apt); m != nil {
		bootstrap.Env = append(bootstrap.Env, "http_proxy="+m[1])
	}
	if err := logged(ctx, bootstrap, log); err != nil {
		return fmt.Errorf("run debootstrap: %w", err)
	}
	files := map[string]string{
		"/etc/apt/sources.list": r.Sources,
		"/etc/apt/apt.conf.d/90lab": r.Apt +
			"Binary::apt::APT::Keep-Downloaded-Packages \"true\";\nAPT::Keep-Downloaded-Packages \"true\";\n",
	}
	resolver, err := readResolver()
	if err != nil {
		return err
	}
	files["/etc/resolv.conf"] = resolver
	for path, content := range r.Files {
		files[path] = content
	}
	for path, content := range files {
		if err := os.MkdirAll(filepath.Dir(dir+path), 0o755); err != nil {
			return fmt.Errorf("write %s: %w", path, err)
		}
		if err := writeAtomic(dir+path, []byte(content), 0o644); err != nil {
			return err
		}
	}
	finish := command(ctx, "chroot", dir, "/usr/bin/env", "-i",
		"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "sh", "-eu", "-c", r.Script)
	if err := logged(ctx, finish, log); err != nil {
		return fmt.Errorf("finish the base: %w", err)
	}
	return checkNoPython(dir)
}

// checkNoPython refuses a base that has Python: tests on such hosts would not
// notice when something starts to lean on it.
func checkNoPython(dir string) error {
	for _, pattern := range []string{"bin/python*", "lib/python*", "local/bin/python*"} {
		if found, _ := filepath.Glob(filepath.Join(dir, "usr", pattern)); len(found) > 0 {
			return fmt.Errorf("check the base: it must be free of Python but has %s", found[0])
		}
	}
	return nil
}

// pruneBases removes bases of the recipe's suite that neither the recipe nor
// a running lab uses.
func (c cache) pruneBases(r recipe) error {
	used := []string{r.name()}
	for _, rec := range readRecords() {
		used = append(used, filepath.Base(rec.Base))
	}
	bases, err := filepath.Glob(filepath.Join(c.bases(), r.Suite+"-*"))
	for _, base := range bases {
		if !slices.Contains(used, filepath.Base(base)) {
			err = errors.Join(err, removeTree(base))
		}
	}
	return err
}

// readResolver is the machine's resolv.conf, or, where that points to a
// resolver on loopback, the one behind it.
func readResolver() (string, error) {
	data, err := os.ReadFile("/etc/resolv.conf")
	if strings.Contains(string(data), "nameserver 127.") {
		if behind, behindErr := os.ReadFile("/run/systemd/resolve/resolv.conf"); behindErr == nil {
			data, err = behind, nil
		}
	}
	if err != nil {
		return "", fmt.Errorf("read the machine's name servers: %w", err)
	}
	return string(data), nil
}
