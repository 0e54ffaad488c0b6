//! The step `http`: one request, and its answer line by line.

use reqwest::{RequestBuilder, Response, StatusCode};

use super::{HttpStep, run::Scene};
use crate::{
    actions::{
        request::{self, Lines},
        template::{Form, Values, fill},
    },
    peer::{self, Trust},
};

impl HttpStep {
    /// Sends it, records the answer, and says which status it had.
    pub(super) async fn run(&self, scene: &Scene<'_>) -> Result<String, String> {
        let request = self.request(scene)?;
        let answer = request.send().await;
        let mut answer = answer.map_err(|e| format!("no answer: {}", peer::explain(&e)))?;
        let status = answer.status();
        stream(&mut answer, scene).await?;
        if self.expects(status) {
            Ok(format!("the answer is {status}"))
        } else {
            Err(format!("the answer is {status}"))
        }
    }

    /// What would be sent beside method and URL.
    pub(super) fn told(&self, values: &Values) -> Vec<String> {
        let headers = self.headers.iter();
        let headers = headers
            .map(|(name, text)| format!("header {name}: {}", fill(text, values, Form::Plain)));
        let body = self.body.iter().map(|text| format!("body {}", fill(text, values, form(text))));
        headers.chain(body).collect()
    }

    fn request(&self, scene: &Scene<'_>) -> Result<RequestBuilder, String> {
        // A long procedure may be silent for long; the step's own limit ends it.
        let client = peer::client(Trust::System, scene.time_max).map_err(|e| e.to_string())?;
        let url = fill(&self.url, scene.values, Form::Url);
        let mut request = client.request(request::method(&self.method)?, url);
        for (name, text) in &self.headers {
            request = request.header(name, fill(text, scene.values, Form::Plain));
        }
        if let Some(text) = &self.body {
            request = request.body(fill(text, scene.values, form(text)));
        }
        Ok(request)
    }

    fn expects(&self, status: StatusCode) -> bool {
        if self.expect_status.is_empty() {
            return status.is_success();
        }
        self.expect_status.contains(&status.as_u16())
    }
}

/// Inside of JSON a value is a part of a string.
fn form(body: &str) -> Form {
    if body.trim_start().starts_with(['{', '[']) { Form::Json } else { Form::Plain }
}

/// Records the lines of an answer as they come.
async fn stream(answer: &mut Response, scene: &Scene<'_>) -> Result<(), String> {
    let mut lines = Lines::default();
    loop {
        let piece = answer.chunk().await;
        let piece = piece.map_err(|e| format!("the answer broke off: {}", peer::explain(&e)))?;
        let Some(piece) = piece else { break };
        for line in lines.take(&piece) {
            scene.progress.line(&line).await;
        }
    }
    if let Some(line) = lines.rest() {
        scene.progress.line(&line).await;
    }
    Ok(())
}
