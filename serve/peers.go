package serve

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/pxe"
)

// Peers says where the other processes on the database reach this one, when it is a conductor. They do for what only a
// conductor can say: machines' consoles and BMCs, and files that are on its host alone.
type Peers struct {
	// Listen is HOST:PORT, or off; "" is any free port of the address from which the database is reached.
	Listen string `koanf:"listen"`
	// Address is HOST:PORT as the others reach it, where that is not the listener's own.
	Address string `koanf:"address"`
}

// noPeers is the value of peers.listen that has no listener.
const noPeers = "off"

// peers are the other processes on the database, as this one asks them.
type peers struct {
	self   ingot.Conductor // its Process is "" without the role conductor
	alive  func(context.Context) ([]ingot.Conductor, error)
	client *http.Transport // for machines, which take their time
	files  *http.Transport // for what others only have to look up
	log    *slog.Logger
}

// openPeers readies what this process needs to ask others and to be asked; nothing on an embedded database.
func (a *App) openPeers() error {
	if a.Config.Database.URL == "" {
		return nil
	}
	seeds, err := a.Store.DeriveKeys("peers")
	if err != nil {
		return err
	}
	config, err := peerTLS(seeds)
	if err != nil {
		return fmt.Errorf("cannot make the key that other processes know this one by: %w", err)
	}
	a.peers = &peers{alive: a.Store.Conductors, log: a.log, client: &http.Transport{
		TLSClientConfig: config, DialContext: (&net.Dialer{Timeout: 3 * time.Second}).DialContext, TLSHandshakeTimeout: 5 * time.Second, IdleConnTimeout: time.Minute,
	}}
	a.peers.files = a.peers.client.Clone()
	a.peers.files.ResponseHeaderTimeout = 5 * time.Second
	if !a.Config.has(roleConductor) {
		return nil
	}
	a.peers.self = ingot.Conductor{Process: a.process, Group: a.Config.Conduct.Group, Drivers: a.Config.Drivers}
	if a.Config.Peers.Listen == noPeers {
		return nil
	}
	at := a.Config.Peers.Listen
	if at == "" {
		at = net.JoinHostPort(a.Store.LocalAddress().String(), "0")
	}
	l, err := listen(at)
	if err != nil {
		return fmt.Errorf("the listener for other processes (peers.listen): %w", err)
	}
	a.peerListen, a.peers.self.Address = tls.NewListener(l, config), cmp.Or(a.Config.Peers.Address, a.reachable(l.Addr()))
	return nil
}

// reachable is a listener's address as other hosts write it: one that stands for all of this host's is replaced by the one
// from which the database is reached.
func (a *App) reachable(at net.Addr) string {
	all, err := netip.ParseAddrPort(at.String())
	if err != nil || !all.Addr().IsUnspecified() {
		return at.String()
	}
	return net.JoinHostPort(a.Store.LocalAddress().String(), strconv.Itoa(int(all.Port())))
}

// At is how to reach the conductor that is to speak to a node's machine (api.Peers).
func (p *peers) At(ctx context.Context, node ingot.Node) (via http.RoundTripper, base string) {
	if p.self.Process != "" && works(&p.self, &node) {
		return nil, ""
	}
	all, err := p.alive(ctx)
	if err != nil {
		p.log.WarnContext(ctx, "cannot find the conductor that is to speak to a machine; speaking to it from here", "node", node.UUID, "error", err)
		return nil, ""
	}
	able := slices.DeleteFunc(all, func(c ingot.Conductor) bool { return !c.Alive || c.Address == "" || !works(&c, &node) })
	if len(able) == 0 {
		return nil, ""
	}
	at := slices.IndexFunc(able, func(c ingot.Conductor) bool { return c.Hostname == node.Conductor })
	for i := 0; at < 0; i++ {
		if (ingot.Share{Index: i, Of: len(able)}).Has(node.UUID) {
			at = i
		}
	}
	return p.client, "https://" + able[at].Address
}

// works says whether a conductor works on a node.
func works(c *ingot.Conductor, n *ingot.Node) bool {
	return c.Group == n.ConductorGroup && slices.Contains(c.Drivers, n.Driver)
}

// Get asks the conductors for a file that one of them may have (images.Elsewhere).
func (p *peers) Get(ctx context.Context, path string, header http.Header) (*http.Response, error) {
	all, err := p.alive(ctx)
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, c := range all {
		if !c.Alive || c.Address == "" || c.Process == p.self.Process {
			continue
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+c.Address+path, nil)
		if err != nil {
			return nil, err
		}
		for name, values := range header {
			request.Header[name] = values
		}
		answer, err := p.files.RoundTrip(request)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("conductor %s: %w", c.Hostname, err))
			continue
		case answer.StatusCode == http.StatusOK || answer.StatusCode == http.StatusPartialContent:
			return answer, nil
		}
		errs = append(errs, fmt.Errorf("conductor %s: %s", c.Hostname, answer.Status), answer.Body.Close())
	}
	return nil, ingot.Errorf(ingot.NotFound, "no other conductor has %s: %w", path, errors.Join(errs...))
}

// peerHandler is what other processes may ask: what is to be done with machines, and files that are here.
func (a *App) peerHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/v1/", a.API.PeerHandler())
	mux.Handle("/images/", a.images.Here())
	mux.HandleFunc("GET "+pxe.FilePath+"{token}/{name}", func(w http.ResponseWriter, r *http.Request) {
		f, _, err := a.Conductor.BootFile(r.Context(), r.PathValue("token"), r.PathValue("name"))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		defer f.Close()
		w.Header().Set("Content-Type", "application/octet-stream")
		http.ServeContent(w, r, "", time.Time{}, f)
	})
	return mux
}
