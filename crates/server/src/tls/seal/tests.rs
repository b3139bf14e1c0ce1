//! Tests of records: against the trace of a connection in [RFC 8448](https://www.rfc-editor.org/rfc/rfc8448), and against
//! rustls, which opens what was sealed here.
use super::*;
use crate::tls::handshaken::{Pair, SUITES};
use proptest::prelude::*;
use std::io::Read as _;

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u32> = hex.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect()
}

/// The records of the server in [RFC 8448, 3](https://www.rfc-editor.org/rfc/rfc8448#section-3) that follow its ticket:
/// 50 bytes of data, and the end.
#[test]
fn the_records_of_the_published_trace() {
    let (key, iv) = (bytes("9f02283b6c9c07efc26bb9f2ac92e356"), bytes("cf782b88dd83549aadf1e984"));
    let mut seal = Seal::from_parts(Suite::Aes128Gcm, &key, &iv, 1).unwrap();
    let mut sealed = Vec::new();
    seal.seal(&(0..50).collect::<Vec<u8>>(), &mut sealed).unwrap();
    seal.seal_end(&mut sealed).unwrap();
    let data = "17 03 03 00 43 2e 93 7e 11 ef 4a c7 40 e5 38 ad 36 00 5f c4 a4 69 32 fc 32 25 d0 5f 82 aa 1b 36 e3 0e fa f9
                7d 90 e6 df fc 60 2d cb 50 1a 59 a8 fc c4 9c 4b f2 e5 f0 a2 1c 00 47 c2 ab f3 32 54 0d d0 32 e1 67 c2 95 5d";
    let end = "17 03 03 00 13 b5 8f d6 71 66 eb f5 99 d2 47 20 cf be 7e fa 7a 88 64 a9";
    assert_eq!(sealed, bytes(&format!("{data}{end}")));
}

/// Returns a seal whose stream should end after `left` records, and what opens its records.
pub(crate) fn for_test(left: u64) -> (Box<Seal>, Opener) {
    let first = Suite::Aes256Gcm.max_records() - RESERVED_RECORDS - left;
    let seal = Seal::from_parts(Suite::Aes256Gcm, &[1; 32], &[2; 12], first).unwrap();
    (Box::new(seal), Opener { first })
}

/// Opens records of a seal that [`for_test`] returned.
pub(crate) struct Opener {
    first: u64,
}

impl Opener {
    /// Returns the plaintext of each record, and then the type of its content.
    pub(crate) fn open(&self, mut sealed: &[u8]) -> Vec<Vec<u8>> {
        let mut texts = Vec::new();
        for number in self.first.. {
            let Some((header, rest)) = sealed.split_at_checked(HEADER_BYTES) else { break };
            let (record, rest) = rest.split_at(usize::from(u16::from_be_bytes([header[3], header[4]])));
            let numbered = Seal::from_parts(Suite::Aes256Gcm, &[1; 32], &[2; 12], number).unwrap();
            let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[1; 32]).unwrap());
            let mut text = record.to_vec();
            texts.push(key.open_in_place(numbered.nonce(), Aad::from(header), &mut text).unwrap().to_vec());
            sealed = rest;
        }
        texts
    }
}

#[test]
fn a_key_or_an_iv_of_a_wrong_length_is_refused() {
    for (suite, key_len) in [(Suite::Aes128Gcm, 16), (Suite::Aes256Gcm, 32), (Suite::ChaCha20Poly1305, 32)] {
        for (key, iv, fits) in
            [(key_len, 12, true), (key_len - 1, 12, false), (key_len + 1, 12, false), (key_len, 11, false)]
        {
            let seal = Seal::from_parts(suite, &vec![1; key], &vec![2; iv], 0);
            assert_eq!(seal.is_some(), fits, "{suite:?}: a key of {key} bytes, an IV of {iv}");
        }
    }
}

