package lab

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// leaveKey ends an attached console: Ctrl-], as telnet's.
const leaveKey = 0x1d

// Attach joins a machine's serial port with a terminal, until the leave key, the end of in, or the end of the rack.
func (r *Record) Attach(ctx context.Context, node string, in *os.File, out io.Writer) error {
	n, err := r.Node(node)
	if err != nil {
		return err
	}
	conn, err := net.Dial("unix", n.Console)
	if err != nil {
		return fmt.Errorf("cannot join the console of %s; does the rack run (`ingot lab status`)? %w", n.Name, err)
	}
	defer conn.Close()
	restore, err := rawMode(in)
	if err != nil {
		return err
	}
	defer restore()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	go func() {
		typeUntilLeft(conn, in)
		_ = conn.Close()
	}()
	fmt.Fprintf(out, "joined %s; Ctrl-] leaves\r\n", n.Name)
	_, _ = io.Copy(out, conn) // it ends when the connection does, for whatever reason
	return nil
}

// typeUntilLeft sends what is typed, up to the leave key.
func typeUntilLeft(to io.Writer, in io.Reader) {
	buffer := make([]byte, 256)
	for {
		n, err := in.Read(buffer)
		typed := buffer[:n]
		if i := bytes.IndexByte(typed, leaveKey); i >= 0 {
			_, _ = to.Write(typed[:i])
			return
		}
		if _, werr := to.Write(typed); err != nil || werr != nil {
			return
		}
	}
}

// rawMode has a terminal pass every key on as it is (termios(3), cfmakeraw); for what is no terminal it does nothing.
func rawMode(f *os.File) (restore func(), err error) {
	fd := int(f.Fd())
	before, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return func() {}, nil //nolint:nilerr // no terminal
	}
	raw := *before
	raw.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	raw.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	raw.Cflag = raw.Cflag&^(unix.CSIZE|unix.PARENB) | unix.CS8
	raw.Cc[unix.VMIN], raw.Cc[unix.VTIME] = 1, 0
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, &raw); err != nil {
		return nil, fmt.Errorf("cannot switch the terminal to raw mode: %w", err)
	}
	return func() { _ = unix.IoctlSetTermios(fd, unix.TCSETS, before) }, nil
}
