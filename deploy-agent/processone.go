package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strconv"
	"time"

	"github.com/ingot-metal/ingot/deploy-agent/internal/agent"
	"github.com/ingot-metal/ingot/deploy-agent/internal/clock"
	"github.com/ingot-metal/ingot/deploy-agent/internal/cmdline"
	"github.com/ingot-metal/ingot/deploy-agent/internal/console"
	"github.com/ingot-metal/ingot/deploy-agent/internal/efiboot"
	"github.com/ingot-metal/ingot/deploy-agent/internal/inventory"
	"github.com/ingot-metal/ingot/deploy-agent/internal/netup"
	"github.com/ingot-metal/ingot/deploy-agent/internal/rescue"
	"github.com/ingot-metal/ingot/deploy-agent/internal/system"
)

// holdRemark is how often a machine that cannot go on says so on its console.
const holdRemark = time.Minute

// processOne is the agent as the ramdisk's init. It never returns: if it did, the kernel would panic.
func processOne() {
	mounted := system.Mount()
	screen := &console.Screen{To: os.Stderr}
	if c, err := system.Console(); err == nil {
		screen.To = c
	}
	ring := &console.Ring{Size: logKept}
	options := cmdline.Parse(system.Line())
	log := console.Logger(screen, ring, options.Debug)
	log.Info("Ingot's deploy agent", "version", agent.Version, "cmdline", cmdline.Public(system.Line()))
	if mounted != nil {
		log.Error("cannot set up the system", "error", mounted)
	}
	err := live(context.Background(), options, screen, ring, log)
	if errors.Is(err, system.ErrPowerOff) || errors.Is(err, system.ErrReboot) {
		system.Down(err, log)
	}
	hold(err, log)
}

// hold keeps the machine as it is for somebody to look at, saying why. A reboot would mend nothing that is wrong here,
// and hide it.
func hold(cause error, log *slog.Logger) {
	for {
		log.Error("the agent cannot go on; this machine waits to be looked at or power-cycled", "error", cause)
		_ = clock.Wait(context.Background(), clock.Real{}, holdRemark)
	}
}

// live brings the machine up and runs the agent on it.
func live(ctx context.Context, options cmdline.Options, screen *console.Screen, ring *console.Ring, log *slog.Logger) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	background(end, func() error { return system.Reap(ctx) })
	time := clock.Real{}
	network := &netup.Network{Clock: time, Log: log, BootMAC: options.BootMAC(), Resolv: "/etc/resolv.conf"}
	online := func() {
		background(end, func() error {
			if err := system.Seed(); err != nil {
				return err
			}
			return network.Run(ctx)
		})
	}
	if err := devices(ctx, end, options, log, online); err != nil {
		return err
	}
	if options.HardwareDelay > 0 {
		log.Info("waiting for the hardware as the kernel command line asks", "time", options.HardwareDelay)
		if err := clock.Wait(ctx, time, options.HardwareDelay); err != nil {
			return err
		}
	}
	if err := network.Wait(ctx); err != nil {
		return err
	}
	hostname, err := os.Hostname()
	if err != nil || hostname == "(none)" {
		hostname = ""
	}
	host := &inventory.Host{
		BootIF: options.BootIF, Arch: system.Arch(), Hostname: hostname, Log: log, Addresses: addresses,
	}
	return run(ctx, parts{
		options: options, machine: host, screen: screen, ring: ring, setClock: system.SetClock, kernel: system.KernelLog,
		login: func(hash string) error { return login(hash, screen, log) },
		sync:  func() error { return system.Sync(host.Disks()) }, variables: efiboot.Firmware,
		listen: net.JoinHostPort("", strconv.Itoa(options.ListenPort)),
		files:  []string{"/proc/mounts", "/proc/modules", "/proc/partitions", "/proc/interrupts", "/etc/resolv.conf"},
	})
}

// login opens the console to whoever knows the password; the log goes to memory alone from then on.
func login(hash string, screen *console.Screen, log *slog.Logger) error {
	if err := rescue.Installed(); err != nil {
		return err
	}
	terminal, err := system.Console()
	if err != nil {
		return err
	}
	log.Info("this machine is in rescue: log in here as rescue")
	screen.Give()
	pause := func(d time.Duration) { _ = clock.Wait(context.Background(), clock.Real{}, d) }
	door := &rescue.Console{Terminal: terminal, Pause: pause, Shell: rescue.BusyboxShell}
	go func() { log.Error("the rescue login ended", "error", door.Serve(hash)) }()
	return nil
}

// devices loads the drivers of what is in the machine; then is called once the network may begin, while disks are still
// being looked for.
func devices(ctx context.Context, end context.CancelCauseFunc, options cmdline.Options, log *slog.Logger, then func()) error {
	d := &drivers{log: log, skip: options.Blacklist}
	d.open()
	d.named("af_packet", "efivarfs", "ipmi_si", "ipmi_devintf")
	if err := system.MountEFI(); err != nil {
		log.Error("UEFI variables cannot be reached", "error", err)
	}
	then()
	if err := d.settle(ctx, quiet); err != nil {
		return err
	}
	background(end, func() error { return d.watch(ctx) })
	return nil
}

// background runs what serves the machine beside the agent; its failure ends the agent's life with it as the cause.
func background(end context.CancelCauseFunc, f func() error) {
	go func() { end(f()) }()
}

// addresses are an interface's first addresses that are not link-local; a link-local IPv6 one is better than none.
func addresses(name string) (v4, v6 netip.Addr) {
	i, err := net.InterfaceByName(name)
	if err != nil {
		return v4, v6
	}
	list, err := i.Addrs()
	if err != nil {
		return v4, v6
	}
	for _, a := range list {
		prefix, err := netip.ParsePrefix(a.String())
		if err != nil {
			continue
		}
		ip := prefix.Addr()
		switch {
		case ip.Is4() && !v4.IsValid() && !ip.IsLinkLocalUnicast():
			v4 = ip
		case ip.Is6() && (!v6.IsValid() || v6.IsLinkLocalUnicast()):
			v6 = ip
		}
	}
	return v4, v6
}
