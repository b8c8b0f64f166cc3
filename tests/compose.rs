//! The compose importer, through the library.
use loadpath::import::{ImportFile, Imported, recognise};
use loadpath::source::{LoadError, Loader};
use loadpath::spec::{Limits, Reader};
struct Disk;
impl Loader for Disk {
    fn load(&self, path: &str) -> Result<Vec<u8>, LoadError> {
        std::fs::read(path).map_err(|_| LoadError::NotFound)
    }
    fn glob(&self, p: &str) -> Result<Vec<String>, LoadError> {
        Ok(vec![p.to_owned()])
    }
}
#[test]
fn dump() {
    let Ok(files) = std::env::var("FILES") else { return };
    let mut reader = Reader::new(&Disk, Limits::default());
    let mut all = Vec::new();
    for f in files.split(' ') {
        let t = reader.root(f).unwrap();
        let r = recognise(f, &t.node).map(|f| f.name);
        if r.is_none() { println!("NOT RECOGNISED {f}"); }
        all.push(ImportFile::from(t));
    }
    let i: Imported = (loadpath::import::FORMATS[0].import)(&mut reader, all);
    let d = &i.document.document;
    for s in d.services.iter().flat_map(|s| s.0.iter()) { println!("S {}", s.0.value); }
    for s in d.datastores.iter().flat_map(|s| s.0.iter()) { println!("D {} {:?}", s.0.value, s.1.kind.as_ref().unwrap().value); }
    for e in &i.evidence {
        let l = reader.sources.locate(e.span);
        println!("E {} -> {} {} {} @{}:{}:{} {:?} {}", e.from, e.to, e.kind.word(), e.detail, reader.sources.file(e.span.file).name.rsplit('/').next().unwrap(), l.line, l.column, reader.sources.text(e.span), e.telemetry);
    }
    for e in &i.doubtful { println!("? {} -> {} {}", e.from, e.to, e.kind.word()); }
    for n in &i.notes { println!("N {}", n.text); }
    for f in i.findings.iter().chain(&reader.findings) { println!("F {} {:?} {}", f.rule.id, reader.sources.locate(f.primary.span), f.message); }
}
