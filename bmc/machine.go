// Package bmc is what the drivers for IPMI and Redfish share: a machine that talks through bmclib, whose registry gets
// the one provider that the node asks for, and the words that stand between Ironic and bmclib.
package bmc

import (
	"context"
	"log/slog"

	"github.com/bmc-toolbox/bmclib/v2"
	"github.com/go-logr/logr"
	"github.com/jacobweinstock/registrar"

	"github.com/ingot-metal/ingot"
)

// Provider is a bmclib provider for one BMC: beside these methods it has those of the bmclib interfaces that it serves
// (Opener, Closer, PowerStateGetter, PowerSetter, BootDeviceOverrideGetter, BootDeviceSetter, NMISender, ...), which
// bmclib finds by itself.
type Provider interface {
	// Name is for bmclib's errors and spans.
	Name() string
	// Address is the BMC's, as errors name it.
	Address() string
	// Cause is the failure of the call before, once: bmclib wraps it in lines of text, and loses it on some paths.
	Cause() error
	// Explain gives a failure its code and its sentence, "cannot WHAT: ...".
	Explain(what string, err error) error
	// Heard says whether the BMC answered in spite of err, so that the session is good for more.
	Heard(err error) bool
}

// Machine is a server behind a BMC. It opens a session when it first needs one and keeps it until Close, after which it
// may be used again. One exchange runs at a time.
type Machine struct {
	provider Provider
	devices  []ingot.BootDevice
	log      logr.Logger
	// Rewrite makes SetBootDevice write also what holds already, for BMCs that are about to drop it by themselves.
	Rewrite bool

	turn    chan struct{}
	session *bmclib.Client  // nil: none
	last    context.Context // of the exchange before: the good-bye needs its permit
}

// New makes a machine of a provider that can set these boot devices. log gets bmclib's debug lines; nil drops them.
func New(p Provider, devices []ingot.BootDevice, log *slog.Logger) *Machine {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Machine{provider: p, devices: devices, log: logr.FromSlogHandler(log.Handler()), turn: make(chan struct{}, 1), last: context.Background()}
}

// Do runs an exchange in the session, which it opens when there is none. what is for the error: "cannot WHAT: ...".
func (m *Machine) Do(ctx context.Context, what string, exchange func(*bmclib.Client) error) error {
	select {
	case m.turn <- struct{}{}:
	case <-ctx.Done():
		return ingot.Errorf(ingot.Unavailable, "cannot %s: BMC %s is busy with an exchange before: %w", what, m.provider.Address(), ctx.Err())
	}
	defer func() { <-m.turn }()
	m.last = context.WithoutCancel(ctx)
	err := m.open(ctx)
	if err == nil {
		err = ingot.PermitOf(ctx)() // a provider that runs a program can ask only now
	}
	if err == nil {
		err = exchange(m.session)
	}
	cause := m.provider.Cause()
	switch {
	case err == nil:
		return nil
	case cause != nil:
		err = cause
	case ctx.Err() != nil:
		err = ctx.Err()
	}
	if !m.provider.Heard(err) {
		m.drop(ctx)
	}
	return m.provider.Explain(what, err)
}

func (m *Machine) open(ctx context.Context) error {
	if m.session != nil {
		return nil
	}
	registry := registrar.NewRegistry()
	registry.Register(m.provider.Name(), "", nil, nil, m.provider)
	session := bmclib.NewClient("", "", "", bmclib.WithRegistry(registry), bmclib.WithLogger(m.log))
	if err := session.Open(ctx); err != nil {
		return err
	}
	m.session = session
	return nil
}

func (m *Machine) drop(ctx context.Context) {
	if m.session != nil {
		// It fails where the BMC is gone already, which nothing follows from.
		_ = m.session.Close(ctx)
	}
	m.session = nil
}

// Close ends the session, if there is one; a BMC that is gone holds it up for a few seconds at most.
func (m *Machine) Close() error {
	m.turn <- struct{}{}
	defer func() { <-m.turn }()
	m.drop(m.last)
	return nil
}
