// Package cron is the module cron: jobs and variables in a user's crontab or
// in a file of /etc/cron.d. Jobs are found again by the comment line
// "#Ansible: NAME" above them, as Ansible writes it.
package cron

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/foobar-play/foobar-play/pkg/modules"
)

// Options are the options of the module cron.
type Options struct {
	Name         string `arg:"name,required" doc:"The job's name, or with env the variable's."`
	Job          string `arg:"job,alias=value" doc:"The command, or with env the variable's value; needed with state present."`
	State        string `arg:"state" default:"present" choices:"absent,present" doc:"Whether the job is there."`
	User         string `arg:"user" doc:"Whose crontab; in a cron_file, the user the job runs as. Left out: the user the task runs as; in a cron_file root."`
	CronFile     string `arg:"cron_file" doc:"File to use instead of a crontab, below /etc/cron.d or with an absolute path."`
	Minute       string `arg:"minute" default:"*" doc:"0-59, *, */n …"`
	Hour         string `arg:"hour" default:"*" doc:"0-23, *, */n …"`
	Day          string `arg:"day,alias=dom" default:"*" doc:"Day of the month."`
	Month        string `arg:"month" default:"*" doc:"1-12, *, */n …"`
	Weekday      string `arg:"weekday,alias=dow" default:"*" doc:"0-6, from Sunday, or names."`
	SpecialTime  string `arg:"special_time" choices:"annually,daily,hourly,monthly,reboot,weekly,yearly" doc:"Instead of the five times."`
	Disabled     bool   `arg:"disabled" doc:"Keep the job, but as a comment."`
	Env          bool   `arg:"env" doc:"Manage a variable of the crontab, not a job."`
	InsertAfter  string `arg:"insertafter" doc:"With env: put a new variable after this one."`
	InsertBefore string `arg:"insertbefore" doc:"With env: put a new variable before this one."`
	Backup       bool   `arg:"backup" doc:"Keep what was there before a change."`
}

// Check finds options that do not go together.
func (o *Options) Check() error {
	for name, v := range map[string]string{"minute": o.Minute, "hour": o.Hour, "day": o.Day, "month": o.Month, "weekday": o.Weekday} {
		if v == "" || strings.ContainsAny(v, " \t\n") {
			return fmt.Errorf("%s: %q is no time of cron", name, v)
		}
	}
	times := o.Minute + o.Hour + o.Day + o.Month + o.Weekday
	switch {
	case o.SpecialTime != "" && times != "*****":
		return errors.New("special_time and the five times exclude each other")
	case o.State == "present" && o.Job == "":
		return errors.New("state present needs the option job")
	case strings.Contains(o.Name, "\n") || strings.ContainsAny(o.Job, "\n\r"):
		return errors.New("name and job must be one line each")
	case o.Env && strings.ContainsAny(o.Name, " \t="):
		return fmt.Errorf("%q is no name of a variable", o.Name)
	case !o.Env && (o.InsertAfter != "" || o.InsertBefore != ""):
		return errors.New("insertafter and insertbefore are for variables: they need env")
	case o.InsertAfter != "" && o.InsertBefore != "":
		return errors.New("insertafter and insertbefore exclude each other")
	}
	return nil
}

// Module is the module cron.
func Module() *modules.Module {
	return modules.Define(modules.Spec{
		Name:  "cron",
		Short: "Manage jobs of cron",
		Doc: `Manages one job, or one variable, of a crontab. What else is there stays as it is. cron itself must be installed for
crontabs of users; a file below /etc/cron.d needs nothing. A job below /etc/cron.d whose file becomes empty takes the file with it.
Left out against Ansible: the option reboot (use special_time).`,
		Returns: []modules.Return{
			{Name: "jobs", Type: "list", Doc: "The names of all jobs that are managed in the crontab."},
			{Name: "envs", Type: "list", Doc: "The names of all variables in it."},
			{Name: "cron_file", Type: "string", Doc: "The file, with cron_file."},
			{Name: "backup_file", Type: "string", Doc: "Where the old crontab is kept, with backup, after a change."},
			{Name: "state", Type: "string", Doc: "The option state."},
		},
		Examples: `- name: Look at 5 and 2
  cron:
    name: check dirs
    minute: "0"
    hour: "5,2"
    job: ls -alh > /dev/null
- name: A job of the system
  cron:
    name: yum autoupdate
    weekday: "2"
    user: root
    job: "YUMINTERACTIVE=0 /usr/sbin/yum-autoupdate"
    cron_file: ansible_yum-autoupdate
`,
	}, func(_ modules.Env, o *Options) (modules.Action, error) {
		return modules.Managed(&resource{Options: o}), nil
	})
}

// file is the cron_file's path, "" for a crontab.
func (o *Options) file() string {
	if o.CronFile == "" || path.IsAbs(o.CronFile) {
		return o.CronFile
	}
	return path.Join("/etc/cron.d", o.CronFile)
}

const marker = "#Ansible: "

// line is the job as cron reads it.
func (o *Options) line() string {
	when := strings.Join([]string{o.Minute, o.Hour, o.Day, o.Month, o.Weekday}, " ")
	if o.SpecialTime != "" {
		when = "@" + o.SpecialTime
	}
	if o.CronFile != "" {
		user := o.User
		if user == "" {
			user = "root"
		}
		when += " " + user
	}
	if o.Disabled {
		when = "#" + when
	}
	return when + " " + o.Job
}

// edit gives the lines with the job or variable as wanted.
func (o *Options) edit(lines []string) []string {
	if o.Env {
		return o.editEnv(lines)
	}
	var out []string
	done := o.State == "absent"
	for i := 0; i < len(lines); i++ {
		if lines[i] != marker+o.Name {
			out = append(out, lines[i])
			continue
		}
		i++ // the job itself
		if !done {
			out, done = append(out, marker+o.Name, o.line()), true
		}
	}
	if !done {
		out = append(out, marker+o.Name, o.line())
	}
	return out
}

// variable reads a line that sets one.
func variable(line string) (name string, ok bool) {
	name, _, ok = strings.Cut(line, "=")
	name = strings.TrimSpace(name)
	return name, ok && name != "" && !strings.ContainsAny(name, " \t#@*")
}

func (o *Options) editEnv(lines []string) []string {
	want := fmt.Sprintf("%s=%q", o.Name, o.Job)
	if strings.ContainsAny(o.Job, `"\`) { // cron knows no escapes
		want = o.Name + "=" + o.Job
	}
	var out []string
	done := o.State == "absent"
	for _, line := range lines {
		if name, ok := variable(line); !ok || name != o.Name {
			out = append(out, line)
		} else if !done {
			out, done = append(out, want), true
		}
	}
	if done {
		return out
	}
	return insert(out, want, o.InsertAfter, o.InsertBefore)
}

// insert puts a new variable beside another, or first.
func insert(lines []string, want, after, before string) []string {
	at := 0
	for i, line := range lines {
		name, ok := variable(line)
		switch {
		case ok && name == after:
			at = i + 1
		case ok && name == before:
			at = i
		}
	}
	return append(append(append([]string{}, lines[:at]...), want), lines[at:]...)
}
