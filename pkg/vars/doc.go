// Package vars resolves variables: layers of them in Ansible's order of
// precedence, each value evaluated when it is first needed, and once.
//
// A variable's template is evaluated against the whole scope it is looked up
// in, not against its own layer: a role's default may mention a task's
// variable. Variables that need each other are an error that shows the chain.
// A layer on top replaces a variable as a whole; maps are never merged
// (hash_behaviour=replace).
//
// The package knows where values come from only by the names that layers
// carry for people; it knows nothing of inventories, plays or roles.
package vars
