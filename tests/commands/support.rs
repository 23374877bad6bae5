//! A server process, commands beside it, files for them, and all that they said.

use bytes::{Bytes, BytesMut};
use millstream_flv::{Header, Item, Reader, ScriptData, Tag, TagKind, Writer};
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// A directory that goes away with the test.
pub struct Directory(PathBuf);

impl Directory {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("millstream-commands-{}-{next}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// All bytes of all files in it.
    pub fn contents(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        let mut ahead = vec![self.0.clone()];
        while let Some(path) = ahead.pop() {
            if path.is_dir() {
                ahead.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            } else {
                found.push((path.clone(), fs::read(&path).unwrap()));
            }
        }
        found
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A server on a port of its own, whose words go to a file.
pub struct Server {
    child: Child,
    pub port: u16,
    log: PathBuf,
}

impl Server {
    /// Starts one with these options besides its addresses.
    pub fn start(directory: &Directory, options: &[&str]) -> Self {
        let [port, http] = [(); 2].map(|()| free_port());
        let path = directory.path("server.log");
        let log = fs::File::create(&path).unwrap();
        let child = millstream()
            .args(["serve", "--log", "debug", "--rtmp", &format!("127.0.0.1:{port}")])
            .args(["--http", &format!("127.0.0.1:{http}")])
            .args(options)
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let server = Self { child, port, log: path };
        let since = Instant::now();
        while TcpStream::connect(("127.0.0.1", http)).is_err() {
            assert!(since.elapsed() < PATIENCE, "the server does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    /// Waits until so many plays have begun since the start.
    pub fn wait_for_plays(&self, count: usize) {
        let since = Instant::now();
        let plays = || fs::read_to_string(&self.log).unwrap().matches("play started").count();
        while plays() < count {
            assert!(since.elapsed() < PATIENCE, "{} plays", plays());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn url(&self, name: &str) -> String {
        format!("rtmp://127.0.0.1:{}/live/{name}", self.port)
    }

    /// Ends it as an operator would, and waits until all is written.
    pub fn stop(mut self) {
        interrupt(&self.child);
        assert!(wait(&mut self.child).success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command that runs beside the test.
pub struct Running(Option<Child>);

impl Running {
    pub fn start<const N: usize>(args: [&str; N]) -> Self {
        let mut command = millstream();
        command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self(Some(command.spawn().unwrap()))
    }

    pub fn interrupt(&self) {
        interrupt(self.0.as_ref().unwrap());
    }

    /// Waits for its end.
    pub fn output(mut self) -> Ended {
        let child = self.0.take().unwrap();
        // What the commands say fits into a pipe, except for streams, which are read as they come.
        let since = Instant::now();
        let watched = child.id();
        let watch = std::thread::spawn(move || child.wait_with_output().unwrap());
        while !watch.is_finished() {
            assert!(since.elapsed() < PATIENCE, "process {watched} does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
        Ended::from(watch.join().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A command that reads what the test writes.
pub struct Piped(Running);

impl Piped {
    pub fn start<const N: usize>(args: [&str; N]) -> Self {
        let mut command = millstream();
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self(Running(Some(command.spawn().unwrap())))
    }

    pub fn write(&mut self, bytes: &[u8]) {
        let stdin = self.0.0.as_mut().unwrap().stdin.as_mut().unwrap();
        stdin.write_all(bytes).unwrap();
        stdin.flush().unwrap();
    }

    /// A line of its standard output.
    pub fn read_line(&mut self) -> String {
        let stdout = self.0.0.as_mut().unwrap().stdout.as_mut().unwrap();
        let (mut line, mut byte) = (Vec::new(), [0]);
        // Byte by byte, for what is behind the line belongs to nobody yet.
        while !line.ends_with(b"\n") {
            stdout.read_exact(&mut byte).unwrap();
            line.extend(byte);
        }
        String::from_utf8(line).unwrap()
    }

    /// Lets nobody read its standard output any more.
    pub fn close_output(&mut self) {
        drop(self.0.0.as_mut().unwrap().stdout.take());
    }

    pub fn interrupt(&self) {
        self.0.interrupt();
    }

    /// Waits for its end, with its standard input still open.
    pub fn output(mut self) -> Ended {
        let stdin = self.0.0.as_mut().unwrap().stdin.take();
        let ended = self.0.output();
        drop(stdin);
        ended
    }
}

/// A command that has ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: Vec<u8>,
    pub said: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        Self { code: output.status.code(), stdout: output.stdout, said }
    }
}

impl Ended {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }
}

/// Runs a command to its end.
pub fn run<const N: usize>(args: [&str; N]) -> Ended {
    Running::start(args).output()
}

/// Runs a command with something on its standard input.
pub fn run_with_input<const N: usize>(args: [&str; N], input: &[u8]) -> Ended {
    let mut command = millstream();
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    Running(Some(child)).output()
}

fn millstream() -> Command {
    Command::new(env!("CARGO_BIN_EXE_millstream"))
}

fn interrupt(child: &Child) {
    let pid = rustix::process::Pid::from_child(child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
}

fn wait(child: &mut Child) -> std::process::ExitStatus {
    let since = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        assert!(since.elapsed() < PATIENCE, "process {} does not end", child.id());
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// A film of so many pictures, 25 a second with a key frame every ten, and the sound to it.
pub fn film(pictures: u32) -> Vec<Tag> {
    let mut metadata = BytesMut::new();
    let width = millstream_amf0::Object::new().with("width", 320.0).with("encoder", "the tests");
    ScriptData::new("onMetaData", width).write(&mut metadata).unwrap();
    let tag = |kind, timestamp, payload: &[u8]| {
        let payload = Bytes::copy_from_slice(payload);
        Tag { kind, timestamp, payload }
    };
    let mut tags = vec![
        tag(TagKind::Script, 0, &metadata),
        tag(TagKind::Video, 0, &[b"\x17\0\0\0\0", AVC_CONFIGURATION].concat()),
        tag(TagKind::Audio, 0, b"\xaf\0\x12\x10"),
    ];
    let mut sounds = 0;
    for picture in 0..pictures {
        let time = picture * 40;
        while sounds * 23 < time {
            tags.push(tag(TagKind::Audio, sounds * 23, &body(b"\xaf\x01", sounds, 200)));
            sounds += 1;
        }
        let (begin, length) = if picture % 10 == 0 {
            (&b"\x17\x01\0\0\0"[..], 5000)
        } else {
            (&b"\x27\x01\0\0\0"[..], 700)
        };
        tags.push(tag(TagKind::Video, time, &body(begin, picture, length)));
    }
    tags
}

/// A payload that no other one equals.
fn body(begin: &[u8], number: u32, length: usize) -> Vec<u8> {
    let mut bytes = begin.to_vec();
    bytes.extend_from_slice(&number.to_be_bytes());
    bytes.extend((0..length).map(|at| (at as u32).wrapping_mul(number + 7) as u8));
    bytes
}

/// An AVCDecoderConfigurationRecord as x264 writes it, for 320 x 240.
const AVC_CONFIGURATION: &[u8] = &[
    0x01, 0xf4, 0x00, 0x0d, 0xff, 0xe1, 0x00, 0x19, 0x67, 0xf4, 0x00, 0x0d, 0x91, 0x9b, 0x28, 0x28,
    0x3f, 0x60, 0x22, 0x00, 0x00, 0x03, 0x00, 0x02, 0x00, 0x00, 0x03, 0x00, 0x64, 0x1e, 0x28, 0x53,
    0x2c, 0x01, 0x00, 0x06, 0x68, 0xeb, 0xe3, 0xc4, 0x48, 0x44, 0xff, 0xf8, 0xf8, 0x00,
];

pub fn write_flv(path: &Path, tags: &[Tag]) {
    let mut file = BytesMut::new();
    let mut writer = Writer::new();
    writer.header(Header { audio: true, video: true }, &mut file);
    for tag in tags {
        writer.tag(tag.kind, tag.timestamp, &tag.payload, &mut file).unwrap();
    }
    fs::write(path, &file).unwrap();
}

pub fn read_flv(bytes: &[u8]) -> (Header, Vec<Tag>) {
    let mut reader = Reader::new();
    let mut input = bytes;
    let (mut header, mut tags) = (None, Vec::new());
    while let Some(item) = reader.read(&mut input).unwrap() {
        match item {
            Item::Header(found) => header = Some(found),
            Item::Tag(tag) => tags.push(tag),
        }
    }
    assert_eq!(reader.buffered_bytes(), 0, "the file ends within a tag");
    assert_eq!(reader.skipped_bytes(), 0, "the file is damaged");
    (header.unwrap(), tags)
}

/// The sound and pictures of a film, by kind.
pub fn media(tags: &[Tag], kind: TagKind) -> Vec<&Tag> {
    tags.iter().filter(|tag| tag.kind == kind).collect()
}
