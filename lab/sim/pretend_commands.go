package sim

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/ingot-metal/ingot"
)

func silent() *log.Logger { return log.New(io.Discard, "", 0) }

// handler is the agent's API: commands, listed and sent.
func (b *boot) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/commands/", func(w http.ResponseWriter, r *http.Request) {
		if b.allowed(w, r) {
			b.mu.Lock()
			defer b.mu.Unlock()
			answer(w, http.StatusOK, map[string]any{"commands": b.commands})
		}
	})
	mux.HandleFunc("POST /v1/commands/", func(w http.ResponseWriter, r *http.Request) {
		if b.allowed(w, r) {
			b.take(w, r)
		}
	})
	return mux
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // who asked may be gone
}

func (b *boot) allowed(w http.ResponseWriter, r *http.Request) bool {
	if r.URL.Query().Get("agent_token") == b.token && b.token != "" {
		return true
	}
	answer(w, http.StatusUnauthorized, map[string]any{"faultstring": "401 Unauthorized: Token invalid."})
	return false
}

// take begins a command, unless another one runs.
func (b *boot) take(w http.ResponseWriter, r *http.Request) {
	var request ingot.AgentRequest
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		answer(w, http.StatusBadRequest, map[string]any{"faultstring": err.Error()})
		return
	}
	b.mu.Lock()
	if slices.ContainsFunc(b.commands, func(c ingot.AgentCommand) bool { return c.Status == ingot.CommandRunning }) {
		b.mu.Unlock()
		answer(w, http.StatusConflict, map[string]any{"faultstring": "Agent is busy"})
		return
	}
	_, bare, _ := strings.Cut(request.Name, ".")
	at := len(b.commands)
	b.commands = append(b.commands, ingot.AgentCommand{ID: uuid.NewString(), Name: bare, Params: request.Params, Status: ingot.CommandRunning})
	b.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		b.work(at, request)
	}()
	if r.URL.Query().Get("wait") == "true" {
		select {
		case <-ended:
		case <-b.ctx.Done():
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	answer(w, http.StatusOK, b.commands[at])
}

// work carries a command out. One that the power was taken from never ends.
func (b *boot) work(at int, request ingot.AgentRequest) {
	entry := b.of.began(Command{At: time.Now(), Boot: b.nth, Name: request.Name, ID: idOf(request.Params), Checksum: checksumOf(request.Params)})
	result, err := b.do(request)
	if b.ctx.Err() != nil {
		return
	}
	b.of.ended(entry, err)
	b.mu.Lock()
	c := &b.commands[at]
	c.Status, c.Result = ingot.CommandSucceeded, result
	if err != nil {
		c.Status, c.Error = ingot.CommandFailed, &ingot.AgentError{Type: "CommandExecutionError", Code: 500, Message: err.Error()}
	}
	b.mu.Unlock()
	b.beat()
}

func (p *Pretend) began(c Command) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.journal = append(p.journal, c)
	return len(p.journal) - 1
}

func (p *Pretend) ended(entry int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.journal[entry].Ended = time.Now()
	if err != nil {
		p.journal[entry].Failure = err.Error()
	}
}

// idOf is the conductor's name for a sending, wherever it travels.
func idOf(params map[string]any) string {
	for object, key := range map[string]string{"image_info": "id", "step": "ingot_id"} {
		if m, ok := params[object].(map[string]any); ok {
			return ingot.Text(m, key)
		}
	}
	return ""
}

func checksumOf(params map[string]any) string {
	info, _ := params["image_info"].(map[string]any)
	return ingot.Text(info, "os_hash_value")
}

// do is the command's effect, which is there when its time is over and not before.
func (b *boot) do(request ingot.AgentRequest) (map[string]any, error) {
	version := map[string]any{"pretend": "1"}
	switch request.Name {
	case "clean.get_clean_steps":
		step := map[string]any{"step": "erase_devices_metadata", "priority": 10.0, "interface": "deploy", "reboot_requested": false, "abortable": true}
		return map[string]any{"clean_steps": map[string]any{"Pretend": []any{step}}, "hardware_manager_version": version}, nil
	case "deploy.get_deploy_steps":
		return map[string]any{"deploy_steps": map[string]any{"Pretend": []any{}}, "hardware_manager_version": version}, nil
	case "service.get_service_steps":
		step := map[string]any{"step": "burnin_cpu", "priority": 0.0, "interface": "deploy", "reboot_requested": false, "abortable": false}
		return map[string]any{"service_steps": map[string]any{"Pretend": []any{step}}, "hardware_manager_version": version}, nil
	case "standby.prepare_image":
		return nil, b.write(request.Params)
	case "clean.execute_clean_step":
		if err := b.of.Machine.put(make([]byte, 512)); err != nil {
			return nil, err
		}
		return map[string]any{"clean_step": request.Params["step"]}, b.spend(request.Name)
	case "service.execute_service_step":
		return map[string]any{"service_step": request.Params["step"]}, b.spend(request.Name)
	case "standby.sync", "image.install_bootloader", "rescue.finalize_rescue":
		return nil, b.spend(request.Name)
	}
	return nil, fmt.Errorf("this agent has no command %s", request.Name)
}

// spend lets the command's time pass.
func (b *boot) spend(command string) error {
	if !pause(b.ctx, b.of.takes(command)) {
		return b.ctx.Err()
	}
	return nil
}

// write puts the image on the disk: its first sector last, so that half an image never boots.
func (b *boot) write(params map[string]any) error {
	if err := b.of.Machine.put(make([]byte, 512)); err != nil {
		return err
	}
	image, err := b.fetch(params)
	if err != nil {
		return err
	}
	if err := b.spend("standby.prepare_image"); err != nil {
		return err
	}
	return b.of.Machine.put(image)
}

// fetch gets the image, from a service that may be away for a while, and judges it.
func (b *boot) fetch(params map[string]any) ([]byte, error) {
	info, _ := params["image_info"].(map[string]any)
	places, _ := info["urls"].([]any)
	if len(places) == 0 {
		return nil, errors.New("image_info has no URL")
	}
	for tries := 0; ; tries++ {
		text, err := get(b.ctx, fmt.Sprint(places[0]))
		if err == nil {
			if sum := sha256.Sum256([]byte(text)); hex.EncodeToString(sum[:]) != checksumOf(params) {
				return nil, errors.New("the image has another checksum")
			}
			return []byte(text), nil
		}
		if tries == 60 || !pause(b.ctx, time.Second) {
			return nil, err
		}
	}
}

// put writes to the beginning of the disk.
func (m *Machine) put(data []byte) error {
	f, err := os.OpenFile(m.Disk(), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(data, 0)
	return errors.Join(err, f.Close())
}

// Holds says whether the disk begins with the bytes.
func (m *Machine) Holds(data []byte) (bool, error) {
	f, err := os.Open(m.Disk())
	if err != nil {
		return false, err
	}
	defer f.Close()
	there := make([]byte, len(data))
	_, err = f.ReadAt(there, 0)
	return err == nil && string(there) == string(data), err
}
