//! Asks the cluster whose token one is, and what its user may do here.
//!
//! [TokenReview](https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-review-v1/)
//! with an audience of our own, so that a token that was made for the API server or for another
//! service is none here; then
//! [SubjectAccessReview](https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/subject-access-review-v1/)
//! on a non-resource URL. The recorder needs the verb `create` on both, and no other right.

use k8s_openapi::api::{
    authentication::v1::{TokenReview, TokenReviewSpec, UserInfo},
    authorization::v1::{NonResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec},
};
use kube::core::Request;
use serde::{Serialize, de::DeserializeOwned};

use super::{Access, Cluster, Error, explain};

const TOKEN_REVIEWS: &str = "/apis/authentication.k8s.io/v1/tokenreviews";
const ACCESS_REVIEWS: &str = "/apis/authorization.k8s.io/v1/subjectaccessreviews";

/// Asks about tokens.
#[derive(Debug, Clone)]
pub struct Reviewer {
    /// How to reach the cluster.
    pub access: Access,
    /// The audience that a token must be for.
    pub audience: String,
    /// The non-resource URL that the rights are on.
    pub path: String,
}

/// What the cluster says of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is no token of this cluster, or has expired, or is for another audience.
    Stranger,
    /// It is a user's.
    User {
        /// As the cluster names the user.
        name: String,
        /// Whether the user may `get` the URL.
        may_get: bool,
        /// Whether the user may `post` to it.
        may_post: bool,
    },
}

/// Why the cluster says nothing. Never holds the token.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// There is no client.
    #[error("{source}")]
    Unreachable {
        /// Why.
        #[from]
        source: Error,
    },
    /// The recorder may not ask.
    #[error("the recorder may not create {what}: {explained}")]
    Forbidden {
        /// The resource that it may not create.
        what: &'static str,
        /// In the words of the API server.
        explained: String,
    },
    /// Asking failed.
    #[error("creating a review at {address} failed: {explained}; is the API server well?")]
    Failed {
        /// The address of the API server.
        address: String,
        /// What failed.
        explained: String,
    },
}

impl Reviewer {
    /// Asks whose token it is, and what that user may do. Takes as long as the cluster does.
    ///
    /// # Errors
    /// The cluster could not be asked.
    pub async fn review(&self, token: &str) -> Result<Verdict, ReviewError> {
        let cluster = self.access.cluster().await?;
        let Some(user) = self.user(&cluster, token).await? else { return Ok(Verdict::Stranger) };
        let (may_get, may_post) =
            tokio::try_join!(self.may(&cluster, &user, "get"), self.may(&cluster, &user, "post"),)?;
        let name = user.username.unwrap_or_default();
        Ok(Verdict::User { name, may_get, may_post })
    }

    async fn user(&self, cluster: &Cluster, token: &str) -> Result<Option<UserInfo>, ReviewError> {
        let review = TokenReview {
            spec: TokenReviewSpec {
                token: Some(token.into()),
                audiences: Some(vec![self.audience.clone()]),
            },
            ..TokenReview::default()
        };
        let answer: TokenReview = create(cluster, TOKEN_REVIEWS, "tokenreviews", &review).await?;
        let status = answer.status.unwrap_or_default();
        // A server that does not know of audiences says of every token that it is good.
        let is_for_us = status.audiences.unwrap_or_default().contains(&self.audience);
        let is_known = status.authenticated == Some(true) && is_for_us;
        let user = status.user.filter(|user| user.username.as_ref().is_some_and(|n| !n.is_empty()));
        Ok(user.filter(|_| is_known))
    }

    async fn may(
        &self,
        cluster: &Cluster,
        user: &UserInfo,
        verb: &str,
    ) -> Result<bool, ReviewError> {
        let attributes =
            NonResourceAttributes { path: Some(self.path.clone()), verb: Some(verb.into()) };
        let review = SubjectAccessReview {
            spec: SubjectAccessReviewSpec {
                non_resource_attributes: Some(attributes),
                user: user.username.clone(),
                uid: user.uid.clone(),
                groups: user.groups.clone(),
                extra: user.extra.clone(),
                ..SubjectAccessReviewSpec::default()
            },
            ..SubjectAccessReview::default()
        };
        let what = "subjectaccessreviews";
        let answer: SubjectAccessReview = create(cluster, ACCESS_REVIEWS, what, &review).await?;
        Ok(answer.status.is_some_and(|status| status.allowed && status.denied != Some(true)))
    }
}

/// Creates a review and reads the answer: as text, since the client logs what it cannot read, and
/// a review holds the token.
async fn create<T: Serialize + DeserializeOwned>(
    cluster: &Cluster,
    path: &str,
    what: &'static str,
    review: &T,
) -> Result<T, ReviewError> {
    let failed = |explained| ReviewError::Failed { address: cluster.address.clone(), explained };
    let body = serde_json::to_vec(review).map_err(|e| failed(e.to_string()))?;
    let request = Request::new(path)
        .create(&kube::api::PostParams::default(), body)
        .map_err(|e| failed(explain(&kube::Error::BuildRequest(e))))?;
    match cluster.client.request_text(request).await {
        // What cannot be read is not repeated.
        Ok(text) => {
            serde_json::from_str(&text).map_err(|_| failed(format!("the answer is none to {what}")))
        }
        Err(kube::Error::Api(status)) if status.code == 403 => {
            let explained = explain(&kube::Error::Api(status));
            Err(ReviewError::Forbidden { what, explained })
        }
        Err(error) => Err(failed(explain(&error))),
    }
}
