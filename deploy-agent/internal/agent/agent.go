// Package agent is the agent's life: it finds Ironic, tells what the machine is, learns which node it is, and then
// serves commands and sends heartbeats until the machine goes down.
package agent

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	ingot "github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/deploy-agent/internal/clock"
	"github.com/ingot-metal/ingot/deploy-agent/internal/cmdline"
	"github.com/ingot-metal/ingot/deploy-agent/internal/command"
	"github.com/ingot-metal/ingot/deploy-agent/internal/httpapi"
	"github.com/ingot-metal/ingot/deploy-agent/internal/ironic"
	"github.com/ingot-metal/ingot/deploy-agent/internal/report"
	"github.com/ingot-metal/ingot/deploy-agent/internal/target"
)

// Version is what heartbeats and GET /v1/status call agent_version: the release of ironic-python-agent whose API this
// agent has. Ironic compares it as a number to decide what it may ask for.
const Version = "12.0.0"

// Interfaces gives the machine's network interfaces as they are now.
type Interfaces interface {
	Interfaces() []ingot.InventoryInterface
}

// Agent is an agent ready to run.
type Agent struct {
	Options  cmdline.Options
	Network  Interfaces
	Reporter *report.Reporter
	Chooser  *target.Chooser
	Engine   *command.Engine
	HTTP     *http.Client // for Ironic's API
	// OpenDisk opens the root disk for a copy of it.
	OpenDisk func(ctx context.Context, wish ingot.DiskWish) (httpapi.Disk, error)
	Clock    clock.Clock
	Log      *slog.Logger
	// Listen opens the command API's port.
	Listen func(ctx context.Context) (net.Listener, error)
	// SetClock sets the machine's clock; nil leaves it alone.
	SetClock func(time.Time) error
	// GiveUp ends Run with an error when lookup has not worked for this long; 0 goes on for ever, which is what
	// process 1 does: the machine has nothing better to do, and a conductor that comes back finds it waiting.
	GiveUp time.Duration

	client *ironic.Client
	heart  *ironic.Heart
	token  ingot.Secret
}

// ErrNothingToDo is Run's error when neither an API nor an inspection callback is known.
var ErrNothingToDo = errors.New("neither ipa-api-url nor ipa-inspection-callback-url is on the kernel command line: " +
	"nobody to talk to; look at the boot configuration of this machine")

// Run lives until ctx ends, whose cause it returns.
func (a *Agent) Run(ctx context.Context) error {
	if len(a.Options.APIURLs) == 0 && len(a.Options.InspectionURLs) == 0 {
		return ErrNothingToDo
	}
	for _, name := range a.Options.Ignored {
		a.Log.Warn("this agent has no use for a kernel parameter", "parameter", name)
	}
	a.token = ingot.Secret(a.Options.Token)
	started := a.Clock.Now()
	a.client = &ironic.Client{URLs: a.Options.APIURLs, HTTP: a.HTTP}
	if len(a.Options.APIURLs) > 0 {
		if err := a.discover(ctx); err != nil {
			return err
		}
	}
	uuid, err := a.inspect(ctx)
	if err != nil {
		return err
	}
	if len(a.Options.APIURLs) == 0 {
		a.Log.Info("inspection is over and there is no ipa-api-url: waiting to be switched off")
		<-ctx.Done()
		return context.Cause(ctx)
	}
	found, err := a.lookup(ctx, uuid)
	if err != nil {
		return err
	}
	a.token = found.Token
	a.Chooser.SetNode(found.Node)
	return a.serve(ctx, found, started)
}

// serve opens the command API and beats.
func (a *Agent) serve(ctx context.Context, found ironic.Found, started time.Time) error {
	host, err := a.advertised()
	if err != nil {
		return err
	}
	listener, err := a.Listen(ctx)
	if err != nil {
		return fmt.Errorf("cannot open the command API: %w", err)
	}
	url, ca, listener, err := a.secure(host, listener)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	a.heart = &ironic.Heart{
		Client: a.client, Clock: a.Clock, Log: a.Log, Timeout: found.HeartbeatTimeout, Now: make(chan struct{}, 1),
		Beat: ironic.Beat{UUID: found.UUID, CallbackURL: url, Version: Version, Token: found.Token, CA: ca},
	}
	a.Engine.Finished = a.heart.Soon
	group, ctx := errgroup.WithContext(ctx)
	api := &httpapi.API{
		Engine: a.Engine, Log: a.Log, Life: ctx, Token: a.token.Reveal, OpenReads: a.client.ReadsWithoutToken(),
		OpenDisk: a.OpenDisk,
		Status: httpapi.Status{
			StartedAt: float64(started.UnixMilli()) / 1000, Version: Version, Capabilities: []string{"progress", "disk"},
		},
	}
	server := &http.Server{
		Handler: api.Handler(), ReadHeaderTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(a.Log.Handler(), slog.LevelDebug), // handshakes that fail: port scans, mostly
	}
	a.Log.Info("serving commands", "node", found.UUID, "url", url)
	group.Go(func() error { return server.Serve(listener) })
	group.Go(func() error { return a.heart.Run(ctx) })
	group.Go(func() error {
		<-ctx.Done()
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		return errors.Join(context.Cause(ctx), server.Shutdown(last))
	})
	err = group.Wait()
	if cause := context.Cause(ctx); cause != nil && errors.Is(err, http.ErrServerClosed) {
		return cause
	}
	return err
}

// secure puts TLS on the listener, unless the API is too old to be told of the certificate.
func (a *Agent) secure(host string, l net.Listener) (url, ca string, out net.Listener, err error) {
	port := a.Options.AdvertisePort
	if tcp, ok := l.Addr().(*net.TCPAddr); ok && port == 0 {
		port = tcp.Port
	}
	at := net.JoinHostPort(host, fmt.Sprint(port))
	if !a.client.SupportsTLS() {
		a.Log.Warn("the API is older than 1.68 and cannot be told of a certificate: serving commands without TLS")
		return "http://" + at, "", l, nil
	}
	ip := net.ParseIP(host)
	if ip == nil {
		return "", "", l, fmt.Errorf("cannot make a certificate for %q: it is not an IP address; give one as ipa-advertise-host", host)
	}
	certificate, ca, err := httpapi.Certificate(ip, a.Clock.Now())
	if err != nil {
		return "", "", l, err
	}
	config := &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}
	return "https://" + at, ca, tls.NewListener(l, config), nil
}

// advertised is the address at which Ironic reaches this machine: the one that it has towards the API.
func (a *Agent) advertised() (string, error) {
	if a.Options.AdvertiseHost != "" {
		return a.Options.AdvertiseHost, nil
	}
	return sourceAddress(a.client.Base())
}
