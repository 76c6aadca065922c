package x509certificate

import (
	"errors"
	"fmt"
	"time"

	"github.com/foobar-play/foobar-play/pkg/modules/internal/files"
	"github.com/foobar-play/foobar-play/pkg/modules/internal/pki"
)

type options struct {
	files.Attrs
	Path     string `arg:"path,required" doc:"The file of the certificate. Its directory must exist."`
	State    string `arg:"state" default:"present" choices:"present,absent" doc:"Whether the certificate is there."`
	Provider string `arg:"provider" choices:"selfsigned,ownca" doc:"Who signs it: its own key, or a CA whose key is on this host. Needed with state: present."`

	CSRPath    string `arg:"csr_path" doc:"The request for the certificate. selfsigned can do without: it then names nobody."`
	CSRContent string `arg:"csr_content" doc:"The request as text, instead of csr_path."`
	KeyPath    string `arg:"privatekey_path" doc:"The certificate's private key: selfsigned signs with it; ownca only checks that the certificate is for it."`
	KeyContent string `arg:"privatekey_content,secret" doc:"The private key as text, instead of privatekey_path."`

	SelfDigest    string `arg:"selfsigned_digest" default:"sha256" choices:"sha256,sha384,sha512" doc:"The hash of the signature. It is not compared."`
	SelfNotBefore string `arg:"selfsigned_not_before,alias=selfsigned_notBefore" default:"+0s" doc:"When it begins to be valid: counted from now (+0s, -1h, +2w) or as 20270131120000Z."`
	SelfNotAfter  string `arg:"selfsigned_not_after,alias=selfsigned_notAfter" default:"+3650d" doc:"When it ends to be valid, likewise."`
	SelfKeyID     string `arg:"selfsigned_create_subject_key_identifier" default:"create_if_not_provided" choices:"create_if_not_provided,always_create,never_create" doc:"Whether it gets a subject key identifier."`

	CAPath       string `arg:"ownca_path" doc:"The CA's certificate."`
	CAContent    string `arg:"ownca_content" doc:"The CA's certificate as text, instead of ownca_path."`
	CAKeyPath    string `arg:"ownca_privatekey_path" doc:"The CA's private key."`
	CAKeyContent string `arg:"ownca_privatekey_content,secret" doc:"The CA's private key as text, instead of ownca_privatekey_path."`
	CADigest     string `arg:"ownca_digest" default:"sha256" choices:"sha256,sha384,sha512" doc:"The hash of the signature. It is not compared."`
	CANotBefore  string `arg:"ownca_not_before" default:"+0s" doc:"As selfsigned_not_before."`
	CANotAfter   string `arg:"ownca_not_after" default:"+3650d" doc:"As selfsigned_not_after."`
	CAKeyID      string `arg:"ownca_create_subject_key_identifier" default:"create_if_not_provided" choices:"create_if_not_provided,always_create,never_create" doc:"Whether it gets a subject key identifier."`
	CAAuthority  bool   `arg:"ownca_create_authority_key_identifier" default:"true" doc:"Whether it gets an authority key identifier."`

	RemainingDays    int  `arg:"remaining_days" default:"0" doc:"Renew the certificate when it is valid for fewer days than this; 0 when it has expired. Not in community.crypto's module."`
	IgnoreTimestamps bool `arg:"ignore_timestamps" default:"true" doc:"Do not compare when validity begins and ends; false needs points in time that are not counted from now."`
	Force            bool `arg:"force" default:"false" doc:"Make a new certificate each time."`
	Backup           bool `arg:"backup" default:"false" doc:"Keep a certificate that is replaced or removed beside it."`
	ReturnContent    bool `arg:"return_content" default:"false" doc:"Return the certificate as certificate."`
}

// Check finds options that are missing or do not go together.
func (o *options) Check() error {
	if o.State == "absent" {
		return nil
	}
	if o.CSRPath != "" && o.CSRContent != "" {
		return errors.New("csr_path and csr_content exclude each other")
	}
	if o.KeyPath != "" && o.KeyContent != "" {
		return errors.New("privatekey_path and privatekey_content exclude each other")
	}
	switch o.Provider {
	case "":
		return errors.New("provider is needed: selfsigned or ownca")
	case "selfsigned":
		if o.KeyPath == "" && o.KeyContent == "" {
			return errors.New("selfsigned needs privatekey_path or privatekey_content")
		}
	case "ownca":
		if o.CSRPath == "" && o.CSRContent == "" {
			return errors.New("ownca needs csr_path or csr_content")
		}
		if (o.CAPath == "") == (o.CAContent == "") || (o.CAKeyPath == "") == (o.CAKeyContent == "") {
			return errors.New("ownca needs ownca_path and ownca_privatekey_path, or one of each as content")
		}
	}
	return o.checkValidity()
}

func (o *options) checkValidity() error {
	from, until, err := o.validity()
	if err != nil {
		return err
	}
	now := time.Now()
	switch {
	case !until.From(now).After(from.From(now)):
		return errors.New("the certificate would end before it begins")
	case o.RemainingDays < 0:
		return errors.New("remaining_days is negative")
	case !until.From(now).After(now.AddDate(0, 0, o.RemainingDays)):
		return fmt.Errorf("a new certificate would not be valid for the %d days of remaining_days, and be renewed in each run", o.RemainingDays)
	case !o.IgnoreTimestamps && (from.Relative() || until.Relative()):
		return errors.New("ignore_timestamps: false needs points in time such as 20270131120000Z, or each run makes a new certificate")
	}
	return nil
}

// validity gives when a new certificate begins and ends to be valid.
func (o *options) validity() (from, until pki.Point, err error) {
	before, after := o.SelfNotBefore, o.SelfNotAfter
	if o.Provider == "ownca" {
		before, after = o.CANotBefore, o.CANotAfter
	}
	if from, err = pki.ParsePoint(before); err != nil {
		return from, until, fmt.Errorf("%s_not_before: %w", o.Provider, err)
	}
	if until, err = pki.ParsePoint(after); err != nil {
		return from, until, fmt.Errorf("%s_not_after: %w", o.Provider, err)
	}
	return from, until, nil
}

// own gives the provider's settings of digest and key identifiers.
func (o *options) own() (digest, keyID string, authority bool) {
	if o.Provider == "ownca" {
		return o.CADigest, o.CAKeyID, o.CAAuthority
	}
	return o.SelfDigest, o.SelfKeyID, false
}
