// Package template evaluates the language of playbooks: Go's text/template
// syntax with sprig's and Ansible's functions, over native values.
//
// It owns parsing (by text/template/parse), static checks with absolute file
// positions, the variables a text mentions, and evaluation. Evaluation is ours
// and not text/template's, because four things must hold at every step that
// reflection over a parse tree cannot give: an undefined variable is an error
// that says where, unless the function it goes to accepts it; variables are
// looked up only when mentioned; a value that a dry run cannot know
// (value.Unknown) spreads to whatever is made of it; and one {{ … }} yields
// its value, not text.
//
// The rules, for users, are in docs/templates.md. The package knows nothing of
// where variables come from (package vars), of hosts or of tasks.
package template
