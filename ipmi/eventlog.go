package ipmi

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bmc-toolbox/bmclib/v2"
	"github.com/bougou/go-ipmi/pkg/command/storage"
	"github.com/bougou/go-ipmi/pkg/types"

	"github.com/ingot-metal/ingot"
)

// EventLog reads the system event log (IPMI 2.0 section 31), oldest first.
func (m *machine) EventLog(ctx context.Context) ([]ingot.LogEntry, error) {
	var entries []ingot.LogEntry
	err := m.Do(ctx, "read the event log", func(c *bmclib.Client) error {
		rows, err := c.GetSystemEventLog(ctx)
		for _, row := range rows {
			entries = append(entries, logEntry(row))
		}
		return err
	})
	return entries, err
}

// ClearEventLog starts to erase the log (section 31.9).
func (m *machine) ClearEventLog(ctx context.Context) error {
	return m.Do(ctx, "clear the event log", func(c *bmclib.Client) error { return c.ClearSystemEventLog(ctx) })
}

// logEntry reads a row of bmclib's: ID, time, sensor, message, and from our own provider also the severity.
func logEntry(row []string) ingot.LogEntry {
	var cells [5]string
	copy(cells[:], row)
	return ingot.LogEntry{ID: cells[0], At: when(cells[1]), Sensor: cells[2], Message: cells[3], Severity: cells[4]}
}

// when reads a time as our own provider writes it, or ipmitool; "" for what is none, such as "Pre-Init".
func when(cell string) string {
	for _, layout := range [...]string{time.RFC3339, "01/02/2006 15:04:05 MST", "01/02/2006 15:04:05", "01/02/06 15:04:05 MST", "01/02/06 15:04:05"} {
		if t, err := time.Parse(layout, cell); err == nil {
			return t.UTC().Format(time.RFC3339)
		}
	}
	return ""
}

// GetSystemEventLog gives rows of ID, time, sensor, message and severity (bmclib's SystemEventLog).
func (n *native) GetSystemEventLog(ctx context.Context) ([][]string, error) {
	var rows [][]string
	err := n.ask(ctx, "Get SEL Entry", func() error {
		return n.eachSEL(ctx, func(record *types.SEL) { rows = append(rows, selRow(record)) })
	})
	return rows, err
}

// GetSystemEventLogRaw is the log as lines of text (bmclib's SystemEventLog).
func (n *native) GetSystemEventLogRaw(ctx context.Context) (string, error) {
	rows, err := n.GetSystemEventLog(ctx)
	lines := ""
	for _, row := range rows {
		lines += fmt.Sprintln(row)
	}
	return lines, err
}

// ClearSystemEventLog erases the log under a reservation, so that an entry that comes meanwhile is not lost unseen.
func (n *native) ClearSystemEventLog(ctx context.Context) error {
	return n.ask(ctx, "Clear SEL", func() error {
		reserved, err := n.client.ReserveSEL(ctx)
		if err != nil {
			return err
		}
		_, err = n.client.ClearSEL(ctx, reserved.ReservationID)
		return err
	})
}

// eachSEL calls use for each record of the log. It ends after as many records as there can be IDs.
func (n *native) eachSEL(ctx context.Context, use func(*types.SEL)) error {
	info, err := n.client.GetSELInfo(ctx)
	if err != nil || info.Entries == 0 {
		return err
	}
	var id uint16
	for range lastRecord {
		answer := &storage.GetSELEntryResponse{}
		if err := n.client.Exchange(ctx, &storage.GetSELEntryRequest{RecordID: id, ReadBytes: 0xff}, answer); err != nil {
			return fmt.Errorf("record %#04x: %w", id, err)
		}
		if record, err := types.ParseSEL(answer.Data); err == nil {
			use(record)
		}
		if answer.NextRecordID == lastRecord {
			return nil
		}
		if answer.NextRecordID == id {
			break
		}
		id = answer.NextRecordID
	}
	return errors.New("the event log does not end")
}

// selRow is a record in words (section 32).
func selRow(record *types.SEL) []string {
	id := fmt.Sprintf("%x", record.RecordID)
	switch {
	case record.Standard != nil:
		s := record.Standard
		message := s.EventString()
		if message == "" {
			message = fmt.Sprintf("event %02x of type %02x", s.EventData.EventData1&0x0f, uint8(s.EventReadingType))
		}
		if s.EventDir {
			message += " (ended)"
		}
		return []string{id, bmcTime(s.Timestamp), fmt.Sprintf("%s #%#02x", s.SensorType, uint8(s.SensorNumber)), message, severity(s)}
	case record.OEMTimestamped != nil:
		o := record.OEMTimestamped
		return []string{id, bmcTime(o.Timestamp), "", fmt.Sprintf("record of manufacturer %d: % x", o.ManufacturerID, o.OEMDefined), ""}
	case record.OEMNonTimestamped != nil:
		return []string{id, "", "", fmt.Sprintf("record of the manufacturer: % x", record.OEMNonTimestamped.OEM), ""}
	}
	return []string{id, "", "", "record of an unknown type", ""}
}

// preInit is the end of the times that count from the BMC's start, until somebody sets its clock (section 37).
const preInit = 0x20000000

// bmcTime is the BMC's time, which it gives without a zone; "" where it has none.
func bmcTime(t time.Time) string {
	if t.Unix() <= preInit || t.Unix() == 0xffffffff {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func severity(s *types.SELStandard) string {
	switch s.EventSeverity() {
	case types.EventSeverityCritical, types.EventSeverityNonFatal:
		return "critical"
	case types.EventSeverityWarning, types.EventSeverityDegraded:
		return "warning"
	case types.EventSeverityOK:
		return "ok"
	}
	return ""
}
