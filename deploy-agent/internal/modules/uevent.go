package modules

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// kernelGroup is the multicast group in which the kernel itself announces devices; group 2 is udev's.
const kernelGroup = 1

// Uevents listens to the kernel's device announcements (NETLINK_KOBJECT_UEVENT). It is not safe for concurrent use.
type Uevents struct {
	conn *os.File
}

// ListenUevents opens the socket. The calling process needs no privilege to listen.
func ListenUevents() (*Uevents, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_KOBJECT_UEVENT)
	if err != nil {
		return nil, fmt.Errorf("cannot listen for devices: %w", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: kernelGroup}); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("cannot listen for devices: %w", err)
	}
	// A server's start brings thousands of events at once; the kernel drops what does not fit. Forcing needs
	// CAP_NET_ADMIN, and without it a loss is noticed and made good.
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 16<<20)
	return &Uevents{conn: os.NewFile(uintptr(fd), "uevents")}, nil
}

// Close stops listening.
func (u *Uevents) Close() error { return u.conn.Close() }

// Next implements Events.
func (u *Uevents) Next(ctx context.Context, wait time.Duration) (string, error) {
	if err := u.conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
		return "", fmt.Errorf("cannot listen for devices: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = u.conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	buf := make([]byte, 16<<10) // the kernel's own limit for one event is 2 KiB of text
	for {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		n, err := u.conn.Read(buf)
		switch {
		case errors.Is(err, unix.ENOBUFS):
			return "", ErrLost
		case errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() != nil:
			return "", ctx.Err()
		case errors.Is(err, os.ErrDeadlineExceeded):
			return "", ErrQuiet
		case err != nil:
			return "", fmt.Errorf("cannot listen for devices: %w", err)
		}
		if alias := addedModalias(buf[:n]); alias != "" {
			return alias, nil
		}
	}
}

// addedModalias reads one announcement: "add@/devices/...", then KEY=value, each ended by a zero byte. It returns the
// modalias of an added device, or nothing.
func addedModalias(msg []byte) string {
	head, rest, _ := bytes.Cut(msg, []byte{0})
	if !bytes.HasPrefix(head, []byte("add@")) {
		return ""
	}
	for _, entry := range bytes.Split(rest, []byte{0}) {
		if value, ok := bytes.CutPrefix(entry, []byte("MODALIAS=")); ok {
			return strings.TrimSpace(string(value))
		}
	}
	return ""
}
