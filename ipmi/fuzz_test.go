package ipmi_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot/ipmi"
)

// Whatever comes in by UDP, the doorman decides without failing itself.
func FuzzDatagram(f *testing.F) {
	f.Add([]byte{}, byte(0), false, false)
	f.Add([]byte{0x06, 0x00, 0xff, 0x07, 0x06, 0xc0, 0xa3, 0xa2, 0xa1, 0xa0, 1, 0, 0, 0, 0x20, 0}, byte(0), false, true)
	f.Add([]byte{0x06, 0x00, 0xff, 0x07, 0x06, 0x11, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 4}, byte(0x11), false, false)
	f.Add([]byte{0x06, 0x00, 0xff, 0x07, 0x06, 0x13, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 1, 2, 3, 4}, byte(0x13), false, false)
	f.Add([]byte{0x06, 0x00, 0xff, 0x07, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0x81, 0x1c, 0x63, 0x20, 0x04, 0x38, 0, 1, 0x97, 6, 3, 0, 0, 0, 0, 3}, byte(0), true, false)
	f.Fuzz(func(t *testing.T, datagram []byte, kind byte, version15, inSession bool) {
		passed := ipmi.NewDoorman(kind, version15, inSession).Admit(datagram)
		if passed && inSession && !version15 {
			require.Contains(t, []byte{0x11, 0x13, 0x15}, datagram[5]&0x3f, "nobody but the holder of the keys makes a datagram of the session")
		}
	})
}

// A BMC that has the keys and is broken gets no message through that cannot be read.
func FuzzSealed(f *testing.F) {
	f.Add([]byte{0x81, 0x1c, 0x63, 0x20, 0x04, 0x01, 0x00, 0xdb, 1, 2, 3, 4, 5, 6, 7, 7})
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff})
	f.Fuzz(func(t *testing.T, padded []byte) {
		padded = padded[:len(padded)/16*16]
		d := ipmi.NewDoorman(0, false, true)
		sealed := d.Seal(padded)
		require.NotNil(t, sealed)
		fit := len(padded) > 0 && int(padded[len(padded)-1])+1+8 <= len(padded)
		require.Equal(t, fit, d.Admit(sealed))
		sealed[len(sealed)-1] ^= 1
		require.False(t, d.Admit(sealed))
	})
}

// What ipmitool prints.
func FuzzRawBytes(f *testing.F) {
	f.Add(" 01 05 e0 04 00 00 00\n")
	f.Add("zz")
	f.Fuzz(func(t *testing.T, said string) {
		answer, err := ipmi.RawBytes(said)
		require.True(t, err == nil || answer == nil)
	})
}

// Records of sensors and of the log.
func FuzzRecords(f *testing.F) {
	f.Add(append([]byte{0, 0, 0x51, 1, 0x33, 0x20, 0, 1}, make([]byte, 60)...))
	f.Add(append([]byte{0, 0, 0x51, 2, 0x33, 0x20, 0, 1}, make([]byte, 60)...))
	f.Add([]byte{1, 0, 2, 0, 0, 0, 0x60, 0x20, 0, 4, 1, 1, 1, 0x57, 0, 0})
	f.Add([]byte{1, 0, 0xc0, 0, 0, 0, 0x60, 0x20, 0, 4, 1, 1, 1, 0x57, 0, 0})
	f.Fuzz(func(t *testing.T, record []byte) {
		ipmi.Describe(record)
		if row := ipmi.SELRow(record); row != nil {
			require.Len(t, row, 5)
		}
	})
}
