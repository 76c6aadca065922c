package mysql

import "testing"

// The hashes come from servers (MariaDB 10.11.19, MySQL 9.7.4)
// and from openssl passwd -5.
func TestPasswordFits(t *testing.T) {
	for _, c := range []struct{ plugin, hash, password string }{
		{SHA256Password, "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5", "Hello world!"},
		{CachingSHA2, "$A$00A$\x07'BS[j\x01U:Fe3v\x14L`]%8%ajj4ZkzA5qhxLE8awHPloncLdp0surgajmBiiVJAIjB", "abc"},
		{Ed25519, "lEiAPNNMP1kq0dRsguIBKo/em5EPb9Y0272TblVhRUw", "abc"},
		{NativePassword, "*0D3CED9BEC10A777AEC23CCC353A8C08A633045E", "abc"},
		{NativePassword, "", ""},
	} {
		if ok, known := PasswordFits(c.plugin, c.hash, c.password); !ok || !known {
			t.Errorf("%s: the password does not fit its hash: %v, %v", c.plugin, ok, known)
		}
		if ok, _ := PasswordFits(c.plugin, c.hash, c.password+"x"); ok {
			t.Errorf("%s: another password fits", c.plugin)
		}
	}
}
