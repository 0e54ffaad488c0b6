//! Services and ingresses. Whether anything answers behind them they do not tell.

use serde::Deserialize;

use super::Said;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Spec {
    r#type: String,
    #[serde(rename = "clusterIP")]
    cluster_ip: String,
    external_name: String,
    ports: Vec<Port>,
    rules: Vec<Rule>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Port {
    port: u16,
    protocol: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Rule {
    host: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Status {
    load_balancer: LoadBalancer,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct LoadBalancer {
    ingress: Vec<Address>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Address {
    ip: Option<String>,
    hostname: Option<String>,
}

impl Status {
    fn addresses(&self) -> Vec<&str> {
        let all = self.load_balancer.ingress.iter();
        all.filter_map(|one| one.ip.as_deref().or(one.hostname.as_deref())).collect()
    }
}

/// The phase is the way in. A load balancer without an address is not there yet.
pub fn service(spec: Spec, status: Status) -> Said {
    let mut detail: Vec<String> =
        spec.ports.iter().map(|port| format!("{}/{}", port.port, port.protocol)).collect();
    let addresses = status.addresses();
    detail.extend(addresses.iter().map(|address| (*address).to_owned()));
    match spec.r#type.as_str() {
        "LoadBalancer" if addresses.is_empty() => Said::unwell("Pending", detail.join(", ")),
        "ExternalName" => Said::well("ExternalName", spec.external_name),
        "ClusterIP" if spec.cluster_ip == "None" => Said::well("Headless", detail.join(", ")),
        way => Said::well(way, detail.join(", ")),
    }
}

/// Not every controller writes the address, so that its absence is no fault.
pub fn ingress(spec: Spec, status: Status) -> Said {
    let addresses = status.addresses();
    let mut detail: Vec<&str> = spec.rules.iter().filter_map(|rule| rule.host.as_deref()).collect();
    detail.extend(&addresses);
    Said::well(if addresses.is_empty() { "NoAddress" } else { "Active" }, detail.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{row, said};

    #[test]
    fn a_service_says_how_it_is_reached() {
        let of = |spec, status| said("v1", "Service", json!({"spec": spec, "status": status}));
        let ports = json!([{"port": 80, "protocol": "TCP", "targetPort": "web"}]);
        let inside = json!({"type": "ClusterIP", "clusterIP": "10.0.0.1", "ports": ports});
        assert_eq!(of(inside, json!({"loadBalancer": {}})), row("ClusterIP", true, "80/TCP"));
        let headless = json!({"type": "ClusterIP", "clusterIP": "None"});
        assert_eq!(of(headless, json!({})), row("Headless", true, ""));
        let outside = json!({"type": "LoadBalancer", "ports": ports});
        assert_eq!(of(outside.clone(), json!({})), row("Pending", false, "80/TCP"));
        let status = json!({"loadBalancer": {"ingress": [{"hostname": "lb.example.com"}]}});
        assert_eq!(of(outside, status), row("LoadBalancer", true, "80/TCP, lb.example.com"));
        let name = json!({"type": "ExternalName", "externalName": "db.example.com"});
        assert_eq!(of(name, json!({})), row("ExternalName", true, "db.example.com"));
    }

    #[test]
    fn an_ingress_names_its_hosts_and_addresses() {
        let of = |status| {
            let body =
                json!({"spec": {"rules": [{"host": "a.example.com"}, {}]}, "status": status});
            said("networking.k8s.io/v1", "Ingress", body)
        };
        assert_eq!(of(json!({})), row("NoAddress", true, "a.example.com"));
        let status = json!({"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}});
        assert_eq!(of(status), row("Active", true, "a.example.com, 192.0.2.1"));
    }
}
