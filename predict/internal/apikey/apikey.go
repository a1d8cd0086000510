// Package apikey knows clients by the secret that they send, and keeps only its SHA-256 hash.
//
// It is no password store: a key must be long and random, since a plain hash does not slow guessing
// down. It has no roles, quotas or expiry dates; to revoke a key, take it out of the file.
package apikey

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/maphash"
	"net/http"
	"strings"
)

const (
	// MaxKeys bounds a file.
	MaxKeys = 100_000

	maxName  = 64
	maxLine  = 1024 // bytes before a comment: splitting a line takes many times its length
	minToken = 16   // characters: what is shorter can be guessed
)

// Set is a set of keys. It is immutable.
type Set struct {
	// keys are found by a keyed hash of their SHA-256 hash, then compared in constant time. The
	// seed is secret and new in each process, so the time of a search says nothing about what is
	// stored. Comparing with every key would take 40 us for a thousand.
	keys map[uint64][]key
	seed maphash.Seed
	len  int
}

func newSet() *Set { return &Set{keys: map[uint64][]key{}, seed: maphash.MakeSeed()} }

func (s *Set) place(hash *[sha256.Size]byte) uint64 { return maphash.Bytes(s.seed, hash[:]) }

func (s *Set) add(k key) {
	at := s.place(&k.hash)
	s.keys[at] = append(s.keys[at], k)
	s.len++
}

type key struct {
	hash [sha256.Size]byte
	name string
}

// Parse reads a file with one key a line: the SHA-256 hash of the key in hex, then optionally a
// name for logs. Keys of one name are one client, so that a key can be replaced without a gap. A
// key without a name is called by the first 12 digits of its hash. Empty lines and what follows a #
// are ignored. Errors begin with file and line.
func Parse(file string, data []byte) (*Set, error) {
	s := newSet()
	lines := map[[sha256.Size]byte]int{}
	n := 0
	for line := range bytes.Lines(data) {
		n++
		text, _, _ := bytes.Cut(line, []byte("#"))
		if text = bytes.TrimSpace(text); len(text) > maxLine {
			return nil, fmt.Errorf("%s:%d: a line of %d bytes, more than %d", file, n, len(text),
				maxLine)
		}
		fields := strings.Fields(string(text))
		if len(fields) == 0 {
			continue
		}
		k, err := parseKey(fields)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, n, err)
		}
		if first, ok := lines[k.hash]; ok {
			return nil, fmt.Errorf("%s:%d: the key of line %d again", file, n, first)
		}
		if s.len == MaxKeys {
			return nil, fmt.Errorf("%s:%d: more than %d keys", file, n, MaxKeys)
		}
		lines[k.hash] = n
		s.add(k)
	}
	if s.len == 0 {
		return nil, fmt.Errorf("%s: no keys, so no client could come in", file)
	}
	return s, nil
}

func parseKey(fields []string) (key, error) {
	var k key
	// Nothing is quoted: it may be a key that was never hashed, or stands in the wrong place.
	if n := len(fields[0]); n != hex.EncodedLen(len(k.hash)) {
		return k, fmt.Errorf("%d characters where a SHA-256 hash has %d", n,
			hex.EncodedLen(len(k.hash)))
	}
	if _, err := hex.Decode(k.hash[:], []byte(fields[0])); err != nil {
		return k, errors.New("a SHA-256 hash has hexadecimal digits only")
	}
	switch {
	case len(fields) == 1:
		k.name = strings.ToLower(fields[0][:12])
	case len(fields) > 2:
		return k, errors.New("a name is one word")
	case len(fields[1]) > maxName || strings.ContainsFunc(fields[1],
		func(r rune) bool { return r <= ' ' || r > '~' }):
		return k, fmt.Errorf("a name has 1 to %d visible ASCII characters", maxName)
	default:
		k.name = fields[1]
	}
	return k, nil
}

// Token returns the set of the one key that a file holds, unhashed, because a client reads the same
// file. Blanks around it do not count.
func Token(file string, data []byte) (*Set, error) {
	token := strings.TrimSpace(string(data))
	if len(token) < minToken || strings.ContainsFunc(token,
		func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, fmt.Errorf("%s: a token is one word of at least %d visible ASCII characters",
			file, minToken)
	}
	s := newSet()
	s.add(key{sha256.Sum256([]byte(token)), "token"})
	return s, nil
}

// Lookup returns the name of a key. Its time does not depend on how much of a key is right.
func (s *Set) Lookup(presented []byte) (name string, ok bool) {
	hash := sha256.Sum256(presented)
	for _, k := range s.keys[s.place(&hash)] {
		// Two hashes share a place once in 2^64, by a seed that no client knows. So no test sees a
		// comparison that is too short or takes a varying time; this one does not rely on that.
		if subtle.ConstantTimeCompare(hash[:], k.hash[:]) == 1 {
			return k.name, true
		}
	}
	return "", false
}

// FromHeader returns the key that a request presents.
func FromHeader(h http.Header) []byte {
	return Presented([]byte(h.Get("Authorization")), []byte(h.Get("X-Api-Key")))
}

// Presented returns the key in the values of two headers, Authorization: Bearer KEY or else
// X-API-Key: KEY. It aliases one of them, or is empty.
func Presented(authorization, apiKey []byte) []byte {
	scheme, key, ok := bytes.Cut(authorization, []byte(" "))
	if ok && bytes.EqualFold(scheme, []byte("Bearer")) {
		return bytes.TrimLeft(key, " ")
	}
	return apiKey
}
