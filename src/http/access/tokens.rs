//! Kubernetes tokens: the cluster says whose they are and what that user may do here.
//!
//! What it says is kept for a short time under the digest of the token; the token itself is kept
//! nowhere and never logged. What the cluster could not be asked is not kept.

use std::{
    borrow::Cow,
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use sha2::{Digest, Sha256};
use tokio::{sync::Semaphore, time::timeout};

use super::{Caller, Role, Via};
use crate::{
    cluster::{self, Reviewer, Verdict},
    http::limits::{
        ACTOR_BYTES_MAX, REVIEW_MEMORY, REVIEW_TIME_MAX, REVIEWED_MAX, REVIEWS_MAX, TOKEN_BYTES_MAX,
    },
};

/// A failure of the same sort is logged so often at most.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

type TokenDigest = [u8; 32];

/// Why nobody may ask with this token.
#[derive(Debug)]
pub(super) enum Unreviewed {
    /// It is no token of this cluster for this audience.
    NoToken,
    /// It is one, of a user without rights here.
    NotGranted {
        /// The user's name.
        actor: String,
        /// The non-resource URL that was asked about.
        path: String,
    },
    /// The cluster could not be asked.
    Unknown {
        /// In words that whoever asks may read.
        why: Cow<'static, str>,
    },
}

/// Reviews tokens, and remembers for a while what came of it.
#[derive(Debug)]
pub(super) struct Tokens {
    reviewer: Reviewer,
    /// How many reviews may be under way.
    slots: Semaphore,
    reviewed: Mutex<HashMap<TokenDigest, Reviewed>>,
    logged: Mutex<Option<Instant>>,
}

#[derive(Debug, Clone)]
struct Reviewed {
    at: Instant,
    verdict: Verdict,
}

impl Tokens {
    pub(super) fn new(reviewer: Reviewer) -> Tokens {
        Tokens {
            reviewer,
            slots: Semaphore::new(REVIEWS_MAX),
            reviewed: Mutex::default(),
            logged: Mutex::default(),
        }
    }

    /// Whose token it is.
    ///
    /// # Errors
    /// Nobody's who may ask, or that cannot be known now.
    pub(super) async fn caller(&self, token: &str) -> Result<Caller, Unreviewed> {
        if token.is_empty() || token.len() > TOKEN_BYTES_MAX {
            return Err(Unreviewed::NoToken);
        }
        let digest: TokenDigest = Sha256::digest(token).into();
        let verdict = match self.remembered(&digest) {
            Some(verdict) => verdict,
            None => self.review(digest, token).await?,
        };
        self.caller_of(verdict)
    }

    fn caller_of(&self, verdict: Verdict) -> Result<Caller, Unreviewed> {
        let (actor, role) = match verdict {
            Verdict::Stranger => return Err(Unreviewed::NoToken),
            Verdict::User { name, may_get: false, .. } => {
                let path = self.reviewer.path.clone();
                return Err(Unreviewed::NotGranted { actor: name, path });
            }
            Verdict::User { name, may_post, .. } => {
                (name, if may_post { Role::Act } else { Role::See })
            }
        };
        // A shortened name could be somebody else's.
        if actor.len() > ACTOR_BYTES_MAX {
            return Err(Unreviewed::Unknown { why: "the name of its user is too long".into() });
        }
        Ok(Caller { actor, role, via: Via::Token, by_cookie: false })
    }

    async fn review(&self, digest: TokenDigest, token: &str) -> Result<Verdict, Unreviewed> {
        let reviewing = async {
            // The semaphore is never closed.
            let _slot = self.slots.acquire().await;
            self.reviewer.review(token).await
        };
        let verdict = match timeout(REVIEW_TIME_MAX, reviewing).await {
            Ok(Ok(verdict)) => verdict,
            Ok(Err(error)) => return Err(self.unknown(&error)),
            Err(_) => {
                let why = "the cluster API did not answer in time";
                self.log(&why);
                return Err(Unreviewed::Unknown { why: why.into() });
            }
        };
        self.remember(digest, verdict.clone());
        Ok(verdict)
    }

    /// What went wrong, without addresses and names: whoever asks is not known yet.
    fn unknown(&self, error: &cluster::ReviewError) -> Unreviewed {
        let why: Cow<'static, str> = match error {
            cluster::ReviewError::Unreachable { source: cluster::Error::NotConfigured } => {
                return Unreviewed::NoToken;
            }
            cluster::ReviewError::Forbidden { what, .. } => {
                format!("the recorder may not create {what}, which manifests/base grants").into()
            }
            cluster::ReviewError::Unreachable { .. } | cluster::ReviewError::Failed { .. } => {
                "the cluster API could not be asked; the log of the recorder says why".into()
            }
        };
        self.log(error);
        Unreviewed::Unknown { why }
    }

    /// Anybody can make this fail, so it is logged once in a while.
    fn log(&self, error: &dyn std::fmt::Display) {
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.is_none_or(|at| at.elapsed() >= LOG_INTERVAL) {
            *logged = Some(Instant::now());
            tracing::warn!("a token could not be reviewed: {error}");
        }
    }

    fn reviewed(&self) -> MutexGuard<'_, HashMap<TokenDigest, Reviewed>> {
        self.reviewed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remembered(&self, digest: &TokenDigest) -> Option<Verdict> {
        let reviewed = self.reviewed().get(digest)?.clone();
        (reviewed.at.elapsed() < REVIEW_MEMORY).then_some(reviewed.verdict)
    }

    fn remember(&self, digest: TokenDigest, verdict: Verdict) {
        let mut reviewed = self.reviewed();
        if reviewed.len() >= REVIEWED_MAX {
            reviewed.retain(|_, one| one.at.elapsed() < REVIEW_MEMORY);
        }
        // Still full: many tokens at once. This one is reviewed again next time.
        if reviewed.len() < REVIEWED_MAX {
            reviewed.insert(digest, Reviewed { at: Instant::now(), verdict });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Access;

    fn tokens() -> Tokens {
        let (access, audience, path) = (Access::default(), "a".into(), "/p".into());
        Tokens::new(Reviewer { access, audience, path })
    }

    fn user(name: &str, may_get: bool, may_post: bool) -> Verdict {
        Verdict::User { name: name.into(), may_get, may_post }
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let tokens = tokens();
        for number in 0..=REVIEWED_MAX {
            let digest: TokenDigest = Sha256::digest(number.to_string()).into();
            tokens.remember(digest, Verdict::Stranger);
        }
        assert_eq!(tokens.reviewed().len(), REVIEWED_MAX);
        let first: TokenDigest = Sha256::digest("0").into();
        assert_eq!(tokens.remembered(&first), Some(Verdict::Stranger));
        tokens.reviewed().get_mut(&first).expect("it is there").at -= REVIEW_MEMORY;
        assert_eq!(tokens.remembered(&first), None);
        tokens.remember(Sha256::digest("more").into(), Verdict::Stranger);
        assert_eq!(tokens.reviewed().len(), REVIEWED_MAX, "the old one made room");
    }

    #[test]
    fn the_right_to_post_without_the_right_to_get_is_none() {
        let tokens = tokens();
        let role = |verdict| tokens.caller_of(verdict).map(|caller| caller.role);
        assert!(matches!(role(user("a", true, true)), Ok(Role::Act)));
        assert!(matches!(role(user("a", true, false)), Ok(Role::See)));
        assert!(matches!(role(user("a", false, true)), Err(Unreviewed::NotGranted { .. })));
        assert!(matches!(role(Verdict::Stranger), Err(Unreviewed::NoToken)));
        let long = "a".repeat(ACTOR_BYTES_MAX + 1);
        assert!(matches!(role(user(&long, true, true)), Err(Unreviewed::Unknown { .. })));
    }
}
