//go:build cgo && libvirt_dlopen

package hypervisor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// The way to a compute host over SSH is ours: libvirt would start ssh(1), which reads the files of its user only, or use
// libssh, with which libvirt 9 was seen to crash the process. libvirt is given a socket of this machine whose one
// connection goes to libvirtd's socket over there.

// daemonSocket is where libvirtd listens unless the URI says otherwise.
const daemonSocket = "/var/run/libvirt/libvirt-sock"

// tunnel is an SSH connection with one way through it.
type tunnel struct {
	client   *ssh.Client
	there    net.Conn // to libvirtd's socket
	listener net.Listener
	dir      string // with the socket, which only this user reaches
	uri      string // to connect with
}

// dig opens the way to a qemu+ssh URI. It gives nil for any other.
func dig(ctx context.Context, uri string) (*tunnel, error) {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "qemu+ssh" {
		return nil, err
	}
	client, err := dialSSH(ctx, u)
	if err != nil {
		return nil, err
	}
	t := &tunnel{client: client}
	socket := u.Query().Get("socket")
	if socket == "" {
		socket = daemonSocket
	}
	if t.there, err = client.Dial("unix", socket); err != nil {
		t.close()
		return nil, fmt.Errorf("cannot reach %s over SSH; is libvirtd there, and may %s use it? %w", socket, client.User(), err)
	}
	if t.dir, err = os.MkdirTemp("", "ingot-libvirt-"); err != nil {
		t.close()
		return nil, err
	}
	path := filepath.Join(t.dir, "sock")
	if t.listener, err = net.Listen("unix", path); err != nil {
		t.close()
		return nil, err
	}
	t.uri = "qemu+unix://" + u.Path + "?socket=" + url.QueryEscape(path)
	go t.carry()
	return t, nil
}

// carry joins the one connection that is made with libvirtd's, and ends the tunnel with it.
func (t *tunnel) carry() {
	here, err := t.listener.Accept()
	_ = t.listener.Close()
	if err != nil {
		return
	}
	defer t.close()
	defer here.Close()
	go func() {
		_, _ = io.Copy(t.there, here)
		_ = t.there.Close()
		_ = here.Close()
	}()
	_, _ = io.Copy(here, t.there)
}

// close ends the connection and removes the socket. It may be called again.
func (t *tunnel) close() {
	if t == nil {
		return
	}
	_ = t.client.Close()
	if t.listener != nil {
		_ = t.listener.Close()
	}
	if t.dir != "" {
		_ = os.RemoveAll(t.dir)
	}
}

// dialSSH logs in with a key, to a host whose key is known.
func dialSSH(ctx context.Context, u *url.URL) (*ssh.Client, error) {
	port := u.Port()
	if port == "" {
		port = "22"
	}
	address := net.JoinHostPort(u.Hostname(), port)
	config, err := sshConfig(u, address)
	if err != nil {
		return nil, err
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	if deadline, bounded := ctx.Deadline(); bounded {
		_ = conn.SetDeadline(deadline)
	}
	channel, news, requests, err := ssh.NewClientConn(conn, address, config)
	if err != nil {
		_ = conn.Close()
		return nil, sshFailure(err, address)
	}
	_ = conn.SetDeadline(time.Time{})
	return ssh.NewClient(channel, news, requests), nil
}

// sshConfig takes keys and known hosts from the files that the URI names, or where ssh(1) has them.
func sshConfig(u *url.URL, address string) (*ssh.ClientConfig, error) {
	home, _ := os.UserHomeDir() // a service without one names its files
	name := u.User.Username()
	if name == "" {
		who, err := user.Current()
		if err != nil {
			return nil, err
		}
		name = who.Username
	}
	keys, err := readKeys(files(u.Query().Get("keyfile"), filepath.Join(home, ".ssh/id_ed25519"), filepath.Join(home, ".ssh/id_rsa"), filepath.Join(home, ".ssh/id_ecdsa")))
	if err != nil {
		return nil, err
	}
	known, err := knownhosts.New(files(u.Query().Get("known_hosts"), filepath.Join(home, ".ssh/known_hosts"), "/etc/ssh/ssh_known_hosts")...)
	if err != nil {
		return nil, fmt.Errorf("cannot read the known hosts: %w", err)
	}
	return &ssh.ClientConfig{
		User: name, Auth: []ssh.AuthMethod{ssh.PublicKeys(keys...)}, HostKeyCallback: known, HostKeyAlgorithms: knownAlgorithms(known, address),
	}, nil
}

// files are the one that was named, or those of the usual ones that are there.
func files(named string, usual ...string) []string {
	if named != "" {
		return []string{named}
	}
	return slices.DeleteFunc(usual, func(file string) bool {
		_, err := os.Stat(file)
		return err != nil
	})
}

func readKeys(names []string) ([]ssh.Signer, error) {
	var keys []ssh.Signer
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("cannot read the SSH key: %w", err)
		}
		key, err := ssh.ParsePrivateKey(text)
		if err != nil {
			return nil, fmt.Errorf("cannot use the SSH key %s: %w", name, err)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, errors.New("there is no SSH key: name a keyfile")
	}
	return keys, nil
}

// knownAlgorithms are those of the keys that are known of a host: it has others, and would be taken for another machine
// if it showed one of these first. Unknown hosts have none, and are refused.
func knownAlgorithms(known ssh.HostKeyCallback, address string) (algorithms []string) {
	var missing *knownhosts.KeyError
	if !errors.As(known(address, &net.TCPAddr{}, noKey{}), &missing) {
		return nil
	}
	for _, want := range missing.Want {
		if kind := want.Key.Type(); kind == ssh.KeyAlgoRSA {
			algorithms = append(algorithms, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256)
		} else {
			algorithms = append(algorithms, kind)
		}
	}
	return algorithms
}

// noKey is the key of no host.
type noKey struct{}

func (noKey) Type() string                        { return "none" }
func (noKey) Marshal() []byte                     { return []byte("none") }
func (noKey) Verify([]byte, *ssh.Signature) error { return errors.New("no key") }

// sshFailure says what people can do about a host that is not known.
func sshFailure(err error, address string) error {
	var unknown *knownhosts.KeyError
	switch {
	case !errors.As(err, &unknown):
		return err
	case len(unknown.Want) == 0:
		return fmt.Errorf("the host key of %s is not among the known hosts", address)
	default:
		return fmt.Errorf("the host key of %s is another one than that in %s line %d: it may be another machine", address, unknown.Want[0].Filename, unknown.Want[0].Line)
	}
}
