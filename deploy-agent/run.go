package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	ingot "github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/deploy-agent/internal/agent"
	"github.com/ingot-metal/ingot/deploy-agent/internal/clock"
	"github.com/ingot-metal/ingot/deploy-agent/internal/cmdline"
	"github.com/ingot-metal/ingot/deploy-agent/internal/command"
	"github.com/ingot-metal/ingot/deploy-agent/internal/console"
	"github.com/ingot-metal/ingot/deploy-agent/internal/efiboot"
	"github.com/ingot-metal/ingot/deploy-agent/internal/erase"
	"github.com/ingot-metal/ingot/deploy-agent/internal/giveout"
	"github.com/ingot-metal/ingot/deploy-agent/internal/report"
	"github.com/ingot-metal/ingot/deploy-agent/internal/rescue"
	"github.com/ingot-metal/ingot/deploy-agent/internal/standby"
	"github.com/ingot-metal/ingot/deploy-agent/internal/steps"
	"github.com/ingot-metal/ingot/deploy-agent/internal/target"
)

// logKept is how much of the agent's log is kept for Ironic, in bytes.
const logKept = 512 << 10

// machine is what the agent runs on: a server, or a folder that pretends to be one.
type machine interface {
	Inventory() ingot.Inventory
	Interfaces() []ingot.InventoryInterface
	Disks() []ingot.InventoryDisk
	PCI() []map[string]string
	BootMode() string
}

// parts is what differs between a server and a simulation.
type parts struct {
	options  cmdline.Options
	machine  machine
	screen   io.Writer
	ring     *console.Ring // made here when nil
	listen   string        // HOST:PORT
	giveUp   time.Duration
	setClock func(time.Time) error
	sync     func() error // flushes the disks
	kernel   func() ([]byte, error)
	files    []string
	// login lets whoever knows the password with this hash log in.
	login func(hash string) error
	// variables opens the firmware's variables, on a machine that was started by UEFI.
	variables func() (efiboot.Variables, error)
}

// run puts the agent together and lets it live until ctx ends or the machine goes down.
func run(ctx context.Context, p parts) error {
	ctx, down := context.WithCancelCause(ctx)
	defer down(nil)
	if p.ring == nil {
		p.ring = &console.Ring{Size: logKept}
	}
	log := console.Logger(p.screen, p.ring, p.options.Debug)
	client, err := httpClient(p.options)
	if err != nil {
		return err
	}
	time := clock.Real{}
	chooser := &target.Chooser{
		Disks: p.machine, Clock: time, Log: log, Hints: p.options.RootDevice, Until: time.Now().Add(p.options.DiskWait),
	}
	reporter := &report.Reporter{
		Machine: p.machine, RootDisk: chooser.Guess, Log: p.ring.Dump, Kernel: p.kernel, Files: p.files, Now: time.Now,
	}
	writer := &standby.Standby{Chooser: chooser, HTTP: client, Clock: time, Log: log, Sync: p.sync, GoDown: down}
	eraser := &erase.Eraser{Chooser: chooser, Clock: time, Log: log, Before: writer.Forget}
	loader := &efiboot.Installer{
		Chooser: chooser, Log: log, Arch: p.machine.Inventory().CPU.Architecture, Mode: p.machine.BootMode, Variables: p.variables,
	}
	reader := &giveout.Reader{Chooser: chooser, Log: log}
	engine := &command.Engine{Log: log}
	engine.Add(reporter.Commands()...)
	engine.Add(writer.Commands()...)
	engine.Add(loader.Commands()...)
	rescuer := &rescue.Rescue{Open: p.login, Seal: engine.Seal}
	engine.Add(rescuer.Commands()...)
	engine.Add(steps.Commands(chooser, append(eraser.Steps(), writer.Step()))...)
	a := &agent.Agent{
		Options: p.options, Network: p.machine, Reporter: reporter, Chooser: chooser, Engine: engine, HTTP: client,
		Clock: time, Log: log, SetClock: p.setClock, GiveUp: p.giveUp, OpenDisk: reader.Open,
		Listen: func(ctx context.Context) (net.Listener, error) {
			return new(net.ListenConfig).Listen(ctx, "tcp", p.listen)
		},
	}
	return a.Run(ctx)
}

// httpClient talks to the API and to image servers with the certificates that the command line wants. It has no
// timeout for the whole of a request other than the API's short ones: the clients set it.
func httpClient(o cmdline.Options) (*http.Client, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: o.Insecure} //nolint:gosec // ipa-insecure asks for it
	if o.CAFile != "" {
		text, err := os.ReadFile(o.CAFile)
		if err != nil {
			return nil, fmt.Errorf("cannot read the certificates of ipa-ca-file: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("cannot use ipa-ca-file %s: there is no PEM certificate in it", o.CAFile)
		}
	}
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: config, MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
		TLSHandshakeTimeout:   15 * time.Second,
		ResponseHeaderTimeout: time.Minute,
	}
	return &http.Client{Transport: transport, Timeout: o.HTTPTimeout}, nil
}
