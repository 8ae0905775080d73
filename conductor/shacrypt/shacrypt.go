// Package shacrypt hashes passwords as crypt(3) does with its methods $5$ and $6$ (Ulrich Drepper, "Unix crypt using
// SHA-256 and SHA-512", version 0.6): what /etc/shadow holds, and what Ironic sends to a rescue ramdisk.
package shacrypt

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"hash"
	"strconv"
	"strings"
)

// alphabet is crypt's own base64.
const alphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// The rounds that a hash may ask for, and those of one that names none.
const (
	roundsUsual = 5000
	roundsLeast = 1000
	roundsMost  = 999_999_999
)

// saltLength is the longest salt.
const saltLength = 16

// method is one of crypt's two.
type method struct {
	prefix string
	hash   func() hash.Hash
	// order is in which order the digest's bytes are written, three to each four letters, the last group with fewer.
	order []int
}

func sha256Method() method {
	return method{"$5$", sha256.New, []int{
		0, 10, 20, 21, 1, 11, 12, 22, 2, 3, 13, 23, 24, 4, 14, 15, 25, 5, 6, 16, 26, 27, 7, 17, 18, 28, 8, 9, 19, 29, 31, 30,
	}}
}

func sha512Method() method {
	return method{"$6$", sha512.New, []int{
		0, 21, 42, 22, 43, 1, 44, 2, 23, 3, 24, 45, 25, 46, 4, 47, 5, 26, 6, 27, 48, 28, 49, 7, 50, 8, 29, 9, 30, 51, 31, 52, 10,
		53, 11, 32, 12, 33, 54, 34, 55, 13, 56, 14, 35, 15, 36, 57, 37, 58, 16, 59, 17, 38, 18, 39, 60, 40, 61, 19, 62, 20, 41, 63,
	}}
}

// Hash gives the password's $5$ hash under a random salt.
func Hash(password string) string {
	salt := make([]byte, saltLength)
	_, _ = rand.Read(salt) // never fails (crypto/rand)
	for i, b := range salt {
		salt[i] = alphabet[b%64]
	}
	return sha256Method().crypt(password, string(salt), roundsUsual, false)
}

// Verify says whether the password is the one that was hashed. A hash of another method fits no password.
func Verify(hashed, password string) bool {
	for _, m := range []method{sha256Method(), sha512Method()} {
		rest, ours := strings.CutPrefix(hashed, m.prefix)
		if !ours {
			continue
		}
		rounds, named := roundsUsual, false
		if text, after, found := strings.Cut(strings.TrimPrefix(rest, "rounds="), "$"); found && strings.HasPrefix(rest, "rounds=") {
			n, err := strconv.Atoi(text)
			if err != nil {
				return false
			}
			rounds, named, rest = min(max(n, roundsLeast), roundsMost), true, after
		}
		salt, _, _ := strings.Cut(rest, "$")
		again := m.crypt(password, salt[:min(len(salt), saltLength)], rounds, named)
		return subtle.ConstantTimeCompare([]byte(again), []byte(hashed)) == 1
	}
	return false
}

// crypt is the algorithm, in the numbered steps of its description.
func (m method) crypt(password, salt string, rounds int, named bool) string {
	p, s := []byte(password), []byte(salt)
	digest := m.spread(p, s)
	ps := m.sequence(p, p, len(p))
	ss := m.sequence(s, s, 16+int(digest[0]))
	for round := range rounds { // 21
		h := m.hash()
		first, last := digest, ps
		if round%2 == 1 {
			first, last = ps, digest
		}
		h.Write(first)
		if round%3 != 0 {
			h.Write(ss)
		}
		if round%7 != 0 {
			h.Write(ps)
		}
		h.Write(last)
		digest = h.Sum(nil)
	}
	prefix := m.prefix
	if named {
		prefix += "rounds=" + strconv.Itoa(rounds) + "$"
	}
	return prefix + salt + "$" + m.letters(digest)
}

// spread is steps 1 to 12: the first digest.
func (m method) spread(p, s []byte) []byte {
	b := m.hash()
	for _, part := range [][]byte{p, s, p} {
		b.Write(part)
	}
	second := b.Sum(nil)
	a := m.hash()
	a.Write(p)
	a.Write(s)
	a.Write(cycle(second, len(p)))
	for bits := len(p); bits > 0; bits >>= 1 {
		if bits&1 == 1 {
			a.Write(second)
		} else {
			a.Write(p)
		}
	}
	return a.Sum(nil)
}

// sequence is steps 13 to 20: the digest of text so many times over, repeated to the length of like.
func (m method) sequence(text, like []byte, times int) []byte {
	h := m.hash()
	for range times {
		h.Write(text)
	}
	return cycle(h.Sum(nil), len(like))
}

// cycle repeats block to n bytes.
func cycle(block []byte, n int) []byte {
	out := make([]byte, 0, n+len(block))
	for len(out) < n {
		out = append(out, block...)
	}
	return out[:n]
}

// letters is step 22.
func (m method) letters(digest []byte) string {
	var out strings.Builder
	for at := 0; at < len(m.order); at += 3 {
		group := m.order[at:min(at+3, len(m.order))]
		value := 0
		for _, i := range group {
			value = value<<8 | int(digest[i])
		}
		for range len(group) + 1 {
			out.WriteByte(alphabet[value&63])
			value >>= 6
		}
	}
	return out.String()
}
