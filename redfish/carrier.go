package redfish

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/ingot-metal/ingot"
)

// Bounds of a request for an exchange whose ctx has no deadline.
const (
	dialTimeout   = 10 * time.Second
	answerTimeout = 30 * time.Second
	idleTimeout   = time.Minute
	maxAnswer     = 16 << 20 // bytes: far above any resource; inventories of big chassis reach a few hundred KB
)

// carrier takes gofish's requests to the service, on connections that are kept. gofish (v0.20) binds all requests to
// the ctx that it was made with, and closes the connection after each when it is given a client; each request costs a
// BMC a TLS handshake of 10 to 500 ms then.
type carrier struct {
	*http.Transport
	ctx context.Context // of the exchange under way; set under the machine's turn
	may atomic.Pointer[func() error]
}

func newCarrier(set settings) *carrier {
	c := &carrier{}
	c.under(context.Background())
	c.Transport = &http.Transport{
		DialContext: c.dial, TLSClientConfig: set.tls, TLSHandshakeTimeout: dialTimeout,
		ResponseHeaderTimeout: answerTimeout, IdleConnTimeout: idleTimeout, MaxConnsPerHost: 1,
	}
	return c
}

// under makes ctx that of the exchange under way: what is sent needs its permit.
func (c *carrier) under(ctx context.Context) {
	may := ingot.PermitOf(ctx)
	c.ctx = ctx
	c.may.Store(&may)
}

// dial connects to the service.
func (c *carrier) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return permitted{conn, c}, nil
}

// permitted is a connection on which nothing is sent without the permit of the exchange under way.
type permitted struct {
	net.Conn
	carrier *carrier
}

func (p permitted) Write(b []byte) (int, error) {
	if err := (*p.carrier.may.Load())(); err != nil {
		return 0, err
	}
	return p.Conn.Write(b)
}

// RoundTrip sends a request for the exchange under way.
func (c *carrier) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(c.ctx)
	r.Close = false
	answer, err := c.Transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	answer.Body = &bounded{Reader: io.LimitReader(answer.Body, maxAnswer), Closer: answer.Body}
	return answer, nil
}

// bounded is a body that ends after maxAnswer bytes.
type bounded struct {
	io.Reader
	io.Closer
}
