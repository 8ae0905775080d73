package osimage_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot/lab/osimage"
)

func TestImagePaths(t *testing.T) {
	dir := osimage.Path("/cache")
	img := osimage.Options{CacheDir: "/cache"}.Image()
	require.Equal(t, dir, img.Dir)
	require.Equal(t, "/cache", filepath.Dir(dir))
	require.Equal(t, dir+"/disk.qcow2", img.QCow2)
	require.Equal(t, dir+"/disk.raw", img.Raw)
	require.Equal(t, dir+"/SHA256SUMS", img.Sums)
}

func TestKeyFollowsTheContent(t *testing.T) {
	dir := func(o osimage.Options) string { return o.Image().Dir }
	plain := dir(osimage.Options{})
	same := []osimage.Options{
		{Kernel: osimage.KernelCloud}, {SizeMiB: osimage.DefaultSizeMiB}, {Packages: []string{}},
	}
	for _, o := range same {
		require.Equal(t, plain, dir(o))
	}
	seen := map[string]bool{plain: true}
	for _, o := range []osimage.Options{
		{Kernel: osimage.KernelGeneric}, {SizeMiB: 1024}, {Packages: []string{"curl"}}, {Packages: []string{"curl", "jq"}}, {Compute: true},
	} {
		require.False(t, seen[dir(o)], "%+v", o)
		seen[dir(o)] = true
	}
	require.Equal(t, dir(osimage.Options{Packages: []string{"a1", "b1", "a1"}}), dir(osimage.Options{Packages: []string{"b1", "a1"}}))
}

func TestBuildRefuses(t *testing.T) {
	for want, o := range map[string]osimage.Options{
		"CacheDir is empty":    {},
		"unknown kernel":       {CacheDir: "/x", Kernel: "rt"},
		"outside 384":          {CacheDir: "/x", SizeMiB: 100},
		"size 99999999 MiB":    {CacheDir: "/x", SizeMiB: 99999999},
		"name of a Debian":     {CacheDir: "/x", Packages: []string{"--aptopt=x"}},
		`"a,b" is not`:         {CacheDir: "/x", Packages: []string{"a,b"}},
		`"" is not the name`:   {CacheDir: "/x", Packages: []string{""}},
		`"Upper" is not the n`: {CacheDir: "/x", Packages: []string{"Upper"}},
	} {
		require.ErrorContains(t, osimage.Build(t.Context(), o), want)
	}
}

func TestBuildTakesWhatIsThere(t *testing.T) {
	o := osimage.Options{CacheDir: t.TempDir()}
	require.NoError(t, os.Mkdir(o.Image().Dir, 0o755))
	require.NoError(t, osimage.Build(t.Context(), o))
}

func TestMissingToolsAreNamedAtOnce(t *testing.T) {
	require.NoError(t, osimage.MissingTools("sh", "/bin/sh"))
	err := osimage.MissingTools("sh", "no-such-tool", "/no/such/file")
	require.ErrorContains(t, err, "no-such-tool, /no/such/file")
	require.ErrorContains(t, err, "apt-get install package-of-/no/such/file package-of-no-such-tool")
}
