package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// wire is one connection over which one thing after the other is got. It is as little of a client as there can be: client
// and service share the processors, and what the client takes is counted against the quicker service.
type wire struct {
	host string
	conn net.Conn
	in   *bufio.Reader
}

// dial has n connections open that are kept for good, made one after the other, with a request over each: a service of
// several processes would otherwise have one of them accept them all. Those that the service closed meanwhile, because
// nothing was asked over them, are opened again.
func (s *service) dial(ctx context.Context, n int) error {
	for len(s.wires) < n {
		s.wires = append(s.wires, wire{host: strings.TrimPrefix(s.url, "http://")})
	}
	for i := range s.wires {
		w := &s.wires[i]
		if w.conn != nil && w.get(ctx, "/") != nil {
			w.close()
		}
		if w.conn == nil {
			if err := w.get(ctx, "/"); err != nil {
				return err
			}
		}
	}
	return nil
}

// get gets a path and reads the answer whole.
func (w *wire) get(ctx context.Context, path string) error {
	if err := w.connect(ctx); err != nil {
		return err
	}
	if err := w.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := io.WriteString(w.conn, "GET "+path+" HTTP/1.1\r\nHost: "+w.host+"\r\nX-OpenStack-Ironic-API-Version: "+version+"\r\n\r\n"); err != nil {
		return err
	}
	res, err := http.ReadResponse(w.in, nil)
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return err
	}
	if res.Close {
		w.close()
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", path, res.Status)
	}
	return nil
}

func (w *wire) connect(ctx context.Context) error {
	if w.conn != nil {
		return nil
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", w.host)
	if err != nil {
		return err
	}
	w.conn, w.in = conn, bufio.NewReader(conn)
	return nil
}

func (w *wire) close() {
	if w.conn != nil {
		w.conn.Close() //nolint:errcheck // every answer was read
		w.conn = nil
	}
}
