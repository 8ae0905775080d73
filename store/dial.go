package store

import (
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// How long a connection to PostgreSQL may take to be made, and how long packets on one may go unanswered, before it
// counts as lost. Without that a network that swallows packets would hold a request for a quarter of an hour.
const (
	connectLimit = 5 * time.Second
	silentLimit  = 6 * time.Second
)

func dialer() *net.Dialer {
	return &net.Dialer{
		Timeout:         connectLimit,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: silentLimit / 3, Interval: silentLimit / 3, Count: 3},
		Control: func(network, _ string, raw syscall.RawConn) error {
			if network == "unix" {
				return nil
			}
			var set error
			err := raw.Control(func(fd uintptr) {
				set = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(silentLimit.Milliseconds()))
			})
			if err != nil {
				return err
			}
			return set
		},
	}
}
