package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/deploy-agent/ramdisk"
	"github.com/ingot-metal/ingot/lab"
)

// labCommand is `ingot lab`.
type labCommand struct {
	Up      labUp      `cmd:"" help:"Start a virtual rack and the service, until Ctrl-C."`
	Down    labDown    `cmd:"" help:"End the rack, and clear what killed ones left behind."`
	Status  labStatus  `cmd:"" help:"Show racks and their machines."`
	Console labConsole `cmd:"" help:"Join a machine's serial port; Ctrl-] leaves."`
	SSH     labSSH     `cmd:"" name:"ssh" help:"Log in to a machine's instance with the lab's key."`
	Tour    labTour    `cmd:"" help:"Enrol, inspect, clean, deploy and log in to a virtual server."`
}

// labRack are the flags of those that start a rack.
type labRack struct {
	Name      string `default:"lab" help:"Name of the rack."`
	Dir       string `help:"Folder that keeps disks, logs and data; a temporary one unless told." type:"path"`
	Cache     string `help:"Folder that keeps image, ramdisk and kernel packages." default:"${cache}" env:"INGOT_LAB_CACHE" type:"path"`
	APIListen string `name:"api-listen" default:"127.0.0.1:6385" help:"HOST:PORT of the API."`
	Firmware  string `default:"uefi" enum:"bios,uefi" help:"Firmware of the machines: bios or uefi."`
	NIC       string `name:"nic" default:"virtio-net" enum:"virtio-net,e1000e" help:"Network card of the machines."`
	Disk      string `default:"virtio-blk" enum:"virtio-blk,ahci,nvme" help:"How the machines' disks are attached."`
	DiskMiB   int    `name:"disk-mib" default:"5120" help:"Size of each disk."`
	MemoryMiB int    `name:"memory-mib" default:"1024" help:"Memory of each machine."`
	CPUs      int    `name:"cpus" default:"1" help:"Processors of each machine."`
	Nested    bool   `help:"Machines can run KVM guests of their own, also under emulation."`
	Accel     string `default:"auto" enum:"auto,kvm,tcg" help:"auto uses KVM where a test guest runs under it."`
	Verbose   bool   `short:"v" help:"Log what the rack does."`
}

