package playbook

// Walk calls visit for every task of a play in the order of running: blocks
// before what is in them, handlers last. What include_tasks and include_role
// bring is not visited.
func Walk(play *Play, visit func(*Task)) {
	walkPlay(play, func(t *Task) bool { visit(t); return true }, false)
}

// WalkTasks is Walk without the handlers.
func WalkTasks(play *Play, visit func(*Task)) {
	walker{visit: func(t *Task) bool { visit(t); return true }}.play(play)
}

// walkPlay also goes into what literal includes bring, when includes is true.
// visit returns false to stay out of a task.
func walkPlay(play *Play, visit func(*Task) bool, includes bool) {
	w := walker{visit, includes}
	w.play(play)
	for _, u := range play.Roles {
		w.tasks(u.Role.Handlers)
	}
	for _, u := range play.Imported {
		if !includes { // else they are visited with their block
			w.tasks(u.Role.Handlers)
		}
	}
	w.tasks(play.Handlers)
}

type walker struct {
	visit    func(*Task) bool
	includes bool
}

func (w walker) play(play *Play) {
	w.tasks(play.PreTasks)
	for _, u := range play.Roles {
		w.tasks(u.Role.Tasks)
	}
	w.tasks(play.Tasks)
	w.tasks(play.PostTasks)
}

func (w walker) tasks(tasks []*Task) {
	for _, t := range tasks {
		if !w.visit(t) {
			continue
		}
		if b := t.Block; b != nil {
			w.tasks(b.Tasks)
			w.tasks(b.Rescue)
			w.tasks(b.Always)
			if b.Role != nil && w.includes {
				w.tasks(b.Role.Role.Handlers)
			}
		}
		if i := t.Include; i != nil && w.includes {
			w.tasks(i.tasks)
			for _, u := range i.uses {
				w.tasks(u.Role.Tasks)
				w.tasks(u.Role.Handlers)
			}
		}
	}
}
