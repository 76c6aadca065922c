// Package runner runs playbooks: plays over hosts, tasks over plays.
//
// A Runner is made once (New) and runs any number of Requests, also at the
// same time. Run first checks everything that can be known before a host is
// contacted; mistakes found there are an *InvalidError and nothing has been
// contacted. Then each play's hosts walk its tasks, every host in a goroutine
// of its own: the strategy decides who may take the next step. What happens is
// told to the Request's sinks as events; failed tasks are in the Recap, and an
// error means that the run could not be done.
//
// How it is laid out:
//
//	request.go   what to run            run.go       a run from start to end
//	play.go      plays and batches      strategy*.go who takes the next step
//	walk.go      a host walks its tasks block.go     block, rescue, always
//	task.go      one task on a host     loop.go      loops, until
//	act.go       modules, args          target.go    where a module runs
//	hosts.go     connections, agents    scope.go     variables a task sees
//	notify.go    handlers               emit.go      events, masking
//	rehearse.go  dry runs as several users of one host
//
// The package prints nothing and has no global state.
package runner
