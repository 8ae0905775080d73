//go:build !embed_agents

package main

import "embed"

// agents is empty in a plain build: `ingot ramdisk build` then needs --agent.
var agents embed.FS
