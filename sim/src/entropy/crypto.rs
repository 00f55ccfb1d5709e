//! A crypto provider whose keys and nonces follow from the seed.
//!
//! Ring draws from the operating system by a system call that cannot be answered from a seed, so
//! this provider makes keys and randomness itself (RFC 6979 signatures need none) and leaves all
//! other operations to ring. It is for simulations: whoever knows the seed knows the keys.

use std::sync::{Arc, Mutex};

use p256::ecdh::diffie_hellman;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{DerSignature, SigningKey as EcdsaKey};
use p256::elliptic_curve::sec1::ToEncodedPoint;
use p256::pkcs8::{DecodePrivateKey, EncodePrivateKey};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rtc::crypto::providers::RingProvider;
use rtc::crypto::{
    ActiveKeyExchange, AeadAlgorithm, AeadCipher, BlockCipherAlgorithm, CbcAlgorithm, CbcCipher,
    CryptoAlgorithm, CryptoError, HashAlgorithm, HmacAlgorithm, KeyExchangeAlgorithm, Mac,
    PublicKey, PublicKeyEncoding, RTCCrypto, RTCCryptoProvider, RTCRandom, SecretVec,
    SignatureScheme, SigningKey, StreamCipher, StreamCipherAlgorithm,
};

/// Seeded keys and randomness; ciphers, hashes and verification by ring. One per connection.
pub struct SeededProvider {
    ring: RingProvider,
    random: Mutex<ChaCha8Rng>,
}

impl SeededProvider {
    /// A provider that draws from `stream`.
    pub fn new(stream: ChaCha8Rng) -> Self {
        SeededProvider {
            ring: RingProvider::new(),
            random: Mutex::new(stream),
        }
    }

    fn draw(&self, output: &mut [u8]) -> Result<(), CryptoError> {
        let mut random = self
            .random
            .lock()
            .map_err(|_| CryptoError::RandomnessFailed)?;
        random.fill_bytes(output);
        Ok(())
    }

    fn draw_p256(&self) -> Result<p256::SecretKey, CryptoError> {
        loop {
            let mut bytes = [0; 32];
            self.draw(&mut bytes)?;
            // A draw is no valid scalar with probability 2^-32: draw again.
            if let Ok(key) = p256::SecretKey::from_slice(&bytes) {
                return Ok(key);
            }
        }
    }
}

impl RTCCryptoProvider for SeededProvider {
    fn name(&self) -> &'static str {
        "seeded"
    }

    fn crypto(&self) -> &dyn RTCCrypto {
        self
    }

    fn random(&self) -> &dyn RTCRandom {
        self
    }
}

impl RTCRandom for SeededProvider {
    fn fill(&self, output: &mut [u8]) -> Result<(), CryptoError> {
        self.draw(output)
    }
}

impl RTCCrypto for SeededProvider {
    fn supports(&self, algorithm: CryptoAlgorithm) -> bool {
        match algorithm {
            CryptoAlgorithm::KeyExchange(exchange) => matches!(
                exchange,
                KeyExchangeAlgorithm::P256 | KeyExchangeAlgorithm::X25519
            ),
            CryptoAlgorithm::SigningKeyGeneration(scheme)
            | CryptoAlgorithm::SigningKeyImport(scheme) => {
                scheme == SignatureScheme::EcdsaP256Sha256
            }
            other => self.ring.crypto().supports(other),
        }
    }

    fn hash(&self, algorithm: HashAlgorithm, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.ring.crypto().hash(algorithm, data)
    }

    fn block_encrypt(
        &self,
        algorithm: BlockCipherAlgorithm,
        key: &[u8],
        block: &mut [u8],
    ) -> Result<(), CryptoError> {
        self.ring.crypto().block_encrypt(algorithm, key, block)
    }

    fn new_hmac(&self, algorithm: HmacAlgorithm, key: &[u8]) -> Result<Box<dyn Mac>, CryptoError> {
        self.ring.crypto().new_hmac(algorithm, key)
    }

