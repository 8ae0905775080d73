package vbmc

import (
	"context"
	"encoding/binary"
	"slices"
	"sync"
	"time"

	"github.com/bougou/go-ipmi/pkg/types"
)

// Sizes of the system event log.
const (
	selCapacity   = 512
	selRecordSize = 16
)

// eventLog is the system event log (IPMI section 31). In requests the record
// IDs 0000h and FFFFh stand for the first and the last record.
type eventLog struct {
	now func() time.Time

	mu          sync.Mutex
	records     [][selRecordSize]byte // bytes 0-1 are the record ID
	lastID      uint16
	reservation uint16
	added       time.Time
	erased      time.Time
	overflow    bool
}

func newEventLog(now func() time.Time) eventLog { return eventLog{now: now} }

func (i *ipmiServer) selInfo(context.Context, []byte) ([]byte, error) {
	const (
		version     = 0x51
		canReserve  = 0x02
		canDelete   = 0x08
		hasOverflow = 0x80
	)
	l := &i.sel
	l.mu.Lock()
	defer l.mu.Unlock()
	answer := []byte{version}
	answer = binary.LittleEndian.AppendUint16(answer, uint16(len(l.records)))
	answer = binary.LittleEndian.AppendUint16(answer, uint16((selCapacity-len(l.records))*selRecordSize))
	answer = binary.LittleEndian.AppendUint32(answer, timestamp(l.added))
	answer = binary.LittleEndian.AppendUint32(answer, timestamp(l.erased))
	operations := byte(canReserve | canDelete)
	if l.overflow {
		operations |= hasOverflow
	}
	return append(answer, operations), nil
}

// timestamp is t in IPMI's form; FFFFFFFFh is "never" (IPMI section 37).
func timestamp(t time.Time) uint32 {
	if t.IsZero() {
		return 0xffffffff
	}
	return uint32(t.Unix())
}

func (i *ipmiServer) selReserve(context.Context, []byte) ([]byte, error) {
	i.sel.mu.Lock()
	defer i.sel.mu.Unlock()
	i.sel.reservation++
	if i.sel.reservation == 0 {
		i.sel.reservation = 1
	}
	return binary.LittleEndian.AppendUint16(nil, i.sel.reservation), nil
}

// findLocked returns the place of a record, or -1.
func (l *eventLog) findLocked(id uint16) int {
	switch {
	case len(l.records) == 0:
		return -1
	case id == 0:
		return 0
	case id == 0xffff:
		return len(l.records) - 1
	}
	return slices.IndexFunc(l.records, func(r [selRecordSize]byte) bool {
		return binary.LittleEndian.Uint16(r[:]) == id
	})
}

// reservedLocked checks a reservation; 0 is "none needed" where allowed.
func (l *eventLog) reservedLocked(id uint16, needed bool) error {
	if id == l.reservation && id != 0 || id == 0 && !needed {
		return nil
	}
	return types.CodeReservationCanceled
}

// selEntry answers Get SEL Entry (IPMI table 31-5).
func (i *ipmiServer) selEntry(_ context.Context, data []byte) ([]byte, error) {
	l := &i.sel
	l.mu.Lock()
	defer l.mu.Unlock()
	offset, count := int(data[4]), int(data[5])
	if err := l.reservedLocked(binary.LittleEndian.Uint16(data), offset > 0); err != nil {
		return nil, err
	}
	at := l.findLocked(binary.LittleEndian.Uint16(data[2:]))
	if at < 0 {
		return nil, types.CodeRequestedDataNotPresent
	}
	next := uint16(0xffff)
	if at+1 < len(l.records) {
		next = binary.LittleEndian.Uint16(l.records[at+1][:])
	}
	if count == 0xff {
		count = selRecordSize - offset
	}
	if offset >= selRecordSize || offset+count > selRecordSize {
		return nil, types.CodeParameterOutOfRange
	}
	answer := binary.LittleEndian.AppendUint16(nil, next)
	return append(answer, l.records[at][offset:offset+count]...), nil
}

// selAdd answers Add SEL Entry (IPMI table 31-6).
func (i *ipmiServer) selAdd(_ context.Context, data []byte) ([]byte, error) {
	id, err := i.sel.add([selRecordSize]byte(data))
	return binary.LittleEndian.AppendUint16(nil, id), err
}

// platformEvent logs an event that the client reports (IPMI table 29-4): from
// the network its seven bytes lack the generator, which is remote software.
func (i *ipmiServer) platformEvent(_ context.Context, data []byte) ([]byte, error) {
	const systemEvent, remoteSoftware = 0x02, 0x81
	record := [selRecordSize]byte{2: systemEvent, 7: remoteSoftware}
	copy(record[9:], data[:7])
	_, err := i.sel.add(record)
	return nil, err
}

// add appends a record and returns its ID, which is chosen here, as is the
// time of records that have one (types below E0h).
func (l *eventLog) add(record [selRecordSize]byte) (uint16, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.records) >= selCapacity {
		l.overflow = true
		return 0, types.CodeOutOfSpace
	}
	l.lastID++
	if l.lastID == 0xffff {
		l.lastID = 1
	}
	l.added = l.now()
	binary.LittleEndian.PutUint16(record[:], l.lastID)
	if record[2] < 0xe0 {
		binary.LittleEndian.PutUint32(record[3:], timestamp(l.added))
	}
	l.records = append(l.records, record)
	l.reservation++
	return l.lastID, nil
}

func (i *ipmiServer) selDelete(_ context.Context, data []byte) ([]byte, error) {
	l := &i.sel
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.reservedLocked(binary.LittleEndian.Uint16(data), false); err != nil {
		return nil, err
	}
	at := l.findLocked(binary.LittleEndian.Uint16(data[2:]))
	if at < 0 {
		return nil, types.CodeRequestedDataNotPresent
	}
	id := binary.LittleEndian.AppendUint16(nil, binary.LittleEndian.Uint16(l.records[at][:]))
	l.records = slices.Delete(l.records, at, at+1)
	l.reservation, l.erased = l.reservation+1, l.now()
	return id, nil
}

// selClear answers Clear SEL (IPMI table 31-9); erasure ends at once.
func (i *ipmiServer) selClear(ctx context.Context, data []byte) ([]byte, error) {
	const (
		initiate  = 0xaa
		getStatus = 0x00
		completed = 0x01
	)
	l := &i.sel
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.reservedLocked(binary.LittleEndian.Uint16(data), true); err != nil {
		return nil, err
	}
	if string(data[2:5]) != "CLR" || data[5] != initiate && data[5] != getStatus {
		return nil, types.CodeRequestDataFieldInvalid
	}
	if data[5] == initiate {
		note(ctx, VerbSELClear, "")
		l.records, l.overflow, l.erased = nil, false, l.now()
	}
	return []byte{completed}, nil
}

func (i *ipmiServer) selTime(context.Context, []byte) ([]byte, error) {
	return binary.LittleEndian.AppendUint32(nil, timestamp(i.server.Now())), nil
}
