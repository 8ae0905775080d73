//go:build cgo && libvirt_dlopen

package hypervisor_test

import (
	"context"
	"crypto/ed25519"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/hypervisor"
	"github.com/ingot-metal/ingot/hypervisor/libvirttest"
)

// TestSSH reaches a real libvirtd through a server of SSH that lets one key in. Its own key has to be the known one.
func TestSSH(t *testing.T) {
	started(t)
	d := libvirttest.Start(t)
	dir := t.TempDir()
	serverKey, serverSigner := newKey(t, filepath.Join(dir, "host"))
	userKey, _ := newKey(t, filepath.Join(dir, "user"))
	otherKey, _ := newKey(t, filepath.Join(dir, "other"))
	address := sshServer(t, serverSigner, userKey, d)
	for name, key := range map[string]ssh.PublicKey{"known": serverKey, "wrong": otherKey} {
		line := knownhosts.Line([]string{knownhosts.Normalize(address)}, key) + "\n"
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(line), 0o600))
	}
	socket := socketOf(d)
	probe := func(key, known string) error {
		hosts := &hypervisor.Hosts{}
		defer hosts.Close()
		_, err := hosts.Probe(context.WithoutCancel(t.Context()), ingot.Hypervisor{
			NodeUUID: uuid.NewString(),
			URI:      "qemu+ssh://virt@" + address + "/system?socket=" + socket + "&keyfile=" + filepath.Join(dir, key) + "&known_hosts=" + filepath.Join(dir, known),
		}, nil)
		return err
	}
	require.NoError(t, probe("user", "known"))
	require.ErrorContains(t, probe("user", "wrong"), "it may be another machine")
	socket = "/nowhere"
	require.ErrorContains(t, probe("user", "known"), "cannot reach /nowhere over SSH; is libvirtd there, and may virt use it?")
	socket = socketOf(d)
	require.ErrorContains(t, probe("other", "known"), "unable to authenticate", "the server does not know this key")
}

// newKey makes a key pair and keeps its private half in a file.
func newKey(t *testing.T, file string) (ssh.PublicKey, ssh.Signer) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	block, err := ssh.MarshalPrivateKey(private, "")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(block), 0o600))
	signer, err := ssh.NewSignerFromKey(private)
	require.NoError(t, err)
	return signer.PublicKey(), signer
}

// sshServer lets one key in, and joins whatever command it is asked to run with the daemon's socket.
func sshServer(t *testing.T, own ssh.Signer, user ssh.PublicKey, d *libvirttest.Daemon) string {
	t.Helper()
	config := &ssh.ServerConfig{PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		if string(key.Marshal()) != string(user.Marshal()) {
			return nil, errors.New("another key")
		}
		return nil, nil
	}}
	config.AddHostKey(own)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				_, channels, requests, err := ssh.NewServerConn(conn, config)
				if err != nil {
					return
				}
				go ssh.DiscardRequests(requests)
				for c := range channels {
					go joinDaemon(c, d)
				}
			}()
		}
	}()
	return listener.Addr().String()
}

// joinDaemon joins a channel to a socket of the server's machine, as OpenSSH does (direct-streamlocal@openssh.com), with the
// daemon's.
func joinDaemon(wanted ssh.NewChannel, d *libvirttest.Daemon) {
	var to struct {
		Path     string
		Reserved string
		Number   uint32
	}
	if wanted.ChannelType() != "direct-streamlocal@openssh.com" || ssh.Unmarshal(wanted.ExtraData(), &to) != nil || to.Path != socketOf(d) {
		_ = wanted.Reject(ssh.Prohibited, "no such way")
		return
	}
	channel, requests, err := wanted.Accept()
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	daemon, err := net.Dial("unix", socketOf(d))
	if err != nil {
		_ = channel.Close()
		return
	}
	go func() { _, _ = io.Copy(daemon, channel); _ = daemon.Close() }()
	_, _ = io.Copy(channel, daemon)
	_ = channel.Close()
}

// socketOf is where a daemon listens.
func socketOf(d *libvirttest.Daemon) string {
	_, socket, _ := strings.Cut(d.URI(), "?socket=")
	return socket
}
