//go:build embed_agents

package main

import "embed"

// agents are the ramdisk agents of both architectures, put there by `make agents`.
//
//go:embed agents
var agents embed.FS
