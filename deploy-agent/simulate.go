package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/ingot-metal/ingot/deploy-agent/internal/cmdline"
	"github.com/ingot-metal/ingot/deploy-agent/internal/efiboot"
	"github.com/ingot-metal/ingot/deploy-agent/internal/sim"
)

// flags are the command line of the agent as an ordinary process.
type flags struct {
	Sim           string        `placeholder:"DIR" help:"Be the machine in DIR: its disks are DIR/*.img, its hardware DIR/machine.json, its UEFI variables DIR/efivars."`
	Disk          []string      `placeholder:"FILE" help:"A further disk. May be repeated."`
	MAC           []string      `name:"mac" placeholder:"MAC" help:"A network interface's address, by which Ironic knows the machine. May be repeated."`
	APIURL        string        `name:"api-url" placeholder:"URL" help:"Ironic's API (ipa-api-url). Several are separated by commas."`
	InspectionURL string        `name:"inspection-url" placeholder:"URL" help:"Where the inventory goes (ipa-inspection-callback-url)."`
	Listen        string        `default:"127.0.0.1:0" placeholder:"HOST:PORT" help:"Where the command API listens."`
	Advertise     string        `placeholder:"HOST[:PORT]" help:"How Ironic reaches it; what it listens on unless given."`
	Cmdline       string        `placeholder:"TEXT" help:"A kernel command line to take further settings from."`
	Insecure      bool          `help:"Do not verify TLS certificates (ipa-insecure)."`
	GiveUp        time.Duration `placeholder:"TIME" help:"Fail when lookup has not worked for this long, such as 10m; without it try for ever."`
	Debug         bool          `help:"Log more."`
}

// simulate runs the agent on a pretend machine until ctx ends or the machine goes down, whose cause it returns.
func simulate(ctx context.Context, args []string) error {
	var f flags
	parser, err := kong.New(&f, kong.Name("deploy-agent"),
		kong.Description("Ingot's ramdisk agent. It is made to be process 1 of a ramdisk; started otherwise it pretends to be a machine whose disks are files."))
	if err != nil {
		return fmt.Errorf("cannot read the command line: %w", err)
	}
	if _, err := parser.Parse(args); err != nil {
		return err
	}
	if f.Sim == "" && len(f.Disk) == 0 {
		return errors.New("this is not process 1, and outside of a ramdisk the agent only works on files: give --sim DIR or --disk FILE")
	}
	options, err := f.options()
	if err != nil {
		return err
	}
	machine := &sim.Machine{Dir: f.Sim, Extra: f.Disk, MACs: f.MAC, BootIF: options.BootIF}
	if err := machine.Check(); err != nil {
		return err
	}
	return run(ctx, parts{
		options: options, machine: machine, screen: os.Stderr, listen: f.Listen, giveUp: f.GiveUp, sync: machine.Sync,
		login:     machine.Login,
		variables: func() (efiboot.Variables, error) { return efiboot.Folder(machine.Variables()), nil },
	})
}

// options is the kernel command line with the flags over it.
func (f *flags) options() (cmdline.Options, error) {
	line := f.Cmdline
	if f.APIURL != "" {
		line += " ipa-api-url=" + f.APIURL
	}
	if f.InspectionURL != "" {
		line += " ipa-inspection-callback-url=" + f.InspectionURL
	}
	o := cmdline.Parse(line)
	o.Debug = o.Debug || f.Debug
	o.Insecure = o.Insecure || f.Insecure
	host, _, err := net.SplitHostPort(f.Listen)
	if err != nil {
		return o, fmt.Errorf("cannot listen on %q: %w", f.Listen, err)
	}
	o.AdvertisePort = 0 // the port that it listens on
	if f.Advertise == "" {
		if ip := net.ParseIP(host); ip != nil && !ip.IsUnspecified() {
			o.AdvertiseHost = host
		}
		return o, nil
	}
	o.AdvertiseHost = strings.Trim(f.Advertise, "[]")
	if host, port, err := net.SplitHostPort(f.Advertise); err == nil {
		if o.AdvertisePort, err = strconv.Atoi(port); err != nil {
			return o, fmt.Errorf("cannot advertise %q: the port is not a number", f.Advertise)
		}
		o.AdvertiseHost = host
	}
	return o, nil
}
