package lab

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/ingot-metal/ingot/api/client"
)

// ImageUser is the login of the lab's own images.
const ImageUser = "debian"

// makeKey makes an SSH key pair in file and file.pub, unless it is there.
func makeKey(file string) error {
	if _, err := os.Stat(file + ".pub"); err == nil {
		return nil
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return fmt.Errorf("cannot make an SSH key: %w", err)
	}
	block, err := ssh.MarshalPrivateKey(private, "ingot lab")
	if err != nil {
		return fmt.Errorf("cannot make an SSH key: %w", err)
	}
	shown, err := ssh.NewPublicKey(public)
	if err != nil {
		return fmt.Errorf("cannot make an SSH key: %w", err)
	}
	if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
		return fmt.Errorf("cannot keep the SSH key: %w", err)
	}
	if err := os.WriteFile(file+".pub", ssh.MarshalAuthorizedKey(shown), 0o644); err != nil {
		return fmt.Errorf("cannot keep the SSH key: %w", err)
	}
	return nil
}

// Address is the IPv4 address of a machine on the rack's bridge: its lease with the service, or, in a rack without one,
// the address at which it was last heard. What the ramdisk and the instance get is the same lease. An error says that
// the machine was not heard of yet.
func (r *Record) Address(ctx context.Context, node string) (string, error) {
	n, err := r.Node(node)
	if err != nil {
		return "", err
	}
	if r.API == "" {
		return r.heard(ctx, n)
	}
	address, err := Lease(ctx, &client.Client{BaseURL: r.API}, n.MAC)
	if err != nil {
		return "", fmt.Errorf("cannot find the address of %s: %w", n.Name, err)
	}
	return address, nil
}

// heard finds a machine's address among the bridge's neighbours. The kernel forgets which MAC address was behind one
// that was asked for while the machine was off, until the machine itself sends something there.
func (r *Record) heard(ctx context.Context, n NodeRecord) (string, error) {
	out, err := exec.CommandContext(ctx, "ip", "-netns", r.Namespace, "-json", "-4", "neigh", "show", "dev", bridgeName).Output()
	if err != nil {
		return "", fmt.Errorf("cannot ask rack %s for its neighbours: %w", r.Name, err)
	}
	var neighbours []struct {
		Address string `json:"dst"`
		MAC     string `json:"lladdr"`
	}
	if err := json.Unmarshal(out, &neighbours); err != nil {
		return "", fmt.Errorf("cannot read the neighbours of rack %s: %w", r.Name, err)
	}
	for _, heard := range neighbours {
		if strings.EqualFold(heard.MAC, n.MAC) {
			return heard.Address, nil
		}
	}
	return "", fmt.Errorf("cannot reach %s: nothing with its MAC address %s was heard on the rack's network yet", n.Name, n.MAC)
}

// SSH is the command line that logs in to a machine's instance, with more arguments at its end. It runs anywhere: it
// enters the rack's namespace by itself.
func (r *Record) SSH(ctx context.Context, node, user string, arguments ...string) ([]string, error) {
	address, err := r.Address(ctx, node)
	if err != nil {
		return nil, err
	}
	return r.sshTo(address, user, arguments...), nil
}

// sshTo is SSH to an address on the rack's bridge.
func (r *Record) sshTo(address, user string, arguments ...string) []string {
	line := []string{
		"ip", "netns", "exec", r.Namespace, "ssh", "-i", r.Key, "-o", "IdentitiesOnly=yes", "-F", "none",
		// Every deployment makes new host keys.
		"-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
		user + "@" + address,
	}
	return append(line, arguments...)
}

// Execute runs a command in a node's instance over SSH, once, and gives what it prints. Nothing but the lab's key is
// offered.
func (r *Rack) Execute(ctx context.Context, node, command string) (string, error) {
	record := r.record()
	address, err := record.Address(ctx, node)
	if err != nil {
		return "", err
	}
	return r.ExecuteAt(ctx, address, command)
}

// ExecuteAt is Execute at an address on the rack's bridge, as a guest has one.
func (r *Rack) ExecuteAt(ctx context.Context, address, command string) (string, error) {
	record := r.record()
	line := record.sshTo(address, ImageUser, command)
	options := []string{"-o", "BatchMode=yes", "-o", "PreferredAuthentications=publickey", "-o", "ConnectTimeout=5"}
	line = append(line[:5:5], append(options, line[5:]...)...) // after "ssh"
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, line[0], line[1:]...)
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return "", errors.Join(fmt.Errorf("cannot run a command at %s over SSH: %w", address, err), errors.New(strings.TrimSpace(said.String())))
	}
	return string(out), nil
}

// Lease is the address that the rack's service gave to a MAC address.
func Lease(ctx context.Context, api *client.Client, mac string) (string, error) {
	leases, err := api.Leases(ctx, networkName)
	if err != nil {
		return "", err
	}
	for _, l := range leases {
		if strings.EqualFold(l.MAC, mac) {
			return l.Address, nil
		}
	}
	return "", fmt.Errorf("cannot reach %s: it has no lease yet", mac)
}
