package opensslcsr

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"

	"github.com/foobar-play/foobar-play/pkg/modules/internal/files"
	"github.com/foobar-play/foobar-play/pkg/modules/internal/pki"
	"github.com/foobar-play/foobar-play/pkg/value"
)

type options struct {
	files.Attrs
	Path  string `arg:"path,required" doc:"The file of the request. Its directory must exist."`
	State string `arg:"state" default:"present" choices:"present,absent" doc:"Whether the request is there."`

	KeyPath    string `arg:"privatekey_path" doc:"The private key the request is for."`
	KeyContent string `arg:"privatekey_content,secret" doc:"The private key as text, instead of privatekey_path."`
	Digest     string `arg:"digest" default:"sha256" choices:"sha256,sha384,sha512" doc:"The hash the request is signed with. It is not compared."`

	Subject      map[string]any `arg:"subject" doc:"Parts of the subject's name by kind (commonName or CN, …); a list gives several. They come after those of the options below, in the order of their kinds."`
	SubjectOrder any            `arg:"subject_ordered" doc:"A list of maps of one key each: the whole name in this order, instead of subject and the options below."`
	Country      string         `arg:"country_name,alias=C|countryName" doc:"The country, two letters."`
	StateName    string         `arg:"state_or_province_name,alias=ST|stateOrProvinceName" doc:"The state or province."`
	Locality     string         `arg:"locality_name,alias=L|localityName" doc:"The city."`
	Organization string         `arg:"organization_name,alias=O|organizationName" doc:"The organization."`
	Unit         string         `arg:"organizational_unit_name,alias=OU|organizationalUnitName" doc:"The unit of the organization."`
	CommonName   string         `arg:"common_name,alias=CN|commonName" doc:"The common name."`
	Email        string         `arg:"email_address,alias=E|emailAddress" doc:"The mail address."`

	SAN             []string `arg:"subject_alt_name,alias=subjectAltName" doc:"Names the certificate is for: DNS:, IP:, email: or URI: and the name."`
	SANCritical     bool     `arg:"subject_alt_name_critical,alias=subjectAltName_critical" default:"false" doc:"Mark them critical."`
	CommonNameAsSAN bool     `arg:"use_common_name_for_san,alias=useCommonNameForSAN" default:"true" doc:"Use the common name as DNS name when there is no subject_alt_name."`
	KeyUsage        []string `arg:"key_usage,alias=keyUsage" doc:"What the key may be used for: digitalSignature, keyEncipherment, keyCertSign …"`
	KeyUsageCrit    bool     `arg:"key_usage_critical,alias=keyUsage_critical" default:"false" doc:"Mark it critical."`
	ExtUsage        []string `arg:"extended_key_usage,alias=extKeyUsage|extendedKeyUsage" doc:"What the certificate is for: serverAuth, clientAuth … or dotted numbers."`
	ExtUsageCrit    bool     `arg:"extended_key_usage_critical,alias=extKeyUsage_critical|extendedKeyUsage_critical" default:"false" doc:"Mark it critical."`
	Basic           []string `arg:"basic_constraints,alias=basicConstraints" doc:"CA:TRUE or CA:FALSE, and pathlen:N."`
	BasicCrit       bool     `arg:"basic_constraints_critical,alias=basicConstraints_critical" default:"false" doc:"Mark them critical."`
	MustStaple      bool     `arg:"ocsp_must_staple,alias=ocspMustStaple" default:"false" doc:"Demand a stapled OCSP answer."`
	MustStapleCrit  bool     `arg:"ocsp_must_staple_critical,alias=ocspMustStaple_critical" default:"false" doc:"Mark it critical."`

	Force         bool `arg:"force" default:"false" doc:"Make a new request each time."`
	Backup        bool `arg:"backup" default:"false" doc:"Keep a request that is replaced or removed beside it."`
	ReturnContent bool `arg:"return_content" default:"false" doc:"Return the request as csr."`
}

// Check finds options that do not go together, and names that cannot be.
func (o *options) Check() error {
	if o.State == "absent" {
		return nil
	}
	if (o.KeyPath == "") == (o.KeyContent == "") {
		return errors.New("give either privatekey_path or privatekey_content")
	}
	_, err := o.request()
	return err
}

