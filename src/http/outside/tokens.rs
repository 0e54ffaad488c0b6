//! Random words that stand for something for a while, kept in memory: the tickets that lead onto
//! the second port, and the passes that are given for them. A restart ends all of them, and one
//! press on the desk opens a tool again.

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use sha2::{Digest, Sha256};

/// Bytes of randomness in a word: nobody guesses it.
const WORD_BYTES: usize = 32;

/// Words by their digests: how long a look-up takes tells nothing of them.
pub(super) struct Tokens<T> {
    known: Mutex<HashMap<[u8; 32], (T, Instant)>>,
    life: Duration,
    max: usize,
}

/// No word and no count of them is printed.
impl<T> fmt::Debug for Tokens<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens")
    }
}

impl<T: Clone> Tokens<T> {
    /// Words that hold for `life`, `max` of them at once.
    pub(super) fn new(life: Duration, max: usize) -> Tokens<T> {
        Tokens { known: Mutex::default(), life, max }
    }

    /// A new word. At the bound the one that ends first makes room.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub(super) fn issue(&self, value: T) -> Result<String, getrandom::Error> {
        let mut bytes = [0; WORD_BYTES];
        getrandom::fill(&mut bytes)?;
        let word: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let now = Instant::now();
        let mut known = self.lock();
        known.retain(|_, (_, end)| *end > now);
        if known.len() >= self.max {
            let first = known.iter().min_by_key(|(_, (_, end))| *end).map(|(digest, _)| *digest);
            first.map(|digest| known.remove(&digest));
        }
        known.insert(digest(&word), (value, now + self.life));
        Ok(word)
    }

    /// What a word stands for.
    pub(super) fn get(&self, word: &str) -> Option<T> {
        let known = self.lock();
        let (value, end) = known.get(&digest(word))?;
        (*end > Instant::now()).then(|| value.clone())
    }

    /// What a word stands for; it stands for nothing afterwards.
    pub(super) fn take(&self, word: &str) -> Option<T> {
        let (value, end) = self.lock().remove(&digest(word))?;
        (end > Instant::now()).then_some(value)
    }

    /// A map is whole also where a thread died beside it.
    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 32], (T, Instant)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn digest(word: &str) -> [u8; 32] {
    Sha256::digest(word).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn a_word_is_taken_once() {
        let tokens = Tokens::new(HOUR, 4);
        let word = tokens.issue(7).unwrap();
        assert_eq!((word.len(), tokens.get(&word)), (2 * WORD_BYTES, Some(7)));
        assert_eq!(tokens.take(&word), Some(7));
        assert_eq!((tokens.take(&word), tokens.get(&word), tokens.get("")), (None, None, None));
    }

    #[test]
    fn a_word_ends_with_its_time() {
        let tokens = Tokens::new(Duration::ZERO, 4);
        let word = tokens.issue(7).unwrap();
        assert_eq!((tokens.get(&word), tokens.take(&word)), (None, None));
    }

    #[test]
    fn the_oldest_makes_room() {
        let tokens = Tokens::new(HOUR, 2);
        let words: Vec<String> = (0..3).map(|n| tokens.issue(n).unwrap()).collect();
        let known: Vec<_> = words.iter().map(|word| tokens.get(word)).collect();
        assert_eq!(known, [None, Some(1), Some(2)]);
    }
}
