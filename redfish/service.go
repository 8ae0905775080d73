package redfish

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/stmcginnis/gofish"
	"github.com/stmcginnis/gofish/common"
	"github.com/stmcginnis/gofish/redfish"

	"github.com/ingot-metal/ingot"
)

// service is bmclib's provider for one ComputerSystem of a Redfish service.
type service struct {
	set     settings
	carrier *carrier
	client  *gofish.APIClient // since Open
	path    string            // of the system; "" until it is known
	failed  error
	cut     bool // the last exchange ended with its ctx
}

func newService(set settings) *service {
	return &service{set: set, carrier: newCarrier(set), path: set.system}
}

// Name is the provider's name in bmclib's errors and spans.
func (s *service) Name() string { return "ingot-redfish" }

// Address is the service's URL.
func (s *service) Address() string { return s.set.endpoint }

// Cause is the failure of the call before, once (bmc.Provider).
func (s *service) Cause() error {
	err := s.failed
	s.failed = nil
	return err
}

// Heard says whether the service answered, if only with a refusal (bmc.Provider). A login that has run out is not good
// for more.
func (s *service) Heard(err error) bool {
	status := statusOf(err)
	return status != 0 && status != http.StatusUnauthorized
}

// ask runs an exchange: its requests end with ctx.
func (s *service) ask(ctx context.Context, do func() error) error {
	s.carrier.under(ctx)
	defer s.carrier.under(context.Background())
	err := do()
	if err != nil {
		s.failed, s.cut = err, ctx.Err() != nil
	}
	return err
}

// Open logs in and finds the system (bmclib's Opener). Basic authentication costs the BMC no session, so that is what
// "auto" tries first; services may have it switched off (SessionService's HTTPBasicAuth).
func (s *service) Open(ctx context.Context) error {
	return s.ask(ctx, func() error {
		err := s.login(s.set.auth != authSession)
		if s.set.auth == authAuto && statusOf(err) == http.StatusUnauthorized {
			err = s.login(false)
		}
		if err != nil {
			s.cut = ctx.Err() != nil
			s.logout()
		}
		return err
	})
}

// login connects and asks for the system, which is the first thing that needs the login.
func (s *service) login(basic bool) error {
	client, err := gofish.Connect(gofish.ClientConfig{
		Endpoint: s.set.endpoint, Username: s.set.username, Password: s.set.password.Reveal(),
		BasicAuth: basic, HTTPClient: &http.Client{Transport: s.carrier},
	})
	if err != nil {
		return err
	}
	s.client = client
	return s.find()
}

// find gets the path of the system: the service's only one where driver_info names none.
func (s *service) find() error {
	if s.path != "" {
		_, err := s.system()
		return err
	}
	links, err := systemLinks(s.client)
	if err != nil {
		return err
	}
	if len(links) != 1 {
		return ingot.Errorf(ingot.Invalid, "cannot tell which system of %s is the node's: it has %d (%s): set redfish_system_id in the node's driver_info",
			s.set.endpoint, len(links), strings.Join(links, ", "))
	}
	s.path = links[0]
	return nil
}

// systemLinks are the paths of the service's systems.
func systemLinks(c *gofish.APIClient) ([]string, error) {
	collection, err := common.GetCollection(c, "/redfish/v1/Systems")
	if err != nil {
		return nil, err
	}
	return collection.ItemLinks, nil
}

// system reads the system.
func (s *service) system() (*redfish.ComputerSystem, error) {
	return redfish.GetComputerSystem(s.client, s.path)
}

// closePatience bounds the end of a session, which may be waited for beyond an exchange's ctx.
const closePatience = 5 * time.Second

// Close ends the session, if there is one, and the connections (bmclib's Closer).
func (s *service) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, closePatience)
	defer cancel()
	return s.ask(ctx, func() error { s.logout(); return nil })
}

// logout deletes the session. After an exchange whose time ran out it is left to run out too: bmclib would wait for
// that half a minute longer than the caller wants to.
func (s *service) logout() {
	if s.client != nil && !s.cut {
		if session, err := s.client.GetSession(); err == nil {
			_ = s.client.Service.DeleteSession(session.ID) // it runs out by itself where this fails
		}
	}
	s.client, s.cut = nil, false
	s.carrier.CloseIdleConnections()
}

// statusOf is the HTTP status of a refusal; 0 for other failures.
func statusOf(err error) int {
	var refusal *common.Error
	if errors.As(err, &refusal) {
		return refusal.HTTPReturnedStatusCode
	}
	return 0
}