// request is what the options ask for.
func (o *options) request() (pki.Request, error) {
	var r pki.Request
	var err error
	if r.Subject, err = o.name(); err != nil {
		return r, err
	}
	san := o.SAN
	if cn := r.Subject.Map()["commonName"]; len(san) == 0 && o.CommonNameAsSAN && cn != nil {
		san = []string{"DNS:" + value.Text(cn)}
		if _, err := pki.SANs(san); err != nil {
			return r, fmt.Errorf("the common name %q cannot be a DNS name as well: give subject_alt_name, or set use_common_name_for_san: false", cn)
		}
	}
	// The order is that of community.crypto; it does not matter in comparisons.
	for _, e := range []struct {
		option   string
		words    []string
		critical bool
		make     func([]string, bool) (pkix.Extension, error)
	}{
		{"subject_alt_name", san, o.SANCritical, pki.SANExtension},
		{"key_usage", o.KeyUsage, o.KeyUsageCrit, pki.KeyUsageExtension},
		{"extended_key_usage", o.ExtUsage, o.ExtUsageCrit, pki.ExtendedUsageExtension},
		{"basic_constraints", o.Basic, o.BasicCrit, pki.BasicConstraintsExtension},
	} {
		if len(e.words) == 0 {
			continue
		}
		ext, err := e.make(e.words, e.critical)
		if err != nil {
			return r, fmt.Errorf("%s: %w", e.option, err)
		}
		r.Extensions = append(r.Extensions, ext)
	}
	if o.MustStaple {
		r.Extensions = append(r.Extensions, pki.MustStaple(o.MustStapleCrit))
	}
	return r, nil
}

func (o *options) name() (pki.Name, error) {
	if o.SubjectOrder != nil {
		if len(o.Subject) > 0 || o.CommonName != "" || o.Organization != "" {
			return nil, errors.New("subject_ordered excludes the other options of the subject")
		}
		return o.ordered()
	}
	var n pki.Name
	for _, p := range []pki.NamePart{
		{Kind: "countryName", Value: o.Country}, {Kind: "stateOrProvinceName", Value: o.StateName},
		{Kind: "localityName", Value: o.Locality}, {Kind: "organizationName", Value: o.Organization},
		{Kind: "organizationalUnitName", Value: o.Unit}, {Kind: "commonName", Value: o.CommonName},
		{Kind: "emailAddress", Value: o.Email},
	} {
		if p.Value != "" {
			n = append(n, p)
		}
	}
	return appendParts(n, o.Subject)
}

func (o *options) ordered() (pki.Name, error) {
	list, ok := o.SubjectOrder.([]any)
	if !ok {
		return nil, errors.New("subject_ordered must be a list of maps of one key each")
	}
	var n pki.Name
	for _, e := range list {
		m, ok := e.(map[string]any)
		if !ok || len(m) != 1 {
			return nil, errors.New("subject_ordered must be a list of maps of one key each")
		}
		var err error
		if n, err = appendParts(n, m); err != nil {
			return nil, err
		}
	}
	return n, nil
}

func appendParts(n pki.Name, parts map[string]any) (pki.Name, error) {
	for _, kind := range value.Keys(parts) {
		values, isList := parts[kind].([]any)
		if !isList {
			values = []any{parts[kind]}
		}
		for _, v := range values {
			p, err := pki.NewPart(kind, value.Text(v))
			if err != nil {
				return nil, fmt.Errorf("subject: %w", err)
			}
			n = append(n, p)
		}
	}
	for _, p := range n {
		if p.Kind == "countryName" && len(p.Value) != 2 {
			return nil, fmt.Errorf("the country %q must be a code of two letters, such as DE", p.Value)
		}
		if p.Value == "" {
			return nil, fmt.Errorf("the subject's %s is empty", p.Kind)
		}
	}
	if _, err := n.DER(); err != nil {
		var s asn1.StructuralError
		if errors.As(err, &s) {
			return nil, fmt.Errorf("the subject cannot be encoded: %s", s.Msg)
		}
		return nil, err
	}
	return n, nil
}
