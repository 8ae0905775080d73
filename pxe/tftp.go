package pxe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/pin/tftp/v3"
)

// tftpPort is TFTP's (RFC 1350).
const tftpPort = 69

// serveTFTP serves the loaders, read only, at one of our addresses. Writes are refused by the library, which has no
// handler for them. Block size and transfer size are negotiated (RFC 2348, RFC 2349); the library keeps blocks within the
// interface's MTU, since PXE ROMs do not put fragments together.
func (s *Server) serveTFTP(ctx context.Context, l *link, conn *net.UDPConn) error {
	server := tftp.NewServer(func(name string, to io.ReaderFrom) error { return s.sendLoader(l, name, to) }, nil)
	server.SetTimeout(2 * time.Second) // ROMs ask again after 4 s at the earliest
	stop := context.AfterFunc(ctx, server.Shutdown)
	defer stop()
	if err := server.Serve(conn); err != nil {
		return fmt.Errorf("cannot serve TFTP at %s: %w", conn.LocalAddr(), err)
	}
	return nil
}

// sendLoader answers one read request. The library holds 130 kB for each, so there are limits: those over the first
// wait for their turn, which comes soon, as a loader takes a fraction of a second; those over the second are refused.
func (s *Server) sendLoader(l *link, name string, to io.ReaderFrom) error {
	leave, err := s.queue()
	if err != nil {
		return err
	}
	defer leave()
	var peer netip.Addr
	if t, ok := to.(tftp.OutgoingTransfer); ok {
		remote := t.RemoteAddr()
		peer = addr(remote.IP)
	}
	log := s.Logger.With("interface", l.ifi.Name, "address", peer.String(), "file", name)
	name = strings.TrimLeft(name, "/")
	f, err := s.openLoader(name)
	if err != nil {
		log.Info("TFTP request refused", "error", err)
		return fmt.Errorf("no such file here: %w", fs.ErrNotExist)
	}
	defer f.Close()
	if t, ok := to.(tftp.OutgoingTransfer); ok {
		if info, err := f.Stat(); err == nil {
			t.SetSize(info.Size())
		}
	}
	n, err := to.ReadFrom(f)
	if err != nil {
		// Observed: OVMF and BIOS ROMs first ask for the size and break that transfer off, then ask again.
		log.Debug("TFTP transfer ended early", "bytes", n, "error", err)
		return err
	}
	log.Debug("TFTP transfer done", "bytes", n)
	s.sawAt(peer, "sent "+name)
	return nil
}

// queue waits for a place among the transfers; the function that it gives frees it.
func (s *Server) queue() (leave func(), err error) {
	busy := errors.New("too many transfers at once: ask again")
	select {
	case s.waiting <- struct{}{}:
	default:
		return nil, busy
	}
	select {
	case s.transfers <- struct{}{}:
		return func() { <-s.transfers; <-s.waiting }, nil
	case <-s.Clock.After(askTime):
		<-s.waiting
		return nil, busy
	}
}
