package ipmi

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/bmc-toolbox/bmclib/v2"
	"github.com/bougou/go-ipmi/pkg/types"

	"github.com/ingot-metal/ingot"
)

// Names of Ironic's ipmitool vendor methods.
const (
	sendRaw  = "send_raw"
	bmcReset = "bmc_reset"
)

// VendorMethods are those of Ironic's ipmitool vendor interface.
func (m *machine) VendorMethods() []ingot.VendorMethod {
	return []ingot.VendorMethod{
		{
			Name: sendRaw, HTTP: []string{"POST"}, Async: true, Lock: true,
			Description: "Send raw bytes to the BMC. Required argument: 'raw_bytes' - a string of raw bytes (e.g. '0x00 0x01').",
		},
		{
			Name: bmcReset, HTTP: []string{"POST"}, Async: true, Lock: true,
			Description: "Reset the BMC. Required argument: 'warm' (Boolean) - for warm (True) or cold (False) reset.",
		},
	}
}

// CheckVendor reads the arguments.
func (m *machine) CheckVendor(method string, args map[string]any) error {
	_, err := rawRequest(method, args)
	return err
}

// CallVendor sends the command; as in Ironic its answer is not given back.
func (m *machine) CallVendor(ctx context.Context, method string, args map[string]any) (any, error) {
	request, err := rawRequest(method, args)
	if err != nil {
		return nil, err
	}
	return nil, m.Do(ctx, method, func(*bmclib.Client) error {
		_, err := m.sender.raw(ctx, request...)
		return err
	})
}

// rawRequest is the command that a method stands for: network function, number, data.
func rawRequest(method string, args map[string]any) ([]byte, error) {
	switch method {
	case sendRaw:
		text, _ := args["raw_bytes"].(string)
		if strings.TrimSpace(text) == "" {
			return nil, ingot.Errorf(ingot.Invalid, "Parameter raw_bytes (string of bytes) was not specified.")
		}
		return parseRaw(text)
	case bmcReset: // sections 20.2 and 20.3
		if warm := args["warm"]; warm == false || warm == "false" || warm == "False" || warm == "0" {
			return []byte{0x06, 0x02}, nil
		}
		return []byte{0x06, 0x03}, nil
	}
	return nil, ingot.Errorf(ingot.Invalid, "No handler for method %s", method)
}

// parseRaw reads bytes as ipmitool takes them, in hexadecimal.
func parseRaw(text string) ([]byte, error) {
	var request []byte
	for _, word := range strings.Fields(text) {
		digits := strings.TrimPrefix(strings.ToLower(word), "0x")
		if len(digits) == 1 {
			digits = "0" + digits
		}
		b, err := hex.DecodeString(digits)
		if err != nil || len(b) != 1 {
			return nil, ingot.Errorf(ingot.Invalid, "raw_bytes %q is not a string of bytes such as '0x00 0x01': %q is none", text, word)
		}
		request = append(request, b...)
	}
	if len(request) < 2 {
		return nil, ingot.Errorf(ingot.Invalid, "raw_bytes %q has not both a network function and a command", text)
	}
	return request, nil
}

// raw sends a command of any sort and gives its data.
func (n *native) raw(ctx context.Context, request ...byte) (data []byte, err error) {
	err = n.ask(ctx, fmt.Sprintf("raw command %#02x %#02x", request[0], request[1]), func() error {
		answer, err := n.client.RawCommand(ctx, types.NetFn(request[0]), request[1], request[2:], "raw")
		if err == nil {
			data = answer.Response
		}
		return err
	})
	return data, err
}
