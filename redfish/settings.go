package redfish

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ingot-metal/ingot"
)

// Ways to log in that driver_info's redfish_auth_type may name.
const (
	authAuto    = "auto" // basic, and a session where the service refuses that
	authBasic   = "basic"
	authSession = "session"
)

// settings are a node's driver_info, checked.
type settings struct {
	endpoint string // scheme and authority
	system   string // path of the ComputerSystem; "": the only one
	username string
	password ingot.Secret
	auth     string
	tls      *tls.Config
}

// knownKeys are the keys that this driver reads.
var knownKeys = [...]string{
	"redfish_address", "redfish_system_id", "redfish_username", "redfish_password", "redfish_verify_ca",
	"redfish_auth_type", "redfish_tls_minimum_version",
}

// parse checks driver_info. Every failure is Invalid and names the key.
func parse(info map[string]any, opt Options) (settings, error) {
	s := settings{
		auth: opt.AuthType, username: ingot.Text(info, "redfish_username"), password: ingot.Secret(ingot.Text(info, "redfish_password")),
		tls: &tls.Config{MinVersion: tls.VersionTLS12},
	}
	for key, v := range info {
		if v != nil && v != "" && strings.HasPrefix(key, "redfish_") && !slices.Contains(knownKeys[:], key) {
			return s, ingot.Errorf(ingot.Invalid, "%s is not carried out by this driver: remove it from the node's driver_info or mend its name", key)
		}
	}
	for _, read := range []func(map[string]any, *settings) error{readAddress, readSystem, readAuth, readTLSVersion, readVerify} {
		if err := read(info, &s); err != nil {
			return s, err
		}
	}
	return s, nil
}

func readAddress(info map[string]any, s *settings) error {
	address := strings.TrimSpace(ingot.Text(info, "redfish_address"))
	if address == "" {
		return ingot.Errorf(ingot.Invalid, "Missing the following Redfish properties in node driver_info: ['redfish_address']")
	}
	whole := address
	if ip := net.ParseIP(whole); ip != nil && ip.To4() == nil {
		whole = "[" + whole + "]"
	}
	if !strings.Contains(whole, "://") {
		whole = "https://" + whole
	}
	u, err := url.Parse(whole)
	if err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		return ingot.Errorf(ingot.Invalid, "Invalid Redfish address %s set in driver_info/redfish_address", address)
	}
	if root := strings.TrimSuffix(u.Path, "/"); root != "" && root != "/redfish/v1" {
		return ingot.Errorf(ingot.Invalid, "Invalid Redfish address %s set in driver_info/redfish_address: a root other than /redfish/v1 is not carried out", address)
	}
	s.endpoint = u.Scheme + "://" + u.Host
	return nil
}

func readSystem(info map[string]any, s *settings) error {
	switch v := info["redfish_system_id"].(type) {
	case nil:
	case string:
		if v != "" && !strings.HasPrefix(v, "/") {
			return ingot.Errorf(ingot.Invalid, "Invalid value %q set in driver_info/redfish_system_id. The value should be a path (string) to the resource that the driver will interact with. For example: /redfish/v1/Systems/1", v)
		}
		s.system = v
	default:
		return ingot.Errorf(ingot.Invalid, "Invalid value %q set in driver_info/redfish_system_id. The value should be a path (string) to the resource that the driver will interact with. For example: /redfish/v1/Systems/1", fmt.Sprint(v))
	}
	return nil
}

func readAuth(info map[string]any, s *settings) error {
	if v := ingot.Text(info, "redfish_auth_type"); v != "" {
		s.auth = v
	}
	if s.auth == "" {
		s.auth = authAuto
	}
	if s.auth != authBasic && s.auth != authSession && s.auth != authAuto {
		return ingot.Errorf(ingot.Invalid, `Invalid value %q set in driver_info/redfish_auth_type. The value should be one of "basic", "session" or "auto".`, s.auth)
	}
	return nil
}

func readTLSVersion(info map[string]any, s *settings) error {
	switch v := info["redfish_tls_minimum_version"]; v {
	case nil, "":
	case "1.1":
		s.tls.MinVersion = tls.VersionTLS11
	case "1.2":
		s.tls.MinVersion = tls.VersionTLS12
	case "1.3":
		s.tls.MinVersion = tls.VersionTLS13
	default:
		return ingot.Errorf(ingot.Invalid, `Invalid value "%v" set in driver_info/redfish_tls_minimum_version. The value should be one of "1.1", "1.2", or "1.3".`, v)
	}
	return nil
}

// readVerify reads whom to trust: true (the system's authorities), false, or the path of a bundle or of a folder.
func readVerify(info map[string]any, s *settings) error {
	v, ok := info["redfish_verify_ca"]
	if !ok || v == nil {
		return nil
	}
	if yes, ok := v.(bool); ok {
		s.tls.InsecureSkipVerify = !yes
		return nil
	}
	text, ok := v.(string)
	if _, err := os.Stat(text); ok && text != "" && err == nil {
		pool, err := bundle(text)
		if err != nil {
			return ingot.Errorf(ingot.Invalid, "cannot use redfish_verify_ca %s: %w", text, err)
		}
		s.tls.RootCAs = pool
		return nil
	}
	switch strings.ToLower(text) {
	case "1", "t", "true", "on", "y", "yes":
		return nil
	case "0", "f", "false", "off", "n", "no":
		s.tls.InsecureSkipVerify = true
		return nil
	}
	return ingot.Errorf(ingot.Invalid, `Invalid value type set in driver_info/redfish_verify_ca. The value should be a Boolean or the path to a file/directory, not "%v"`, v)
}

// bundle reads certificates in PEM from a file, or from all files of a folder.
func bundle(path string) (*x509.CertPool, error) {
	files := []string{path}
	if found, err := os.ReadDir(path); err == nil {
		files = nil
		for _, f := range found {
			if !f.IsDir() {
				files = append(files, filepath.Join(path, f.Name()))
			}
		}
	}
	pool, found := x509.NewCertPool(), false
	for _, file := range files {
		pem, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		found = pool.AppendCertsFromPEM(pem) || found
	}
	if !found {
		return nil, errors.New("it holds no certificate in PEM")
	}
	return pool, nil
}
