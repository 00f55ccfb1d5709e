//! Tables that the stack makes once in a process, made before any call.
//!
//! They are hash maps. The standard library numbers the hash maps of a thread, and the number decides
//! about their order; so a table that is made in the middle of the first call of a process would give
//! every later map of that call, and of no other one, another order.

use std::sync::Once;

use rtc::stun::error_code::CODE_BAD_REQUEST;
use rtc::stun::message::{Message, Setter};
use x509_parser::extensions::X509Extension;
use x509_parser::prelude::FromDer;

/// The extension basicConstraints, critical, of a certificate authority (RFC 5280 section
/// 4.2.1.9), in DER.
const EXTENSION: [u8; 17] = [
    0x30, 0x0f, 0x06, 0x03, 0x55, 0x1d, 0x13, 0x01, 0x01, 0xff, 0x04, 0x05, 0x30, 0x03, 0x01, 0x01,
    0xff,
];

/// Makes all of them, in a thread that runs no call.
pub fn make() {
    static MADE: Once = Once::new();
    MADE.call_once(|| {
        let thread = std::thread::spawn(|| reasons_of_errors() && parsers_of_extensions());
        let made = thread.join().expect("nothing to panic about");
        debug_assert!(made, "a table was not looked at");
    });
}

/// Looks up what STUN says of a bad request.
fn reasons_of_errors() -> bool {
    CODE_BAD_REQUEST.add_to(&mut Message::new()).is_ok()
}

/// Parses an extension of a certificate.
fn parsers_of_extensions() -> bool {
    X509Extension::from_der(&EXTENSION).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_tables_are_looked_at() {
        assert!(reasons_of_errors());
        assert!(parsers_of_extensions());
    }
}
