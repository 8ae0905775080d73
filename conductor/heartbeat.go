package conductor

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"net/netip"
	"strings"

	"github.com/ingot-metal/ingot"
)

// What agents say: lookup, heartbeat, continue_inspection.

// Lookup finds the node of a ramdisk by its MAC addresses or UUID and gives it a one-time token (Ironic: GET
// /v1/lookup). Whatever is wrong, the answer is the same NotFound: a stranger learns nothing. Until the first heartbeat
// with the token, the same address gets the same token again; afterwards never, and the lookup is kept as a sign that
// the machine was started again.
func (c *Conductor) Lookup(ctx context.Context, macs []string, nodeUUID, from string) (ingot.Node, error) {
	node, err := c.lookupNode(ctx, macs, nodeUUID)
	if err != nil {
		return ingot.Node{}, err
	}
	notFound := ingot.Errorf(ingot.NotFound, "Resource could not be found.")
	from = host(from)
	refused := false
	node, err = c.Nodes.ChangeNode(ctx, ingot.NodeChange{
		UUID: node.UUID, Wake: true,
		Change: func(n *ingot.Node) error {
			refused = false
			switch {
			case n.Boot.Action != ingot.BootKernel || !n.ProvisionState.InRamdisk():
				return notFound
			case n.Agent.Token == "":
				n.Agent = ingot.Agent{Token: ingot.Secret(rand.Text() + rand.Text()), TokenFor: from}
			case n.Agent.Heartbeat.IsZero() && n.Agent.TokenFor == from:
			default:
				refused = true
				n.Agent.Restarted = c.Now()
			}
			return nil
		},
	})
	if err != nil {
		return ingot.Node{}, err
	}
	if refused {
		c.Log.Warn("a lookup came after the token had been used; the machine may have been restarted", "node", node.UUID, "from", from)
		return ingot.Node{}, notFound
	}
	return node, nil
}

// lookupNode finds the node that a ramdisk may belong to.
func (c *Conductor) lookupNode(ctx context.Context, macs []string, nodeUUID string) (ingot.Node, error) {
	notFound := ingot.Errorf(ingot.NotFound, "Resource could not be found.")
	node, err := c.Nodes.NodeByMACs(ctx, macs)
	if err != nil && nodeUUID != "" && len(macs) == 0 {
		node, err = c.Nodes.Node(ctx, nodeUUID)
	}
	switch {
	case ingot.CodeOf(err) == ingot.NotFound || ingot.CodeOf(err) == ingot.Conflict:
		return node, notFound
	case err != nil:
		return node, err
	case nodeUUID != "" && node.UUID != nodeUUID:
		return node, notFound
	}
	return node, nil
}

// Heartbeat takes an agent's sign of life and wakes its operation (Ironic: POST /v1/heartbeat/{node}). In a state in which
// no operation is in the ramdisk, as after a rescue, nothing comes of it.
func (c *Conductor) Heartbeat(ctx context.Context, nodeUUID string, hb ingot.Heartbeat) error {
	now := c.Now()
	_, err := c.Nodes.ChangeNode(ctx, ingot.NodeChange{
		UUID: nodeUUID, Wake: true,
		Change: func(n *ingot.Node) error {
			if err := authentic(n, hb); err != nil {
				return err
			}
			if !n.ProvisionState.InRamdisk() {
				return nil
			}
			n.Agent.URL, n.Agent.Version, n.Agent.CA, n.Agent.Heartbeat = strings.TrimSuffix(hb.CallbackURL, "/"), hb.Version, hb.CA, now
			n.Agent.Fingerprint = fingerprint(hb)
			return nil
		},
	})
	return err
}

// authentic refuses a heartbeat without the node's token, and one that would move the agent elsewhere.
func authentic(n *ingot.Node, hb ingot.Heartbeat) error {
	switch {
	case hb.Token == "":
		return ingot.Errorf(ingot.Invalid, "Agent token is required for heartbeat processing.")
	case n.Agent.Token == "" || subtle.ConstantTimeCompare([]byte(n.Agent.Token.Reveal()), []byte(hb.Token.Reveal())) != 1:
		return ingot.Errorf(ingot.Invalid, "Invalid agent token received: look the node up again.")
	case n.Agent.URL != "" && n.Agent.URL != strings.TrimSuffix(hb.CallbackURL, "/"):
		return ingot.Errorf(ingot.Invalid, "Detected change in ramdisk provided callback_url: it was %s.", n.Agent.URL)
	}
	return nil
}

// fingerprint is the identity of a boot: of the agent's certificate, or of its token where it presents none.
func fingerprint(hb ingot.Heartbeat) string {
	identity := hb.CA
	if identity == "" {
		identity = hb.Token.Reveal()
	}
	sum := sha256.Sum256([]byte(identity))
	return hex.EncodeToString(sum[:])
}

// ContinueInspection keeps an agent's inventory for the pass that takes it (Ironic: POST /v1/continue_inspection). Only a
// node that is being inspected gets one.
func (c *Conductor) ContinueInspection(ctx context.Context, nodeUUID string, inventory ingot.Inventory, plugin map[string]any, _ string) (ingot.Node, error) {
	macs := make([]string, 0, len(inventory.Interfaces))
	for _, i := range inventory.Interfaces {
		macs = append(macs, strings.ToLower(i.MAC))
	}
	node, err := c.lookupNode(ctx, macs, nodeUUID)
	if err != nil && nodeUUID != "" {
		node, err = c.Nodes.Node(ctx, nodeUUID)
	}
	if err != nil {
		return node, err
	}
	if s := node.ProvisionState; s != ingot.InspectWait && s != ingot.Inspecting {
		return node, ingot.Errorf(ingot.NotFound, "Resource could not be found.")
	}
	data, err := json.Marshal(inspection{Inventory: inventory, Plugin: plugin})
	if err != nil {
		return node, err
	}
	if err := c.Blobs.PutBlob(ctx, inspectionKey(node.UUID), "application/json", data, c.Now().Add(c.Settings.CallbackTimeout)); err != nil {
		return node, err
	}
	return c.Nodes.ChangeNode(ctx, ingot.NodeChange{UUID: node.UUID, Wake: true, Change: func(*ingot.Node) error { return nil }})
}

// host is the address of HOST:PORT, or text itself.
func host(text string) string {
	if addr, err := netip.ParseAddrPort(text); err == nil {
		return addr.Addr().Unmap().String()
	}
	return text
}
