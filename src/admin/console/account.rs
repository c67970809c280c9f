//! Who may log in to the console.
//!
//! Clients prove that they have the password by `caching_sha2_password`, which they are asked
//! for, or by `mysql_native_password`, with which old ones answer whatever they are asked. The
//! two proofs differ in length. Both are of a nonce that no other login has.

use mysql_common::scramble::{scramble_native, scramble_sha256};

use crate::store::Secret;

/// How a client has proved itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// `mysql_native_password`
    Native,
    /// `caching_sha2_password`; its client waits for one more packet before OK.
    Sha2,
}

/// The account of `[admin]`.
pub(super) struct Account {
    user: String,
    password: Secret,
}

impl Account {
    /// `password` is not empty.
    pub fn new(user: String, password: Secret) -> Self {
        Self { user, password }
    }

    /// The name.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// How the client has proved itself; `None` if it has not. Takes as long whatever is wrong.
    pub fn check(&self, user: &[u8], nonce: &[u8], proof: &[u8]) -> Option<Proof> {
        let password = self.password.expose().as_bytes();
        let native = scramble_native(nonce, password).unwrap_or_default();
        let sha2 = scramble_sha256(nonce, password).unwrap_or_default();
        let is_user = same(user, self.user.as_bytes());
        let (is_native, is_sha2) = (same(proof, &native), same(proof, &sha2));
        match (is_user & !self.password.is_empty(), is_native, is_sha2) {
            (true, true, _) => Some(Proof::Native),
            (true, _, true) => Some(Proof::Sha2),
            _ => None,
        }
    }
}

/// Compares without telling by the time it takes where the two differ.
fn same(a: &[u8], b: &[u8]) -> bool {
    let differ = a.iter().zip(b).fold(0, |differ, (a, b)| differ | (a ^ b));
    std::hint::black_box(differ) == 0 && a.len() == b.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_password_is_a_proof() {
        let account = Account::new("admin".into(), Secret::new("right"));
        let nonce = [7; 20];
        let native = |password: &[u8]| scramble_native(&nonce, password).unwrap();
        let sha2 = |password: &[u8]| scramble_sha256(&nonce, password).unwrap();
        let check = |user: &[u8], proof: &[u8]| account.check(user, &nonce, proof);
        assert_eq!(check(b"admin", &native(b"right")), Some(Proof::Native));
        assert_eq!(check(b"admin", &sha2(b"right")), Some(Proof::Sha2));
        for (user, proof) in [
            (&b"admin"[..], &native(b"wrong")[..]),
            (b"admin", &sha2(b"wrong")),
            (b"Admin", &native(b"right")),
            (b"", &native(b"right")),
            (b"admin", b""),
            (b"admin", &native(b"right")[..19]),
            (b"admin", b"right"),
        ] {
            assert_eq!(check(user, proof), None);
        }
        assert_eq!(account.check(b"admin", &[8; 20], &native(b"right")), None);
        let nobody = Account::new("admin".into(), Secret::default());
        assert_eq!(nobody.check(b"admin", &nonce, &[0; 20]), None);
        assert_eq!(nobody.check(b"admin", &nonce, b""), None);
    }
}
