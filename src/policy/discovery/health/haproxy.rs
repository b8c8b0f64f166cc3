//! HAProxy's server checks.

use super::{CheckResult, HealthCheck, PolicyInfo, Span};

pub(super) const INFO: PolicyInfo = PolicyInfo {
    name: "haproxy_check",
    summary: "falls after 3 failed checks in a row, rises after 2; a new server falls at its first",
    page: include_str!("haproxy.md"),
};

/// A `check` of a `server` line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HaproxySettings {
    /// Between checks. Default 2 s.
    pub inter: Span,
    /// Good checks in a row that bring a server back. Default 2.
    pub rise: u32,
    /// Bad checks in a row that take it away. Default 3.
    pub fall: u32,
}

impl Default for HaproxySettings {
    fn default() -> Self {
        Self { inter: Span::from_secs(2), rise: 2, fall: 3 }
    }
}

/// One server: up while its health is at least `rise`, at most `rise + fall − 1`.
///
/// ```
/// use loadpath::policy::discovery::{CheckResult, HaproxyHealth, HaproxySettings, HealthCheck};
/// let mut server = HaproxyHealth::new(HaproxySettings::default());
/// assert!(server.healthy(), "up before it was ever checked");
/// assert!(server.record(CheckResult::Timeout) && !server.healthy(), "but down at its first failure");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HaproxyHealth {
    settings: HaproxySettings,
    health: u32,
}

impl HaproxyHealth {
    /// Up, until the first check says otherwise.
    pub fn new(settings: HaproxySettings) -> Self {
        let settings = HaproxySettings { rise: settings.rise.max(1), fall: settings.fall.max(1), ..settings };
        Self { settings, health: settings.rise }
    }

    /// The counter, as `show servers state` prints it.
    pub const fn health(&self) -> u32 {
        self.health
    }
}

impl HealthCheck for HaproxyHealth {
    fn record(&mut self, result: CheckResult) -> bool {
        let before = self.healthy();
        let (rise, full) = (self.settings.rise, self.settings.rise.saturating_add(self.settings.fall) - 1);
        if result.passed() {
            let next = self.health.saturating_add(1);
            // One good check above the line makes up for all bad ones.
            self.health = if next >= rise { full } else { next };
        } else if self.health > rise {
            self.health -= 1;
        } else {
            self.health = 0;
        }
        before != self.healthy()
    }

    fn healthy(&self) -> bool {
        self.health >= self.settings.rise
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The obvious server looks back over all its checks: how many in a row ended alike since it last changed.
        #[test]
        fn it_does_what_the_obvious_one_does(
            rise in 1usize..4, fall in 1usize..4, checks in prop::collection::vec(any::<bool>(), 1..60),
        ) {
            let settings = HaproxySettings { rise: rise as u32, fall: fall as u32, ..Default::default() };
            let mut server = HaproxyHealth::new(settings);
            let (mut up, mut since) = (true, 0);
            for now in 0..checks.len() {
                server.record(if checks[now] { CheckResult::Ok } else { CheckResult::Network });
                let row = checks[since..=now].iter().rev().take_while(|good| **good == checks[now]).count();
                // Never seen well, the first bad check is enough.
                let first = up && since == 0 && checks[..=now].iter().all(|good| !good);
                let changes = if up { !checks[now] && (row >= fall || first) } else { checks[now] && row >= rise };
                if changes {
                    (up, since) = (!up, now + 1);
                }
                prop_assert_eq!(server.healthy(), up, "check {}", now);
            }
        }
    }

    #[test]
    fn it_falls_after_three_and_rises_after_two() {
        use CheckResult::{Ok, Timeout as Bad};
        let mut server = HaproxyHealth::new(HaproxySettings::default());
        let states: Vec<(u32, bool)> = [Ok, Bad, Bad, Ok, Bad, Bad, Bad, Ok, Bad, Ok, Ok]
            .map(|result| {
                server.record(result);
                (server.health(), server.healthy())
            })
            .to_vec();
        let up = |health| (health, true);
        let down = |health| (health, false);
        assert_eq!(
            states,
            [up(4), up(3), up(2), up(4), up(3), up(2), down(0), down(1), down(0), down(1), up(4)]
        );
    }
}
