package modules_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot/deploy-agent/internal/modules"
)

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"virtio:d00000001v*", "virtio:d00000001v00001AF4", true},
		{"virtio:d00000001v*", "virtio:d00000002v00001AF4", false},
		{"usb:v*p*d*dc*dsc*dp*ic08isc06ip50in*", "usb:v46F4p0001d0000dc00dsc00dp00ic08isc06ip50in00", true},
		{"usb:v*p*d*dc*dsc*dp*ic08isc06ip50in*", "usb:v46F4p0001d0000dc00dsc00dp00ic08isc06ip62in00", false},
		{"usb:v0781p0005d000[0-5]dc*", "usb:v0781p0005d0003dc00", true},
		{"usb:v0781p0005d000[0-5]dc*", "usb:v0781p0005d0006dc00", false},
		{"a[!b]c", "axc", true},
		{"a[!b]c", "abc", false},
		{"a[]]c", "a]c", true},
		{"a[^]x]c", "a]c", false},
		{"a[b", "a[b", true},
		{"a?c", "abc", true},
		{"a?c", "ac", false},
		{`a\*c`, "a*c", true},
		{`a\*c`, "abc", false},
		{"*", "", true},
		{"", "", true},
		{"", "a", false},
		{"a*b*c", "aXbXbXc", true},
		{"a*b*c", "aXbXbX", false},
		{"a", "aa", false},
		{"aa", "a", false},
	} {
		require.Equal(t, c.want, modules.Match(c.pattern, c.name), "%q against %q", c.pattern, c.name)
	}
}

// A pattern of many stars must not take exponential time.
func TestMatchManyStars(t *testing.T) {
	require.False(t, modules.Match(strings.Repeat("a*", 200)+"b", strings.Repeat("a", 5000)))
}

// FuzzMatch compares with a translation of the same pattern to a regular expression.
func FuzzMatch(f *testing.F) {
	f.Add("pci:v*d*sv*sd*bc01sc08i02*", "pci:v00001B36d00000010sv00001AF4sd00001100bc01sc08i02")
	f.Add("usb:d000[0-5A-F]*", "usb:d000Bxyz")
	f.Add("**?a", "bca")
	f.Add("a[!x-z]?", "abc")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		got := modules.Match(pattern, name)
		if re := translate(pattern); re != nil && isASCII(name) {
			require.Equal(t, re.MatchString(name), got, "%q against %q", pattern, name)
		}
	})
}

var plainSet = regexp.MustCompile(`^\[!?([0-9A-Za-z](-[0-9A-Za-z])?)+\]`)

// translate handles ASCII patterns whose sets are of the plain kind that kernels use; nil for others.
func translate(pattern string) *regexp.Regexp {
	if !isASCII(pattern) || strings.ContainsAny(pattern, `\`) {
		return nil
	}
	var b strings.Builder
	b.WriteString(`(?s)\A`)
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; c {
		case '*':
			b.WriteString(".*")
		case '?':
			b.WriteString(".")
		case '[':
			set := plainSet.FindString(pattern[i:])
			if set == "" {
				return nil
			}
			b.WriteString(strings.Replace(set, "[!", "[^", 1))
			i += len(set) - 1
		default:
			b.WriteString(regexp.QuoteMeta(string(c)))
		}
	}
	re, err := regexp.Compile(b.String() + `\z`)
	if err != nil {
		return nil // a set such as [z-a]
	}
	return re
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 })
}
