//! Queues: folly `folly/executors/test/CodelTest.cpp`.

use loadpath::policy::queue::{Codel, CodelSettings};

use super::{at, ms};

/// At so many milliseconds a request is up that waited so many: whether it is dropped, and the load after it.
#[track_caller]
fn check(steps: &[(u64, u64, bool, u32)]) {
    let mut codel = Codel::new(CodelSettings::default(), at(0));
    for (now, delay, dropped, load) in steps {
        assert_eq!(codel.overloaded(ms(*delay), at(*now)), *dropped, "{delay} ms at {now}");
        assert_eq!(codel.load(), *load, "{delay} ms at {now}");
    }
}

#[test]
fn codel() {
    // highLoad, mediumLoad, reducingLoad, oneRequestNoDrop
    check(&[(0, 40, false, 100)]);
    check(&[(0, 20, false, 100), (90, 8, false, 80)]);
    check(&[(0, 20, false, 100), (90, 4, false, 40)]);
    check(&[(0, 20, false, 100)]);
    // getLoadSanity: about 100, 70 and 20 percent
    check(&[(0, 10, false, 100), (0, 7, false, 70), (0, 2, false, 20)]);
    // updateInterval, as far as its default of 100 ms
    check(&[(0, 50, false, 100), (110, 50, false, 100), (110, 50, true, 100)]);
}

#[test]
fn codel_with_other_settings() {
    // updateTargetDelay: with a target of 40 ms the slough is 80
    let settings = CodelSettings { target: ms(40), ..CodelSettings::default() };
    let mut codel = Codel::new(settings, at(0));
    assert!(!codel.overloaded(ms(40), at(1)) && !codel.overloaded(ms(40), at(1)));
    // as updateInterval, with 200 ms from the beginning
    let settings = CodelSettings { interval: ms(200), ..CodelSettings::default() };
    let mut codel = Codel::new(settings, at(0));
    let dropped = [(1, 50), (111, 50), (111, 50), (211, 20), (312, 20), (312, 20)]
        .map(|(now, delay)| codel.overloaded(ms(delay), at(now)));
    // The second interval begins at 111 and ends at 311: at 211 it still lasts, and 20 ms are over 10.
    assert_eq!(dropped, [false, false, true, true, false, true]);
}
