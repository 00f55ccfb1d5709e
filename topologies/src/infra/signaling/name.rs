//! Names of rooms and participants, and tokens, valid by construction.

use std::fmt;
use std::str::FromStr;

use rand::distr::Alphanumeric;
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Characters of a drawn token: 32 of 62 kinds are 190 bits.
const TOKEN_LENGTH: usize = 32;

/// The longest name, in bytes.
pub const MAX_NAME_BYTES: usize = 64;

/// The longest token, in bytes.
pub const MAX_TOKEN_BYTES: usize = 128;

/// Names a room, or a participant in its room: 1 to 64 of `A-Z a-z 0-9 . _ -`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// A secret that lets a participant take its own place again after a broken connection: 1 to 128
/// printable ASCII characters, no spaces.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Token(String);

/// Why a text is not a [`Name`] or a [`Token`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidName {
    /// Not a name.
    #[error("a name is 1 to {MAX_NAME_BYTES} of A-Z a-z 0-9 . _ -")]
    Name,
    /// Not a token.
    #[error("a token is 1 to {MAX_TOKEN_BYTES} printable ASCII characters without spaces")]
    Token,
}

impl Name {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Name {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let valid = (1..=MAX_NAME_BYTES).contains(&text.len()) && text.bytes().all(allowed);
        valid.then_some(Name(text)).ok_or(InvalidName::Name)
    }
}

impl FromStr for Name {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        text.to_owned().try_into()
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Token {
    /// A token that nobody guesses.
    pub fn draw(random: &mut impl Rng) -> Self {
        let characters = random.sample_iter(Alphanumeric).take(TOKEN_LENGTH);
        Token(characters.map(char::from).collect())
    }
}

impl TryFrom<String> for Token {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        let printable = text.bytes().all(|byte| byte.is_ascii_graphic());
        let valid = (1..=MAX_TOKEN_BYTES).contains(&text.len()) && printable;
        valid.then_some(Token(text)).ok_or(InvalidName::Token)
    }
}

impl FromStr for Token {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        text.to_owned().try_into()
    }
}

impl From<Token> for String {
    fn from(token: Token) -> Self {
        token.0
    }
}

impl fmt::Debug for Token {
    /// Tokens are secrets: they do not belong into logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_from_both_sides() {
        for good in ["a", "home-2", "A.b_c", &"x".repeat(64)] {
            assert_eq!(good.parse::<Name>().unwrap().as_str(), good);
        }
        for bad in ["", " ", "a b", "ä", "a/b", "a\0", &"x".repeat(65)] {
            assert_eq!(bad.parse::<Name>(), Err(InvalidName::Name), "{bad:?}");
        }
        for good in ["!", "~", &"x".repeat(128)] {
            assert!(good.parse::<Token>().is_ok(), "{good:?}");
        }
        for bad in ["", "a b", "\x7f", "ä", &"x".repeat(129)] {
            assert_eq!(bad.parse::<Token>(), Err(InvalidName::Token), "{bad:?}");
        }
    }

    #[test]
    fn a_token_is_not_shown() {
        assert!(!format!("{:?}", "hunter2".parse::<Token>().unwrap()).contains("hunter2"));
    }
}
