package conductor_test

import (
	"context"
	"io"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor"
)

// twinWire is the wire to the server's agent: it gives the disk out, and a clean leaves nothing on it.
type twinWire struct {
	conductor.AgentWire
	h *twins
}

func (s twinWire) ReadDisk(ctx context.Context, n *ingot.Node, wish ingot.DiskWish, into io.Writer) error {
	if err := s.AgentWire.ReadDisk(ctx, n, ingot.DiskWish{}, io.Discard); err != nil { // there is no agent
		return err
	}
	s.h.mu.Lock()
	defer s.h.mu.Unlock()
	if s.h.runs {
		s.h.accuse("the disk was read under a system that runs")
	}
	if s.h.fails != nil {
		return s.h.fails
	}
	if wish != (ingot.DiskWish{Size: 20 << 30, WithoutConfigDrive: true}) {
		return ingot.Fatalf("the wish is %+v", wish)
	}
	s.h.w.note("disk read")
	_, err := io.WriteString(into, s.h.disk)
	return err
}

func (s twinWire) Send(ctx context.Context, n *ingot.Node, request ingot.AgentRequest, wait bool) (ingot.AgentCommand, error) {
	command, err := s.AgentWire.Send(ctx, n, request, wait)
	if err == nil && request.Name == "clean.execute_clean_step" {
		s.h.mu.Lock()
		defer s.h.mu.Unlock()
		if s.h.w.get(s.h.metal).InstanceUUID != "" {
			s.h.accuse("the server was cleaned while it has the instance")
		}
		s.h.disk = ""
	}
	return command, err
}
