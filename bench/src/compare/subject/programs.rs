//! Where the programs are, what is missing, and which versions they are.

use super::Family;
use crate::compare::error::Error;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// nginx's module, where Debian puts it.
const NGINX_MODULE: &str = "/usr/lib/nginx/modules/ngx_rtmp_module.so";

/// Where the programs are.
#[derive(Clone, Debug)]
pub struct Programs {
    /// The load generator.
    pub loadtest: PathBuf,
    millstream: PathBuf,
    bare: PathBuf,
    tools: PathBuf,
    /// SRS's binary, if one was named.
    pub srs: Option<PathBuf>,
    /// ZLMediaKit's `MediaServer`, likewise.
    pub zlmediakit: Option<PathBuf>,
    /// MediaMTX's binary, likewise.
    pub mediamtx: Option<PathBuf>,
}

impl Programs {
    /// This project's programs in one folder, others in the folder of tools.
    pub fn beside(folder: &Path, tools: &Path) -> Self {
        Self {
            loadtest: folder.join("loadtest"),
            millstream: folder.join("millstream"),
            bare: folder.join("bare"),
            tools: tools.to_owned(),
            srs: None,
            zlmediakit: None,
            mediamtx: None,
        }
    }

    /// The file that a server is: its program, or for Node-Media-Server its package.
    ///
    /// # Errors
    /// If it is not on this machine.
    pub fn of(&self, family: Family) -> Result<PathBuf, Error> {
        let unnamed = || PathBuf::from("a path to it");
        let wanted = match family {
            Family::Millstream => self.millstream.clone(),
            Family::Bare => self.bare.clone(),
            Family::Nginx => {
                there(NGINX_MODULE.into())?;
                in_path("nginx")?
            }
            Family::NodeMediaServer2 | Family::NodeMediaServer4 => {
                in_path("node")?;
                let series = if family == Family::NodeMediaServer2 { 2 } else { 4 };
                self.tools
                    .join(format!("node-media-server-{series}/node_modules/node-media-server"))
            }
            Family::Xiu => self.tools.join("xiu/bin/xiu"),
            Family::Srs => self.srs.clone().unwrap_or_else(unnamed),
            Family::ZlMediaKit => self.zlmediakit.clone().unwrap_or_else(unnamed),
            Family::MediaMtx => self.mediamtx.clone().unwrap_or_else(unnamed),
        };
        there(wanted)
    }

    /// How to bring it here.
    pub fn how_to_install(family: Family) -> &'static str {
        match family {
            Family::Millstream | Family::Bare => "cargo build --release -p millstream -p bench",
            Family::Nginx => "bench/compare --install-peers (Debian: nginx, libnginx-mod-rtmp)",
            Family::NodeMediaServer2 | Family::NodeMediaServer4 | Family::Xiu => {
                "bench/compare --install-peers"
            }
            Family::Srs => "--srs PATH of its binary",
            Family::ZlMediaKit => "--zlmediakit PATH of its MediaServer",
            Family::MediaMtx => "--mediamtx PATH of its binary",
        }
    }

    /// Its version, as it or its package says.
    pub fn version(&self, family: Family) -> String {
        let Ok(program) = self.of(family) else { return "not here".to_owned() };
        let said = |arguments: &[&str]| said(Command::new(&program).args(arguments));
        let version = match family {
            Family::Millstream | Family::Bare | Family::MediaMtx => said(&["--version"]),
            Family::Nginx => {
                let module = said_by("dpkg-query", &["-W", "-f=${Version}", "libnginx-mod-rtmp"]);
                Some(format!("{}, module {}", said(&["-v"]).unwrap_or_default(), text(module)))
            }
            Family::NodeMediaServer2 | Family::NodeMediaServer4 => {
                let node = text(said_by("node", &["--version"]));
                package_version(&program).map(|version| format!("{version}, node {node}"))
            }
            // It prints a constant of an older release; cargo's list says which one it is.
            Family::Xiu => cargo_installed(&self.tools.join("xiu/.crates.toml")),
            Family::Srs | Family::ZlMediaKit => said(&["-v"]),
        };
        text(version)
    }
}

fn text(said: Option<String>) -> String {
    said.filter(|text| !text.is_empty()).unwrap_or_else(|| "unknown".to_owned())
}

fn there(path: PathBuf) -> Result<PathBuf, Error> {
    if path.exists() { Ok(path) } else { Err(Error::Missing(path)) }
}

/// A program of the search path; Debian keeps servers where users' paths do not lead.
fn in_path(name: &str) -> Result<PathBuf, Error> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    let found = folders.map(|folder: PathBuf| folder.join(name)).find(|file| file.is_file());
    found.ok_or_else(|| Error::Missing(name.into()))
}

/// The first line that a program says, on either output.
fn said(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    let bytes = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    let text = String::from_utf8_lossy(&bytes);
    Some(text.lines().next()?.trim().to_owned())
}

fn said_by(name: &str, arguments: &[&str]) -> Option<String> {
    said(Command::new(in_path(name).ok()?).args(arguments))
}

fn package_version(package: &Path) -> Option<String> {
    let text = fs::read_to_string(package.join("package.json")).ok()?;
    let json: serde_json::Value = serde_json::from_str(&text).ok()?;
    Some(json["version"].as_str()?.to_owned())
}

/// The version in a line such as `"xiu 0.14.0 (registry+...)" = ["xiu"]`.
fn cargo_installed(list: &Path) -> Option<String> {
    let text = fs::read_to_string(list).ok()?;
    let entry = text.lines().find_map(|line| line.strip_prefix("\"xiu "))?;
    Some(entry.split_whitespace().next()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_said_with_a_way_to_get_it() {
        let programs = Programs::beside(Path::new("/nonexistent"), Path::new("/nonexistent"));
        for family in [Family::Millstream, Family::Xiu, Family::Srs, Family::NodeMediaServer4] {
            assert!(matches!(programs.of(family), Err(Error::Missing(_))), "{family:?}");
            assert_eq!(programs.version(family), "not here");
            assert!(!Programs::how_to_install(family).is_empty());
        }
    }

    #[test]
    fn the_first_line_is_the_version() {
        assert_eq!(said(Command::new("echo").arg("one\ntwo")).as_deref(), Some("one"));
        assert!(in_path("sh").is_ok() && in_path("no-such-program").is_err());
    }
}
