// Package user is the module user: users of a host. What is known of accounts
// lives in pkg/host/accounts; this package knows the options, compares them
// with what is, and says what has to be set.
package user

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/foobar-play/foobar-play/pkg/modules"
)

// Options are the options of the module user.
type Options struct {
	Name             string   `arg:"name,required,alias=user" doc:"The user."`
	State            string   `arg:"state" default:"present" choices:"absent,present" doc:"Whether the user is there."`
	UID              *int     `arg:"uid" doc:"Its number; left out: any."`
	NonUnique        bool     `arg:"non_unique" doc:"The number may be another user's; needs uid."`
	Comment          *string  `arg:"comment" doc:"The full name."`
	Group            string   `arg:"group" doc:"The primary group, by name or number; it must be there. A new user gets a group of its own name otherwise."`
	Groups           []string `arg:"groups" doc:"The supplementary groups; an empty list takes the user out of all. They must be there."`
	Append           bool     `arg:"append" doc:"Add to the supplementary groups, take away none; needs groups."`
	Home             *string  `arg:"home" doc:"The home directory."`
	CreateHome       bool     `arg:"create_home,alias=createhome" default:"true" doc:"Make the home directory when it is not there."`
	MoveHome         bool     `arg:"move_home" doc:"Move the home directory when home changes."`
	Skeleton         string   `arg:"skeleton" doc:"Directory whose content a new home gets."`
	Umask            string   `arg:"umask" doc:"Octal umask of a new home."`
	Shell            *string  `arg:"shell" doc:"The login shell."`
	System           bool     `arg:"system" doc:"Choose the number of a new user from those of the system's."`
	Password         *string  `arg:"password,secret" doc:"The password's crypt(3) hash, not the password; * or ! for none that fits."`
	UpdatePassword   string   `arg:"update_password" default:"always" choices:"always,on_create" doc:"When to set the password."`
	PasswordLock     *bool    `arg:"password_lock" doc:"Lock the password; other ways to log in stay open."`
	PasswordMax      *int     `arg:"password_expire_max" doc:"Days after which the password must be changed."`
	PasswordMin      *int     `arg:"password_expire_min" doc:"Days before which the password may not be changed."`
	PasswordWarn     *int     `arg:"password_expire_warn" doc:"Days before its end from which the user is warned."`
	Expires          *float64 `arg:"expires" doc:"When the account ends, in seconds since 1970; negative: never."`
	Remove           bool     `arg:"remove" doc:"With state absent: delete the home and mail too."`
	Force            bool     `arg:"force" doc:"With state absent: even when the user is logged in. With generate_ssh_key: make a new key."`
	GenerateSSHKey   bool     `arg:"generate_ssh_key" doc:"Make an SSH key for the user when there is none."`
	SSHKeyBits       int      `arg:"ssh_key_bits" doc:"Size of the key; left out: the usual one of its type."`
	SSHKeyType       string   `arg:"ssh_key_type" default:"rsa" choices:"rsa,ecdsa,ed25519" doc:"Type of the key."`
	SSHKeyFile       string   `arg:"ssh_key_file" doc:"File of the key, relative to the home; left out: .ssh/id_TYPE."`
	SSHKeyComment    string   `arg:"ssh_key_comment" doc:"Comment of the key; left out: ansible-generated and the host's name."`
	SSHKeyPassphrase string   `arg:"ssh_key_passphrase,secret" doc:"Passphrase of the key; left out: none."`
}

// hash is what may stand in the field of a password: nothing, crypt's modular
// or traditional form, or something no password fits.
var hash = regexp.MustCompile(`^(|!{0,2}(\$[^:]+|_[./0-9A-Za-z]{19}|[./0-9A-Za-z]{13})|[*!]+[^:]*)$`)

// Check finds options that do not go together.
func (o *Options) Check() error {
	switch {
	case o.NonUnique && o.UID == nil:
		return errors.New("non_unique needs the option uid")
	case o.Append && o.Groups == nil:
		return errors.New("append needs the option groups")
	case o.MoveHome && o.Home == nil:
		return errors.New("move_home needs the option home")
	case o.Password != nil && !hash.MatchString(*o.Password):
		return errors.New(`password is not a crypt hash: make one, with openssl passwd -6 for instance, and give that`)
	case o.Home != nil && (len(*o.Home) == 0 || (*o.Home)[0] != '/'):
		return fmt.Errorf("home must be an absolute path, not %q", *o.Home)
	}
	return nil
}

// Module is the module user.
func Module() *modules.Module {
	return modules.Define(modules.Spec{
		Name:  "user",
		Short: "Manage users",
		Doc: `Makes, changes and removes users of /etc/passwd. Password hashes never appear on a command line.
A password that is no hash is refused (Ansible only warns). When a group has the name of a new user, it becomes its primary group.
Left out against Ansible: local (it is always so), hidden, seuser, login_class, profile, authorization, role, uid_min, uid_max
and password_expire_account_disable.`,
		Returns:  returns,
		Examples: examples,
	}, func(env modules.Env, o *Options) (modules.Action, error) {
		return modules.Managed(&resource{Options: o}), nil
	})
}

var returns = []modules.Return{
	{Name: "name", Type: "string", Doc: "The user."},
	{Name: "state", Type: "string", Doc: "The option state."},
	{Name: "uid", Type: "int", Doc: "Its number, when it is there."},
	{Name: "group", Type: "int", Doc: "The number of its primary group."},
	{Name: "groups", Type: "string", Doc: "The option groups, between commas, when given."},
	{Name: "append", Type: "bool", Doc: "The option append."},
	{Name: "comment", Type: "string", Doc: "The full name."},
	{Name: "home", Type: "string", Doc: "The home directory."},
	{Name: "shell", Type: "string", Doc: "The login shell."},
	{Name: "create_home", Type: "bool", Doc: "The option create_home."},
	{Name: "move_home", Type: "bool", Doc: "The option move_home."},
	{Name: "system", Type: "bool", Doc: "The option system."},
	{Name: "password", Type: "string", Doc: "NOT_LOGGING_PASSWORD, when a password was given."},
	{Name: "remove, force", Type: "bool", Doc: "The options, with state absent."},
	{Name: "ssh_key_file", Type: "string", Doc: "The key's file, with generate_ssh_key."},
	{Name: "ssh_public_key", Type: "string", Doc: "The public key, with generate_ssh_key."},
	{Name: "ssh_fingerprint", Type: "string", Doc: "The key's size, SHA256 fingerprint, comment and type, with generate_ssh_key."},
}

const examples = `- name: A user who may deploy
  user:
    name: deploy
    shell: /bin/bash
    groups: [sudo, adm]
    append: true
- name: A system user
  user:
    name: app
    system: true
    create_home: false
    shell: /usr/sbin/nologin
- name: Away with a user and its home
  user:
    name: johnd
    state: absent
    remove: true
`
