package agent

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ingot-metal/ingot/deploy-agent/internal/clock"
	"github.com/ingot-metal/ingot/deploy-agent/internal/inventory"
	"github.com/ingot-metal/ingot/deploy-agent/internal/ironic"
)

// The waits of the way to Ironic. They double from first to last, with a random part: a rack that comes up at once must
// not ask at once.
const (
	askFirst = time.Second
	askLast  = 60 * time.Second

	inspectTries = 5
	inspectFirst = 5 * time.Second
	inspectLast  = 30 * time.Second
)

// absurd tells a clock that was never set, or is off by more than any time zone: certificates are judged by it.
const maxDrift = 26 * time.Hour

func absurd(now, api time.Time) bool {
	drift := api.Sub(now)
	return drift > maxDrift || drift < -maxDrift
}

// backoff is the n-th wait (from 0).
func backoff(n int, first, last time.Duration) time.Duration {
	d := min(first<<min(n, 16), last)
	return d/2 + time.Duration(rand.Int64N(int64(d/2)+1))
}

// discover asks for the API's version until something answers, and sets the clock by it if it is absurd.
func (a *Agent) discover(ctx context.Context) error {
	at, err := time.Time{}, error(nil)
	giveUp := a.until()
	for n := 0; ; n++ {
		at, err = a.client.Discover(ctx)
		if err == nil || !at.IsZero() { // an answer that is no version document is an answer: lookup will tell more
			break
		}
		if err := a.again(ctx, n, giveUp, "cannot reach Ironic's API", err); err != nil {
			return err
		}
	}
	if err != nil {
		a.Log.Warn("the API's version is not known; speaking 1.68 at most", "error", err)
	}
	if a.SetClock != nil && !at.IsZero() && absurd(a.Clock.Now(), at) {
		a.Log.Warn("the clock is off by more than a day: setting it to the API's", "was", a.Clock.Now(), "is", at)
		if err := a.SetClock(at); err != nil {
			a.Log.Error("cannot set the clock", "error", err)
		}
	}
	return nil
}

// until is when to give up, zero for never.
func (a *Agent) until() time.Time {
	if a.GiveUp == 0 {
		return time.Time{}
	}
	return a.Clock.Now().Add(a.GiveUp)
}

// again waits before the next try, or says that it is over.
func (a *Agent) again(ctx context.Context, n int, giveUp time.Time, what string, cause error) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if !giveUp.IsZero() && !a.Clock.Now().Before(giveUp) {
		return fmt.Errorf("giving up after %s: %s: %w", a.GiveUp, what, cause)
	}
	wait := backoff(n, askFirst, askLast)
	a.Log.Warn(what, "error", cause, "try", n+1, "again", wait.Round(time.Millisecond))
	return clock.Wait(ctx, a.Clock, wait)
}

// lookup asks which node this is until it gets an answer.
func (a *Agent) lookup(ctx context.Context, uuid string) (ironic.Found, error) {
	giveUp := a.until()
	for n := 0; ; n++ {
		macs := inventory.MACs(a.Network.Interfaces())
		if len(macs) == 0 {
			if err := a.again(ctx, n, giveUp, "cannot look this machine up", errors.New("it has no network interface: is its driver in the ramdisk?")); err != nil {
				return ironic.Found{}, err
			}
			continue
		}
		found, err := a.client.Lookup(ctx, macs, uuid, a.token)
		if err == nil {
			a.Log.Info("this machine is known", "node", found.UUID, "heartbeat_timeout", found.HeartbeatTimeout)
			return found, nil
		}
		if err := a.again(ctx, n, giveUp, fmt.Sprintf("cannot look this machine up by %v", macs), err); err != nil {
			return ironic.Found{}, err
		}
	}
}

// inspect sends the inventory where the command line asks for it, and gives the node's UUID if the other side told it.
// It comes before lookup, which does not know a machine that was never inspected; a failure leaves that to lookup.
func (a *Agent) inspect(ctx context.Context) (string, error) {
	urls := a.Options.InspectionURLs
	if len(urls) == 0 && len(a.Options.Collectors) > 0 {
		for _, base := range a.Options.APIURLs {
			urls = append(urls, strings.TrimRight(base, "/")+"/v1/continue_inspection")
		}
	}
	if len(urls) == 0 {
		return "", nil
	}
	_, _ = a.Chooser.Root(ctx) // waits for late disks; none fitting is told in the data by their list
	data := a.Reporter.Inspection(a.Options.Collectors)
	for n := range inspectTries {
		uuid, err := ironic.Inspect(ctx, a.HTTP, urls, data)
		if err == nil {
			a.Log.Info("the inventory was taken", "node", uuid)
			return uuid, nil
		}
		var status *ironic.StatusError
		if errors.As(err, &status) && status.Code < http.StatusInternalServerError && status.Code != http.StatusConflict {
			a.Log.Error("the inventory was refused; going on with lookup", "error", err)
			return "", nil
		}
		wait := backoff(n, inspectFirst, inspectLast)
		a.Log.Warn("cannot send the inventory", "error", err, "try", n+1, "of", inspectTries, "again", wait.Round(time.Second))
		if err := clock.Wait(ctx, a.Clock, wait); err != nil {
			return "", err
		}
	}
	a.Log.Error("the inventory could not be sent; going on with lookup")
	return "", nil
}

// sourceAddress is the address that packets to the URL's host leave with. Connecting a UDP socket sends nothing.
func sourceAddress(to string) (string, error) {
	u, err := url.Parse(to)
	if err != nil || u.Hostname() == "" {
		return "", fmt.Errorf("cannot find this machine's address: %q is not a URL", to)
	}
	conn, err := net.Dial("udp", net.JoinHostPort(u.Hostname(), "9"))
	if err != nil {
		return "", fmt.Errorf("cannot find this machine's address towards %s: %w", u.Hostname(), err)
	}
	defer conn.Close()
	local, ok := conn.LocalAddr().(*net.UDPAddr)
	if !ok || local.IP.IsLinkLocalUnicast() {
		return "", fmt.Errorf("cannot find this machine's address towards %s: it has only link-local ones; give ipa-advertise-host", u.Hostname())
	}
	return local.IP.String(), nil
}
