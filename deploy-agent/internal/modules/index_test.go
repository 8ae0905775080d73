package modules_test

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot/deploy-agent/internal/modules"
)

// testDir has the shapes that Debian's kernels have: direct and indirect dependencies, dashes in file names, compressed
// files, soft dependencies by alias, a circle of soft dependencies, and a bus with a wildcard in its name.
func testDir() fstest.MapFS {
	return fstest.MapFS{
		"modules.dep": {Data: []byte(`kernel/fs/ext4/ext4.ko: kernel/fs/jbd2/jbd2.ko kernel/fs/mbcache.ko
kernel/fs/jbd2/jbd2.ko:
kernel/fs/mbcache.ko:
kernel/crypto/crc32c_generic.ko:
kernel/drivers/nvme/host/nvme.ko.xz: kernel/drivers/nvme/host/nvme-core.ko.xz
kernel/drivers/nvme/host/nvme-core.ko.xz:
kernel/net/virtio_net.ko: kernel/net/net_failover.ko kernel/net/failover.ko
kernel/net/net_failover.ko: kernel/net/failover.ko
kernel/net/failover.ko:
kernel/a.ko:
kernel/b.ko:
kernel/button.ko:
`)},
		"modules.alias": {Data: []byte(`# Aliases extracted from modules themselves.
alias fs-ext4 ext4
alias crypto-crc32c crc32c_generic
alias pci:v*d*sv*sd*bc01sc08i02* nvme
alias virtio:d00000001v* virtio_net
alias acpi*:PNP0C0C:* button
`)},
		"modules.softdep": {Data: []byte(`softdep ext4 pre: crypto-crc32c
softdep a pre: b
softdep b pre: a post: button
softdep gone pre: a
`)},
		"modules.builtin": {Data: []byte("kernel/drivers/virtio/virtio-ring.ko\n")},
	}
}

func names(list []*modules.Module) []string {
	out := []string{}
	for _, m := range list {
		out = append(out, m.Name)
	}
	return out
}

func TestLookup(t *testing.T) {
	x, err := modules.Open(testDir())
	require.NoError(t, err)
	for query, want := range map[string][]string{
		"ext4":      {"ext4"},
		"nvme-core": {"nvme_core"},
		"fs-ext4":   {"ext4"},
		"fs_ext4":   {"ext4"},
		"pci:v00001B36d00000010sv00001AF4sd00001100bc01sc08i02": {"nvme"},
		"pci:v00001B36d00000010sv00001AF4sd00001100bc02sc00i00": {},
		"virtio:d00000001v00001AF4":                             {"virtio_net"},
		"virtio:d00000002v00001AF4":                             {},
		"acpi:PNP0C0C:":                                         {"button"},
		"no such thing":                                         {},
		"virtio-ring":                                           {},
	} {
		require.Equal(t, want, names(x.Lookup(query)), query)
	}
	require.True(t, x.Builtin("virtio_ring"))
	require.False(t, x.Builtin("ext4"))
	require.Len(t, x.Modules(), 12)
}

func TestOrder(t *testing.T) {
	x, err := modules.Open(testDir())
	require.NoError(t, err)
	for name, want := range map[string][]string{
		"ext4":       {"crc32c_generic", "mbcache", "jbd2", "ext4"},
		"nvme":       {"nvme_core", "nvme"},
		"virtio_net": {"failover", "net_failover", "virtio_net"},
		"a":          {"b", "button", "a"},
		"b":          {"a", "b", "button"},
	} {
		require.Equal(t, want, names(x.Order(x.Lookup(name)[0])), name)
	}
	both := append(x.Lookup("virtio_net"), x.Lookup("net_failover")...)
	require.Equal(t, []string{"failover", "net_failover", "virtio_net"}, names(x.Closure(both)))
}

func TestOpenRefusesWhatIsNoIndex(t *testing.T) {
	_, err := modules.Open(fstest.MapFS{})
	require.ErrorContains(t, err, "modules.dep")
	for file, text := range map[string]string{
		"modules.dep":     "no colon\n",
		"modules.alias":   "alias only-two\n",
		"modules.softdep": "hard dep\n",
	} {
		dir := testDir()
		dir[file] = &fstest.MapFile{Data: []byte(text)}
		_, err := modules.Open(dir)
		require.ErrorContains(t, err, "cannot read "+file)
	}
	x, err := modules.Open(fstest.MapFS{"modules.dep": testDir()["modules.dep"]})
	require.NoError(t, err)
	require.Len(t, x.Modules(), 12)
}

func FuzzOpen(f *testing.F) {
	dir := testDir()
	f.Add(dir["modules.dep"].Data, dir["modules.alias"].Data, dir["modules.softdep"].Data, dir["modules.builtin"].Data)
	f.Add([]byte(":"), []byte("alias a b"), []byte("softdep x pre: post:"), []byte(".ko"))
	f.Add([]byte("a: a\nb: a b"), []byte("alias [ a\nalias [!] b\nalias \\ a"), []byte("softdep a pre: b a post: b"), []byte(""))
	f.Fuzz(func(t *testing.T, dep, alias, softdep, builtin []byte) {
		x, err := modules.Open(fstest.MapFS{
			"modules.dep": {Data: dep}, "modules.alias": {Data: alias}, "modules.softdep": {Data: softdep}, "modules.builtin": {Data: builtin},
		})
		if err != nil {
			return
		}
		for _, m := range x.Modules() {
			require.Contains(t, names(x.Order(m)), m.Name)
			require.NotEmpty(t, x.Lookup(m.Name))
		}
	})
}