    fn new_stream_cipher(
        &self,
        algorithm: StreamCipherAlgorithm,
        key: &[u8],
    ) -> Result<Box<dyn StreamCipher>, CryptoError> {
        self.ring.crypto().new_stream_cipher(algorithm, key)
    }

    fn new_aead(
        &self,
        algorithm: AeadAlgorithm,
        key: &[u8],
    ) -> Result<Box<dyn AeadCipher>, CryptoError> {
        self.ring.crypto().new_aead(algorithm, key)
    }

    fn new_cbc(
        &self,
        algorithm: CbcAlgorithm,
        key: &[u8],
    ) -> Result<Box<dyn CbcCipher>, CryptoError> {
        self.ring.crypto().new_cbc(algorithm, key)
    }

    fn start_key_exchange(
        &self,
        algorithm: KeyExchangeAlgorithm,
    ) -> Result<Box<dyn ActiveKeyExchange>, CryptoError> {
        match algorithm {
            KeyExchangeAlgorithm::P256 => Ok(Box::new(P256Exchange::new(self.draw_p256()?))),
            KeyExchangeAlgorithm::X25519 => {
                let mut bytes = [0; 32];
                self.draw(&mut bytes)?;
                Ok(Box::new(X25519Exchange::new(bytes)))
            }
            other => Err(CryptoError::UnsupportedAlgorithm(
                CryptoAlgorithm::KeyExchange(other),
            )),
        }
    }

    fn generate_signing_key(
        &self,
        scheme: SignatureScheme,
    ) -> Result<Arc<dyn SigningKey>, CryptoError> {
        match scheme {
            SignatureScheme::EcdsaP256Sha256 => {
                Ok(Arc::new(P256SigningKey::new(self.draw_p256()?)))
            }
            other => Err(CryptoError::UnsupportedAlgorithm(
                CryptoAlgorithm::SigningKeyGeneration(other),
            )),
        }
    }

    fn import_signing_key(
        &self,
        scheme: SignatureScheme,
        pkcs8_der: &[u8],
    ) -> Result<Arc<dyn SigningKey>, CryptoError> {
        match scheme {
            SignatureScheme::EcdsaP256Sha256 => p256::SecretKey::from_pkcs8_der(pkcs8_der)
                .map(|key| Arc::new(P256SigningKey::new(key)) as Arc<dyn SigningKey>)
                .map_err(|_| CryptoError::InvalidPrivateKey),
            other => Err(CryptoError::UnsupportedAlgorithm(
                CryptoAlgorithm::SigningKeyImport(other),
            )),
        }
    }

    fn verify_signature(
        &self,
        scheme: SignatureScheme,
        public_key: PublicKey<'_>,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        self.ring
            .crypto()
            .verify_signature(scheme, public_key, message, signature)
    }
}

/// SEC 1 uncompressed point of a key's public half.
fn public_point(key: &p256::SecretKey) -> Vec<u8> {
    key.public_key().to_encoded_point(false).as_bytes().to_vec()
}

struct P256Exchange {
    key: p256::SecretKey,
    public: Vec<u8>,
}

impl P256Exchange {
    fn new(key: p256::SecretKey) -> Self {
        let public = public_point(&key);
        P256Exchange { key, public }
    }
}

impl ActiveKeyExchange for P256Exchange {
    fn algorithm(&self) -> KeyExchangeAlgorithm {
        KeyExchangeAlgorithm::P256
    }

    fn public_key(&self) -> &[u8] {
        &self.public
    }

    fn complete(self: Box<Self>, peer_public_key: &[u8]) -> Result<SecretVec, CryptoError> {
        let peer = p256::PublicKey::from_sec1_bytes(peer_public_key)
            .map_err(|_| CryptoError::InvalidPublicKey)?;
        let secret = diffie_hellman(self.key.to_nonzero_scalar(), peer.as_affine());
        Ok(SecretVec::new(secret.raw_secret_bytes().to_vec()))
    }
}

struct X25519Exchange {
    key: x25519_dalek::StaticSecret,
    public: [u8; 32],
}

impl X25519Exchange {
    fn new(bytes: [u8; 32]) -> Self {
        let key = x25519_dalek::StaticSecret::from(bytes);
        let public = x25519_dalek::PublicKey::from(&key).to_bytes();
        X25519Exchange { key, public }
    }
}

