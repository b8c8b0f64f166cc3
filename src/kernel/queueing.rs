//! Closed forms of queueing theory, in one place: the tests, `selftest` and what stands beside a simulation
//! take them from here.
//!
//! Rates are per second, times in seconds. What has no steady state (too much load for an unbounded queue)
//! has no answer: `None`. Sources: Kleinrock, Queueing Systems I (1975); Gross and Harris, Fundamentals of
//! Queueing Theory.

/// What a station does in the long run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Steady {
    /// Busy share of its servers.
    pub utilization: f64,
    /// Requests that are turned away.
    pub loss: f64,
    /// Of the admitted, those that have to wait. `None` where only means are known.
    pub waits: Option<f64>,
    /// Requests waiting, on average, those in service not counted.
    pub queue: f64,
    /// How long an admitted request waits, on average.
    pub wait_s: f64,
}

/// Erlang B: the share of requests that find all `servers` busy and nowhere to wait, at an offered load of
/// `erlangs`. By the recursion B(n) = a·B(n−1)/(n + a·B(n−1)), which does not overflow.
pub fn erlang_b(servers: u32, erlangs: f64) -> f64 {
    (1..=servers).fold(1.0, |b, n| erlangs * b / (f64::from(n) + erlangs * b))
}

/// Erlang C: the share of requests that have to wait in M/M/c; 1 where the load is too much.
pub fn erlang_c(servers: u32, erlangs: f64) -> f64 {
    let rho = erlangs / f64::from(servers);
    if rho >= 1.0 {
        return 1.0;
    }
    let b = erlang_b(servers, erlangs);
    b / (1.0 - rho * (1.0 - b))
}

/// M/M/c: Poisson arrivals, exponential work of this mean, one queue without bounds.
pub fn mmc(rate: f64, work_s: f64, servers: u32) -> Option<Steady> {
    let erlangs = rate * work_s;
    let utilization = erlangs / f64::from(servers);
    let delayed = erlang_c(servers, erlangs);
    let wait_s = delayed * work_s / (f64::from(servers) - erlangs);
    let steady = Steady { utilization, loss: 0.0, waits: Some(delayed), queue: rate * wait_s, wait_s };
    (utilization < 1.0).then_some(steady)
}

/// M/G/1 (Pollaczek and Khinchine): Poisson arrivals, work of this mean and squared variation `scv`, one server.
pub fn mg1(rate: f64, work_s: f64, scv: f64) -> Option<Steady> {
    let utilization = rate * work_s;
    let wait_s = utilization * work_s * (1.0 + scv) / 2.0 / (1.0 - utilization);
    let steady = Steady { utilization, loss: 0.0, waits: Some(utilization), queue: rate * wait_s, wait_s };
    (utilization < 1.0).then_some(steady)
}

/// M/M/c/K: as M/M/c, but no more than `places` requests inside, those in service included; further ones are
/// turned away. With as many places as servers it is Erlang B.
pub fn mmck(rate: f64, work_s: f64, servers: u32, places: u32) -> Steady {
    let erlangs = rate * work_s;
    let busy = |n: u32| f64::from(n.min(servers));
    // Weights relative to the largest so far, so that nothing overflows.
    let mut weight = 1.0;
    let (mut sum, mut queue, mut served, mut delayed) = (1.0, 0.0, 0.0, 0.0);
    for n in 1..=places {
        weight *= erlangs / busy(n);
        sum += weight;
        queue += weight * f64::from(n.saturating_sub(servers));
        served += weight * busy(n);
        delayed += if n >= servers && n < places { weight } else { 0.0 };
        if weight > 1e100 {
            for all in [&mut weight, &mut sum, &mut queue, &mut served, &mut delayed] {
                *all /= 1e100;
            }
        }
    }
    let loss = weight / sum;
    let (queue, admitted) = (queue / sum, rate * (1.0 - loss));
    let delayed = delayed / sum / (1.0 - loss).max(f64::MIN_POSITIVE);
    let wait_s = if admitted > 0.0 { queue / admitted } else { 0.0 };
    Steady { utilization: served / sum / f64::from(servers), loss, waits: Some(delayed), queue, wait_s }
}

/// M/M/c+M (Erlang A): as M/M/c, but who delayed gives up after an exponential time of mean `patience_s`.
/// `loss` is the share that gives up, and the queue counts those who will.
pub fn erlang_a(rate: f64, work_s: f64, servers: u32, patience_s: f64) -> Steady {
    let mut weight = 1.0;
    let (mut sum, mut queue, mut served, mut delayed) = (1.0, 0.0, 0.0, 0.0);
    for n in 1..1_000_000_u32 {
        let (busy, waiting) = (f64::from(n.min(servers)), f64::from(n.saturating_sub(servers)));
        weight *= rate / (busy / work_s + waiting / patience_s);
        sum += weight;
        queue += weight * waiting;
        served += weight * busy;
        delayed += if n >= servers { weight } else { 0.0 };
        if weight > 1e100 {
            for all in [&mut weight, &mut sum, &mut queue, &mut served, &mut delayed] {
                *all /= 1e100;
            }
        }
        if n > servers && weight < 1e-15 * sum && weight * waiting < 1e-15 * queue.max(sum) {
            break;
        }
    }
    let queue = queue / sum;
    let loss = queue / patience_s / rate;
    let utilization = served / sum / f64::from(servers);
    Steady { utilization, loss, waits: Some(delayed / sum), queue, wait_s: queue / rate }
}

