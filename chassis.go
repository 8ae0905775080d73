package ingot

import "time"

// Chassis is a group of nodes that stand together (Ironic: /v1/chassis).
type Chassis struct {
	UUID        string
	Version     int64
	Description string
	Extra       map[string]any
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// ChassisQuery selects chassis.
type ChassisQuery struct{ Page }
