//! What the compiler does not hold: which part may name which, where unsafe code may stand, how
//! large files are, and that every file says what belongs in it.

#![expect(clippy::unwrap_used, reason = "a file that cannot be read is a failed test")]

use std::fs;
use std::path::{Path, PathBuf};

/// A folder of `src` and the parts of the crate that it may not name.
const DIRECTIONS: &[(&str, &[&str])] = &[
    // The heart knows no protocol, no socket and, of the shards, the mailbox only.
    (
        "src/stream",
        &["crate::ingest", "crate::egress", "crate::net", "crate::control", "crate::hook"],
    ),
    ("src/ingest", &["crate::egress", "crate::net", "crate::shard", "crate::control"]),
    ("src/egress", &["crate::ingest", "crate::net", "crate::control"]),
    (
        "src/control",
        &["crate::stream", "crate::shard", "crate::net", "crate::ingest", "crate::egress"],
    ),
    ("src/slate", &["crate::shard", "crate::egress", "crate::net", "crate::control"]),
    ("src/net", &["crate::stream", "crate::ingest", "crate::egress", "crate::control"]),
    (
        "src/pull",
        &["crate::shard", "crate::net", "crate::ingest", "crate::control", "crate::outbound"],
    ),
    ("src/capture", &["crate::shard", "crate::stream", "crate::net", "crate::control"]),
    ("src/client", &["crate::shard", "crate::stream", "crate::net", "crate::capture"]),
    ("src/outbound", &["crate::stream", "crate::egress", "crate::net", "crate::control"]),
    (
        "src/proxy",
        &[
            "crate::server",
            "crate::hook",
            "crate::egress",
            "crate::control",
            "crate::shard::runtime",
        ],
    ),
    ("src/inspect", &["crate::shard", "crate::stream", "crate::net", "crate::client"]),
    ("src/stats", &["crate::shard", "crate::stream", "crate::net", "crate::control"]),
    // Helpers reach the server by RTMP only, as anybody does; of streams they hear who wants them.
    ("src/helper", &["crate::shard", "crate::net", "crate::control", "crate::egress", "tokio"]),
];

/// The folders that may name the runtime of the shards.
const NAME_MONOIO: &[&str] = &["src/net", "src/shard"];

/// The files that may hold unsafe code.
const UNSAFE: &[&str] =
    &["src/stream/slab.rs", "src/stream/segment.rs", "src/net/socket.rs", "src/net/listener.rs"];

/// The libraries: no runtime, no socket, no clock, no unsafe code.
const LIBRARIES: &[&str] =
    &["crates/amf0", "crates/amf3", "crates/rtmp", "crates/flv", "crates/media"];

/// Where the client's library may name sockets, clocks and threads; all else of it has none.
const CLIENT_IO: &[&str] = &["crates/client/src/blocking", "crates/client/src/reconnect.rs"];

/// Lines of a file. At 600 one asks why.
const LINES_MAX: usize = 600;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && name != "target" {
                folders.push(path);
            } else if name.ends_with(".rs") {
                found.push(path);
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has Rust files");
    found
}

/// Lines of code, without comments.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().to_string_lossy().into_owned()
}

fn within(path: &Path, folders: &[&str]) -> bool {
    folders.iter().any(|folder| path.starts_with(root().join(folder)))
}

