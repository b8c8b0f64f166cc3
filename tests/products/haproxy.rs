//! HAProxy, with one thread.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use loadpath::kernel::{Span, Time};
use loadpath::policy::balancer::hashing::full_hash;
use loadpath::policy::balancer::{
    Balancer, BoundedLoad, Curve, Hosts, LeastRequest, Request, RoundRobin, SlowStart, haproxy_leastconn_key,
};
use loadpath::policy::outlier::{EnvoyOutlier, EnvoyOutlierSettings, Outcome};
use loadpath::policy::retry::{Backoff, Jitter};

use super::backends::{Backends, Proxy, free_port, get, program, sequence};
use super::{distribution, draws, drive, idle, report, same};

/// With these lines in `backend`, and the servers with their parameters.
fn haproxy(lines: &str, servers: &[String]) -> Option<Proxy> {
    let (program, port) = (program("haproxy")?, free_port());
    let line = |(index, server): (usize, &String)| format!("    server s{index} {server}\n");
    let servers = servers.iter().enumerate().map(line).collect::<Vec<_>>().concat();
    let lines = lines.replace("; ", "\n    ");
    let config = format!(
        "global
    nbthread 1
    stats socket {{folder}}/socket level admin
defaults
    mode http
    timeout connect 1s
    timeout client 30s
    timeout server 30s
frontend front
    bind 127.0.0.1:{port}
    default_backend web
backend web
    {lines}
{servers}"
    );
    Some(Proxy::start(&program, &["-db", "-f", "{folder}/config"], &config, port))
}

fn weighted(backends: &Backends, weights: &[u32]) -> Vec<String> {
    backends.names().iter().zip(weights).map(|(name, weight)| format!("{name} weight {weight}")).collect()
}

/// What its socket answers.
fn command(proxy: &Proxy, line: &str) -> String {
    let mut socket = UnixStream::connect(proxy.folder().join("socket")).expect("its socket");
    let mut text = String::new();
    socket.write_all(format!("{line}\n").as_bytes()).expect("sent");
    socket.read_to_string(&mut text).expect("an answer");
    text
}

/// A figure of its statistics, of each server.
fn figures(proxy: &Proxy, name: &str) -> Vec<String> {
    let text = command(proxy, "show stat");
    let mut lines = text.trim_start_matches("# ").lines();
    let place = lines.next().and_then(|head| head.split(',').position(|n| n == name)).expect("a figure");
    let servers = lines.filter(|line| line.starts_with("web,s"));
    servers.map(|line| line.split(',').nth(place).unwrap_or_default().to_owned()).collect()
}

/// HAProxy's `sdbm`.
fn sdbm(key: &str) -> u32 {
    key.bytes().fold(0, |hash: u32, byte| {
        u32::from(byte).wrapping_add(hash << 6).wrapping_add(hash << 16).wrapping_sub(hash)
    })
}

/// The shares are those of `weighted_round_robin`; the order is its own.
#[test]
fn round_robin() {
    for (weights, cycle) in [(vec![5, 1, 1], "0001002"), (vec![1, 1, 1, 1], "0123"), (vec![3, 2, 7, 1], "")] {
        let backends = Backends::start(weights.len());
        let servers = weighted(&backends, &weights);
        let Some(proxy) = haproxy("balance roundrobin", &servers) else { return };
        let length = weights.iter().sum::<u32>() as usize;
        let theirs = sequence(proxy.port, 6 * length);
        let counts = |picks: &[usize]| -> Vec<usize> {
            (0..weights.len()).map(|host| picks.iter().filter(|pick| **pick == host).count()).collect()
        };
        for (number, cycle) in theirs.chunks(length).enumerate() {
            let ours: Vec<usize> = weights.iter().map(|weight| *weight as usize).collect();
            same(
                "HAProxy",
                &format!("roundrobin {weights:?}, turns of cycle {number}"),
                &ours,
                &counts(cycle),
            );
        }
        let order: String = theirs.iter().take(length).map(ToString::to_string).collect();
        let known = cycle.is_empty() || order == cycle;
        report("HAProxy", &format!("roundrobin {weights:?}, order as the page says"), cycle, &order, known);
    }
}

