//! `[outside]`: other tools. Each has a section of its own, and a fault costs that tool alone.

use serde::Deserialize;

use super::file::File;
use crate::{
    http::base_path,
    outside::{Config, GrafanaSecret, NoUpstream, Tool, ToolConfig, Upstream},
};

const NO_PATH: &str = "it may hold a scheme, a host and a port, and no path";

/// `[outside.prometheus]` and `[outside.alertmanager]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RelayedSection {
    url: Option<String>,
    public_url: Option<String>,
    external_path: Option<String>,
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
    external_path: Option<String>,
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
        let read = Upstream::parse(&text).map_err(|why| why.to_string());
        // The tools' own paths begin at the root of that port.
        let read = read.and_then(|url| if url.has_path() { Err(NO_PATH.into()) } else { Ok(url) });
        read.map_err(|why| section.fault("public_url", &why)).ok()
    });
    file.end_nested(section);
    (config, public_url)
}

fn said(section: &mut File, tool: Tool) -> (Said, Option<GrafanaSecret>) {
    match tool {
        Tool::Prometheus | Tool::Alertmanager => {
            let RelayedSection { url, public_url, external_path } = section.section(tool.name());
            (Said { url, public_url, external_path, tenant: None }, None)
        }
        Tool::Loki => {
            let LokiSection { url, tenant } = section.section(tool.name());
            (Said { url, tenant, ..Said::default() }, None)
        }
        Tool::Grafana => {
            let GrafanaSection { url, public_url, secret } = section.section(tool.name());
            let secret = secret.map(|place| GrafanaSecret {
                namespace: place.namespace,
                name: place.name,
                key: place.key,
            });
            (Said { url, public_url, ..Said::default() }, secret)
        }
    }
}

/// A tool without an address is not there, whatever else is said of it.
fn tool_config(section: &mut File, tool: Tool, said: Said) -> Option<ToolConfig> {
    let read = |text: &Option<String>| text.as_deref().map(Upstream::parse).transpose();
    let read = (|| -> Result<_, NoUpstream> { Ok((read(&said.url)?, read(&said.public_url)?)) })();
    let Some(external_path) = base_path(said.external_path.as_deref().unwrap_or_default()) else {
        let fault = "external_path may hold letters, digits and -._~ between slashes";
        section.fault(tool.name(), fault);
        return None;
    };
    match read {
        Ok((Some(url), public_url)) => {
            Some(ToolConfig { url, public_url, external_path, tenant: said.tenant })
        }
        Ok((None, _)) => None,
        Err(why) => {
            section.fault(tool.name(), &format!("an address in it cannot be used: {why}"));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(text: &str) -> (Config, Option<Upstream>, Vec<String>) {
        let mut file = File::parse(text);
        let (config, public_url) = read(&mut file);
        file.report_unknown_sections();
        (config, public_url, file.faults)
    }

    fn names(config: &Config) -> Vec<&str> {
        config.tools.iter().map(|(tool, _)| tool.name()).collect()
    }

    #[test]
    fn each_tool_is_optional() {
        assert_eq!(taken(""), (Config::default(), None, Vec::new()));
        let (config, public_url, faults) = taken(
            "[outside]\npublic_url = \"https://tools.example\"\n\
             [outside.loki]\nurl = \"http://loki:3100\"\ntenant = \"team\"\n\
             [outside.prometheus]\nurl = \"http://prom:9090/prom/\"\n\
             [outside.grafana]\nurl = \"http://grafana:3000\"\npublic_url = \"https://g.example\"\n\
             secret = {namespace = \"a\", name = \"b\", key = \"c\"}\n",
        );
        assert_eq!(faults, Vec::<String>::new());
        assert_eq!(names(&config), ["prometheus", "grafana", "loki"]);
        assert_eq!(public_url.unwrap().to_string(), "https://tools.example/");
        assert_eq!(config.tools[1].1.link().to_string(), "https://g.example/");
        assert_eq!(config.tools[2].1.tenant.as_deref(), Some("team"));
        assert_eq!(config.grafana_secret.as_ref().unwrap().key, "c");
        assert!(config.has_relayed());
    }

    #[test]
    fn a_tool_with_a_public_address_needs_no_second_port() {
        let (config, ..) = taken(
            "[outside.prometheus]\nurl = \"http://p:9090\"\npublic_url = \"https://p.example\"\n",
        );
        assert!(!config.has_relayed());
    }

    #[test]
    fn a_fault_costs_its_tool_alone() {
        let (config, public_url, faults) = taken(
            "[outside]\npublic_url = 5\n[outside.prometheus]\nurl = \"prom:9090\"\n\
             [outside.alertmanager]\nurl = \"http://u:secret@am\"\n\
             [outside.loki]\nurl = \"http://loki\"\n[outside.grafana]\nurl = \"http://g\"\n\
             secret = \"x\"\n[outside.tempo]\nurl = \"http://t\"\n",
        );
        assert_eq!((names(&config), public_url), (vec!["loki"], None));
        for word in ["public_url", "outside.prometheus", "outside.alertmanager", "outside.grafana"]
        {
            assert!(faults.iter().any(|fault| fault.contains(word)), "{word}: {faults:?}");
        }
        assert!(faults.iter().any(|fault| fault.ends_with("`outside.tempo`")), "{faults:?}");
        assert_eq!(faults.len(), 5, "{faults:?}");
        let (config, _, faults) = taken(
            "[outside]\npublic_url = \"https://h/path\"\n\
             [outside.prometheus]\nurl = \"http://p\"\nexternal_path = \"/a b\"\n",
        );
        assert_eq!((names(&config).len(), faults.len()), (0, 2), "{faults:?}");
        assert!(!faults.concat().contains("secret@"), "{faults:?}");
    }
}
