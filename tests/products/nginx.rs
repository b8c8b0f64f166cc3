//! nginx.

use std::time::Duration;

use loadpath::kernel::{Span, Stream, Time};
use loadpath::policy::balancer::{
    Balancer, ConsistentHash, Finished, Hash, Hosts, IpHash, LeastConnections, RandomTwo, Request, Settings,
    WeightedRoundRobin, find,
};

use super::backends::{Backends, Proxy, free_port, get, program, sequence};
use super::{distribution, draws, drive, idle, same};

/// With these directives in `upstream`, and the servers with their parameters; one process.
fn nginx(directives: &str, servers: &[String]) -> Option<Proxy> {
    let (program, port) = (program("nginx")?, free_port());
    let servers = servers.iter().map(|server| format!("server {server};")).collect::<Vec<_>>().concat();
    let config = format!(
        "daemon off; master_process off; pid {{folder}}/pid; error_log stderr crit;
        events {{}}
        http {{
            access_log off;
            client_body_temp_path {{folder}}/a; proxy_temp_path {{folder}}/b; fastcgi_temp_path {{folder}}/c;
            uwsgi_temp_path {{folder}}/d; scgi_temp_path {{folder}}/e;
            set_real_ip_from 127.0.0.1; real_ip_header X-Forwarded-For;
            upstream web {{ {directives} {servers} }}
            server {{
                listen 127.0.0.1:{port};
                location / {{ proxy_pass http://web; add_header X-Tried $upstream_addr always; }}
            }}
        }}"
    );
    Some(Proxy::start(&program, &["-p", "{folder}", "-c", "{folder}/config"], &config, port))
}

fn weighted(backends: &Backends, weights: &[u32]) -> Vec<String> {
    backends.names().iter().zip(weights).map(|(name, weight)| format!("{name} weight={weight}")).collect()
}

#[test]
fn smooth_weighted_round_robin() {
    for weights in [vec![5, 1, 1], vec![1, 1, 1, 1], vec![3, 2, 7, 1]] {
        let backends = Backends::start(weights.len());
        let Some(proxy) = nginx("", &weighted(&backends, &weights)) else { return };
        let theirs = sequence(proxy.port, 60);
        let mut lb = WeightedRoundRobin::new(weights.len());
        let ours = drive(&mut lb, &mut Hosts::new(weights.iter().copied()), idle(60));
        same("nginx", &format!("weighted_round_robin {weights:?}"), &ours, &theirs);
    }
}

#[test]
fn ip_hash() {
    let weights = [1, 2, 1, 3];
    let backends = Backends::start(4);
    let Some(proxy) = nginx("ip_hash;", &weighted(&backends, &weights)) else { return };
    let clients: Vec<[u8; 4]> = (0..=255_u8).map(|i| [10, i, i.wrapping_mul(37), 9]).collect();
    let theirs: Vec<usize> = clients
        .iter()
        .map(|[a, b, c, d]| {
            let from = format!("{a}.{b}.{c}.{d}");
            get(proxy.port, "/", &[("X-Forwarded-For", &from)]).backend.expect("an answer")
        })
        .collect();
    let requests = clients.iter().map(|client| Request { client: *client, ..Request::default() });
    let ours = drive(&mut IpHash::new(4), &mut Hosts::new(weights), requests);
    same("nginx", "ip_hash [1, 2, 1, 3]", &ours, &theirs);
}

#[test]
fn least_connections_with_held_requests() {
    let weights = [2, 1, 1];
    let backends = Backends::start(3);
    let Some(proxy) = nginx("least_conn;", &weighted(&backends, &weights)) else { return };
    let (mut theirs, mut ours, mut open) = (Vec::new(), Vec::new(), Vec::new());
    let (mut lb, mut hosts, mut random) = (LeastConnections::new(3), Hosts::new(weights), draws());
    for step in 0..60 {
        let host = lb.pick(&hosts, Request::default(), &mut random).expect("a host");
        ours.push(host);
        hosts.begin(host);
        if step % 4 == 1 {
            let (host, stream) = backends.hold(proxy.port, "/", &[]);
            theirs.push(host);
            open.push(stream);
        } else {
            theirs.extend(sequence(proxy.port, 1));
            hosts.end(host);
        }
        lb.finished(Finished { now: Time::ZERO, host, latency: Span::ZERO, success: true });
    }
    same("nginx", "least_connections [2, 1, 1], every 4th held", &ours, &theirs);
}

#[test]
fn hashes_of_a_key() {
    let weights = [1, 3, 1, 2];
    let backends = Backends::start(4);
    let keys: Vec<String> = (0..300).map(|i| format!("user-{i}")).collect();
    let ask = |proxy: &Proxy| -> Vec<usize> {
        keys.iter()
            .map(|key| get(proxy.port, &format!("/?k={key}"), &[]).backend.expect("an answer"))
            .collect()
    };
    let hosts = Hosts::new(weights);
    let Some(proxy) = nginx("hash $arg_k;", &weighted(&backends, &weights)) else { return };
    let ours: Vec<usize> = keys.iter().filter_map(|key| Hash::slot(&hosts, key.as_bytes(), &[])).collect();
    same("nginx", "hash [1, 3, 1, 2]", &ours, &ask(&proxy));
    let Some(proxy) = nginx("hash $arg_k consistent;", &weighted(&backends, &weights)) else { return };
    let mut lb = ConsistentHash::new(&backends.names());
    let ours: Vec<usize> = keys.iter().filter_map(|key| lb.host(&hosts, key.as_bytes(), &[])).collect();
    same("nginx", "consistent_hash [1, 3, 1, 2]", &ours, &ask(&proxy));
}

#[test]
fn random_two() {
    for (weights, held) in [([5, 1, 1, 1], 0), ([1, 1, 1, 1], 2), ([3, 1, 2, 1], 3)] {
        let backends = Backends::start(4);
        let Some(proxy) = nginx("random two least_conn;", &weighted(&backends, &weights)) else { return };
        let mut hosts = Hosts::new(weights);
        let open: Vec<_> = (0..held).map(|_| backends.hold(proxy.port, "/", &[])).collect();
        for (host, _) in &open {
            hosts.begin(*host);
        }
        let theirs = sequence(proxy.port, 1500);
        let mut lb = RandomTwo::with(4, &Settings::default());
        let ours = drive(&mut lb, &mut hosts, idle(300_000));
        distribution("nginx", &format!("random_two {weights:?}, {held} held"), &ours, &theirs, 4);
    }
}

/// The server that refuses.
const DEAD: usize = 1;

/// An upstream with a server that refuses, and our balancer for it.
struct OneDown {
    name: String,
    names: Vec<String>,
    proxy: Proxy,
    _backends: Backends,
    lb: Box<dyn Balancer>,
    random: Stream,
    ours: Vec<usize>,
    theirs: Vec<usize>,
}

impl OneDown {
    fn start(directives: &str, max_fails: u32) -> Option<Self> {
        let backends = Backends::with_dead(4, Some(DEAD));
        let names = backends.names();
        let parameters = format!("max_fails={max_fails} fail_timeout=1s");
        let servers: Vec<String> = names.iter().map(|name| format!("{name} {parameters}")).collect();
        let settings = Settings { max_fails, fail_timeout: Span::from_secs(1), ..Settings::default() };
        let lb: Box<dyn Balancer> = match directives {
            "" => Box::new(WeightedRoundRobin::with(4, &settings)),
            "ip_hash;" => (find("ip_hash").expect("it is there").build)(4, &settings),
            _ => Box::new(LeastConnections::with(4, &settings)),
        };
        Some(Self {
            name: format!("{directives} one refuses, max_fails {max_fails}"),
            names,
            proxy: nginx(directives, &servers)?,
            _backends: backends,
            lb,
            random: draws(),
            ours: Vec::new(),
            theirs: Vec::new(),
        })
    }

    /// The servers each request was at, in turn.
    fn ask(&mut self, requests: std::ops::Range<u8>, now: Time) {
        let hosts = Hosts::new([1; 4]);
        for number in requests {
            let from = format!("10.0.{number}.1");
            let answer = get(self.proxy.port, "/", &[("X-Forwarded-For", &from)]);
            let tried = answer.header("X-Tried").expect("the servers").split(", ");
            self.theirs.extend(tried.filter_map(|server| self.names.iter().position(|name| name == server)));
            let request = Request { now, client: [10, 0, number, 1], key: None };
            let mut tried = Vec::new();
            while tried.len() < 4
                && let Some(host) = self.lb.pick_again(&hosts, request, &tried, &mut self.random)
            {
                self.ours.push(host);
                if host == DEAD {
                    self.lb.failed(now, host);
                }
                self.lb.finished(Finished { now, host, latency: Span::ZERO, success: host != DEAD });
                if host != DEAD {
                    break;
                }
                tried.push(host);
            }
        }
    }
}

/// After a pause the one that refused is tried again.
#[test]
fn one_down() {
    let mut all = Vec::new();
    for (directives, max_fails) in [("", 1), ("", 3), ("least_conn;", 1), ("ip_hash;", 1)] {
        let Some(mut case) = OneDown::start(directives, max_fails) else { return };
        case.ask(0..24, Time::ZERO);
        all.push(case);
    }
    // More than a whole second above the timeout.
    std::thread::sleep(Duration::from_millis(3100));
    for mut case in all {
        case.ask(24..48, Time::ZERO + Span::from_millis(3100));
        same("nginx", &case.name, &case.ours, &case.theirs);
    }
}
