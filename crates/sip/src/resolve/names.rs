//! Asking the name service.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{RData, RecordType};

use super::plan::{Naptr, Srv};

/// Longest that one question to one name server may take; it is asked twice.
const PATIENCE: Duration = Duration::from_millis(1000);

/// The name service: of the account, or of the operating system.
pub(crate) struct Names {
    /// None where the system's configuration cannot be read.
    resolver: Option<TokioResolver>,
    /// Addresses come from the operating system, with all it knows beside DNS.
    system: bool,
}

impl Names {
    pub(crate) fn new(servers: Option<&[SocketAddr]>) -> Self {
        let builder = match servers {
            Some(servers) => {
                let servers = servers.iter().map(|server| {
                    let connections =
                        [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
                            connection.port = server.port();
                            connection
                        });
                    NameServerConfig::new(server.ip(), true, connections.to_vec())
                });
                let config = ResolverConfig::from_name_servers(servers.collect());
                Ok(TokioResolver::builder_with_config(config, TokioRuntimeProvider::default()))
            }
            None => TokioResolver::builder_tokio(),
        };
        let resolver = builder.and_then(|mut builder| {
            builder.options_mut().timeout = PATIENCE;
            builder.options_mut().attempts = 2;
            builder.build()
        });
        if let Err(error) = &resolver {
            tracing::debug!(%error, "only the system resolves names");
        }
        Self { resolver: resolver.ok(), system: servers.is_none() }
    }

    /// NAPTR records of a domain; none where they cannot be had.
    pub(crate) async fn naptr(&self, domain: &str) -> Vec<Naptr> {
        let pick = |data: &RData| match data {
            RData::NAPTR(naptr) => Some(Naptr {
                order: naptr.order,
                preference: naptr.preference,
                flags: String::from_utf8_lossy(&naptr.flags).into_owned(),
                services: String::from_utf8_lossy(&naptr.services).into_owned(),
                replacement: naptr.replacement.to_utf8().trim_end_matches('.').to_owned(),
            }),
            _ => None,
        };
        self.records(domain, RecordType::NAPTR, pick).await
    }

    /// SRV records of a service; none where they cannot be had.
    pub(crate) async fn srv(&self, service: &str) -> Vec<Srv> {
        let pick = |data: &RData| match data {
            RData::SRV(srv) => Some(Srv {
                priority: srv.priority,
                weight: srv.weight,
                port: srv.port,
                target: srv.target.to_utf8().trim_end_matches('.').to_owned(),
            }),
            _ => None,
        };
        self.records(service, RecordType::SRV, pick).await
    }

    /// Addresses of a host; none where there is no such host.
    pub(crate) async fn addresses(&self, host: &str) -> Vec<IpAddr> {
        if let Ok(ip) = host.parse() {
            return vec![ip];
        }
        if host.is_empty() {
            return Vec::new();
        }
        if let Some(resolver) = self.resolver.as_ref().filter(|_| !self.system)
            && let Ok(found) = resolver.lookup_ip(format!("{host}.")).await
        {
            return found.iter().collect();
        }
        match tokio::net::lookup_host((host, 0)).await {
            Ok(found) => found.map(|address| address.ip()).collect(),
            Err(error) => {
                tracing::debug!(%host, %error, "no such name");
                Vec::new()
            }
        }
    }

    async fn records<T>(&self, name: &str, kind: RecordType, pick: impl Fn(&RData) -> Option<T>) -> Vec<T> {
        let Some(resolver) = &self.resolver else { return Vec::new() };
        // With the final dot no search domain is appended.
        match resolver.lookup(format!("{name}."), kind).await {
            Ok(found) => found.answers().iter().filter_map(|record| pick(&record.data)).collect(),
            Err(error) => {
                tracing::debug!(%name, %kind, %error, "no records");
                Vec::new()
            }
        }
    }
}