/// Its servers in the order of [`haproxy_leastconn_key`], of equals the one longest in its place first.
struct Leastconn {
    weights: Vec<u32>,
    places: Vec<(u64, u64)>,
    moves: u64,
}

impl Leastconn {
    fn new(weights: &[u32]) -> Self {
        let places = (0..weights.len() as u64).map(|order| (0, order)).collect();
        Self { weights: weights.to_vec(), places, moves: weights.len() as u64 }
    }

    fn pick(&self) -> usize {
        (0..self.places.len()).min_by_key(|host| self.places[*host]).expect("a server")
    }

    fn served(&mut self, host: usize, served: u32) {
        let key = haproxy_leastconn_key(served, 0, self.weights[host]);
        if key != self.places[host].0 {
            self.places[host] = (key, self.moves);
            self.moves += 1;
        }
    }
}

#[test]
fn leastconn_with_held_requests() {
    for weights in [vec![1, 1, 1, 1], vec![2, 1, 1], vec![3, 1, 5, 2]] {
        let backends = Backends::start(weights.len());
        let Some(proxy) = haproxy("balance leastconn", &weighted(&backends, &weights)) else { return };
        let (mut model, mut hosts) = (Leastconn::new(&weights), Hosts::new(weights.iter().copied()));
        let (mut theirs, mut ours, mut open) = (Vec::new(), Vec::new(), Vec::new());
        for step in 0..60 {
            let host = model.pick();
            ours.push(host);
            hosts.begin(host);
            model.served(host, hosts.list()[host].active);
            if step % 4 == 1 {
                let (host, stream) = backends.hold(proxy.port, "/", &[]);
                theirs.push(host);
                open.push(stream);
            } else {
                theirs.extend(sequence(proxy.port, 1));
                hosts.end(host);
                model.served(host, hosts.list()[host].active);
            }
        }
        same("HAProxy", &format!("leastconn {weights:?}, every 4th held"), &ours, &theirs);
    }
}

/// One or two draws on the ring of `bounded_load`; many points make it `least_request`.
#[test]
fn random() {
    for (draw, weight, held) in [(1, 1, 0), (2, 1, 3), (2, 100, 0), (2, 100, 3)] {
        let backends = Backends::start(4);
        let servers = weighted(&backends, &[weight; 4]);
        let Some(proxy) = haproxy(&format!("balance random({draw})"), &servers) else { return };
        let mut hosts = Hosts::new([weight; 4]);
        let open: Vec<_> = (0..held).map(|_| backends.hold(proxy.port, "/", &[])).collect();
        for (host, _) in &open {
            hosts.begin(*host);
        }
        let theirs = sequence(proxy.port, 1000);
        let (mut ring, mut random) = (BoundedLoad::new(4, 0), draws());
        let active = |host: usize| hosts.list()[host].active;
        let ours: Vec<usize> = (0..100_000)
            .map(|_| {
                let mut one = || ring.choose(&hosts, random.bits() as u32, None).expect("a server");
                let first = one();
                let second = if draw == 2 { one() } else { first };
                if active(second) > active(first) { first } else { second }
            })
            .collect();
        let name = format!("random({draw}), weights {weight}, {held} held");
        distribution("HAProxy", &format!("{name}: on its ring"), &ours, &theirs, 4);
        if weight == 100 {
            let ours = drive(&mut LeastRequest::of(2), &mut hosts, idle(100_000));
            distribution("HAProxy", &format!("{name}: least_request"), &ours, &theirs, 4);
        }
    }
}