// log is for people, and silent unless asked for.
func (l *labRack) log() *slog.Logger {
	if l.Verbose {
		return logger(true, false)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// rack is a rack of n machines, with its folder made.
func (l *labRack) rack(n int, service *lab.Service) (*lab.Rack, error) {
	r := &lab.Rack{Name: l.Name, Dir: l.Dir, Ingot: service, Accel: lab.Accel(l.Accel), Log: l.log()}
	for range n {
		r.Nodes = append(r.Nodes, lab.NodeSpec{
			Firmware: ingot.BootMode(l.Firmware), NIC: lab.NIC(l.NIC), Disk: lab.DiskKind(l.Disk), DiskMiB: l.DiskMiB, MemoryMiB: l.MemoryMiB, CPUs: l.CPUs, Nested: l.Nested,
		})
	}
	if l.Accel == "auto" {
		r.Accel = lab.ProbeKVM()
	}
	if l.Dir != "" {
		return r, nil
	}
	dir, err := os.MkdirTemp(l.Cache, "rack-")
	if err != nil {
		return nil, fmt.Errorf("cannot make a folder for the rack: %w", err)
	}
	r.Dir, r.Temporary = dir, true
	return r, nil
}

// ramdisk builds the virtual machines' ramdisk unless the cache has one with this very agent, and gives its folder.
func (l *labRack) ramdisk(ctx context.Context, log *slog.Logger) (string, error) {
	agent, err := embeddedAgent("")
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(agent)
	kernel := ramdisk.KernelCloud
	if l.NIC == "e1000e" || l.Disk == "ahci" {
		kernel = ramdisk.KernelGeneric // the other one lacks their drivers
	}
	dir := filepath.Join(l.Cache, "ramdisk-"+string(kernel)+"-"+hex.EncodeToString(sum[:8]))
	if _, err := os.Stat(filepath.Join(dir, ramdisk.KernelName)); err == nil { // it is written last
		return dir, nil
	}
	_, err = ramdisk.Build(ctx, ramdisk.Options{CacheDir: l.Cache, OutDir: dir, Agent: agent, Set: ramdisk.SetVirtual, Kernel: kernel, Log: log})
	return dir, err
}

// untilHangup ends also when the terminal is closed: a rack has to be taken down.
func untilHangup(ctx context.Context) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(ctx, syscall.SIGHUP)
}

// labUp is `ingot lab up`.
type labUp struct {
	labRack
	Nodes int `default:"1" help:"How many machines."`
}

// Run keeps a rack running until it is told to stop.
func (u *labUp) Run(ctx context.Context) error {
	ctx, stop := untilHangup(ctx)
	defer stop()
	disk, err := u.ramdisk(ctx, logger(true, false))
	if err != nil {
		return err
	}
	r, err := u.rack(u.Nodes, &lab.Service{Listen: u.APIListen, Ramdisk: disk, Images: []string{u.Cache}})
	if err != nil {
		return err
	}
	if err := r.Open(ctx); err != nil {
		return err
	}
	fmt.Println("API:", r.APIURL())
	return errors.Join(showRack(os.Stdout, u.Name), r.Run(ctx))
}

// labDown is `ingot lab down`.
type labDown struct {
	Names []string `arg:"" optional:"" help:"Names of racks; unless told, the rack called lab, and those that were killed."`
	All   bool     `help:"End all racks."`
}

// Run ends racks.
func (d *labDown) Run(ctx context.Context) error {
	names := d.Names
	if len(names) == 0 {
		there, err := lab.Racks()
		if err != nil {
			return err
		}
		for _, name := range there {
			if r, err := lab.ReadRecord(name); d.All || name == "lab" || err != nil || !r.Self.Alive() {
				names = append(names, name)
			}
		}
	}
	var errs []error
	for _, name := range names {
		errs = append(errs, lab.Down(ctx, name, logger(true, false)))
	}
	return errors.Join(errs...)
}

// labStatus is `ingot lab status`.
type labStatus struct{}

// Run shows all racks.
func (labStatus) Run() error {
	names, err := lab.Racks()
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range names {
		errs = append(errs, showRack(os.Stdout, name))
	}
	return errors.Join(errs...)
}

// showRack prints a rack's record.
func showRack(out io.Writer, name string) error {
	r, err := lab.ReadRecord(name)
	if err != nil {
		return err
	}
	state := "runs"
	if !r.Self.Alive() {
		state = "was killed; `ingot lab down` clears what it left"
	}
	fmt.Fprintf(out, "rack %s %s: API %s, namespace %s, files in %s\n", r.Name, state, r.API, r.Namespace, r.Dir)
	fmt.Fprintf(out, "  BMCs answer inside the namespace; user %s, password %s\n", lab.BMCUser, lab.BMCPassword)
	for _, n := range r.Nodes {
		power := "off"
		if r.On(n.Name) {
			power = "on"
		}
		fmt.Fprintf(out, "  %-10s %-3s  MAC %s  IPMI %s  Redfish %s\n", n.Name, power, n.MAC, n.IPMI, n.Redfish)
	}
	return nil
}

// labNode are the arguments of those that go to a machine.
type labNode struct {
	Rack string `default:"lab" help:"Name of the rack."`
	Node string `arg:"" optional:"" help:"Name of the machine; not needed when there is only one."`
}

// labConsole is `ingot lab console`.
type labConsole struct{ labNode }

// Run joins a serial port.
func (c *labConsole) Run(ctx context.Context) error {
	record, err := lab.ReadRecord(c.Rack)
	if err != nil {
		return fmt.Errorf("cannot find rack %s: %w", c.Rack, err)
	}
	return record.Attach(ctx, c.Node, os.Stdin, os.Stdout)
}

// labSSH is `ingot lab ssh`.
type labSSH struct {
	labNode
	User    string   `default:"debian" help:"Login name."`
	Command []string `arg:"" optional:"" passthrough:"" help:"Command to run; a shell unless told."`
}

// Run becomes the ssh client.
func (s *labSSH) Run(ctx context.Context) error {
	record, err := lab.ReadRecord(s.Rack)
	if err != nil {
		return fmt.Errorf("cannot find rack %s: %w", s.Rack, err)
	}
	line, err := record.SSH(ctx, s.Node, s.User, s.Command...)
	if err != nil {
		return err
	}
	return become(line)
}

// become replaces this program by another.
func become(line []string) error {
	for _, dir := range filepath.SplitList(os.Getenv("PATH") + ":/usr/sbin:/sbin") {
		err := unix.Exec(filepath.Join(dir, line[0]), line, os.Environ())
		if !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.EACCES) {
			return fmt.Errorf("cannot run %s: %w", line[0], err)
		}
	}
	return fmt.Errorf("cannot run %s: it is not installed", line[0])
}
