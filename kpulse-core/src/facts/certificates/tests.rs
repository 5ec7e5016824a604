use super::*;

/// What `tests/fixtures/tls/make.sh` made.
macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../../tests/fixtures/tls/", $name, ".pem"))
    };
}

fn certificates(pem: impl AsRef<[u8]>) -> Certificates {
    Certificates::from(&*Base64::encode_string(pem.as_ref()))
}

#[track_caller]
fn chain(pem: impl AsRef<[u8]>) -> Vec<Certificate> {
    match certificates(pem) {
        Certificates::Chain(chain) => chain,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn one(pem: impl AsRef<[u8]>) -> Certificate {
    <[Certificate; 1]>::try_from(chain(pem)).unwrap().into_iter().next().unwrap()
}

#[track_caller]
fn unreadable(pem: impl AsRef<[u8]>, why: &str) {
    match certificates(pem) {
        Certificates::Unreadable(fault) => assert!(fault.to_string().contains(why), "{fault}"),
        other => panic!("{other:?}"),
    }
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn a_certificate_says_whom_it_is_for_and_when_it_ends() {
    let shop = one(fixture!("shop"));
    assert_eq!(shop.not_before, time("2026-09-06T09:14:00Z"));
    assert_eq!(shop.not_after, time("2026-12-05T09:14:00Z"));
    assert_eq!(shop.serial, "4a3f00112233445566778899aabbccdd");
    assert_eq!(shop.common_name.as_deref(), Some("shop.example.com"));
    assert_eq!(shop.names, ["shop.example.com", "www.shop.example.com"]);
    assert_eq!(shop.issuer, "Example Trust R11");
    assert_eq!(shop.name(), "shop.example.com");
}

#[test]
fn a_chain_is_read_whole_whatever_the_keys_are_made_of() {
    let names: Vec<_> = chain(fixture!("chain")).iter().map(|one| one.name().to_owned()).collect();
    assert_eq!(names, ["api.example.com", "R10", "Example Root"]);
    assert_eq!(one(fixture!("later")).name(), "later.example.com");
}

#[test]
fn the_end_may_be_far_away_or_never_come() {
    let far = one(fixture!("far"));
    assert_eq!(far.not_after, time("2060-01-01T00:00:00Z"));
    assert_eq!(far.issuer, "Far Away far.example.com");
    assert_eq!(one(fixture!("never")).not_after, Timestamp::MAX);
}

#[test]
fn serial_numbers_no_ca_should_use_are_read() {
    assert_eq!(one(fixture!("negative")).serial, "fb");
    assert_eq!(one(fixture!("huge")).serial.len(), 60);
}

#[test]
fn a_certificate_without_a_common_name_is_called_by_its_first_name() {
    let brief = one(fixture!("brief"));
    assert_eq!(brief.common_name, None);
    assert_eq!(brief.names, ["brief.example.com", "192.0.2.7", "2001:db8::7"]);
    assert_eq!(brief.name(), "brief.example.com");
}

#[test]
fn of_many_names_a_few_are_kept_and_all_are_counted() {
    let many = one(fixture!("many"));
    assert_eq!((many.names.len(), many.name_count), (NAMES, 40));
}

#[test]
fn copies_have_one_fingerprint_and_renewals_another() {
    let crlf = fixture!("shop").replace('\n', "\r\n");
    assert_eq!(one(fixture!("shop")).fingerprint, one(crlf).fingerprint);
    assert_ne!(one(fixture!("shop")).fingerprint, one(fixture!("shop-renewed")).fingerprint);
}

#[test]
fn what_stands_around_the_certificates_is_passed_over() {
    let shop = fixture!("shop");
    let body: String = shop.lines().filter(|line| !line.starts_with('-')).collect();
    for odd in [
        format!("Subject: CN=shop\n issuer: /CN=R11 \u{fc}\n\n{shop}\n# end"),
        format!("-----BEGIN EC PARAMETERS-----\nBggq\n-----END EC PARAMETERS-----\n{shop}"),
        format!("{shop}-----BEGIN PRIVATE KEY-----\nMIIJ\n-----END PRIVATE KEY-----"),
        format!("  -----BEGIN CERTIFICATE-----  {body}  -----END CERTIFICATE-----"),
        shop.replace('\n', "\r\n"),
        shop.replace('\n', "\n\n"),
        shop.trim().to_owned(),
        format!("\u{feff}{shop}"),
    ] {
        assert_eq!(one(&odd).name(), "shop.example.com", "{odd}");
    }
    let latin = [b"# f\xfcr den Laden\n".as_slice(), shop.as_bytes()].concat();
    assert_eq!(one(latin).name(), "shop.example.com");
}

#[test]
fn nothing_is_no_fault() {
    for empty in ["", "\n", " \r\n\t"] {
        assert_eq!(certificates(empty), Certificates::Empty);
    }
    assert_eq!(Certificates::from(""), Certificates::Empty);
}

#[test]
fn a_fault_says_where_it_is_and_not_what_stands_there() {
    let shop = fixture!("shop");
    let (half, _) = shop.split_at(shop.len() / 2);
    unreadable("garbage", "holds no PEM certificate");
    unreadable([0x30, 0x82, 0xff], "holds no PEM certificate");
    unreadable("-----BEGIN PRIVATE KEY-----\nMIIJ\n-----END PRIVATE KEY-----", "holds no PEM certificate");
    unreadable(
        "-----BEGIN CERTIFICATE-----\nnot base64!\n-----END CERTIFICATE-----",
        "certificate 1 in tls.crt is not base64",
    );
    unreadable(
        "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----",
        "certificate 1 in tls.crt is not an X.509",
    );
    unreadable("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----", "certificate 1 in tls.crt is not an X.509");
    unreadable(half, "certificate 1 in tls.crt is cut off");
    unreadable(format!("{shop}{half}"), "certificate 2 in tls.crt is cut off");
    unreadable(format!("{half}{shop}"), "certificate 1 in tls.crt is not base64");
    assert_eq!(Certificates::from("***"), Certificates::Unreadable(CertificateFault::NotBase64));
}

#[test]
fn what_is_too_much_is_not_read() {
    let long = fixture!("shop").repeat(LONGEST + 8);
    assert_eq!(chain(long).len(), LONGEST);
    let large = "A".repeat(2 * LARGEST);
    assert_eq!(Certificates::from(&*large), Certificates::Unreadable(CertificateFault::TooLarge));
}

#[test]
fn names_fit_a_line_of_a_message() {
    assert_eq!(shortened(" a\nb\u{7}c "), "a b c");
    assert_eq!(shortened(&"x".repeat(500)).chars().count(), NAME_LENGTH + 1);
    let wide = [0x00, b'K', 0x00, 0xf6, 0x00, b'l', 0x00, b'n'].to_vec();
    assert_eq!(text(&Any::new(Tag::BmpString, wide).unwrap()), "Köln");
}

proptest::proptest! {
    #[test]
    fn no_bytes_are_too_odd(at in 0_usize..900, byte: u8, cut in 0_usize..900) {
        let mut pem = fixture!("shop").as_bytes().to_vec();
        if let Some(place) = pem.get_mut(at) {
            *place = byte;
        }
        let _any = certificates(&pem);
        pem.truncate(cut);
        let _any = certificates(&pem);
    }
}
