//! The settings of `serve`: the command line over the configuration file over defaults.
//!
//! A fault inside the file costs its section and is reported; nothing in it keeps the process from
//! starting.

mod access;

mod cluster;

mod file;

mod journal;

mod procedures;

mod problems;

mod probes;

mod outside;

mod pod_logs;

mod redaction;

mod volumes;

use std::{collections::BTreeMap, fs, net::SocketAddr, path::PathBuf, sync::Arc};

use serde::Deserialize;

use self::{
    access::AccessSection, cluster::ClusterSection, file::File, journal::JournalSection,
    pod_logs::PodLogsSection, probes::ProbeSection, redaction::RedactionSection,
    volumes::VolumesSection,
};
use crate::{
    actions::{AppServer, Procedures},
    cli::ServeArgs,
    collect::{self, Kinds, PodLogs, Probe},
    http,
    journal::{Retention, SEGMENT_BYTES},
    outside::Upstream,
    redact::Rules,
    views::problems::Thresholds,
};

/// The port of the original deployment.
const LISTEN_DEFAULT: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), 5130);

/// The port beside it.
const TOOLS_LISTEN_DEFAULT: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), 5131);

/// Settings, ready to use.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the journal is kept.
    pub data_dir: PathBuf,
    /// Address and port to serve on.
    pub listen: SocketAddr,
    /// Address and port for the pages of proxied tools; `None` where there is none to show.
    pub tools_listen: Option<SocketAddr>,
    /// Other tools.
    pub outside: crate::outside::Config,
    /// Where browsers reach the pages of proxied tools, if not on `tools_listen`'s port.
    pub tools_url: Option<Upstream>,
    /// Path under which a gateway serves this process, in the form of [`http::base_path`].
    pub base_path: String,
    /// File that holds the admin key.
    pub admin_key_file: Option<PathBuf>,
    /// The app-server's link.
    pub app_server_url: Option<String>,
    /// What an admin can run.
    pub procedures: Procedures,
    /// Where the app-server tells of itself; by default beside the link.
    pub basic_info_url: Option<String>,
    /// What is checked.
    pub probes: Vec<Probe>,
    /// Which volumes are measured.
    pub volumes: collect::volumes::Config,
    /// Address and port of `/metrics`; `None`: it is not served.
    pub metrics_listen: Option<SocketAddr>,
    /// The cluster's access; `None` for the usual places.
    pub kubeconfig: Option<PathBuf>,
    /// Whether a cluster is to be recorded.
    pub cluster_enabled: bool,
    /// Which of its kinds.
    pub kinds: Kinds,
    /// Who may ask beside whoever holds the admin key.
    pub access: AccessSection,
    /// Whose logs are followed through the cluster API.
    pub pod_logs: Vec<PodLogs>,
    /// What is taken out of everything before it is recorded.
    pub redaction: Arc<Rules>,
    /// Size of a new segment, bytes.
    pub segment_bytes: u64,
    /// How much is kept.
    pub keep: Retention,
    /// What each source of log lines and traces may record a day, bytes.
    pub source_bytes_per_day: Option<u64>,
    /// When something counts as a problem.
    pub thresholds: Thresholds,
    /// Wipes once for each new token.
    pub wipe_on_start: Option<String>,
    /// What was wrong in the file, a line each.
    pub faults: Vec<String>,
}

