//! Query strings and forms that strangers send. Nothing may panic, and what is read is what the URL standard reads, or
//! an error where that would have put replacement characters.
#![no_main]
use fanfare_server::form::{Form, InvalidForm, MAX_FIELDS};
use libfuzzer_sys::fuzz_target;
use url::form_urlencoded;

fuzz_target!(|input: &[u8]| {
    let standard: Vec<_> = form_urlencoded::parse(input).take(MAX_FIELDS + 1).collect();
    match Form::parse(input) {
        Ok(form) => assert!(form.iter().eq(standard.iter().map(|(name, value)| (&**name, &**value)))),
        Err(InvalidForm::TooManyFields { .. }) => assert!(standard.len() > MAX_FIELDS),
        Err(_) => assert!(standard.iter().any(|(name, value)| name.contains('\u{fffd}') || value.contains('\u{fffd}'))),
    }
});
