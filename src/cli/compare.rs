//! `loadpath compare`.

use super::args::{Cli, CompareArgs};
use super::output::{complain, hear_interrupts, interrupted, print, progress, style, write};
use super::scene::{Scene, effort, scene};
use super::selftest::study_format;
use crate::report::study::{Comparison, Study};
use crate::study::compare::{Compared, differences, outcome};
use anyhow::{Result, anyhow, bail};

/// A system under another setting.
#[derive(Debug, PartialEq)]
struct Variant {
    name: String,
    overlays: Vec<String>,
    sets: Vec<String>,
}

/// `[NAME: ]PATH=VALUE[; PATH=VALUE]…`, or a file.
fn variant(argument: &str) -> Result<Variant> {
    let before = argument.split_once('=').map_or(argument, |(before, _)| before);
    let (name, rest) = match before.split_once(": ") {
        Some((name, _)) => (name.trim(), argument.get(name.len() + 2..).unwrap_or_default()),
        None => (argument.trim(), argument),
    };
    let rest = rest.trim();
    if name.is_empty() || rest.is_empty() {
        bail!(
            "`--variant {argument}` says nothing: write PATH=VALUE, or a file that is laid over the system"
        );
    }
    if rest.contains('=') {
        let sets = rest.split(';').map(|set| set.trim().to_owned()).filter(|set| !set.is_empty()).collect();
        return Ok(Variant { name: name.to_owned(), overlays: Vec::new(), sets });
    }
    if !std::path::Path::new(rest).is_file() {
        bail!("`--variant {argument}`: `{rest}` is neither PATH=VALUE nor a file");
    }
    Ok(Variant { name: name.to_owned(), overlays: vec![rest.to_owned()], sets: Vec::new() })
}

/// Simulates all variants under the same random numbers.
pub fn run(cli: &Cli, args: &CompareArgs) -> Result<u8> {
    let (format, file) = study_format(&args.study.format)?;
    let variants: Vec<Variant> = args.variant.iter().map(|v| variant(v)).collect::<Result<_>>()?;
    let base = match scene(cli, &args.input, &args.study, &[], &[])? {
        Ok(scene) => scene,
        Err(code) => return Ok(code),
    };
    let effort = effort(&args.study, base.scenario());
    hear_interrupts();
    let say = |at: usize, name: &str| {
        progress(cli, &format!("{at} of {} simulated, now {name}", variants.len() + 1));
    };
    say(0, "the system as it is");
    let known = outcome(&base.compiled, effort).map_err(|e| anyhow!("{e}"))?;
    let mut compared = Vec::new();
    for (at, variant) in variants.iter().enumerate() {
        if interrupted() {
            progress(cli, "");
            complain(&format!("interrupted: {at} of {} variants are reported", variants.len()));
            break;
        }
        say(at + 1, &variant.name);
        let Scene { compiled, .. } =
            match scene(cli, &args.input, &args.study, &variant.overlays, &variant.sets)? {
                Ok(scene) => scene,
                Err(code) => return Ok(code),
            };
        let found = outcome(&compiled, effort).map_err(|e| anyhow!("`{}`: {e}", variant.name))?;
        compared.push(Compared { name: variant.name.clone(), differences: differences(&known, &found) });
    }
    progress(cli, "");
    let comparison = Comparison { scenario: base.compiled.scenario.clone(), effort, variants: compared };
    let text = (format.render)(&Study::Comparison(comparison), &style(cli));
    match file {
        Some(path) => write(path, &text)?,
        None => print(&text)?,
    }
    Ok(u8::from(interrupted()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_have_names_and_several_settings() {
        let of = |text: &str| variant(text).map(|v| (v.name, v.sets)).map_err(|e| e.to_string());
        let sets = |all: &[&str]| all.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        assert_eq!(of("a.b=c"), Ok(("a.b=c".to_owned(), sets(&["a.b=c"]))));
        assert_eq!(of("p2c: a.b=c; d={ e: f }"), Ok(("p2c".to_owned(), sets(&["a.b=c", "d={ e: f }"]))));
        assert_eq!(of("d={ e: f }"), Ok(("d={ e: f }".to_owned(), sets(&["d={ e: f }"]))));
        assert_eq!(
            of("nothing"),
            Err("`--variant nothing`: `nothing` is neither PATH=VALUE nor a file".to_owned())
        );
    }
}