impl ActiveKeyExchange for X25519Exchange {
    fn algorithm(&self) -> KeyExchangeAlgorithm {
        KeyExchangeAlgorithm::X25519
    }

    fn public_key(&self) -> &[u8] {
        &self.public
    }

    fn complete(self: Box<Self>, peer_public_key: &[u8]) -> Result<SecretVec, CryptoError> {
        let peer: [u8; 32] = peer_public_key
            .try_into()
            .map_err(|_| CryptoError::InvalidPublicKey)?;
        let secret = self.key.diffie_hellman(&peer.into());
        // RFC 7748 section 6.1: an all-zero result means a point of small order.
        if !secret.was_contributory() {
            return Err(CryptoError::InvalidPublicKey);
        }
        Ok(SecretVec::new(secret.to_bytes().to_vec()))
    }
}

struct P256SigningKey {
    key: p256::SecretKey,
    signer: EcdsaKey,
    public: Vec<u8>,
}

impl P256SigningKey {
    fn new(key: p256::SecretKey) -> Self {
        P256SigningKey {
            signer: EcdsaKey::from(&key),
            public: public_point(&key),
            key,
        }
    }
}

impl SigningKey for P256SigningKey {
    fn supports(&self, scheme: SignatureScheme) -> bool {
        scheme == SignatureScheme::EcdsaP256Sha256
    }

    fn public_key(&self) -> PublicKey<'_> {
        PublicKey {
            encoding: PublicKeyEncoding::EcUncompressedPoint,
            bytes: &self.public,
        }
    }

    fn sign(&self, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        if !self.supports(scheme) {
            return Err(CryptoError::UnsupportedAlgorithm(
                CryptoAlgorithm::Signature(scheme),
            ));
        }
        let signature: DerSignature = self.signer.sign(message);
        Ok(signature.as_bytes().to_vec())
    }

    fn to_pkcs8_der(&self) -> Result<Option<SecretVec>, CryptoError> {
        let der = self
            .key
            .to_pkcs8_der()
            .map_err(|error| CryptoError::Provider(error.to_string()))?;
        Ok(Some(SecretVec::new(der.as_bytes().to_vec())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    fn provider(seed: u64) -> SeededProvider {
        SeededProvider::new(Seed(seed).stream("crypto"))
    }

    #[test]
    fn keys_follow_from_the_seed() {
        let public = |seed| {
            let key = provider(seed)
                .generate_signing_key(SignatureScheme::EcdsaP256Sha256)
                .unwrap();
            key.public_key().bytes.to_vec()
        };
        assert_eq!(public(1), public(1));
        assert_ne!(public(1), public(2));
    }

    #[test]
    fn exchanges_agree_with_ring() {
        for algorithm in [KeyExchangeAlgorithm::P256, KeyExchangeAlgorithm::X25519] {
            let ours = provider(1).start_key_exchange(algorithm).unwrap();
            let theirs = RingProvider::new()
                .crypto()
                .start_key_exchange(algorithm)
                .unwrap();
            let (our_public, their_public) =
                (ours.public_key().to_vec(), theirs.public_key().to_vec());
            let ours = ours.complete(&their_public).unwrap();
            let theirs = theirs.complete(&our_public).unwrap();
            assert_eq!(ours.as_ref(), theirs.as_ref());
        }
    }

    #[test]
    fn signatures_verify_with_ring_and_keys_survive_export() {
        let scheme = SignatureScheme::EcdsaP256Sha256;
        let key = provider(1).generate_signing_key(scheme).unwrap();
        let der = key.to_pkcs8_der().unwrap().unwrap();
        let imported = provider(2)
            .import_signing_key(scheme, der.as_ref())
            .unwrap();
        let signature = imported.sign(scheme, b"message").unwrap();
        let ring = RingProvider::new();
        let verify = |message| {
            ring.crypto()
                .verify_signature(scheme, key.public_key(), message, &signature)
        };
        assert!(verify(b"message").is_ok());
        assert!(verify(b"massage").is_err());
    }
}
