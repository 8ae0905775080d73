package vbmc_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/ingot-metal/ingot/lab/vbmc"
)

// send sends one Redfish request with the usual login.
func send(t *testing.T, b bmcUnderTest, method, path, body string, change func(*http.Request)) (*http.Response, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, b.RedfishURL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth(testUser, testPassword)
	if change != nil {
		change(request)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	answer, err := transport.RoundTrip(request)
	if err == nil {
		t.Cleanup(func() { _ = answer.Body.Close() })
	}
	return answer, err
}

func get(t *testing.T, b bmcUnderTest, path string) *http.Response {
	t.Helper()
	answer, err := send(t, b, http.MethodGet, path, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

const (
	systemPath = "/redfish/v1/Systems/1"
	resetPath  = systemPath + "/Actions/ComputerSystem.Reset"
	mediaPath  = "/redfish/v1/Managers/1/VirtualMedia/Cd/Actions/VirtualMedia.InsertMedia"
	loginPath  = "/redfish/v1/SessionService/Sessions"
)

func TestRedfishErrors(t *testing.T) {
	b := start(t, func(s *vbmc.Server) {
		s.Users = []vbmc.User{{Name: "viewer", Password: "v", Privilege: vbmc.PrivilegeUser}}
	})
	as := func(name, password string) func(*http.Request) {
		return func(r *http.Request) { r.SetBasicAuth(name, password) }
	}
	for _, c := range []struct {
		name, method, path, body string
		change                   func(*http.Request)
		status                   int
		message                  string
	}{
		{"no login", "GET", systemPath, "", as("", ""), 401, "NoValidSession"},
		{"wrong password", "GET", systemPath, "", as(testUser, "x"), 401, "NoValidSession"},
		{"wrong token", "GET", systemPath, "", func(r *http.Request) { r.Header.Set("X-Auth-Token", "x") }, 401, "NoValidSession"},
		{"wrong login", "POST", loginPath, `{"UserName":"admin","Password":"x"}`, nil, 401, "ResourceAtUriUnauthorized"},
		{"too little privilege", "POST", resetPath, `{"ResetType":"On"}`, as("viewer", "v"), 403, "InsufficientPrivilege"},
		{"no resource", "GET", "/redfish/v1/Systems/2", "", nil, 404, "ResourceMissingAtURI"},
		{"no method", "PUT", systemPath, "{}", nil, 405, "OperationNotAllowed"},
		{"no JSON", "POST", resetPath, `{"ResetType"`, nil, 400, "MalformedJSON"},
		{"no reset type", "POST", resetPath, `{}`, nil, 400, "ActionParameterMissing"},
		{"unknown reset type", "POST", resetPath, `{"ResetType":"Explode"}`, nil, 400, "PropertyValueNotInList"},
		{"wrong JSON type", "POST", resetPath, `{"ResetType":1}`, nil, 400, "PropertyValueTypeError"},
		{"reset while off", "POST", resetPath, `{"ResetType":"ForceRestart"}`, nil, 409, "ResourceInUse"},
		{"unknown property", "PATCH", systemPath, `{"AssetTag":"x"}`, nil, 400, "PropertyUnknown"},
		{"unknown boot property", "PATCH", systemPath, `{"Boot":{"BootNext":"x"}}`, nil, 400, "PropertyUnknown"},
		{"unknown target", "PATCH", systemPath, `{"Boot":{"BootSourceOverrideTarget":"Floppy"}}`, nil, 400, "PropertyValueNotInList"},
		{"enabled without target", "PATCH", systemPath, `{"Boot":{"BootSourceOverrideEnabled":"Once"}}`, nil, 400, "PropertyMissing"},
		{"HTTP boot on BIOS", "PATCH", systemPath, `{"Boot":{"BootSourceOverrideTarget":"UefiHttp","BootSourceOverrideMode":"Legacy"}}`, nil, 400, "PropertyValueConflict"},
		{"address without HTTP boot", "PATCH", systemPath, `{"Boot":{"BootSourceOverrideTarget":"Pxe","HttpBootUri":"http://a"}}`, nil, 400, "PropertyValueConflict"},
		{"image that is no URL", "POST", mediaPath, `{"Image":"boot.iso"}`, nil, 400, "ActionParameterValueFormatError"},
		{"writable image", "POST", mediaPath, `{"Image":"http://a/b","WriteProtected":false}`, nil, 400, "ActionParameterNotSupported"},
		{"image with login", "POST", mediaPath, `{"Image":"http://a/b","UserName":"x"}`, nil, 400, "PropertyUnknown"},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer, err := send(t, b, c.method, c.path, c.body, c.change)
			if err != nil {
				t.Fatal(err)
			}
			var body struct {
				Error struct {
					Code     string
					Message  string
					Extended []struct{ MessageID string } `json:"@Message.ExtendedInfo"`
				}
			}
			if err := json.NewDecoder(answer.Body).Decode(&body); err != nil {
				t.Fatal(err)
			}
			if answer.StatusCode != c.status || !strings.HasSuffix(body.Error.Code, "."+c.message) {
				t.Errorf("answer %d %s, want %d %s", answer.StatusCode, body.Error.Code, c.status, c.message)
			}
			if len(body.Error.Extended) != 1 || body.Error.Message == "" {
				t.Errorf("the error lacks its extended information: %+v", body)
			}
		})
	}
	if b.Boot().Set() || b.machine.media != "" || len(b.machine.boots) > 0 {
		t.Error("a refused request had an effect")
	}
}

func TestRedfishMachineError(t *testing.T) {
	b := start(t, nil)
	b.machine.breakDown(errors.New("no mains"))
	answer, err := send(t, b, http.MethodPost, resetPath, `{"ResetType":"On"}`, nil)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != http.StatusInternalServerError {
		t.Errorf("power on of a broken machine: %d", answer.StatusCode)
	}
	if e := b.log.Find(vbmc.ProtocolRedfish, vbmc.VerbPower); len(e) != 1 || !strings.Contains(e[0].Outcome, "no mains") {
		t.Errorf("journal: %v", e)
	}
}

func TestRedfishSession(t *testing.T) {
	b := start(t, func(s *vbmc.Server) { s.Sessions = 1 })
	login := func() *http.Response {
		answer, err := send(t, b, http.MethodPost, loginPath, `{"UserName":"`+testUser+`","Password":"`+testPassword+`"}`, nil)
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	opened := login()
	token, location := opened.Header.Get("X-Auth-Token"), opened.Header.Get("Location")
	if opened.StatusCode != http.StatusCreated || token == "" || location == "" {
		t.Fatalf("login: %d, token %q, location %q", opened.StatusCode, token, location)
	}
	if full := login(); full.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a session more than there are: %d", full.StatusCode)
	}
	withToken := func(r *http.Request) {
		r.Header.Del("Authorization")
		r.Header.Set("X-Auth-Token", token)
	}
	for _, step := range []struct {
		method string
		status int
	}{{http.MethodGet, 200}, {http.MethodDelete, 204}, {http.MethodGet, 401}} {
		answer, err := send(t, b, step.method, location, "", withToken)
		if err != nil {
			t.Fatal(err)
		}
		if answer.StatusCode != step.status {
			t.Errorf("%s of the session: %d, want %d", step.method, answer.StatusCode, step.status)
		}
	}
	if again := login(); again.StatusCode != http.StatusCreated {
		t.Errorf("login after a logout: %d", again.StatusCode)
	}
}

func TestRedfishPowerButton(t *testing.T) {
	b := start(t, nil)
	for range 2 {
		if _, err := send(t, b, http.MethodPost, resetPath, `{"ResetType":"PushPowerButton"}`, nil); err != nil {
			t.Fatal(err)
		}
	}
	wantJournal(t, b.log, vbmc.ProtocolMachine, `start "none"`, `shutdown ""`)
}

func TestBootIsOneForBothProtocols(t *testing.T) {
	b := start(t, nil)
	b.ipmitool(t, "chassis", "bootdev", "pxe", "options=efiboot,persistent")
	var system struct {
		Boot struct{ BootSourceOverrideEnabled, BootSourceOverrideTarget, BootSourceOverrideMode string }
	}
	if err := json.NewDecoder(get(t, b, systemPath).Body).Decode(&system); err != nil {
		t.Fatal(err)
	}
	if boot := system.Boot; boot.BootSourceOverrideEnabled != "Continuous" || boot.BootSourceOverrideTarget != "Pxe" || boot.BootSourceOverrideMode != "UEFI" {
		t.Errorf("Redfish shows %+v", boot)
	}
	if _, err := send(t, b, http.MethodPatch, systemPath, `{"Boot":{"BootSourceOverrideTarget":"Cd","BootSourceOverrideEnabled":"Once"}}`, nil); err != nil {
		t.Fatal(err)
	}
	wantText(t, b.ipmitool(t, "chassis", "bootparam", "get", "5"), "Force Boot from CD/DVD", "only next boot", "EFI")
	if got, want := b.TakeBoot(), (vbmc.Boot{Device: vbmc.BootCDROM, EFI: true}); got != want || b.Boot().Set() {
		t.Errorf("took %v, want %v; left %v", got, want, b.Boot())
	}
	wantJournal(t, b.log, vbmc.ProtocolMachine, `self-boot "cdrom once efi"`)

	b.ipmitool(t, "chassis", "bootdev", "pxe", "options=persistent")
	if _, err := send(t, b, http.MethodPatch, systemPath, `{"Boot":{"BootSourceOverrideEnabled":"Disabled"}}`, nil); err != nil {
		t.Fatal(err)
	}
	wantText(t, b.ipmitool(t, "chassis", "bootparam", "get", "5"), "Boot Flag Invalid")
}
