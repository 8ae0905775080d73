// Package rescue lets people log in to the ramdisk: ironic-python-agent's rescue extension, and the login that its
// ramdisk's operating system would have.
package rescue

import (
	"context"
	"strings"

	"github.com/ingot-metal/ingot/conductor/shacrypt"
	"github.com/ingot-metal/ingot/deploy-agent/internal/command"
)

// Rescue is the extension.
type Rescue struct {
	// Open lets whoever knows the password log in from now on; hash is crypt(3)'s of it. An error says why nobody can.
	Open func(hash string) error
	// Seal has the agent carry out nothing more: the machine is its user's from here on.
	Seal func()
}

// Commands are the extension's.
func (r *Rescue) Commands() []command.Command {
	return []command.Command{{Name: "rescue.finalize_rescue", Takes: []string{"rescue_password", "hashed"}, Run: r.finalize}}
}

// finalize takes the password: plain, or hashed by the conductor, as all recent ones do.
func (r *Rescue) finalize(_ context.Context, call *command.Call) (any, error) {
	var password string
	var hashed bool
	if err := call.Decode("rescue_password", &password); err != nil {
		return nil, err
	}
	if err := call.Decode("hashed", &hashed); err != nil {
		return nil, err
	}
	switch {
	case password == "":
		return nil, command.InvalidParams("rescue_password is empty")
	case !hashed:
		password = shacrypt.Hash(password)
	case !strings.HasPrefix(password, "$5$") && !strings.HasPrefix(password, "$6$"):
		return nil, command.InvalidParams("rescue_password is not a hash of crypt's methods $5$ and $6$, which this ramdisk knows")
	}
	if err := r.Open(password); err != nil {
		return nil, command.Failed("cannot open the rescue login: %s", err)
	}
	r.Seal()
	return nil, nil
}
