//! The key pair of calls to a control server: who calls signs with the private half, the control server has only the
//! public half, with which nothing can be made.
//!
//! Where the container is the town's own, so is the key pair: it is made once and lies in the town's tables.

use ed25519_compact::{KeyPair, PublicKey, Seed, Signature};

use crate::hexadecimal;

/// What signs. It is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey(KeyPair);

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

impl SigningKey {
    /// The key that these bytes make.
    pub fn of(seed: [u8; 32]) -> Self {
        Self(KeyPair::from_seed(Seed::new(seed)))
    }

    /// Reads 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        hexadecimal::read(text).map(Self::of)
    }

    /// Its public half.
    pub fn public(&self) -> PublicControlKey {
        PublicControlKey(self.0.pk)
    }

    /// The signature of a text. The same text has the same one: nothing random goes in that could be bad.
    pub(crate) fn sign(&self, text: &str) -> [u8; 64] {
        *self.0.sk.sign(text, None)
    }
}

/// What verifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicControlKey(PublicKey);

impl PublicControlKey {
    /// Reads 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        hexadecimal::read(text).map(|bytes| Self(PublicKey::new(bytes)))
    }

    pub(crate) fn verifies(&self, text: &str, signature: [u8; 64]) -> bool {
        self.0.verify(text, &Signature::new(signature)).is_ok()
    }
}

impl std::fmt::Display for PublicControlKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hexadecimal::of(*self.0))
    }
}
