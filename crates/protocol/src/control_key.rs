//! The key pair of calls to a control server. The caller signs with the private half. The control server has only the
//! public half, which cannot sign.

use ed25519_compact::{KeyPair, PublicKey, Seed, Signature};

use crate::hexadecimal;

/// The private half, which signs. No output shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey(KeyPair);

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

impl SigningKey {
    /// The key of these 32 bytes.
    pub fn of(seed: [u8; 32]) -> Self {
        Self(KeyPair::from_seed(Seed::new(seed)))
    }

    /// Reads 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        hexadecimal::read(text).map(Self::of)
    }

    /// The public half of the key.
    pub fn public(&self) -> PublicControlKey {
        PublicControlKey(self.0.pk)
    }

    /// The signature of a text. Equal texts have equal signatures: Ed25519 needs no random number, so a bad one can do
    /// no harm.
    pub(crate) fn sign(&self, text: &str) -> [u8; 64] {
        *self.0.sk.sign(text, None)
    }
}

/// The public half, which verifies.
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
