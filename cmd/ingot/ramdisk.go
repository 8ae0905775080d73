package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/ingot-metal/ingot/deploy-agent/ramdisk"
)

// ramdiskCommand is `ingot ramdisk`.
type ramdiskCommand struct {
	Build ramdiskBuild `cmd:"" help:"Make kernel and initramfs from Debian's kernel package and the agent."`
}

// ramdiskBuild is `ingot ramdisk build`.
type ramdiskBuild struct {
	Out    string   `required:"" help:"Folder for vmlinuz and initramfs.zst: the service's DATA/ramdisk."`
	Set    string   `default:"server" enum:"server,virtual" help:"Drivers: server hardware, or virtual machines only."`
	Kernel string   `help:"Kernel flavour: generic or cloud; the set's own unless told."`
	Arch   string   `help:"Debian's name of the architecture: amd64 or arm64; this machine's unless told."`
	Agent  string   `help:"Agent binary; the one inside this program unless told." type:"existingfile"`
	Shell  string   `help:"A static busybox (Debian: busybox-static), for people who log in to a machine in rescue." type:"existingfile"`
	Module []string `help:"Further kernel modules."`
	Cache  string   `help:"Folder that keeps kernel packages." default:"${cache}"`
	Level  int      `help:"zstd level."`
}

// Run builds the ramdisk and says what it is made of.
func (b *ramdiskBuild) Run(ctx context.Context) error {
	options := ramdisk.Options{
		CacheDir: b.Cache, OutDir: b.Out, AgentPath: b.Agent, Set: ramdisk.Set(b.Set), Kernel: ramdisk.Kernel(b.Kernel), Arch: b.Arch,
		Modules: b.Module, Shell: b.Shell, Level: b.Level, Log: logger(true, false),
	}
	if b.Agent == "" {
		agent, err := embeddedAgent(b.Arch)
		if err != nil {
			return err
		}
		options.Agent = agent
	}
	made, err := ramdisk.Build(ctx, options)
	if err != nil {
		return err
	}
	fmt.Printf("kernel %s, %d modules\n%s  %.1f MB\n%s  %.1f MB\n", made.Release, len(made.Modules),
		made.Kernel.Path, float64(made.Kernel.Size)/1e6, made.Initramfs.Path, float64(made.Initramfs.Size)/1e6)
	return nil
}

// embeddedAgent is the agent inside this program.
func embeddedAgent(arch string) ([]byte, error) {
	name := "agents/deploy-agent"
	if arch == "arm64" {
		name += "-arm64"
	}
	data, err := agents.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("cannot build a ramdisk: this program was built without agents (`make build` puts them in); give --agent FILE: %w", err)
	}
	return data, nil
}

// cacheDir is where downloads are kept: the user's cache folder.
func cacheDir() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		dir = "/var/cache"
	}
	return filepath.Join(dir, "ingot")
}
