package ingot

import "time"

// Event is something that happened, for GET /v1/events: in the order of ID, each seen once.
type Event struct {
	ID   int64          `json:"id"`
	At   time.Time      `json:"at"`
	Type string         `json:"type"` // node.created, node.state, node.power, node.progress, operation.step, …
	Node string         `json:"node,omitempty"`
	Data map[string]any `json:"data,omitempty"`
}

// History is an entry of a node's history (Ironic since 1.78; the last three fields since 1.115).
type History struct {
	ID          int64
	UUID        string
	NodeUUID    string
	CreatedAt   time.Time
	Severity    string // INFO or ERROR
	Type        string // Ironic's: transition, deploying, cleaning, servicing, unprovision, verify, introspection, adoption, rescue, conductor, monitoring
	Event       string // a sentence
	User        string
	Project     string // of the user
	Conductor   string
	State       State
	TargetState State
	Duration    time.Duration // in the state that was left, or in the present one so far
}
