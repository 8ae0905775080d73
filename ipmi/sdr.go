package ipmi

import (
	"context"
	"errors"
	"fmt"

	"github.com/bougou/go-ipmi/pkg/command/storage"
	"github.com/bougou/go-ipmi/pkg/types"
)

// The repository is read here and not by go-ipmi's GetSDRs, which never ends on a BMC whose record IDs go in a circle
// and whose piecewise reading writes past the end of short records.
const (
	sdrHeader  = 5
	sdrPiece   = 16 // bytes at a time where a BMC cannot give a whole record; all can give these
	maxSDRs    = 4096
	lastRecord = 0xffff
	wholeSDR   = 0xff
)

// eachSDR calls use for each sensor data record that can be read (IPMI 2.0 section 33.12).
func (n *native) eachSDR(ctx context.Context, use func(*types.SDR) error) error {
	var id uint16
	for range maxSDRs {
		data, next, err := n.sdr(ctx, id)
		if refusal, ok := types.IsResponseError(err); ok && id == 0 && refusal.CompletionCode() == types.CodeRequestedDataNotPresent {
			return nil // an empty repository has no first record
		}
		if err != nil {
			return fmt.Errorf("sensor data record %#04x: %w", id, err)
		}
		// A record of an unknown make is no reason to go without the others.
		if record, err := types.ParseSDR(data, next); err == nil {
			if err := use(record); err != nil {
				return err
			}
		}
		if next == lastRecord {
			return nil
		}
		id = next
	}
	return errors.New("the sensor data repository does not end")
}

// sdr reads a record: at once, or in pieces where the BMC's buffers do not hold a whole one.
func (n *native) sdr(ctx context.Context, id uint16) ([]byte, uint16, error) {
	whole := &storage.GetSDRResponse{}
	err := n.client.Exchange(ctx, &storage.GetSDRRequest{RecordID: id, ReadBytes: wholeSDR}, whole)
	if refusal, ok := types.IsResponseError(err); ok && tooMuch(refusal.CompletionCode()) {
		return n.sdrPieces(ctx, id)
	}
	return whole.RecordData, whole.NextRecordID, err
}

// tooMuch says whether a BMC could not give as many bytes as were asked for.
func tooMuch(code types.CompletionCode) bool {
	return code == types.CodeCannotReturnRequestedDataBytes || code == types.CodeRequestDataLengthLimitExceeded || code == types.CodeUnspecifiedError
}

func (n *native) sdrPieces(ctx context.Context, id uint16) ([]byte, uint16, error) {
	reserved, err := n.client.ReserveSDRRepo(ctx)
	if err != nil {
		return nil, 0, fmt.Errorf("Reserve SDR Repository: %w", err)
	}
	var data []byte
	var next uint16
	for size := sdrHeader; len(data) < size; {
		piece := &storage.GetSDRResponse{}
		ask := &storage.GetSDRRequest{ReservationID: reserved.ReservationID, RecordID: id, ReadOffset: uint8(len(data)), ReadBytes: uint8(min(sdrPiece, size-len(data)))}
		if err := n.client.Exchange(ctx, ask, piece); err != nil {
			return nil, 0, err
		}
		if len(piece.RecordData) == 0 {
			return nil, 0, errors.New("the BMC gives no bytes")
		}
		next, data = piece.NextRecordID, append(data, piece.RecordData...)
		if size == sdrHeader && len(data) >= sdrHeader {
			size += int(data[sdrHeader-1])
		}
	}
	return data, next, nil
}
