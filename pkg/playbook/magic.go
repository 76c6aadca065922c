package playbook

// MagicNames are the variables that are there without anybody defining them,
// connection variables that a task may read included. Facts are not among
// them.
var MagicNames = []string{
	"ansible_become", "ansible_become_exe", "ansible_become_flags", "ansible_become_method", "ansible_become_password",
	"ansible_become_user", "ansible_check_mode", "ansible_connection", "ansible_dependent_role_names", "ansible_diff_mode", "ansible_facts",
	"ansible_failed_result", "ansible_failed_task", "ansible_forks", "ansible_host", "ansible_index_var",
	"ansible_inventory_sources", "ansible_limit", "ansible_loop", "ansible_loop_var", "ansible_parent_role_names",
	"ansible_parent_role_paths", "ansible_password", "ansible_play_batch", "ansible_play_hosts", "ansible_play_hosts_all",
	"ansible_play_name", "ansible_play_role_names", "ansible_playbook_python", "ansible_port", "ansible_role_name",
	"ansible_role_names", "ansible_run_tags", "ansible_search_path", "ansible_skip_tags", "ansible_ssh_common_args",
	"ansible_ssh_private_key_file", "ansible_user", "ansible_verbosity", "ansible_version", "environment", "group_names",
	"groups", "hostvars", "inventory_dir", "inventory_file", "inventory_hostname", "inventory_hostname_short", "item",
	"omit", "play_hosts", "playbook_dir", "role_name", "role_names", "role_path", "vars",
}
