package standby

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every form of checksum file would need a server and a deploy of its own from outside.
func TestFindChecksum(t *testing.T) {
	sum, long := strings.Repeat("a", 64), strings.Repeat("B", 128)
	for name, c := range map[string]struct{ text, want string }{
		"alone":        {sum + "\n", sum},
		"sha512 alone": {"  " + long, long},
		"text mode":    {sum + "  os.img\n", sum},
		"binary mode":  {strings.Repeat("0", 64) + " *other\n" + sum + " *os.img\n", sum},
		"BSD":          {"# comment\nSHA256 (os.img) = " + sum + "\n", sum},
		"other file":   {sum + "  os.img.gz\n", ""},
		"MD5":          {strings.Repeat("a", 32) + "  os.img\n", ""},
		"two alone":    {sum + "\n" + sum + "\n", ""},
		"empty":        {"", ""},
		"page":         {"<html>not found</html>", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := findChecksum(c.text, "os.img")
			require.Equal(t, c.want, got)
			require.Equal(t, c.want == "", err != nil)
		})
	}
}

func TestShownHidesSecrets(t *testing.T) {
	require.Equal(t, "https://host/image", shown("https://user:password@host/image?signature=x#y"))
}