/// The configuration file could not be read at all.
#[derive(Debug, thiserror::Error)]
#[error("reading the configuration file {path} failed; check --config")]
pub struct Unreadable {
    /// Which file.
    pub path: PathBuf,
    /// Why.
    pub source: std::io::Error,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct HttpSection {
    listen: Option<SocketAddr>,
    tools_listen: Option<SocketAddr>,
    base_path: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct AppServerSection {
    url: Option<String>,
    /// Where test sequences are sent; by default the host of the link.
    http_url: Option<String>,
    /// Sent with each of their requests.
    http_headers: BTreeMap<String, String>,
    basic_info_url: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct MetricsSection {
    listen: Option<SocketAddr>,
}

impl Config {
    /// Reads the file, if one is named, and puts the command line over it.
    ///
    /// # Errors
    /// The file cannot be read. A fault inside it is no error: see [`Config::faults`].
    pub fn load(args: &ServeArgs) -> Result<Config, Unreadable> {
        let text = match present(&args.config) {
            Some(path) => {
                fs::read_to_string(&path).map_err(|source| Unreadable { path, source })?
            }
            None => String::new(),
        };
        Ok(Config::merge(args, &text))
    }

    fn merge(args: &ServeArgs, text: &str) -> Config {
        let mut file = File::parse(text);
        let http: HttpSection = file.section("http");
        let journal = file.checked("journal", JournalSection::fault);
        let app_server: AppServerSection = file.section("app_server");
        let app_server_url = present(&args.app_server_url).or(app_server.url);
        let (url, headers) = (app_server.http_url, app_server.http_headers);
        let tested = AppServer::of(url, app_server_url.as_deref(), headers);
        let procedures = procedures::take(&mut file, tested);
        let thresholds = problems::section(&mut file);
        let cluster = file.checked("cluster", ClusterSection::fault);
        let access = AccessSection::take(&mut file);
        let volumes = file.checked("volumes", VolumesSection::fault);
        let metrics: MetricsSection = file.section("metrics");
        let (probes, probe_faults) = probes::checked(file.entries::<ProbeSection>("probes"));
        file.faults.extend(probe_faults);
        let (outside, tools_url) = self::outside::read(&mut file);
        let pod_logs: Vec<PodLogsSection> =
            file.checked("pod_logs", |selections: &Vec<_>| pod_logs::fault(selections));
        let redaction = file.checked("redaction", RedactionSection::fault);
        file.report_unknown_sections();
        let base_path = base_path(&mut file, args.base_path.clone().or(http.base_path));
        Config {
            data_dir: args.data_dir.clone(),
            listen: args.listen.or(http.listen).unwrap_or(LISTEN_DEFAULT),
            tools_listen: outside
                .has_relayed()
                .then_some(args.tools_listen.or(http.tools_listen).unwrap_or(TOOLS_LISTEN_DEFAULT)),
            outside,
            tools_url,
            base_path,
            admin_key_file: present(&args.admin_key_file),
            app_server_url,
            procedures,
            kubeconfig: present(&args.kubeconfig).or(cluster.kubeconfig.clone()),
            basic_info_url: app_server.basic_info_url,
            probes,
            volumes: volumes.config(&args.data_dir),
            metrics_listen: args.metrics_listen.or(metrics.listen),
            cluster_enabled: cluster.enabled,
            kinds: cluster.kinds(),
            access,
            pod_logs: pod_logs.into_iter().map(PodLogs::from).collect(),
            redaction: Arc::new(redaction.rules().unwrap_or_default()),
            segment_bytes: journal.segment_bytes.unwrap_or(SEGMENT_BYTES),
            keep: journal.keep(),
            source_bytes_per_day: journal.source_bytes_per_day,
            thresholds,
            wipe_on_start: present(&args.wipe_on_start),
            faults: file.faults,
        }
    }
}

fn base_path(file: &mut File, wanted: Option<String>) -> String {
    let wanted = wanted.unwrap_or_default();
    http::base_path(&wanted).unwrap_or_else(|| {
        file.faults.push(format!(
            "the base path {wanted:?} is off: it may hold letters, digits and -._~ between slashes"
        ));
        String::new()
    })
}

/// An empty value means the same as none: a manifest cannot unset a variable.
fn present<T: Clone + AsRef<std::ffi::OsStr>>(value: &Option<T>) -> Option<T> {
    value.clone().filter(|value| !value.as_ref().is_empty())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn merged(text: &str) -> Config {
        Config::merge(&ServeArgs::default(), text)
    }

    #[test]
    fn without_a_file_the_original_port_is_served() {
        let config = merged("");
        assert_eq!(config.listen.port(), 5130);
        assert!(config.cluster_enabled);
        assert!(config.faults.is_empty());
    }

    #[test]
    fn a_fault_costs_its_section_alone() {
        let config = merged(
            "[app_server]\nurl = 5\n[http]\nbase_path = \"monitor/\"\n[cluster]\nenabled = false\n",
        );
        assert_eq!(config.app_server_url, None);
        assert_eq!(config.base_path, "/monitor");
        assert!(!config.cluster_enabled);
        assert_eq!(config.faults.len(), 1);
        assert!(config.faults[0].contains("[app_server]"), "{:?}", config.faults);
    }

    #[test]
    fn a_fault_in_a_list_costs_one_entry_alone() {
        let probe = "[[probes]]\nname = \"b\"\ntcp = \"b:1\"\n";
        let config = merged(&format!("[[probes]]\nname = \"a\"\ncolour = 1\n{probe}"));
        assert_eq!((config.probes.len(), config.faults.len()), (1, 1));
        assert!(config.faults[0].contains("[[probes]] number 1 is off"), "{:?}", config.faults);
        let config = merged("[probes]\nname = \"a\"\n");
        assert!(config.faults[0].contains("write [[probes]]"), "{:?}", config.faults);
    }

    #[test]
    fn unknown_keys_and_sections_are_named() {
        let config = merged("[http]\nlisten_on = \"x\"\n[colour]\nred = 1\n");
        assert!(config.faults.iter().any(|fault| fault.contains("listen_on")));
        assert!(config.faults.iter().any(|fault| fault.contains("colour")));
    }

    #[test]
    fn what_is_not_toml_costs_every_section_and_no_start() {
        let config = merged("[http\n");
        assert_eq!(config.listen.port(), 5130);
        assert!(config.faults[0].contains("every section is off"));
    }

    #[test]
    fn the_command_line_wins() {
        let args = ServeArgs { base_path: Some("/a".into()), ..ServeArgs::default() };
        assert_eq!(Config::merge(&args, "[http]\nbase_path = \"/b\"\n").base_path, "/a");
    }

    #[test]
    fn a_fault_in_who_may_ask_leaves_the_admin_key_alone() {
        let reviewer = |text: &str| merged(text).access.reviewer(Default::default());
        assert!(reviewer("").is_some());
        assert!(reviewer("[access]\naudience = \"mine\"\n").is_some());
        assert!(reviewer("[access]\naudience = 5\n").is_none());
        assert!(reviewer("[access]\naudience = \"\"\n").is_none());
    }

    #[test]
    fn pod_logs_are_selected_by_name_namespace_and_labels() {
        let config = merged(
            "[[pod_logs]]\nname = \"web\"\nnamespace = \"default\"\nlabel_selector = \"app=web\"\n\
             containers = [\"web\"]\nprevious = false\n[[pod_logs]]\nname = \"all\"\n",
        );
        assert_eq!(config.faults, Vec::<String>::new());
        let [web, all] = &config.pod_logs[..] else { panic!("{:?}", config.pod_logs) };
        assert_eq!((&*web.name, web.namespace.as_deref()), ("web", Some("default")));
        assert_eq!((&*web.label_selector, web.previous), ("app=web", false));
        assert!(all.namespace.is_none() && all.containers.is_empty() && all.previous);
        for text in ["name = \"a b\"", "name = \"\"", "name = \"a\"\nlabels = \"x\""] {
            let config = merged(&format!("[[pod_logs]]\n{text}\n"));
            assert!(config.faults[0].contains("[pod_logs]"), "{:?}", config.faults);
            assert!(config.pod_logs.is_empty());
        }
        let twice = merged("[[pod_logs]]\nname = \"a\"\n[[pod_logs]]\nname = \"a\"\n");
        assert!(twice.faults[0].contains("two selections"), "{:?}", twice.faults);
    }

    #[test]
    fn redaction_is_on_unless_it_is_switched_off_in_so_many_words() {
        assert!(merged("").redaction.is_on());
        assert!(!merged("[redaction]\nenabled = false\n").redaction.is_on());
        for text in ["enabled = 0", "patterns = [\"(\"]", "patterns = [\"\"]", "off = true"] {
            let config = merged(&format!("[redaction]\n{text}\n"));
            assert!(config.redaction.is_on() && config.faults[0].contains("[redaction]"), "{text}");
        }
    }

    #[test]
    fn a_segment_size_out_of_range_is_a_fault() {
        let config = merged("[journal]\nsegment_bytes = 1\n");
        assert_eq!(config.segment_bytes, SEGMENT_BYTES);
        assert!(config.faults[0].contains("segment_bytes"));
    }

    #[test]
    fn the_journal_section_says_how_much_is_kept() {
        let config = merged(
            "[journal]\nbytes_max = 1073741824\nage_max_hours = 48\nfree_min_bytes = 0\n\
             source_bytes_per_day = 1048576\n",
        );
        assert_eq!(config.faults, Vec::<String>::new());
        let age_max = Some(Duration::from_secs(48 * 3600));
        let keep = Retention { bytes_max: Some(1 << 30), age_max, free_min: Some(0) };
        assert_eq!((config.keep, config.source_bytes_per_day), (keep, Some(1 << 20)));
    }

    #[test]
    fn volumes_are_measured_unless_the_section_says_otherwise() {
        let config = merged("").volumes;
        assert!(config.kubelet && config.df.is_empty() && config.own.is_some());
        let config = merged(
            "[volumes]\nkubelet = false\ninterval_seconds = 10\n[[volumes.df]]\nnamespace = \"a\"\n\
             label_selector = \"app=db\"\npath = \"/data\"\nclaim = \"data\"\n",
        );
        assert_eq!(config.faults, Vec::<String>::new());
        let config = config.volumes;
        assert!(!config.kubelet && config.interval == Duration::from_secs(10));
        assert_eq!(config.df[0].pod, collect::volumes::WhichPod::Labelled("app=db".into()));
    }

    #[test]
    fn a_fault_in_the_volumes_section_is_named() {
        let df = "[[volumes.df]]\nnamespace = \"a\"\nclaim = \"c\"\n";
        for (text, named) in [
            ("[volumes]\ninterval_seconds = 9\n".to_owned(), "interval_seconds must lie between"),
            (format!("{df}path = \"/d\"\n"), "either pod or label_selector"),
            (format!("{df}path = \"d\"\npod = \"p\"\n"), "absolute path"),
            (format!("{df}path = \"/d\"\npod = \"p\"\n").repeat(2), "two [[volumes.df]]"),
        ] {
            let config = merged(&text);
            assert!(config.faults[0].contains(named), "{:?}", config.faults);
            assert!(config.volumes.df.is_empty());
        }
    }

    #[test]
    fn a_number_out_of_range_costs_the_section_and_is_named() {
        for (text, name) in [
            ("bytes_max = 1", "bytes_max must be at least"),
            ("age_max_hours = 0", "age_max_hours must lie between"),
            ("source_bytes_per_day = 5", "source_bytes_per_day must be at least"),
        ] {
            let config = merged(&format!("[journal]\nfree_min_bytes = 7\n{text}\n"));
            assert!(config.faults[0].contains(name), "{:?}", config.faults);
            assert_eq!(config.keep, Retention::default());
        }
    }
}
