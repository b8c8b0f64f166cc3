//! Which keys a compose file may have: others are refused by compose, and are mistakes of spelling as a rule.
//!
//! Source: the schema of the Compose Specification (compose-spec/compose-spec, `schema/compose-spec.json`).

use crate::finding::Finding;
use crate::spec::decode::Ctx;
use crate::spec::tree::{Entry, Node};

/// Keys of the file.
const FILE: [&str; 9] =
    ["version", "name", "include", "services", "models", "networks", "volumes", "secrets", "configs"];

/// Keys of a service.
#[rustfmt::skip]
const SERVICE: [&str; 98] = [
    "annotations", "attach", "blkio_config", "build", "cap_add", "cap_drop", "cgroup", "cgroup_parent", "command",
    "configs", "container_name", "cpu_count", "cpu_percent", "cpu_period", "cpu_quota", "cpu_rt_period",
    "cpu_rt_runtime", "cpu_shares", "cpus", "cpuset", "credential_spec", "depends_on", "deploy", "develop",
    "device_cgroup_rules", "devices", "dns", "dns_opt", "dns_search", "domainname", "driver_opts", "entrypoint",
    "env_file", "environment", "expose", "extends", "external_links", "extra_hosts", "gpus", "group_add",
    "healthcheck", "hostname", "image", "init", "ipc", "isolation", "label_file", "labels", "links", "logging",
    "mac_address", "mem_limit", "mem_reservation", "mem_swappiness", "memswap_limit", "models", "network_mode",
    "networks", "oom_kill_disable", "oom_score_adj", "pid", "pids_limit", "platform", "ports", "post_start",
    "pre_start", "pre_stop", "privileged", "profiles", "provider", "pull_policy", "pull_refresh_after", "read_only",
    "restart", "runtime", "scale", "secrets", "security_opt", "shm_size", "stdin_open", "stop_grace_period",
    "stop_signal", "storage_opt", "sysctls", "tmpfs", "tty", "ulimits", "use_api_socket", "user", "userns_mode",
    "uts", "volumes", "volumes_from", "working_dir",
    // Of the formats before the specification.
    "volume_driver", "log_driver", "log_opt", "net",
];

/// Keys of the parts of a service that are read here.
const PARTS: [(&str, &[&str]); 2] = [
    ("healthcheck", &["disable", "interval", "retries", "test", "timeout", "start_period", "start_interval"]),
    (
        "deploy",
        &[
            "mode",
            "endpoint_mode",
            "replicas",
            "labels",
            "rollback_config",
            "update_config",
            "resources",
            "restart_policy",
            "placement",
        ],
    ),
];

/// The keys of a file that compose does not know.
pub fn of_file(root: &Node) -> Vec<Finding> {
    let mut ctx = Ctx::new();
    unknown(root, &FILE, &mut ctx);
    for service in root.get("services").map_or(&[][..], Node::entries) {
        ctx.enter(&service.key.value, |ctx| {
            unknown(&service.value, &SERVICE, ctx);
            for (part, known) in PARTS {
                if let Some(node) = service.value.get(part) {
                    ctx.enter(part, |ctx| unknown(node, known, ctx));
                }
            }
        });
    }
    for finding in &mut ctx.findings {
        // There are too many to be named.
        finding.notes.clear();
    }
    ctx.findings
}

fn unknown(node: &Node, known: &[&'static str], ctx: &mut Ctx<'_>) {
    let free = |e: &&Entry| e.key.value.starts_with("x-") || known.contains(&e.key.value.as_str());
    for entry in node.entries().iter().filter(|e| !free(e)) {
        ctx.unknown_field(&entry.key, known);
    }
}
