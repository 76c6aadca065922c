package vars

// Precedence is a place in Ansible's order of variables: a layer of a higher
// one is laid over those of lower ones.
// Source: "Understanding variable precedence" in Ansible's user guide, whose
// numbers these are. Its level 1, command line values such as -u, are no
// variables.
type Precedence int

// The levels, lowest first.
const (
	PrecedenceRoleDefaults       Precedence = iota + 2 // defaults/main.yml of roles
	PrecedenceInventoryGroups                          // group vars in the inventory file or script
	PrecedenceInventoryGroupAll                        // group_vars/all beside the inventory
	PrecedencePlaybookGroupAll                         // group_vars/all beside the playbook
	PrecedenceInventoryGroupVars                       // group_vars/* beside the inventory
	PrecedencePlaybookGroupVars                        // group_vars/* beside the playbook
	PrecedenceInventoryHosts                           // host vars in the inventory file or script
	PrecedenceInventoryHostVars                        // host_vars/* beside the inventory
	PrecedencePlaybookHostVars                         // host_vars/* beside the playbook
	PrecedenceFacts                                    // ansible_facts, cached set_fact
	PrecedencePlayVars                                 // vars of a play
	PrecedencePlayPrompt                               // vars_prompt of a play
	PrecedencePlayFiles                                // vars_files of a play
	PrecedenceRoleVars                                 // vars/main.yml of roles
	PrecedenceBlockVars                                // vars of a block, for its tasks
	PrecedenceTaskVars                                 // vars of a task
	PrecedenceIncludeVars                              // include_vars
	PrecedenceSetFacts                                 // set_fact and register
	PrecedenceRoleParams                               // parameters of a role's use, include_role
	PrecedenceIncludeParams                            // parameters of include_tasks and import_playbook
	PrecedenceExtra                                    // -e on the command line
	// PrecedenceMagic is above all: what the engine itself says, such as
	// inventory_hostname, groups or hostvars, cannot be replaced.
	PrecedenceMagic
)