/// `E_k`/M/1: what one of `stages` servers sees when Poisson arrivals of `rate` in all go to them in turns. The
/// root of σ = A*(μ(1−σ)) with A* the transform of the sum of k exponentials.
pub fn erlang_arrivals(rate: f64, work_s: f64, stages: u32) -> Option<Steady> {
    let utilization = rate * work_s / f64::from(stages);
    if utilization >= 1.0 {
        return None;
    }
    let mut sigma = utilization;
    for _ in 0..100_000 {
        let next = libm::pow(rate / (rate + (1.0 - sigma) / work_s), f64::from(stages));
        let moved = (next - sigma).abs();
        sigma = next;
        if moved < 1e-15 {
            break;
        }
    }
    let wait_s = sigma * work_s / (1.0 - sigma);
    let queue = rate / f64::from(stages) * wait_s;
    Some(Steady { utilization, loss: 0.0, waits: Some(sigma), queue, wait_s })
}

/// D/M/1: evenly spaced arrivals, exponential work of this mean, one server. The root of σ = exp(−(1−σ)/ρ).
pub fn even_arrivals(rate: f64, work_s: f64) -> Option<Steady> {
    let utilization = rate * work_s;
    if utilization >= 1.0 {
        return None;
    }
    let mut sigma = utilization;
    for _ in 0..100_000 {
        let next = libm::exp(-(1.0 - sigma) / utilization);
        let moved = (next - sigma).abs();
        sigma = next;
        if moved < 1e-15 {
            break;
        }
    }
    let wait_s = sigma * work_s / (1.0 - sigma);
    Some(Steady { utilization, loss: 0.0, waits: Some(sigma), queue: rate * wait_s, wait_s })
}

/// The mean time in a system of very many exponential servers at utilization `rho`, each request going to the
/// least loaded of `choices` drawn at random (Mitzenmacher 1996), in units of the mean work.
pub fn supermarket(rho: f64, choices: u32) -> f64 {
    let d = f64::from(choices);
    let mut sum = 0.0;
    for i in 1..100_000_u32 {
        let exponent =
            if choices == 1 { f64::from(i) - 1.0 } else { (libm::pow(d, f64::from(i)) - d) / (d - 1.0) };
        let term = libm::pow(rho, exponent);
        sum += term;
        if term < 1e-16 {
            break;
        }
    }
    sum
}

/// Exact mean value analysis of a closed loop: `users` who think for `think_s` and then go through single
/// servers at which one request works `demands_s`. Throughput per second, and the mean time of a request.
pub fn closed_loop(users: u32, think_s: f64, demands_s: &[f64]) -> (f64, f64) {
    let mut queues = vec![0.0; demands_s.len()];
    let (mut throughput, mut response) = (0.0, 0.0);
    for n in 1..=users {
        let times: Vec<f64> = demands_s.iter().zip(&queues).map(|(d, q)| d * (1.0 + q)).collect();
        response = times.iter().sum();
        throughput = f64::from(n) / (think_s + response);
        queues = times.iter().map(|time| throughput * time).collect();
    }
    (throughput, response)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64) {
        assert!((found / expected - 1.0).abs() < 2e-6, "{found} is not {expected}");
    }

    #[test]
    fn tables_of_the_textbooks() {
        for (servers, delayed, wait) in [(2, 0.711_111, 1.777_778), (4, 0.596_432, 0.745_541)] {
            let found = mmc(0.8 * f64::from(servers), 1.0, servers).expect("stable");
            close(found.waits.expect("known"), delayed);
            close(found.wait_s, wait);
        }
        assert_eq!(mmc(2.0, 1.0, 2), None);
        close(mg1(0.8, 1.0, 0.0).expect("stable").wait_s, 2.0);
        close(mg1(0.8, 1.0, 4.0).expect("stable").wait_s, 10.0);
        for (servers, places, rate, loss, inside, time) in [
            (1, 10, 0.9, 0.050_814, 3.969_44, 4.646_60),
            (4, 20, 3.8, 0.031_273, 9.291_14, 2.523_97),
            (10, 10, 8.0, 0.121_661, 7.026_71, 1.0),
        ] {
            let found = mmck(rate, 1.0, servers, places);
            assert!((found.loss - loss).abs() < 1e-6, "{found:?}");
            assert!(
                (found.queue + found.utilization * f64::from(servers) - inside).abs() < 1e-5,
                "{found:?}"
            );
            assert!((found.wait_s + 1.0 - time).abs() < 1e-5, "{found:?}");
        }
        // Too much load for M/M/1, and a great many places.
        assert!((mmck(2.0, 1.0, 1, 100_000).loss - 0.5).abs() < 1e-9);
        let found = erlang_a(0.9, 1.0, 1, 2.0);
        assert!((found.loss - 0.284_956).abs() < 1e-6 && (found.queue - 0.512_92).abs() < 1e-5, "{found:?}");
    }

    #[test]
    fn balanced_and_closed_systems() {
        for (stages, time) in [(2, 3.843_980), (4, 3.267_384), (16, 2.836_132)] {
            let found = erlang_arrivals(0.8 * f64::from(stages), 1.0, stages).expect("stable");
            close(found.wait_s + 1.0, time);
        }
        for (rho, times) in [(0.5, [2.0, 1.2657, 1.1252, 1.0313]), (0.95, [20.0, 3.3830, 2.5351, 1.9888])] {
            for (choices, time) in [1, 2, 3, 5].into_iter().zip(times) {
                assert!((supermarket(rho, choices) - time).abs() < 6e-5, "{rho} {choices}");
            }
        }
        for (users, throughput, response) in [(5, 4.154_51, 0.203_51), (30, 9.999_90, 2.000_03)] {
            let (x, r) = closed_loop(users, 1.0, &[0.1, 0.05]);
            assert!((x - throughput).abs() < 1e-5 && (r - response).abs() < 1e-5, "{x} {r}");
        }
    }
}
