//! Small HTTP back ends on the loopback, a proxy as a child process, and a client.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// Nothing here waits longer than this for anything.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the back ends share: who got a request to hold, and whether those are let go.
#[derive(Default)]
struct Desk {
    held: Mutex<(Vec<usize>, bool)>,
    changed: Condvar,
}

/// Back ends that answer with their own number. A request says what it meets: `fail=1` in its query has
/// back end 1 answer 503 (`fail=all`: every one), `hold=1` has it answer only once it is let go, when
/// this is dropped.
pub struct Backends {
    pub addresses: Vec<SocketAddr>,
    desk: Arc<Desk>,
}

impl Backends {
    pub fn start(count: usize) -> Self {
        Self::with_dead(count, None)
    }

    /// One of them refuses connections.
    pub fn with_dead(count: usize, dead: Option<usize>) -> Self {
        let desk = Arc::new(Desk::default());
        // All ports are taken before the dead one gives its own back: nobody here can get it again.
        let listeners: Vec<TcpListener> =
            (0..count).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port")).collect();
        let addresses = listeners.iter().map(|l| l.local_addr().expect("an address")).collect();
        for (number, listener) in listeners.into_iter().enumerate() {
            if dead == Some(number) {
                continue;
            }
            let desk = Arc::clone(&desk);
            std::thread::spawn(move || {
                for stream in listener.incoming().flatten() {
                    let desk = Arc::clone(&desk);
                    std::thread::spawn(move || serve(stream, number, &desk));
                }
            });
        }
        Self { addresses, desk }
    }

    /// As the configurations of all three have them.
    pub fn names(&self) -> Vec<String> {
        self.addresses.iter().map(ToString::to_string).collect()
    }

    /// Sends a request that will not be answered, and tells who got it.
    pub fn hold(&self, proxy: u16, path: &str, headers: &[(&str, &str)]) -> (usize, TcpStream) {
        let held = self.desk.held.lock().expect("no panic");
        let before = held.0.len();
        drop(held);
        let query = if path.contains('?') { "" } else { "?hold=all" };
        let stream = send(proxy, &format!("{path}{query}"), headers);
        let held = self.desk.held.lock().expect("no panic");
        let (held, waited) = self
            .desk
            .changed
            .wait_timeout_while(held, PATIENCE, |held| held.0.len() == before)
            .expect("no panic");
        assert!(!waited.timed_out(), "a held request reached no back end");
        (held.0[before], stream)
    }
}

impl Drop for Backends {
    fn drop(&mut self) {
        if let Ok(mut held) = self.desk.held.lock() {
            held.1 = true;
        }
        self.desk.changed.notify_all();
    }
}

/// Answers the requests of one connection until it is closed.
fn serve(mut stream: TcpStream, number: usize, desk: &Desk) {
    // The proxies keep idle connections; a test is over before this.
    let _ = stream.set_read_timeout(Some(Duration::from_secs(60)));
    while let Some(head) = read_head(&mut stream) {
        let line = head.lines().next().unwrap_or_default();
        let asked =
            |what: &str| line.contains(&format!("{what}=all")) || line.contains(&format!("{what}={number}"));
        if asked("fail") {
            if stream.write_all(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n").is_err() {
                return;
            }
            continue;
        }
        if asked("hold") {
            let mut held = desk.held.lock().expect("no panic");
            held.0.push(number);
            desk.changed.notify_all();
            drop(desk.changed.wait_timeout_while(held, Duration::from_secs(30), |held| !held.1));
        }
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{number}");
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

fn read_head(stream: &mut TcpStream) -> Option<String> {
    let (mut head, mut byte) = (Vec::new(), [0; 1024]);
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(0) => return None,
            Ok(read) => head.extend_from_slice(&byte[..read]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
    String::from_utf8(head).ok()
}

/// Sends a request; [`answer`] waits for what comes back.
pub fn send(port: u16, path: &str, headers: &[(&str, &str)]) -> TcpStream {
    let to = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&to, PATIENCE).expect("the proxy listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let mut head = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n");
    for (name, value) in headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).expect("sent");
    stream
}

/// An answer: its headers as they came, and the back end that gave it.
#[derive(Debug)]
pub struct Answer {
    pub head: String,
    pub backend: Option<usize>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    }
}

pub fn get(port: u16, path: &str, headers: &[(&str, &str)]) -> Answer {
    answer(send(port, path, headers))
}

pub fn answer(mut stream: TcpStream) -> Answer {
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("an answer");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    let fine = head.split(' ').nth(1) == Some("200");
    Answer { head: head.to_owned(), backend: body.trim().parse().ok().filter(|_| fine) }
}

/// The back end of each of so many requests.
pub fn sequence(port: u16, requests: usize) -> Vec<usize> {
    (0..requests).map(|_| get(port, "/", &[]).backend.expect("an answer of a back end")).collect()
}

/// A port nobody listens on just now.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("an address").port()
}

/// A proxy that runs until it is dropped, with its folder.
pub struct Proxy {
    child: Child,
    folder: PathBuf,
    pub port: u16,
}

impl Proxy {
    /// Writes the configuration into a folder of its own and starts `command FOLDER/config`; `{folder}`
    /// in arguments and configuration is the folder.
    pub fn start(command: &str, args: &[&str], config: &str, port: u16) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("loadpath-products-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let place = folder.to_str().expect("UTF-8");
        std::fs::write(folder.join("config"), config.replace("{folder}", place)).expect("written");
        let log = std::fs::File::create(folder.join("log")).expect("a log");
        let child = Command::new(command)
            .args(args.iter().map(|arg| arg.replace("{folder}", place)))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("started");
        let mut proxy = Self { child, folder, port };
        proxy.await_port();
        proxy
    }

    fn await_port(&mut self) {
        let deadline = Instant::now() + 2 * PATIENCE;
        let to = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        while TcpStream::connect_timeout(&to, PATIENCE).is_err() {
            let ended = self.child.try_wait().expect("a child");
            let late = Instant::now() > deadline;
            assert!(ended.is_none() && !late, "the proxy does not listen: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The program's path: what the variable says, or the first of the search path and the folders of
/// daemons. Says so when there is none.
pub fn program(name: &str) -> Option<String> {
    let named = std::env::var(name.to_uppercase()).ok().filter(|path| !path.is_empty());
    let paths = std::env::var("PATH").unwrap_or_default();
    let found = named.or_else(|| {
        paths
            .split(':')
            .chain(["/usr/sbin", "/usr/local/sbin"])
            .map(|folder| format!("{folder}/{name}"))
            .find(|path| std::path::Path::new(path).is_file())
    });
    if found.is_none() {
        println!("{name}: not installed, nothing compared");
    }
    found
}