/// Keys from a header and from the client's address, with all servers and with one down.
#[test]
fn consistent_hash() {
    let weights = [1, 3, 1, 2];
    for (balance, down) in [("hdr(X-Key)", None), ("hdr(X-Key)", Some(1)), ("source", None)] {
        let backends = Backends::start(4);
        let mut servers = weighted(&backends, &weights);
        let mut hosts = Hosts::new(weights);
        if let Some(down) = down {
            servers[down].push_str(" disabled");
            hosts.set_eligible(down, false);
        }
        let lines = format!(
            "http-request set-src hdr(X-Forwarded-For); balance {balance}; hash-type consistent sdbm avalanche"
        );
        let Some(proxy) = haproxy(&lines, &servers) else { return };
        let mut lb = BoundedLoad::new(4, 0);
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for number in 0..300_u32 {
            let (key, client) = (format!("user-{number}"), [10, 3, (number >> 8) as u8, number as u8]);
            let from = std::net::Ipv4Addr::from(client).to_string();
            let answer = get(proxy.port, "/", &[("X-Key", &key), ("X-Forwarded-For", &from)]);
            theirs.push(answer.backend.expect("an answer"));
            let key = if balance == "source" { u32::from_be_bytes(client) } else { sdbm(&key) };
            ours.extend(lb.choose(&hosts, full_hash(key), None));
        }
        same("HAProxy", &format!("consistent {balance} {weights:?}, down {down:?}"), &ours, &theirs);
    }
}

/// What the page of `hash` says of it.
#[test]
fn map_based_hash() {
    let backends = Backends::start(4);
    let lines = "balance hdr(X-Key); hash-type map-based sdbm";
    let keys: Vec<String> = (0..300).map(|number| format!("user-{number}")).collect();
    let mut maps = Vec::new();
    for down in [None, Some(1)] {
        let mut servers = weighted(&backends, &[1; 4]);
        if let Some(down) = down {
            servers[down].push_str(" disabled");
        }
        let Some(proxy) = haproxy(lines, &servers) else { return };
        let theirs: Vec<usize> = keys
            .iter()
            .map(|key| get(proxy.port, "/", &[("X-Key", key)]).backend.expect("an answer"))
            .collect();
        let up: Vec<usize> = (0..4).filter(|server| Some(*server) != down).collect();
        let ours: Vec<usize> = keys.iter().map(|key| up[sdbm(key) as usize % up.len()]).collect();
        same("HAProxy", &format!("map-based, a modulo over those up, down {down:?}"), &ours, &theirs);
        maps.push(theirs);
    }
    let moved = maps[0].iter().zip(&maps[1]).filter(|(all, three)| all != three).count() as f64 / 300.0;
    // A modulo by 4 and one by 3 name the same server for a quarter of the keys.
    let near = (0.65..0.85).contains(&moved);
    report(
        "HAProxy",
        "map-based, keys that move with one down",
        "75%",
        &format!("{:.0}%", 100.0 * moved),
        near,
    );
}

/// Some keys are hot, and every third request stays.
#[test]
fn bounded_load() {
    let weights = [1, 2, 1, 1];
    for factor in [125, 200] {
        let backends = Backends::start(4);
        let lines = format!("balance uri; hash-type consistent sdbm avalanche; hash-balance-factor {factor}");
        let Some(proxy) = haproxy(&lines, &weighted(&backends, &weights)) else { return };
        let (mut lb, mut hosts) = (BoundedLoad::new(4, factor), Hosts::new(weights));
        let (mut ours, mut theirs, mut open) = (Vec::new(), Vec::new(), Vec::new());
        for number in 0..90 {
            let path = format!("/item-{}", number % 4);
            let host = lb.choose(&hosts, full_hash(sdbm(&path)), None).expect("a server");
            ours.push(host);
            if number % 3 == 0 {
                hosts.begin(host);
                let (host, stream) = backends.hold(proxy.port, &path, &[]);
                theirs.push(host);
                open.push(stream);
            } else {
                theirs.extend(get(proxy.port, &path, &[]).backend);
            }
        }
        same("HAProxy", &format!("bounded_load {weights:?}, factor {factor}"), &ours, &theirs);
    }
}

/// A server refuses: with redispatch the retry takes the next turn.
#[test]
fn redispatch() {
    let dead = 1;
    let backends = Backends::with_dead(4, Some(dead));
    let lines = "balance roundrobin; retries 3; option redispatch";
    let Some(proxy) = haproxy(lines, &weighted(&backends, &[1; 4])) else { return };
    let theirs = sequence(proxy.port, 24);
    let (mut lb, hosts, mut random) = (RoundRobin::starting_at(0), Hosts::new([1; 4]), draws());
    let (mut ours, mut failed) = (Vec::new(), 0);
    while ours.len() < 24 {
        let host = lb.pick(&hosts, Request::default(), &mut random).expect("a server");
        if host == dead {
            failed += 1;
        } else {
            ours.push(host);
        }
    }
    same("HAProxy", "round_robin, one refuses, redispatch", &ours, &theirs);
    let redispatched = figures(&proxy, "wredis")[dead].clone();
    let name = "round_robin, requests of 24 that met the dead one";
    report("HAProxy", name, &failed.to_string(), &redispatched, failed.to_string() == redispatched);
}

