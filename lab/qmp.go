package lab

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"sync"
)

// monitor is a QEMU process's control channel (QEMU Machine Protocol): JSON lines, answers found by their id.
type monitor struct {
	conn net.Conn
	// shutdown is the reason of the last SHUTDOWN event (guest-reset, guest-shutdown, host-qmp-quit); read it when
	// closed is closed.
	shutdown string
	closed   chan struct{}

	mu      sync.Mutex
	last    int
	waiting map[int]chan message
}

// message is whatever QEMU says: a greeting, an answer, or an event.
type message struct {
	ID     int             `json:"id"`
	Return json.RawMessage `json:"return"`
	Error  *struct {
		Class string `json:"class"`
		Desc  string `json:"desc"`
	} `json:"error"`
	Event string `json:"event"`
	Data  struct {
		Reason string `json:"reason"`
	} `json:"data"`
}

// newMonitor takes over a connection that QEMU has just made, and returns when commands can be given.
func newMonitor(ctx context.Context, conn net.Conn) (*monitor, error) {
	m := &monitor{conn: conn, closed: make(chan struct{}), waiting: map[int]chan message{}}
	go m.read()
	if err := m.do(ctx, "qmp_capabilities", nil); err != nil {
		m.close()
		return nil, err
	}
	return m, nil
}

// read hands out what QEMU says until it closes the connection.
func (m *monitor) read() {
	defer close(m.closed)
	lines := bufio.NewScanner(m.conn)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var said message
		if json.Unmarshal(lines.Bytes(), &said) != nil {
			return
		}
		if said.Event == "SHUTDOWN" {
			m.shutdown = said.Data.Reason
		}
		m.mu.Lock()
		answer := m.waiting[said.ID]
		delete(m.waiting, said.ID)
		m.mu.Unlock()
		if answer != nil {
			answer <- said
		}
	}
}

// do gives a command and waits for its answer.
func (m *monitor) do(ctx context.Context, command string, arguments any) error {
	answer := make(chan message, 1)
	m.mu.Lock()
	m.last++
	id := m.last
	m.waiting[id] = answer
	m.mu.Unlock()
	request := map[string]any{"execute": command, "id": id}
	if arguments != nil {
		request["arguments"] = arguments
	}
	text, err := json.Marshal(request)
	if err == nil {
		_, err = m.conn.Write(append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("cannot give QEMU the command %s: %w", command, err)
	}
	select {
	case said := <-answer:
		if said.Error != nil {
			return fmt.Errorf("cannot have QEMU do %s: %s", command, said.Error.Desc)
		}
		return nil
	case <-m.closed:
		return errors.New("cannot have QEMU do " + command + ": it has ended")
	case <-ctx.Done():
		return fmt.Errorf("cannot have QEMU do %s: %w", command, ctx.Err())
	}
}

// close ends the conversation.
func (m *monitor) close() { _ = m.conn.Close() }
