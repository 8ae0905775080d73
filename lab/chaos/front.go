package chaos

import (
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// front is where machines find the boot service: a balancer in front of all conductors, which passes a connection on to
// one that takes it.
type front struct {
	listen    net.Listener
	addresses []string
	turn      atomic.Uint64
}

func (f *front) run(ctx context.Context) error {
	var open sync.WaitGroup
	defer open.Wait()
	stop := context.AfterFunc(ctx, func() { f.listen.Close() })
	defer stop()
	for {
		c, err := f.listen.Accept()
		if err != nil {
			return nil //nolint:nilerr // it was closed: the run is over
		}
		open.Go(func() { f.pass(ctx, c) })
	}
}

func (f *front) pass(ctx context.Context, from net.Conn) {
	defer from.Close()
	to := f.dial(ctx)
	if to == nil {
		return
	}
	defer to.Close()
	stop := context.AfterFunc(ctx, func() { from.Close(); to.Close() })
	defer stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(to, from) // either side's end is the end of both
		to.Close()
	}()
	_, _ = io.Copy(from, to)
	from.Close()
	<-done
}

// dial connects to the next conductor that takes it.
func (f *front) dial(ctx context.Context) net.Conn {
	first := f.turn.Add(1)
	for i := range uint64(len(f.addresses)) {
		d := net.Dialer{Timeout: time.Second}
		if c, err := d.DialContext(ctx, "tcp", f.addresses[(first+i)%uint64(len(f.addresses))]); err == nil {
			return c
		}
	}
	return nil
}
