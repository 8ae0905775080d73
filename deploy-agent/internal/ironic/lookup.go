package ironic

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	ingot "github.com/ingot-metal/ingot"
)

// ErrTokenGone is in the error of Lookup when the node's token was given to somebody else: another boot of this
// machine, most likely. Only a power cycle by Ironic clears it.
var ErrTokenGone = errors.New("the node's agent token was given out before")

// Found is the node that this machine is, and how Ironic wants its agent to behave.
type Found struct {
	UUID             string
	Node             map[string]any // uuid, properties, instance_info, driver_internal_info
	HeartbeatTimeout time.Duration
	Token            ingot.Secret // "" from an API before 1.62
	SkipBMC          bool         // do not look for the BMC's address
}

// Lookup asks which node has one of the MAC addresses, or the UUID where it is known (from inspection). own is the token
// that this agent holds already, if any. Errors pass: asking again is right.
func (c *Client) Lookup(ctx context.Context, macs []string, uuid string, own ingot.Secret) (Found, error) {
	query := url.Values{"addresses": {strings.Join(macs, ",")}}
	if uuid != "" {
		query.Set("node_uuid", uuid)
	}
	a, err := c.do(ctx, http.MethodGet, "/v1/lookup?"+query.Encode(), c.version(minorToken), nil)
	if err != nil {
		return Found{}, err
	}
	if a.code != http.StatusOK {
		return Found{}, refused(http.MethodGet, a)
	}
	var body struct {
		Node   map[string]any `json:"node"`
		Config struct {
			HeartbeatTimeout float64 `json:"heartbeat_timeout"`
			Token            string  `json:"agent_token"`
			SkipBMC          bool    `json:"agent_skip_bmc_detect"`
		} `json:"config"`
	}
	if err := json.Unmarshal(a.body, &body); err != nil {
		return Found{}, fmt.Errorf("cannot understand the answer of %s: %w", a.url, err)
	}
	f := Found{
		UUID: ingot.Text(body.Node, "uuid"), Node: body.Node, SkipBMC: body.Config.SkipBMC,
		HeartbeatTimeout: time.Duration(body.Config.HeartbeatTimeout * float64(time.Second)),
	}
	if f.UUID == "" {
		return Found{}, fmt.Errorf("cannot use the answer of %s: it names no node", a.url)
	}
	if f.HeartbeatTimeout <= 0 {
		return Found{}, fmt.Errorf("cannot use the answer of %s: it has no heartbeat_timeout", a.url)
	}
	f.Token, err = token(body.Config.Token, own)
	return f, err
}

// token judges what lookup gave. Ironic makes tokens of 43 characters; stars mean that it was told already.
func token(given string, own ingot.Secret) (ingot.Secret, error) {
	switch {
	case len(given) >= 32:
		return ingot.Secret(given), nil
	case own != "" || given == "":
		return own, nil
	case given == ingot.Stars:
		return "", fmt.Errorf("cannot serve this node: %w; power-cycle it through Ironic", ErrTokenGone)
	}
	return "", errors.New("cannot serve this node: the API gave a token of fewer than 32 characters")
}

// Beat is what a heartbeat tells.
type Beat struct {
	UUID        string
	CallbackURL string
	Version     string       // the agent's
	Token       ingot.Secret // from Lookup
	CA          string       // PEM of the certificate that CallbackURL presents, "" when it is plain HTTP
}

// Heartbeat says that the agent is there. An error passes: Conflict tells that the node is locked just now.
func (c *Client) Heartbeat(ctx context.Context, b Beat) error {
	minor := c.version(minorVerifyCA)
	body := map[string]any{"callback_url": b.CallbackURL}
	if minor >= minorToken {
		body["agent_token"] = b.Token.Reveal()
	}
	if minor >= minorAgentVersion {
		body["agent_version"] = b.Version
	}
	if minor >= minorVerifyCA && b.CA != "" {
		body["agent_verify_ca"] = b.CA
	}
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("cannot put the heartbeat into JSON: %w", err)
	}
	a, err := c.do(ctx, http.MethodPost, "/v1/heartbeat/"+url.PathEscape(b.UUID), minor, text)
	if err != nil {
		return err
	}
	if a.code != http.StatusAccepted {
		return refused(http.MethodPost, a)
	}
	return nil
}

// Inspection is what the inspection callback gets.
type Inspection struct {
	Inventory     ingot.Inventory      `json:"inventory"`
	RootDisk      *ingot.InventoryDisk `json:"root_disk,omitempty"`
	BootInterface string               `json:"boot_interface"`
	PCI           []map[string]string  `json:"pci_devices,omitempty"`
	Logs          string               `json:"logs,omitempty"` // base64 of a tar.gz
	Error         *string              `json:"error"`
	Configuration map[string]any       `json:"configuration"`
}

// Inspect posts the data to the first of the URLs that answers and gives the node's UUID, "" when the other side knows
// none. An error passes unless it is a StatusError below 500 other than Conflict.
func Inspect(ctx context.Context, h *http.Client, urls []string, data Inspection) (string, error) {
	text, err := json.Marshal(data)
	if err != nil {
		return "", fmt.Errorf("cannot put the inspection data into JSON: %w", err)
	}
	var failures []error
	for _, to := range urls {
		a, err := send(ctx, h, http.MethodPost, to, 0, text)
		if err != nil {
			failures = append(failures, err)
			continue
		}
		if a.code >= http.StatusBadRequest {
			return "", refused(http.MethodPost, a)
		}
		var body struct {
			UUID string `json:"uuid"`
		}
		_ = json.Unmarshal(a.body, &body) // a callback of somebody's own may answer anything
		return body.UUID, nil
	}
	return "", errors.Join(failures...)
}