#[test]
fn the_limit_of_a_key_is_the_one_of_rustls() {
    for suite in rustls::crypto::aws_lc_rs::DEFAULT_CIPHER_SUITES.iter().filter_map(|suite| suite.tls13()) {
        let ours = match suite.common.suite {
            rustls::CipherSuite::TLS13_AES_128_GCM_SHA256 => Suite::Aes128Gcm,
            rustls::CipherSuite::TLS13_AES_256_GCM_SHA384 => Suite::Aes256Gcm,
            rustls::CipherSuite::TLS13_CHACHA20_POLY1305_SHA256 => Suite::ChaCha20Poly1305,
            other => panic!("no seal for {other:?}"),
        };
        assert_eq!(ours.max_records(), suite.common.confidentiality_limit, "{ours:?}");
    }
}

/// The stream of a key that is nearly exhausted ends, and if it did not, nothing would be sealed beyond the limit.
#[test]
fn beyond_the_limit_nothing_is_sealed() {
    for suite in [Suite::Aes128Gcm, Suite::Aes256Gcm, Suite::ChaCha20Poly1305] {
        let limit = suite.max_records();
        let key = vec![1; suite.algorithm().key_len()];
        let at = |next| Seal::from_parts(suite, &key, &[2; 12], next).unwrap();
        assert!(!at(limit - RESERVED_RECORDS - 1).is_nearly_exhausted());
        assert!(at(limit - RESERVED_RECORDS).is_nearly_exhausted());
        let (mut last, mut sealed) = (at(limit - 1), Vec::new());
        assert_eq!(last.seal(b"last", &mut sealed), Ok(()));
        let before = sealed.len();
        assert_eq!((last.seal(b"more", &mut sealed), last.seal_end(&mut sealed)), (Err(Exhausted), Err(Exhausted)));
        assert_eq!(sealed.len(), before);
    }
}

/// The same text in two records has two different ciphertexts: no number is used twice.
#[test]
fn equal_texts_are_sealed_differently() {
    let mut seal = Seal::from_parts(Suite::Aes256Gcm, &[1; 32], &[2; 12], 0).unwrap();
    let records: std::collections::HashSet<_> = (0..1_000)
        .map(|_| {
            let mut record = Vec::new();
            seal.seal(b"data: x\n\n", &mut record).unwrap();
            record
        })
        .collect();
    assert_eq!(records.len(), 1_000);
}

#[test]
fn what_is_shown_of_a_seal_is_no_secret() {
    let seal = Seal::from_parts(Suite::Aes256Gcm, &[0xab; 32], &[0xcd; 12], 7).unwrap();
    assert_eq!(format!("{seal:?}"), "Seal { suite: Aes256Gcm, next: 7, .. }");
    assert!(size_of::<Seal>() <= 64, "{} bytes", size_of::<Seal>());
}

proptest! {
    /// A client of rustls reads what was sealed, of any length up to the greatest, and then the end.
    #[test]
    fn rustls_opens_what_was_sealed(
        suite in prop::sample::select(SUITES.to_vec()),
        texts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..=300), 1..20),
        longest in prop::bool::ANY,
    ) {
        let Pair { mut client, server } = Pair::shake(suite);
        let mut seal = Seal::new(server.dangerous_extract_secrets().unwrap()).unwrap();
        let mut texts = texts;
        if longest {
            texts.push(vec![b'x'; MAX_PLAINTEXT_BYTES]);
        }
        let mut sealed = Vec::new();
        for text in &texts {
            let before = sealed.len();
            seal.seal(text, &mut sealed).unwrap();
            prop_assert_eq!(sealed.len() - before, text.len() + OVERHEAD_BYTES);
        }
        seal.seal_end(&mut sealed).unwrap();
        let (mut opened, mut rest) = (Vec::new(), &sealed[..]);
        while !rest.is_empty() {
            client.read_tls(&mut rest).unwrap();
            client.process_new_packets().unwrap();
            _ = client.reader().read_to_end(&mut opened);
        }
        prop_assert_eq!(opened, texts.concat());
        prop_assert!(client.process_new_packets().unwrap().peer_has_closed());
    }
}