#[test]
fn parts_name_only_what_they_may() {
    let mut faults = Vec::new();
    for (folder, forbidden) in DIRECTIONS {
        for path in rust_files(folder) {
            let code = code(&path);
            for name in *forbidden {
                if code.contains(name) {
                    faults.push(format!("{} names {name}", relative(&path)));
                }
            }
            let shard = "crate::shard::";
            if *folder == "src/stream" || *folder == "src/egress" {
                for at in code.match_indices(shard).map(|(at, _)| at + shard.len()) {
                    if !code[at..].starts_with("mailbox") {
                        faults
                            .push(format!("{} names more of shard than mailbox", relative(&path)));
                    }
                }
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn the_runtime_stands_in_two_folders() {
    let faults: Vec<String> = rust_files("src")
        .into_iter()
        .filter(|path| !within(path, NAME_MONOIO) && code(path).contains("monoio"))
        .map(|path| relative(&path))
        .collect();
    assert!(faults.is_empty(), "monoio is named in {faults:#?}");
}

#[test]
fn unsafe_code_stands_in_few_files() {
    let faults: Vec<String> = rust_files("src")
        .into_iter()
        .filter(|path| !UNSAFE.contains(&&*relative(path)))
        .filter(|path| code(path).contains("unsafe"))
        .map(|path| relative(&path))
        .collect();
    assert!(faults.is_empty(), "unsafe code in {faults:#?}");
}

#[test]
fn libraries_have_no_runtime_no_socket_no_clock() {
    let mut faults = Vec::new();
    for library in LIBRARIES {
        let page = fs::read_to_string(root().join(library).join("src/lib.rs")).unwrap();
        assert!(page.contains("#![forbid(unsafe_code)]"), "{library} forbids unsafe code");
        for path in rust_files(&format!("{library}/src")) {
            let code = code(&path);
            for name in
                ["monoio", "tokio", "std::net", "std::time::Instant", "SystemTime", "std::thread"]
            {
                if code.contains(name) {
                    faults.push(format!("{} names {name}", relative(&path)));
                }
            }
        }
        let manifest = fs::read_to_string(root().join(library).join("Cargo.toml")).unwrap();
        for name in ["monoio", "tokio", "socket2", "rustix"] {
            assert!(!manifest.contains(name), "{library} depends on {name}");
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn the_client_has_no_runtime_and_its_io_stands_apart() {
    let page = fs::read_to_string(root().join("crates/client/src/lib.rs")).unwrap();
    assert!(page.contains("#![forbid(unsafe_code)]"));
    let mut faults = Vec::new();
    for path in rust_files("crates/client/src") {
        let code = code(&path);
        let io: &[&str] = if within(&path, CLIENT_IO) {
            &[]
        } else {
            &["TcpStream", "std::time::Instant", "SystemTime", "std::thread"]
        };
        for name in ["monoio", "tokio", "async_std", "smol"].iter().chain(io) {
            if code.contains(name) {
                faults.push(format!("{} names {name}", relative(&path)));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
    let manifest = fs::read_to_string(root().join("crates/client/Cargo.toml")).unwrap();
    let (dependencies, _) = manifest.split_once("[dev-dependencies]").unwrap();
    for name in ["monoio", "tokio", "async-std", "mio", "smol"] {
        assert!(!dependencies.contains(name), "the client depends on {name}");
    }
}

/// What `docs/from-elixir.md` shortens, and what it means.
const SHORTENED: &[(&str, &str)] = &[
    ("amf0/", "crates/amf0/tests/"),
    ("amf3/", "crates/amf3/tests/"),
    ("flv/", "crates/flv/tests/"),
    ("wire/", "crates/rtmp/tests/wire/"),
    ("sessions/", "crates/rtmp/tests/sessions/"),
    ("forms/", "crates/client/tests/forms/"),
    ("hook/", "tests/hook/"),
    ("scenarios/", "tests/scenarios/"),
    ("clients/", "tests/clients/"),
    ("commands/", "tests/commands/"),
    ("hostile/", "tests/hostile/"),
    ("proxy/", "tests/proxy/"),
];

/// The file of a test as the page names it.
fn file_of(place: &str) -> PathBuf {
    let shortened = SHORTENED.iter().find_map(|(short, folder)| {
        place.strip_prefix(short).map(|rest| format!("{folder}{rest}.rs"))
    });
    root().join(shortened.unwrap_or_else(|| place.to_owned()))
}

#[test]
fn every_test_that_a_page_names_is_there() {
    let page = fs::read_to_string(root().join("docs/from-elixir.md")).unwrap();
    let mut faults = Vec::new();
    let mut named = 0;
    for name in page.split('`').skip(1).step_by(2) {
        // A test has its file in front; types of the crates have a path of names there.
        let Some((place, test)) = name.split_once("::").filter(|(place, _)| place.contains('/'))
        else {
            continue;
        };
        named += 1;
        let text = fs::read_to_string(file_of(place)).unwrap_or_default();
        if !text.contains(&format!("fn {test}(")) {
            faults.push(name);
        }
    }
    assert!(named > 100, "only {named} tests were found in the page");
    assert!(faults.is_empty(), "named and not there: {faults:#?}");
}

#[test]
fn every_file_says_what_belongs_in_it() {
    let mut faults = Vec::new();
    for folder in ["src", "crates", "tests", "loadtest", "bench"] {
        for path in rust_files(folder) {
            let text = fs::read_to_string(&path).unwrap();
            if !text.starts_with("//!") && !text.starts_with("#!") {
                faults.push(format!("{}: no page", relative(&path)));
            }
            if text.lines().count() > LINES_MAX {
                faults.push(format!("{}: more than {LINES_MAX} lines", relative(&path)));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}
