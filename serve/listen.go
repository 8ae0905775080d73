package serve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// listen opens HOST:PORT, or takes over the listener behind the file descriptor of fd:N.
func listen(address string) (net.Listener, error) {
	number, handed := strings.CutPrefix(address, "fd:")
	if !handed {
		l, err := net.Listen("tcp", address)
		if err != nil {
			return nil, fmt.Errorf("cannot listen on %s: %w", address, err)
		}
		return l, nil
	}
	n, err := strconv.Atoi(number)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: it is not fd:NUMBER", address)
	}
	f := os.NewFile(uintptr(n), address)
	if f == nil {
		return nil, fmt.Errorf("cannot listen on %s: no such file descriptor was handed over", address)
	}
	defer f.Close()
	l, err := net.FileListener(f)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", address, err)
	}
	return l, nil
}

// What may go on when a service is told to stop: requests as they are, then what is left of them for the answer that it is
// being stopped, which streams end with at once.
const (
	drain    = 2 * time.Second
	lastWord = 3 * time.Second
)

// serveHTTP serves on all listeners until ctx ends, then lets requests finish for a while.
func serveHTTP(ctx context.Context, handler http.Handler, listeners ...net.Listener) error {
	requests, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, BaseContext: func(net.Listener) context.Context { return requests }}
	group, running := errgroup.WithContext(ctx)
	for _, l := range listeners {
		group.Go(func() error {
			if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				return fmt.Errorf("cannot serve on %s: %w", l.Addr(), err)
			}
			return nil
		})
	}
	group.Go(func() error {
		<-running.Done()
		defer time.AfterFunc(drain, cut).Stop()
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain+lastWord)
		defer cancel()
		if err := server.Shutdown(stop); err != nil {
			return server.Close()
		}
		return nil
	})
	return group.Wait()
}

// bootListeners are where machines reach the boot listener: boot.listen, or the boot port on every network's address.
func (c *Config) bootListeners() ([]net.Listener, error) {
	addresses := []string{c.Boot.Listen}
	if c.Boot.Listen == "" {
		addresses = addresses[:0]
		for _, n := range c.Networks {
			addresses = append(addresses, netip.AddrPortFrom(n.Address, uint16(c.Boot.Port)).String())
		}
	}
	var listeners []net.Listener
	for _, address := range addresses {
		l, err := listen(address)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("the boot listener: %w", err), closeAll(listeners))
		}
		listeners = append(listeners, l)
	}
	return listeners, nil
}

func closeAll(listeners []net.Listener) error {
	var errs []error
	for _, l := range listeners {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}

// bootURL is the boot listener's base URL as a machine with this address reaches it.
func (c *Config) bootURL(machine netip.Addr) string {
	if c.Boot.URL != "" {
		return strings.TrimSuffix(c.Boot.URL, "/")
	}
	for _, n := range c.Networks {
		if n.Subnet.Contains(machine) {
			return "http://" + netip.AddrPortFrom(n.Address, uint16(c.Boot.Port)).String()
		}
	}
	switch {
	case c.Boot.Listen != "":
		return "http://" + c.Boot.Listen
	case len(c.Networks) > 0:
		return "http://" + netip.AddrPortFrom(c.Networks[0].Address, uint16(c.Boot.Port)).String()
	}
	return "http://" + c.API.Listen
}
