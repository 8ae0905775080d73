// Package guestbmc puts virtual BMCs in front of guests, so that other provisioners drive them over IPMI and Redfish. What
// a client asks of one becomes what a user would ask of the node: an operation like any other.
package guestbmc

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/lab/vbmc"
)

// Records are the store's virtual BMCs.
type Records interface {
	Get(ctx context.Context, node string) (ingot.GuestBMC, error)
	List(ctx context.Context, query ingot.GuestBMCQuery) ([]ingot.GuestBMC, error)
	Create(ctx context.Context, bmc *ingot.GuestBMC, events ...ingot.Event) error
	Change(ctx context.Context, node string, version int64, change func(*ingot.GuestBMC) error, events ...ingot.Event) (ingot.GuestBMC, error)
	Delete(ctx context.Context, node string, version int64, events ...ingot.Event) error
}

// Nodes are the store's nodes.
type Nodes interface {
	Node(ctx context.Context, uuid string) (ingot.Node, error)
	ListPorts(ctx context.Context, query ingot.PortQuery) ([]ingot.Port, error)
}

// Control is the conductor as BMCs need it.
type Control interface {
	SetPower(ctx context.Context, node ingot.Node, target ingot.PowerTarget, timeout time.Duration) error
	SetBootDevice(ctx context.Context, node ingot.Node, setting ingot.BootSetting) error
	InjectNMI(ctx context.Context, node ingot.Node) error
}

// Service runs the virtual BMCs that are in the store: every process that serves them serves all, on its own address.
type Service struct {
	Host        string // address to listen on
	First, Last int    // ports to give
	TLS         *tls.Config
	Records     Records
	Nodes       Nodes
	Control     Control
	Log         *slog.Logger
	Every       time.Duration // between looks into the store: 2 s

	mu      sync.Mutex
	servers map[string]*server // by node
	wake    chan struct{}
}

// server is a BMC that runs, or the reason why it does not.
type server struct {
	bmc     *vbmc.Server
	row     ingot.GuestBMC
	stop    context.CancelFunc
	ended   chan struct{}
	problem string
}

// Prepare fills in what was left open; it is called once, before anything else.
func (s *Service) Prepare() {
	if s.Every == 0 {
		s.Every = 2 * time.Second
	}
	s.servers, s.wake = map[string]*server{}, make(chan struct{}, 1)
}

// Run keeps the BMCs of the store running until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	again := time.NewTicker(s.Every)
	defer again.Stop()
	defer s.stopAll()
	for {
		if err := s.settle(ctx); err != nil && ctx.Err() == nil {
			s.Log.Error("cannot look after the virtual BMCs; trying again", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-again.C:
		case <-s.wake:
		}
	}
}

// settle starts and stops BMCs until those run that are in the store, with the login that they have there.
func (s *Service) settle(ctx context.Context) error {
	rows, err := s.Records.List(ctx, ingot.GuestBMCQuery{Page: ingot.Page{Limit: -1}})
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	wanted := map[string]bool{}
	for _, row := range rows {
		wanted[row.NodeUUID] = true
		runs := s.servers[row.NodeUUID]
		if runs != nil && runs.problem == "" && runs.row.Port == row.Port && runs.row.Username == row.Username && runs.row.Password == row.Password {
			continue
		}
		runs.end()
		s.servers[row.NodeUUID] = s.start(ctx, row)
	}
	for node, runs := range s.servers {
		if !wanted[node] {
			runs.end()
			delete(s.servers, node)
		}
	}
	return nil
}

// start opens a BMC's sockets and serves them.
func (s *Service) start(ctx context.Context, row ingot.GuestBMC) *server {
	machine, err := s.machine(ctx, row.NodeUUID)
	if err != nil {
		return &server{row: row, problem: err.Error()}
	}
	address := net.JoinHostPort(s.Host, strconv.Itoa(row.Port))
	made := &server{row: row, ended: make(chan struct{}), bmc: &vbmc.Server{
		Machine: machine, IPMIListen: address, RedfishListen: address, TLS: s.TLS, Username: row.Username, Password: row.Password.Reveal(),
		BootTimeout: time.Minute, Kept: vbmc.Boot{Device: vbmc.BootDevice(row.Boot.Device), Persistent: row.Boot.Persistent, EFI: row.Boot.EFI, URI: row.Boot.URI},
		KeepBoot: func(b vbmc.Boot) { s.keepBoot(ctx, row.NodeUUID, b) }, Logger: s.Log,
	}}
	if err := made.bmc.Listen(); err != nil {
		s.Log.Warn("a virtual BMC cannot be served; trying again", "node", row.NodeUUID, "address", address, "error", err)
		return &server{row: row, problem: err.Error()}
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	made.stop = stop
	go func() {
		defer close(made.ended)
		if err := made.bmc.Run(running); err != nil {
			s.Log.Error("a virtual BMC ended", "node", row.NodeUUID, "error", err)
		}
	}()
	s.Log.Info("a virtual BMC is served", "node", row.NodeUUID, "address", address)
	return made
}

// keepBoot writes an override down before its client is answered.
func (s *Service) keepBoot(ctx context.Context, node string, b vbmc.Boot) {
	_, err := s.Records.Change(context.WithoutCancel(ctx), node, 0, func(row *ingot.GuestBMC) error {
		row.Boot = ingot.BootOverride{Device: string(b.Device), Persistent: b.Persistent, EFI: b.EFI, URI: b.URI}
		return nil
	})
	if err != nil {
		s.Log.Error("a boot override of a virtual BMC would not outlive this process", "node", node, "error", err)
	}
}

// end stops a BMC and waits until its sockets are closed; nil has none.
func (r *server) end() {
	if r == nil || r.stop == nil {
		return
	}
	r.stop()
	<-r.ended
}

func (s *Service) stopAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	var group errgroup.Group
	for runs := range maps.Values(s.servers) {
		group.Go(func() error { runs.end(); return nil })
	}
	_ = group.Wait() // ends have no errors
}

// errFull is a range without a free port.
var errFull = errors.New("all ports of [guest_bmc] ports are taken")

// free finds a port that no BMC has.
func (s *Service) free(ctx context.Context) (int, error) {
	rows, err := s.Records.List(ctx, ingot.GuestBMCQuery{Page: ingot.Page{Limit: -1}})
	if err != nil {
		return 0, err
	}
	taken := map[int]bool{}
	for i := range rows {
		taken[rows[i].Port] = true
	}
	for port := s.First; port <= s.Last; port++ {
		if !taken[port] {
			return port, nil
		}
	}
	return 0, &ingot.Error{Code: ingot.Conflict, Err: fmt.Errorf("cannot give the guest a virtual BMC: %w (%d to %d)", errFull, s.First, s.Last)}
}
