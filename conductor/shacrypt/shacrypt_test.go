package shacrypt_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot/conductor/shacrypt"
)

// TestVector is the first of the algorithm's description.
func TestVector(t *testing.T) {
	require.True(t, shacrypt.Verify("$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5", "Hello world!"))
	require.False(t, shacrypt.Verify("$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc8", "Hello world!"))
	require.True(t, shacrypt.Verify("$5$rounds=10000$saltstringsaltst$adu1tRu6EO.dtkqxiFBg3N4rgsIjLS8kWOyWI0G2Pz0", "x"), "made by glibc")
}

// TestOpenSSL has openssl make hashes of both methods, of passwords of all lengths.
func TestOpenSSL(t *testing.T) {
	for _, flag := range []string{"-5", "-6"} {
		for n := 1; n < 70; n += 11 {
			password := strings.Repeat("pä", n)
			out, err := exec.Command("openssl", "passwd", flag, "-salt", "abcdefgh12", password).Output()
			require.NoError(t, err)
			hashed := strings.TrimSpace(string(out))
			require.True(t, shacrypt.Verify(hashed, password), "%s %d", flag, n)
			require.False(t, shacrypt.Verify(hashed, password+"x"))
		}
	}
}

func TestHash(t *testing.T) {
	one, other := shacrypt.Hash("secret"), shacrypt.Hash("secret")
	require.NotEqual(t, one, other, "the salt is random")
	require.True(t, shacrypt.Verify(one, "secret"))
	require.False(t, shacrypt.Verify(one, "Secret"))
	for _, other := range []string{"", "$1$x$y", "plain", "$5$", "$5$rounds=x$salt$hash", "$5$rounds=5000"} {
		require.False(t, shacrypt.Verify(other, "secret"), other)
	}
}
