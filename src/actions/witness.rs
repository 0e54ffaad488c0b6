//! What an admin does that is no declared action, on record all the same: the intent is durable
//! before it, the outcome follows. What it gives goes to the caller alone.

use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use serde_json::{Value, json};
use tokio::{sync::oneshot, time::timeout};

use super::{Actions, End, Error, Needs, effect::REQUEST_TIME_MAX, new_id, outcome};
use crate::{
    cluster::{self, Access},
    event::{ActionIntent, Extensions, now},
    recorder,
};

/// The cluster answers within seconds or not at all; a person waits for it.
const REVEAL_TIME_MAX: Duration = Duration::from_secs(15);

/// A value of a Secret of the cluster.
#[derive(Debug, Clone)]
pub struct SecretPlace {
    /// The namespace of the Secret.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Which of its keys.
    pub key: String,
}

impl Actions {
    /// Does something and records it. `effect` gives what is recorded of it (what was done, or what
    /// failed) and what only the caller gets, which is given back with the action's id. It goes on
    /// to its end even when the caller is dropped; nothing is given back where it took too long.
    ///
    /// # Errors
    /// It was not begun.
    pub async fn witness<T: Send + 'static>(
        &self,
        actor: &str,
        action: &str,
        args: &Value,
        effect: impl Future<Output = (Result<String, String>, T)> + Send + 'static,
    ) -> Result<(String, Option<T>), Error> {
        let slot = self.slot()?;
        let started = now();
        let intent = ActionIntent {
            id: new_id(started),
            actor: actor.into(),
            action: action.into(),
            args: args.to_string(),
            started,
            ext: Extensions::default(),
        };
        let id = intent.id.clone();
        let (answer, answered) = oneshot::channel();
        let actions = self.clone();
        tokio::spawn(async move {
            // Whoever asked may have gone; what was recorded is done all the same.
            let _ = answer.send(actions.witnessed(intent, effect).await);
            drop(slot);
        });
        let given = answered.await.map_err(|_| recorder::Error::Stopped)??;
        Ok((id, given))
    }

    async fn witnessed<T: Send + 'static>(
        &self,
        intent: ActionIntent,
        effect: impl Future<Output = (Result<String, String>, T)> + Send + 'static,
    ) -> Result<Option<T>, Error> {
        if let Err(error) = self.record_intent(&intent, Needs::Record).await {
            if matches!(error, recorder::Error::Unsure { .. }) {
                let reason = "it was not begun: its intent could not be made durable";
                self.record_outcome(outcome(intent, End::Failed(reason.into()))).await;
            }
            return Err(error.into());
        }
        // A bug in it is a failure too, so that there is an outcome.
        let (result, given) = match tokio::spawn(timeout(REQUEST_TIME_MAX, effect)).await {
            Ok(Ok((result, given))) => (result, Some(given)),
            Ok(Err(_)) => (Err("it did not end in time and was given up".into()), None),
            Err(_) => (Err("it failed in itself; this is a bug".into()), None),
        };
        self.record_outcome(outcome(intent, result.into())).await;
        Ok(given)
    }

    /// Reads a value of a Secret for a caller to see. The record says who looked, never the value.
    ///
    /// # Errors
    /// It was not looked at.
    pub async fn reveal(
        &self,
        actor: &str,
        action: &str,
        place: SecretPlace,
    ) -> Result<(String, Result<String, String>), Error> {
        let args = json!({
            "namespace": place.namespace, "name": place.name, "key": place.key,
        });
        let cluster = self.cluster.clone();
        let effect = async move {
            let read = timeout(REVEAL_TIME_MAX, read(cluster, &place)).await;
            let read = read.unwrap_or_else(|_| Err("the cluster did not answer in time".into()));
            match read {
                Ok(value) => (Ok("it was shown".into()), Ok(value)),
                Err(why) => (Err(why.clone()), Err(why)),
            }
        };
        let (id, given) = self.witness(actor, action, &args, effect).await?;
        Ok((id, given.unwrap_or_else(|| Err("the cluster did not answer in time".into()))))
    }
}

async fn read(cluster: Option<Access>, place: &SecretPlace) -> Result<String, String> {
    let SecretPlace { namespace, name, key } = place;
    let access = cluster.ok_or("the cluster is switched off in the configuration")?;
    let cluster = access.cluster().await.map_err(|error| error.to_string())?;
    let secrets: Api<Secret> = Api::namespaced(cluster.client, namespace);
    let secret = secrets.get(name).await.map_err(|error| {
        let advice = match &error {
            kube::Error::Api(status) if status.code == 403 => {
                "; grant get on this one Secret, as the component `grafana` of the manifests does"
            }
            kube::Error::Api(_) => "",
            _ => "; is the API server running and reachable?",
        };
        let explained = cluster::explain(&error);
        format!("reading the Secret {namespace}/{name} failed: {explained}{advice}")
    })?;
    let value = secret.data.unwrap_or_default().remove(key);
    let value = value.ok_or_else(|| format!("the Secret {namespace}/{name} has no key {key}"))?;
    String::from_utf8(value.0)
        .map_err(|_| format!("the key {key} of the Secret {namespace}/{name} holds no text"))
}