/// Without redispatch a server is tried again after a second each time.
#[test]
fn retries_on_one_server() {
    let backends = Backends::with_dead(1, Some(0));
    let Some(proxy) = haproxy("balance roundrobin; retries 2", &backends.names()) else { return };
    let begin = Instant::now();
    let answer = get(proxy.port, "/", &[]);
    let took = begin.elapsed().as_secs_f64();
    let backoff = Backoff { base: Span::from_secs(1), max: Span::from_secs(1), jitter: Jitter::None };
    let waits: f64 = (1..=2).map(|retry| backoff.delay(retry, Span::ZERO, 0).millis() / 1000.0).sum();
    let agree = answer.head.contains(" 503 ") && (waits..waits + 1.0).contains(&took);
    report(
        "HAProxy",
        "preset haproxy: seconds of 2 retries",
        &waits.to_string(),
        &format!("{took:.2}"),
        agree,
    );
}

/// Errors in a row, seen on the traffic, mark a server down.
#[test]
fn error_limit() {
    let backends = Backends::start(3);
    let check = "check inter 60s observe layer7 error-limit 3 on-error mark-down";
    let servers: Vec<String> = backends.names().iter().map(|name| format!("{name} {check}")).collect();
    let Some(proxy) = haproxy("balance roundrobin", &servers) else { return };
    let settings =
        EnvoyOutlierSettings { consecutive_5xx: 3, max_ejection_percent: 100, ..Default::default() };
    let mut detector = EnvoyOutlier::new(settings, 3);
    let (mut lb, mut hosts, mut random) = (RoundRobin::starting_at(0), Hosts::new([1; 3]), draws());
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for number in 0..30 {
        // Two errors of server 1, an answer, then nothing but errors.
        let failing = number / 3 != 2;
        let path = if failing { "/?fail=1" } else { "/" };
        theirs.push(get(proxy.port, path, &[]).backend.unwrap_or(1));
        let host = lb.pick(&hosts, Request::default(), &mut random).expect("a server");
        ours.push(host);
        let code = if failing && host == 1 { 503 } else { 200 };
        detector.report(host, Outcome::Code(code), Time::ZERO, || 0);
        hosts.set_eligible(host, !detector.is_ejected(host));
    }
    // Turns after a change begin elsewhere; who gets them is what counts.
    let until = ours.iter().rposition(|host| *host == 1).map_or(0, |last| last + 1);
    same("HAProxy", "error-limit 3, requests up to the mark-down", &ours[..until], &theirs[..until]);
    let later = theirs[until..].iter().filter(|host| **host == 1).count();
    report("HAProxy", "error-limit 3, requests to it afterwards", "0", &later.to_string(), later == 0);
}

/// The weights a server has, second by second, once it is back.
#[test]
fn slow_start() {
    let backends = Backends::start(2);
    let weight = 160;
    let servers: Vec<String> = backends
        .names()
        .iter()
        .map(|name| format!("{name} weight {weight} check inter 100ms rise 1 slowstart 4s"))
        .collect();
    let Some(proxy) = haproxy("balance roundrobin", &servers) else { return };
    command(&proxy, "set server web/s0 state maint");
    command(&proxy, "set server web/s0 state ready");
    let mut theirs = Vec::new();
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_millis(5500) {
        theirs.push(figures(&proxy, "weight")[0].parse::<usize>().expect("a weight"));
        std::thread::sleep(Duration::from_millis(50));
    }
    theirs.dedup();
    let slow = SlowStart { window: Span::from_secs(4), curve: Curve::Linear };
    let ours: Vec<usize> =
        (0..=4).map(|age| (f64::from(weight) * slow.factor(Span::from_secs(age))) as usize).collect();
    same("HAProxy", "slow_start linear, weight 160 over 4 s", &ours, &theirs);
}
