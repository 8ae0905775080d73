package clients_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/baremetal/apiversions"
	"github.com/gophercloud/gophercloud/v2/openstack/baremetal/httpbasic"
	"github.com/gophercloud/gophercloud/v2/openstack/baremetal/noauth"
	"github.com/gophercloud/gophercloud/v2/openstack/baremetal/v1/drivers"
	nodesv1 "github.com/gophercloud/gophercloud/v2/openstack/baremetal/v1/nodes"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"github.com/ingot-metal/ingot/serve"
)

// TestGophercloudVersions: what the service speaks, and a user with a password.
func TestGophercloudVersions(t *testing.T) {
	t.Parallel()
	s := start(t)
	c, err := noauth.NewBareMetalNoAuth(noauth.EndpointOpts{IronicEndpoint: s.URL})
	require.NoError(t, err)
	versions, err := apiversions.List(t.Context(), c).Extract()
	require.NoError(t, err)
	require.Equal(t, "v1", versions.DefaultVersion.ID)
	require.Len(t, versions.Versions, 1)
	version, err := apiversions.Get(t.Context(), c, "v1").Extract()
	require.NoError(t, err)
	require.Equal(t, apiversions.APIVersion{ID: "v1", MinVersion: "1.1", Version: "1.115", Status: "CURRENT"}, *version)
}

// TestGophercloudBasic: users with passwords.
func TestGophercloudBasic(t *testing.T) {
	t.Parallel()
	users := filepath.Join(t.TempDir(), "users")
	hash, err := bcrypt.GenerateFromPassword([]byte("sesame"), bcrypt.MinCost)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(users, []byte("root:"+string(hash)+"\n"), 0o600))
	cfg := serve.Config{Data: t.TempDir(), Dev: true, API: serve.API{Listen: "127.0.0.1:0", Auth: "http_basic", Users: users}, Boot: serve.Boot{Listen: "127.0.0.1:0"}}
	s := run(t, cfg)
	for password, code := range map[string]int{"sesame": 404, "wrong": 401} {
		c, err := httpbasic.NewBareMetalHTTPBasic(httpbasic.EndpointOpts{IronicEndpoint: s.URL + "/v1", IronicUser: "root", IronicUserPassword: password})
		require.NoError(t, err)
		_, err = nodesv1.Get(t.Context(), c, "nosuch").Extract()
		require.True(t, gophercloud.ResponseCodeIs(err, code), err)
	}
}

// TestGophercloudPassthru: vendor methods of drivers, which fake hardware has none of, and Redfish's subscriptions, which it
// does not know.
func TestGophercloudPassthru(t *testing.T) {
	t.Parallel()
	s := start(t)
	c, ctx := s.gopher(t), t.Context()
	furnish(t, s)
	methods, err := drivers.ListVendorPassthruMethods(ctx, c, "fake-hardware").Extract()
	require.NoError(t, err)
	require.Empty(t, methods)
	err = drivers.CallVendorPassthru(ctx, c, "fake-hardware", "POST", drivers.VendorPassthruCallOpts{Method: "nosuch", Body: object{}}).Err
	require.True(t, gophercloud.ResponseCodeIs(err, 400), err)

	node := uuid(6)
	known, err := nodesv1.GetVendorPassthruMethods(ctx, c, node).Extract()
	require.NoError(t, err)
	require.NotNil(t, known)
	call := func(method string) nodesv1.CallVendorPassthruOpts {
		return nodesv1.CallVendorPassthruOpts{Method: method}
	}
	for _, err := range []error{
		nodesv1.GetAllSubscriptions(ctx, c, node, call("get_all_subscriptions")).Err,
		nodesv1.GetSubscription(ctx, c, node, call("get_subscription"), nodesv1.GetSubscriptionOpts{Id: "1"}).Err,
		nodesv1.CreateSubscription(ctx, c, node, call("create_subscription"), nodesv1.CreateSubscriptionOpts{Destination: "https://192.0.2.1"}).Err,
		nodesv1.DeleteSubscription(ctx, c, node, call("delete_subscription"), nodesv1.DeleteSubscriptionOpts{Id: "1"}).Err,
	} {
		require.True(t, gophercloud.ResponseCodeIs(err, 400), err)
	}
}

// TestGophercloudIsWhole: every function of the library that asks Ironic something is called in these tests.
func TestGophercloudIsWhole(t *testing.T) {
	t.Parallel()
	const library = "github.com/gophercloud/gophercloud/v2/openstack/baremetal/"
	ours, err := filepath.Glob("gophercloud*_test.go")
	require.NoError(t, err)
	var tests strings.Builder
	for _, file := range ours {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		tests.Write(text)
	}
	names := map[string]string{"v1/nodes": "nodesv1", "v1/ports": "portsv1"}
	found := 0
	for _, folder := range []string{"apiversions", "v1/allocations", "v1/conductors", "v1/drivers", "v1/nodes", "v1/ports"} {
		name := names[folder]
		if name == "" {
			name = filepath.Base(folder)
		}
		dir, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.Dir}}", library+folder).Output()
		require.NoError(t, err)
		source, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "requests.go"))
		require.NoError(t, err)
		for _, f := range regexp.MustCompile(`(?m)^func ([A-Z]\w*)\(.*\*gophercloud\.ServiceClient`).FindAllStringSubmatch(string(source), -1) {
			found++
			require.Contains(t, tests.String(), name+"."+f[1]+"(", "no test calls it")
		}
	}
	require.Greater(t, found, 50)
}
