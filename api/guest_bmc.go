package api

import (
	"context"
	"net/http"

	"github.com/ingot-metal/ingot"
)

// GuestBMCs are the virtual BMCs in front of guests.
type GuestBMCs interface {
	// GuestBMC is a guest's. NotFound: it has none.
	GuestBMC(ctx context.Context, node ingot.Node) (ingot.GuestBMC, error)
	// SetGuestBMC gives a guest one, or another login to the one that it has; a password that is "" is made. Conflict: there
	// is no port left.
	SetGuestBMC(ctx context.Context, node ingot.Node, username string, password ingot.Secret) (ingot.GuestBMC, error)
	DeleteGuestBMC(ctx context.Context, node ingot.Node) error
}

// guestBMCRoutes are the virtual BMCs, which Ironic has not.
func (a *API) guestBMCRoutes() []route {
	return where(a.GuestBMCs != nil && a.Nodes != nil,
		route{"GET", "/nodes/{node}/bmc", 1, "node:bmc:get", showGuestBMC},
		route{"PUT", "/nodes/{node}/bmc", 1, "node:bmc:set", setGuestBMC},
		route{"DELETE", "/nodes/{node}/bmc", 1, "node:bmc:delete", deleteGuestBMC},
	)
}

// renderGuestBMC is a virtual BMC on the wire. Only the answer that made a password shows it.
func (r *request) renderGuestBMC(b *ingot.GuestBMC, password any) map[string]any {
	scheme := "http://"
	if b.Secure {
		scheme = "https://"
	}
	return map[string]any{
		"node_uuid": b.NodeUUID, "username": b.Username, "password": password, "port": b.Port, "problem": orNull(b.Problem),
		"ipmi": b.Address, "redfish": scheme + b.Address, "redfish_system_id": "/redfish/v1/Systems/1",
		"created_at": wireTime(b.CreatedAt), "updated_at": wireTime(b.UpdatedAt), "links": r.links("nodes/" + b.NodeUUID + "/bmc"),
	}
}

// showGuestBMC is GET /v1/nodes/{node}/bmc.
func showGuestBMC(r *request) (response, error) {
	node, err := r.node()
	if err != nil {
		return response{}, err
	}
	bmc, err := r.api.GuestBMCs.GuestBMC(r.Context(), node)
	if err != nil {
		return response{}, err
	}
	return response{body: r.renderGuestBMC(&bmc, ingot.Stars)}, nil
}

// guestBMCLogin is the body of PUT bmc.
type guestBMCLogin struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

// check holds a login against what IPMI 2.0 can carry (sections 22.28 and 22.30).
func (l *guestBMCLogin) check() error {
	if l.Username == "" {
		l.Username = "admin"
	}
	switch {
	case !printable(l.Username) || len(l.Username) > 16:
		return ingot.Errorf(ingot.Invalid, "username of a virtual BMC can not be %s: it has up to 16 printable characters of ASCII", repr(l.Username))
	case l.Password != "" && (len(l.Password) < 8 || len(l.Password) > 20 || !printable(l.Password)):
		return ingot.Errorf(ingot.Invalid, "password of a virtual BMC has 8 to 20 printable characters of ASCII; leave it out to have one made")
	}
	return nil
}

// printable says whether text is of ASCII's visible characters.
func printable(text string) bool {
	for _, c := range []byte(text) {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return true
}

// setGuestBMC is PUT /v1/nodes/{node}/bmc: it gives a guest a virtual BMC, or another login to the one that it has.
func setGuestBMC(r *request) (response, error) {
	node, err := r.node()
	if err != nil {
		return response{}, err
	}
	body, err := r.json()
	if err != nil {
		return response{}, err
	}
	login := &guestBMCLogin{}
	if err := strict(body, login); err != nil {
		return response{}, err
	}
	if err := login.check(); err != nil {
		return response{}, err
	}
	if !node.IsGuest() {
		return response{}, ingot.Errorf(ingot.Invalid, "Node %s is no guest: only guests have virtual BMCs.", node.UUID)
	}
	bmc, err := r.api.GuestBMCs.SetGuestBMC(r.Context(), node, login.Username, ingot.Secret(login.Password))
	if err != nil {
		return response{}, err
	}
	shown := any(ingot.Stars)
	if login.Password == "" {
		shown = bmc.Password.Reveal()
	}
	return response{body: r.renderGuestBMC(&bmc, shown)}, nil
}

// deleteGuestBMC is DELETE /v1/nodes/{node}/bmc.
func deleteGuestBMC(r *request) (response, error) {
	node, err := r.node()
	if err != nil {
		return response{}, err
	}
	return response{status: http.StatusNoContent}, r.api.GuestBMCs.DeleteGuestBMC(r.Context(), node)
}
