package configdrive_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot/images/configdrive"
)

func encode(t *testing.T, iso []byte) string {
	t.Helper()
	text, err := configdrive.Encode(iso)
	require.NoError(t, err)
	return text
}

func TestDecodeReversesEncode(t *testing.T) {
	iso := build(t, whole)
	got, err := configdrive.Decode(encode(t, iso), 0)
	require.NoError(t, err)
	require.Equal(t, iso, got)

	wrapped := bytes.Buffer{}
	for i, c := range []byte(encode(t, iso)) {
		if i%76 == 0 {
			wrapped.WriteString("\r\n")
		}
		wrapped.WriteByte(c)
	}
	got, err = configdrive.Decode(wrapped.String(), 0)
	require.NoError(t, err)
	require.Equal(t, iso, got)
}

func TestDecodeWhatIronicsToolsMake(t *testing.T) {
	dir := t.TempDir()
	tree := filepath.Join(dir, "tree")
	require.NoError(t, os.MkdirAll(filepath.Join(tree, "openstack/latest"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(tree, "openstack/latest/meta_data.json"), []byte("{}"), 0o600))
	path := filepath.Join(dir, "drive.iso")
	run(t, "xorriso", "-as", "mkisofs", "-o", path, "-quiet", "-J", "-r", "-V", "config-2", tree)
	iso, err := os.ReadFile(path)
	require.NoError(t, err)
	_, err = configdrive.Decode(encode(t, iso), 0)
	require.NoError(t, err)
}

func TestDecodeRefuses(t *testing.T) {
	iso := build(t, whole)
	relabelled := bytes.Clone(iso)
	copy(relabelled[16*2048+40:], "cidata  ")
	longer := bytes.Clone(iso)
	binary.LittleEndian.PutUint32(longer[16*2048+80:], 1<<20)
	good := encode(t, iso)
	rows := map[string]struct{ text, want string }{
		"empty":        {"", "not base64 of gzip"},
		"a URL":        {"http://host/drive.gz", "not base64 of gzip"},
		"not gzip":     {base64.StdEncoding.EncodeToString(iso), "not base64 of gzip"},
		"cut off":      {good[:len(good)/2], "cannot be decompressed"},
		"not an ISO":   {encode(t, make([]byte, 64<<10)), "not an ISO"},
		"short":        {encode(t, []byte("x")), "not an ISO"},
		"wrong label":  {encode(t, relabelled), `labelled "cidata"`},
		"cut volume":   {encode(t, longer), "of a volume of"},
		"a bomb":       {bomb(t, 80<<20), "larger than 67108864"},
		"bad checksum": {flip(t, good), ""},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			_, err := configdrive.Decode(row.text, 0)
			require.ErrorIs(t, err, configdrive.ErrInvalid)
			require.ErrorContains(t, err, row.want)
		})
	}
	_, err := configdrive.Decode(good, int64(len(iso)-1))
	require.ErrorIs(t, err, configdrive.ErrInvalid)
	_, err = configdrive.Decode(good, int64(len(iso)))
	require.NoError(t, err)
}

// bomb is n zero bytes as base64 of gzip.
func bomb(t *testing.T, n int) string {
	t.Helper()
	var buf bytes.Buffer
	zw := gzip.NewWriter(&buf)
	_, err := zw.Write(make([]byte, n))
	require.NoError(t, err)
	require.NoError(t, zw.Close())
	return base64.StdEncoding.EncodeToString(buf.Bytes())
}

// flip damages the checksum at the end of the gzip stream.
func flip(t *testing.T, text string) string {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(text)
	require.NoError(t, err)
	raw[len(raw)-8] ^= 1
	return base64.StdEncoding.EncodeToString(raw)
}

func FuzzDecode(f *testing.F) {
	d, err := configdrive.Parse([]byte(whole))
	require.NoError(f, err)
	iso, err := configdrive.Build(d)
	require.NoError(f, err)
	text, err := configdrive.Encode(iso)
	require.NoError(f, err)
	f.Add(text)
	f.Add("")
	f.Add("H4sIAAAAAAAA/w==")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := configdrive.Decode(text, 1<<20)
		if err == nil && (len(got) > 1<<20 || configdrive.Verify(got) != nil) {
			t.Fatalf("accepted %d bytes that are no config drive", len(got))
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(whole))
	f.Add([]byte(`{"user_data": {}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := configdrive.Parse(body)
		if err != nil {
			return
		}
		iso, err := configdrive.Build(d)
		if err != nil || configdrive.Verify(iso) != nil {
			t.Fatalf("what Parse accepts cannot be built: %v", err)
		}
	})
}
