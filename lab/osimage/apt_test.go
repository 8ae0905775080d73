package osimage_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot/lab/osimage"
)

func etcApt(t *testing.T, files map[string]string) string {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "sources.list.d"), 0o755))
	for name, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	return dir
}

func TestHostSources(t *testing.T) {
	deb822, oneLine, err := osimage.HostSources(etcApt(t, map[string]string{
		"sources.list": "# deb http://old/debian bookworm main\n" +
			"deb [signed-by=/k.gpg arch=amd64] http://mirror/debian bookworm main contrib\n" +
			"deb-src http://mirror/debian bookworm main\ndeb http://mirror/debian trixie main\n",
		"sources.list.d/docker.list": "deb [arch=amd64] https://docker/linux/debian bookworm stable\n",
		"sources.list.d/pgdg.list":   "deb https://pgdg/apt bookworm-pgdg main\n",
		"sources.list.d/debian.sources": "Types: deb\nURIs: http://mirror/debian\n# was: http://elsewhere\nSuites: bookworm bookworm-updates\n" +
			"Components: main\nSigned-By: /k.gpg\n\nTypes: deb\nURIs: http://mirror/security\nSuites: bookworm-security\nComponents: main\n",
		"sources.list.d/other.sources": "Types: deb\nURIs: http://node\nSuites: nodistro\nComponents: main\n\n" +
			"Enabled: no\nTypes: deb\nURIs: http://off\nSuites: bookworm\nComponents: main\n\n" +
			"Types: deb-src\nURIs: http://src\nSuites: bookworm\nComponents: main\n",
		"sources.list.d/readme.txt": "deb http://no bookworm main\n",
	}))
	require.NoError(t, err)
	require.Equal(t, "deb [signed-by=/k.gpg arch=amd64] http://mirror/debian bookworm main contrib\n", oneLine)
	require.Equal(t, "Types: deb\nURIs: http://mirror/debian\nSuites: bookworm bookworm-updates\nComponents: main\nSigned-By: /k.gpg\n\n"+
		"Types: deb\nURIs: http://mirror/security\nSuites: bookworm-security\nComponents: main\n", deb822)
}

func TestHostSourcesOfAnotherSystem(t *testing.T) {
	deb822, oneLine, err := osimage.HostSources(etcApt(t, map[string]string{"sources.list": "deb http://m/ubuntu noble main\n"}))
	require.NoError(t, err)
	require.Empty(t, deb822+oneLine)
	_, _, err = osimage.HostSources(filepath.Join(t.TempDir(), "gone"))
	require.NoError(t, err, "no apt at all")
}

func TestAcquireOptions(t *testing.T) {
	got := osimage.AcquireOptions(`APT::Architecture "amd64";
Acquire "";
Acquire::http::Proxy "http://proxy:3128";
Acquire::Check-Valid-Until "false";
Acquire::Languages:: "de";
Acquire::GzipIndexes "true";
Acquire::IndexTargets::deb::Packages::MetaKey "x";
DPkg::Post-Invoke:: "rm";
`)
	require.Equal(t, "Acquire::http::Proxy \"http://proxy:3128\";\nAcquire::Check-Valid-Until \"false\";\n", got)
}

func FuzzHostSources(f *testing.F) {
	f.Add("Types: deb\nSuites: bookworm\nComponents: main\n", "deb [a=b] http://x bookworm main\n")
	f.Add(":\n \n\n\n", "deb [ ]\ndeb ]")
	f.Fuzz(func(t *testing.T, sources, list string) {
		deb822, oneLine, err := osimage.HostSources(etcApt(t, map[string]string{
			"sources.list.d/a.sources": sources, "sources.list": list,
		}))
		require.NoError(t, err)
		for line := range strings.Lines(oneLine) {
			require.True(t, strings.HasPrefix(line, "deb "))
		}
		if deb822 != "" {
			require.Contains(t, deb822, osimage.Suite)
		}
	})
}
