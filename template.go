package ingot

import (
	"cmp"
	"slices"
	"time"
)

// DeployTemplate is a list of deploy steps that every deployment which asks for the trait of its name gets (Ironic:
// /v1/deploy_templates, since 1.55).
type DeployTemplate struct {
	UUID        string
	Version     int64
	Name        string // a trait
	Description string
	// Steps are {interface, step, args, priority}, each interface and step once.
	Steps     []map[string]any
	Extra     map[string]any
	CreatedAt time.Time
	UpdatedAt time.Time
}

// TemplateQuery selects deploy templates.
type TemplateQuery struct {
	Names []string // nil is all
	Page
}

// Runbook is a list of clean or service steps that its author allows for nodes with one of its traits (Ironic:
// /v1/runbooks, since 1.92).
type Runbook struct {
	UUID        string
	Version     int64
	Name        string
	Description string
	// Steps are {interface, step, args, order}.
	Steps          []map[string]any
	DisableRamdisk bool
	Public         bool   // every project may use it: it has no owner then
	Owner          string // a project
	Traits         []string
	Extra          map[string]any
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

// Ordered are its steps by their order.
func (b *Runbook) Ordered() []map[string]any {
	ordered := slices.Clone(b.Steps)
	slices.SortStableFunc(ordered, func(x, y map[string]any) int {
		first, _ := x["order"].(float64)
		second, _ := y["order"].(float64)
		return cmp.Compare(first, second)
	})
	return ordered
}

// RunbookQuery selects runbooks.
type RunbookQuery struct {
	Project string // owned by it, or public; "" is all
	Page
}
