package mysql

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"

	"filippo.io/edwards25519"
)

// The authentication plugins whose hashes are understood.
const (
	NativePassword = "mysql_native_password"
	Ed25519        = "ed25519"
	CachingSHA2    = "caching_sha2_password"
	SHA256Password = "sha256_password"
)

// PasswordFits reports whether an account's stored hash is that of the
// password. known is false when the plugin's hashes cannot be computed here.
//
// Sources: MySQL's and MariaDB's documentation of the plugins; the SHA-crypt
// specification (Drepper, 2008), which caching_sha2_password uses with a salt
// of 20 bytes and 1000 times its number of rounds.
func PasswordFits(plugin, hash, password string) (fits, known bool) {
	switch plugin {
	case NativePassword, "":
		if hash == "" || password == "" {
			return hash == password, true
		}
		return equal(strings.ToUpper(hash), NativeHash(password)), true
	case Ed25519:
		return equal(hash, ed25519Hash(password)), true
	case CachingSHA2:
		return cachingFits(hash, password), true
	case SHA256Password:
		return sha256Fits(hash, password), true
	}
	return false, false
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// NativeHash is what mysql_native_password stores: * and the hex SHA-1 of the SHA-1.
func NativeHash(password string) string {
	one := sha1.Sum([]byte(password))
	two := sha1.Sum(one[:])
	return "*" + strings.ToUpper(hex.EncodeToString(two[:]))
}

// ed25519Hash is the public key of which the password is the seed, of
// whatever length.
func ed25519Hash(password string) string {
	sum := sha512.Sum512([]byte(password))
	s, err := edwards25519.NewScalar().SetBytesWithClamping(sum[:32])
	if err != nil {
		return ""
	}
	return base64.RawStdEncoding.EncodeToString(new(edwards25519.Point).ScalarBaseMult(s).Bytes())
}

// cachingFits takes $A$005$, 20 bytes of salt and 43 of hash apart.
func cachingFits(hash, password string) bool {
	rest, ok := strings.CutPrefix(hash, "$A$")
	if !ok || len(rest) != 3+1+20+43 || rest[3] != '$' {
		return hash == "" && password == ""
	}
	thousands, err := strconv.ParseUint(rest[:3], 16, 16)
	if err != nil {
		return false
	}
	return equal(rest[24:], shaCrypt(password, rest[4:24], int(thousands)*1000))
}

// sha256Fits takes $5$SALT$HASH apart.
func sha256Fits(hash, password string) bool {
	parts := strings.SplitN(hash, "$", 4)
	if len(parts) != 4 || parts[1] != "5" {
		return hash == "" && password == ""
	}
	return equal(parts[3], shaCrypt(password, parts[2], 5000))
}

// shaCrypt is the hash part of SHA-256 crypt.
func shaCrypt(password, salt string, rounds int) string {
	key, n := []byte(password), len(password)
	fill := func(sum []byte, n int) []byte {
		var out []byte
		for len(out) < n {
			out = append(out, sum[:min(len(sum), n-len(out))]...)
		}
		return out
	}
	alt := sha256.Sum256([]byte(password + salt + password))
	text := append([]byte(password+salt), fill(alt[:], n)...)
	for i := n; i > 0; i >>= 1 {
		if i&1 == 1 {
			text = append(text, alt[:]...)
		} else {
			text = append(text, key...)
		}
	}
	a := sha256.Sum256(text)
	dp := sha256.Sum256([]byte(strings.Repeat(password, n)))
	p := fill(dp[:], n)
	ds := sha256.Sum256([]byte(strings.Repeat(salt, 16+int(a[0]))))
	s := fill(ds[:], len(salt))
	for i := range rounds {
		text = text[:0]
		if i%2 == 1 {
			text = append(text, p...)
		} else {
			text = append(text, a[:]...)
		}
		if i%3 != 0 {
			text = append(text, s...)
		}
		if i%7 != 0 {
			text = append(text, p...)
		}
		if i%2 == 1 {
			text = append(text, a[:]...)
		} else {
			text = append(text, p...)
		}
		a = sha256.Sum256(text)
	}
	return cryptBase64(a)
}

// cryptBase64 is crypt's own order of bytes and alphabet.
func cryptBase64(sum [32]byte) string {
	const alphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	var out []byte
	add := func(v uint32, n int) {
		for range n {
			out = append(out, alphabet[v&63])
			v >>= 6
		}
	}
	i, j, k := 0, 10, 20
	for range 10 {
		add(uint32(sum[i])<<16|uint32(sum[j])<<8|uint32(sum[k]), 4)
		i, j, k = k+1, i+1, j+1
	}
	add(uint32(sum[31])<<8|uint32(sum[30]), 3)
	return string(out)
}
