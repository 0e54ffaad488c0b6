//! `[outside]`: other tools. Each has a section of its own, and a fault costs that tool alone.

use serde::Deserialize;

use super::file::File;
use crate::outside::{Config, GrafanaSecret, NoUpstream, Tool, ToolConfig, Upstream};

/// `[outside.prometheus]` and `[outside.alertmanager]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RelayedSection {
    url: Option<String>,
    public_url: Option<String>,
}

/// `[outside.loki]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct LokiSection {
    url: Option<String>,
    tenant: Option<String>,
}

/// `[outside.grafana]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct GrafanaSection {
    url: Option<String>,
    public_url: Option<String>,
    secret: Option<SecretPlace>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SecretPlace {
    namespace: String,
    name: String,
    key: String,
}

/// What is said of a tool, before its addresses are read.
#[derive(Debug, Default)]
struct Said {
    url: Option<String>,
    public_url: Option<String>,
    tenant: Option<String>,
}

/// Takes the section out: the tools, and where browsers reach the pages of proxied ones.
pub fn read(file: &mut File) -> (Config, Option<Upstream>) {
    let mut section = file.nested("outside");
    let mut config = Config::default();
    for tool in Tool::ALL {
        let (said, secret) = said(&mut section, tool);
        if let Some(found) = tool_config(&mut section, tool, said) {
            config.tools.push((tool, found));
            config.grafana_secret = config.grafana_secret.take().or(secret);
        }
    }
    let public_url = section.value::<String>("public_url");
    let public_url = public_url.and_then(|text| {
        let read = Upstream::parse(&text);
        read.map_err(|why| section.fault("public_url", &why.to_string())).ok()
    });
    file.end_nested(section);
    (config, public_url)
}

fn said(section: &mut File, tool: Tool) -> (Said, Option<GrafanaSecret>) {
    match tool {
        Tool::Prometheus | Tool::Alertmanager => {
            let RelayedSection { url, public_url } = section.section(tool.name());
            (Said { url, public_url, tenant: None }, None)
        }
        Tool::Loki => {
            let LokiSection { url, tenant } = section.section(tool.name());
            (Said { url, public_url: None, tenant }, None)
        }
        Tool::Grafana => {
            let GrafanaSection { url, public_url, secret } = section.section(tool.name());
            let secret = secret.map(|place| GrafanaSecret {
                namespace: place.namespace,
                name: place.name,
                key: place.key,
            });
            (Said { url, public_url, tenant: None }, secret)
        }
    }
}

/// A tool without an address is not there, whatever else is said of it.
fn tool_config(section: &mut File, tool: Tool, said: Said) -> Option<ToolConfig> {
    let read = |text: &Option<String>| text.as_deref().map(Upstream::parse).transpose();
    let read = (|| -> Result<_, NoUpstream> { Ok((read(&said.url)?, read(&said.public_url)?)) })();
    match read {
        Ok((Some(url), public_url)) => Some(ToolConfig { url, public_url, tenant: said.tenant }),
        Ok((None, _)) => None,
        Err(why) => {
            section.fault(tool.name(), &format!("an address in it cannot be used: {why}"));
            None
        }
    }
}
