package sim

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/ingot-metal/ingot"
)

// Pretend is an agent without a process of its own: it speaks the ramdisk protocol from here, takes the time that it is
// told, and writes its machine's disk. Hundreds of them cost what one real one does. Set the fields, then make Run the
// machine's.
type Pretend struct {
	Machine *Machine
	Address string // that its API listens on, such as 127.1.0.7: a machine's own
	// Takes is how long a command works; nil is no time. "boot" is the time until the agent first calls.
	Takes func(command string) time.Duration
	// Beat is the time between heartbeats; 0 is a minute.
	Beat time.Duration
	// Stutter says how many heartbeats to send at once where one is due; nil is one. Of several, some arrive late.
	Stutter func() int

	mu      sync.Mutex
	boots   int
	journal []Command
}

// Command is what an agent was told, and what came of it.
type Command struct {
	At, Ended time.Time // Ended is zero while it runs, and for what the power was taken from
	Boot      int       // the machine's start, from 1
	Name      string    // with its extension: standby.prepare_image
	ID        string    // image_info's id or the step's ingot_id; "" has none
	Checksum  string    // of the image
	Failure   string
}

// Journal is all commands that the machine's agents were told, in order.
func (p *Pretend) Journal() []Command {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Command(nil), p.journal...)
}

// boot is one start's agent.
type boot struct {
	of    *Pretend
	ctx   context.Context
	nth   int
	api   string // base URL of lookup and heartbeat
	url   string // of its own API
	ca    string // PEM of its certificate
	node  string
	token string

	mu       sync.Mutex
	commands []ingot.AgentCommand
}

// Run is an agent's life: it listens, looks itself up, calls, and does what it is told until ctx ends.
func (p *Pretend) Run(ctx context.Context, cmdline string) {
	if !pause(ctx, p.takes("boot")) {
		return
	}
	p.mu.Lock()
	p.boots++
	b := &boot{of: p, ctx: ctx, nth: p.boots, api: argument(cmdline, "ipa-api-url")}
	p.mu.Unlock()
	server, err := b.listen()
	if err != nil {
		p.Machine.note("the agent ended: " + err.Error())
		return
	}
	defer server.Close()
	for b.lookUp() != nil {
		if !pause(ctx, time.Second) {
			return
		}
	}
	if callback := argument(cmdline, "ipa-inspection-callback-url"); callback != "" {
		b.report(callback)
	}
	for {
		b.beat()
		if !pause(ctx, p.between()) {
			return
		}
	}
}

func (p *Pretend) takes(command string) time.Duration {
	if p.Takes == nil {
		return 0
	}
	return p.Takes(command)
}

func (p *Pretend) between() time.Duration {
	if p.Beat == 0 {
		return time.Minute
	}
	return p.Beat
}

// argument is a kernel argument's value.
func argument(cmdline, name string) string {
	for _, word := range strings.Fields(cmdline) {
		if value, ok := strings.CutPrefix(word, name+"="); ok {
			return value
		}
	}
	return ""
}

// listen opens the agent's API under a certificate of this boot.
func (b *boot) listen() (*http.Server, error) {
	certificate, text, err := newCertificate(b.of.Address)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", net.JoinHostPort(b.of.Address, "0"))
	if err != nil {
		return nil, err
	}
	b.url, b.ca = "https://"+l.Addr().String(), text
	server := &http.Server{Handler: b.handler(), ReadHeaderTimeout: time.Minute, ErrorLog: silent()}
	go func() {
		_ = server.Serve(tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{certificate}})) // it ends with the boot
	}()
	return server, nil
}

func newCertificate(address string) (tls.Certificate, string, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, "", err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.ParseIP(address)}, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, "", err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), nil
}

// lookUp asks who this is, and gets the token.
func (b *boot) lookUp() error {
	var answer struct {
		Node   struct{ UUID string }
		Config struct {
			Token string `json:"agent_token"`
		}
	}
	if err := b.call(http.MethodGet, b.api+"/v1/lookup?addresses="+url.QueryEscape(b.of.Machine.MAC), nil, &answer); err != nil {
		return err
	}
	if answer.Config.Token == "" {
		return errors.New("the lookup gave no token")
	}
	b.node, b.token = answer.Node.UUID, answer.Config.Token
	return nil
}

// beat sends what is due: once, or several at a time.
func (b *boot) beat() {
	n := 1
	if b.of.Stutter != nil {
		n = b.of.Stutter()
	}
	body := map[string]any{"callback_url": b.url, "agent_version": "11.0.0", "agent_token": b.token, "agent_verify_ca": b.ca}
	for i := range n {
		go func() {
			if pause(b.ctx, time.Duration(i)*300*time.Millisecond) {
				_ = b.call(http.MethodPost, b.api+"/v1/heartbeat/"+b.node, body, nil) // the next one may be heard
			}
		}()
	}
}

// report sends what inspection is for, until it was taken.
func (b *boot) report(callback string) {
	inventory := ingot.Inventory{
		Interfaces: []ingot.InventoryInterface{{Name: "eth0", MAC: b.of.Machine.MAC, HasCarrier: true}},
		CPU:        ingot.InventoryCPU{Count: 2, Architecture: "x86_64"}, Memory: ingot.InventoryMemory{PhysicalMB: 4096},
		Disks: []ingot.InventoryDisk{{Name: "/dev/sda", Size: 8 << 30}}, Boot: ingot.InventoryBoot{CurrentMode: "bios"},
	}
	for b.call(http.MethodPost, callback, map[string]any{"inventory": inventory}, nil) != nil {
		if !pause(b.ctx, time.Second) {
			return
		}
	}
}

// call sends a request, from the machine's own address, and reads the answer.
func (b *boot) call(method, place string, body, answer any) error {
	ctx, cancel := context.WithTimeout(b.ctx, 10*time.Second)
	defer cancel()
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, place, bytes.NewReader(text))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-OpenStack-Ironic-API-Version", "1.84")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return err
	}
	if response.StatusCode >= 300 {
		return fmt.Errorf("%s %s answered %s", method, place, response.Status)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(data, answer)
}

// pause lets d pass; false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
