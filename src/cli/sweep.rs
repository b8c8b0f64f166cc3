//! `loadpath sweep`.

use super::args::{Cli, InputArgs, SweepArgs};
use super::output::{complain, hear_interrupts, interrupted, print, progress, style, write};
use super::range::values;
use super::scene::{effort, scene};
use super::selftest::study_format;
use crate::report::study::{Point, Study, Sweep};
use crate::sim::judge;
use crate::study::capacity::bottleneck;
use crate::study::compare::outcome;
use crate::study::scale::scale;
use anyhow::{Result, anyhow, bail};

/// Points at the most.
const MOST: usize = 500;

/// What is varied, with its values.
struct Axis {
    /// The path of a setting; `None` for the load.
    path: Option<String>,
    values: Vec<String>,
}

/// Simulates every point of the grid.
pub fn run(cli: &Cli, args: &SweepArgs) -> Result<u8> {
    let (format, file) = study_format(&args.study.format)?;
    let (input, axes) = axes(args)?;
    let points = grid(&axes);
    if points.len() > MOST {
        bail!(
            "{} points are more than {MOST}: take longer steps, or sweep one setting after another",
            points.len()
        );
    }
    hear_interrupts();
    let mut found = Vec::new();
    let mut known = None;
    for (at, point) in points.iter().enumerate() {
        if interrupted() {
            progress(cli, "");
            complain(&format!("interrupted: {at} of {} points are reported", points.len()));
            break;
        }
        progress(cli, &format!("{at} of {} points simulated, now {}", points.len(), point.join(", ")));
        let (mut sets, mut factor) = (Vec::new(), 1.0);
        for (axis, value) in axes.iter().zip(point) {
            match &axis.path {
                Some(path) => sets.push(format!("{path}={value}")),
                None => factor = load_factor(value)?,
            }
        }
        let mut scene = match scene(cli, &input, &args.study, &[], &sets)? {
            Ok(scene) => scene,
            Err(code) => return Ok(code),
        };
        scale(&mut scene.compiled.plan, factor).map_err(|e| anyhow!("at {}: {e}", point.join(", ")))?;
        let effort = effort(&args.study, scene.scenario());
        known.get_or_insert((scene.compiled.scenario.clone(), effort));
        let seen = outcome(&scene.compiled, effort).map_err(|e| anyhow!("at {}: {e}", point.join(", ")))?;
        let expectations =
            scene.scenario().map_or_else(Vec::new, |s| judge(&scene.system.arch, s, &scene.compiled, &seen));
        found.push(Point {
            values: point.clone(),
            bottleneck: bottleneck(&scene.compiled, &seen),
            outcome: seen,
            expectations,
        });
    }
    progress(cli, "");
    let Some((scenario, effort)) = known else { bail!("no point was simulated: there is nothing to report") };
    let axes = axes.into_iter().map(|axis| axis.path.unwrap_or_else(|| "load".to_owned())).collect();
    let text = (format.render)(&Study::Sweep(Sweep { scenario, effort, axes, points: found }), &style(cli));
    match file {
        Some(path) => write(path, &text)?,
        None => print(&text)?,
    }
    Ok(u8::from(interrupted()))
}

/// What is swept, and what is merely set.
fn axes(args: &SweepArgs) -> Result<(InputArgs, Vec<Axis>)> {
    let mut input = args.input.clone();
    let mut axes = Vec::new();
    if let Some(load) = &args.load {
        let found = values(load).unwrap_or_else(|| Ok(vec![load.clone()]));
        axes.push(Axis { path: None, values: found.map_err(|e| anyhow!("--load {load}: {e}"))? });
    }
    input.set.clear();
    for set in &args.input.set {
        match set.split_once('=').and_then(|(path, value)| Some((path, values(value)?))) {
            Some((path, found)) => {
                let values = found.map_err(|e| anyhow!("--set {set}: {e}"))?;
                axes.push(Axis { path: Some(path.to_owned()), values });
            }
            None => input.set.push(set.clone()),
        }
    }
    if axes.is_empty() {
        bail!("nothing is swept: give a --set with a range (services.web.replicas=2..8) or --load 50%..150%");
    }
    Ok((input, axes))
}

fn load_factor(value: &str) -> Result<f64> {
    let (number, unit) = value.strip_suffix('%').map_or((value, 1.0), |number| (number, 0.01));
    let factor = number.trim_end_matches('x').parse::<f64>().map(|factor| factor * unit);
    factor
        .ok()
        .filter(|f| *f > 0.0)
        .ok_or_else(|| anyhow!("--load: `{value}` is no factor: write 1.5 or 150%"))
}

/// Every combination, the last axis fastest.
fn grid(axes: &[Axis]) -> Vec<Vec<String>> {
    let mut points = vec![Vec::new()];
    for axis in axes {
        let longer = |point: &Vec<String>| {
            let point = point.clone();
            axis.values.iter().map(move |value| point.iter().chain([value]).cloned().collect::<Vec<_>>())
        };
        points = points.iter().flat_map(longer).take(MOST * 2).collect();
    }
    points
}
