//! More instances under load, fewer without: the horizontal pod autoscaler of Kubernetes.
//!
//! Every 15 s it compares the utilization of what is up with its target: the wanted number is
//! ⌈n · utilization / target⌉, unless that is within a tenth of what there is. It adds at once what is missing
//! (there `delay` later), and takes away only what nothing in the last five minutes would have kept.

use super::super::event::Event;
use super::super::ids::{InstanceId, ServiceId};
use super::super::plan::Plan;
use super::super::probe::{Probe, Traced};
use super::Engine;
use crate::kernel::{Span, Time};

/// Between two looks (`--horizontal-pod-autoscaler-sync-period`).
pub(super) const PERIOD: Span = Span::from_secs(15);
/// No change within this share (`--horizontal-pod-autoscaler-tolerance`).
const TOLERANCE: f64 = 0.1;
/// Looks of the five minutes of `--horizontal-pod-autoscaler-downscale-stabilization`.
const MEMORY: usize = 20;
/// An instance that is taken away finishes for so long what it has.
const GRACE: Span = Span::from_secs(5);

/// What the autoscaler of one service remembers.
pub(super) struct Scaler {
    /// Instances that are ordered and not there yet.
    ordered: u32,
    wanted: [u32; MEMORY],
    looks: usize,
}

impl Scaler {
    pub(super) fn new(plan: &Plan, service: usize) -> Option<Self> {
        plan.services[service].scaling.map(|_| Self { ordered: 0, wanted: [0; MEMORY], looks: 0 })
    }
}

impl<P: Probe> Engine<'_, P> {
    pub(super) fn start_scaling(&mut self) {
        for (index, service) in self.plan.services.iter().enumerate() {
            if service.scaling.is_some() {
                self.agenda.at(Time::ZERO + PERIOD, Event::Scale(ServiceId(index as u32)));
            }
        }
    }

    /// The autoscaler looks.
    pub(super) fn scale(&mut self, service: ServiceId) {
        let plan = &self.plan.services[service.index()];
        let (Some(scaling), Some(workers)) = (plan.scaling, plan.workers) else { return };
        if self.now < self.traffic_ends {
            self.agenda.at(self.now + PERIOD, Event::Scale(service));
        }
        let range = plan.instances.start as usize..plan.instances.end as usize;
        let mut worked = Span::ZERO;
        let mut serving = 0;
        for state in &mut self.instances[range] {
            worked = worked + std::mem::replace(&mut state.worked, Span::ZERO);
            serving += u32::from(state.up && !state.draining);
        }
        let capacity = PERIOD.seconds() * f64::from(workers) * f64::from(serving.max(1));
        let ratio = worked.seconds() / capacity / scaling.target;
        let Some(scaler) = &mut self.scalers[service.index()] else { return };
        let there = serving + scaler.ordered;
        let near = (ratio - 1.0).abs() <= TOLERANCE;
        let needed = if near { there } else { (f64::from(serving) * ratio).ceil() as u32 };
        let needed = needed.clamp(scaling.min, scaling.max);
        scaler.wanted[scaler.looks % MEMORY] = needed;
        scaler.looks += 1;
        let remembered = scaler.looks.min(MEMORY);
        let kept = scaler.wanted[..remembered].iter().copied().max().unwrap_or(needed);
        if needed > there {
            scaler.ordered += needed - there;
            for _ in there..needed {
                self.agenda.at(self.now + scaling.delay, Event::Boot(service));
            }
        } else if kept < serving && scaler.looks >= MEMORY {
            for _ in kept..serving {
                self.retire(service);
            }
        }
    }

    /// An instance that was ordered is there.
    pub(super) fn boot(&mut self, service: ServiceId) {
        if let Some(scaler) = &mut self.scalers[service.index()] {
            scaler.ordered = scaler.ordered.saturating_sub(1);
        }
        let range = self.plan.services[service.index()].instances.clone();
        let spare = range.into_iter().find(|at| {
            let state = &self.instances[*at as usize];
            !state.up && state.down_for == [super::NONE]
        });
        if let Some(instance) = spare {
            self.instances[instance as usize].down_for.clear();
            self.trace(|| Traced::Scaled { instance: InstanceId(instance), up: true });
            self.restart(InstanceId(instance));
        }
    }

    /// The last one is called no more, and stopped when it had time to finish.
    fn retire(&mut self, service: ServiceId) {
        let range = self.plan.services[service.index()].instances.clone();
        let last = range.rev().find(|at| {
            let state = &self.instances[*at as usize];
            state.up && !state.draining
        });
        if let Some(instance) = last {
            self.instances[instance as usize].draining = true;
            self.trace(|| Traced::Scaled { instance: InstanceId(instance), up: false });
            self.deregister(InstanceId(instance));
            self.agenda.at(self.now + GRACE, Event::Retire(InstanceId(instance)));
        }
    }

    pub(super) fn retired(&mut self, instance: InstanceId) {
        let state = &mut self.instances[instance.index()];
        if state.draining && state.up {
            state.down_for = vec![super::NONE];
            self.kill(instance);
        }
    }
}
