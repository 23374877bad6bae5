//! The servers that are compared, each with one setting. How a program is told its setting stands
//! in a file of its own beneath; what is put on it, elsewhere.

mod bare;
mod mediamtx;
mod millstream;
mod nginx;
mod node_media_server;
mod programs;
mod srs;
mod xiu;
mod zlmediakit;

pub use programs::Programs;

use super::error::Error;
use super::scene::Joining;
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A server with one setting.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// What it is called: the family's name, and the setting's.
    pub id: &'static str,
    /// Which program it is.
    pub family: Family,
    /// How it is set, in words.
    pub about: &'static str,
    /// The setting as the family's file understands it: options, or lines of a configuration.
    setting: &'static [&'static str],
    /// The cores that it runs on.
    pub cores: &'static [usize],
}

/// A program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// The server of this project.
    Millstream,
    /// The bare sender.
    Bare,
    /// nginx with its RTMP module.
    Nginx,
    /// Node-Media-Server of series 2.
    NodeMediaServer2,
    /// Node-Media-Server of series 4.
    NodeMediaServer4,
    /// xiu.
    Xiu,
    /// SRS.
    Srs,
    /// ZLMediaKit.
    ZlMediaKit,
    /// MediaMTX.
    MediaMtx,
}

impl Subject {
    /// Whether it is its program without a setting of its own.
    pub fn is_default(&self) -> bool {
        self.about.starts_with("defaults")
    }
}

impl Family {
    /// All of them, in the order to show.
    pub const ALL: [Self; 9] = [
        Self::Millstream,
        Self::Bare,
        Self::Nginx,
        Self::NodeMediaServer2,
        Self::NodeMediaServer4,
        Self::Xiu,
        Self::Srs,
        Self::ZlMediaKit,
        Self::MediaMtx,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Millstream => "millstream",
            Self::Bare => "bare sender",
            Self::Nginx => "nginx-rtmp",
            Self::NodeMediaServer2 => "Node-Media-Server 2",
            Self::NodeMediaServer4 => "Node-Media-Server 4",
            Self::Xiu => "xiu",
            Self::Srs => "SRS",
            Self::ZlMediaKit => "ZLMediaKit",
            Self::MediaMtx => "MediaMTX",
        }
    }

    /// Whether it is neither the server of this project nor its floor.
    pub fn is_peer(self) -> bool {
        !matches!(self, Self::Millstream | Self::Bare)
    }

    /// What its own documents say about settings, and what was seen of it here.
    pub fn remark(self) -> &'static str {
        match self {
            Self::Millstream | Self::Bare => "",
            Self::Nginx => nginx::REMARK,
            Self::NodeMediaServer2 | Self::NodeMediaServer4 => node_media_server::REMARK,
            Self::Xiu => xiu::REMARK,
            Self::Srs => srs::REMARK,
            Self::ZlMediaKit => zlmediakit::REMARK,
            Self::MediaMtx => mediamtx::REMARK,
        }
    }

    /// How fast players come to it, as seen on a busy machine of two cores: other servers begin with
    /// the next key frame, up to two seconds later, or send so much that joining is slow.
    pub fn joining(self) -> Joining {
        if self.is_peer() {
            Joining { per_second: 400.0, first_frame_s: 2.0 }
        } else {
            Joining { per_second: 2000.0, first_frame_s: 0.0 }
        }
    }

    /// From the publisher's first frame until players may come.
    pub fn lead(self) -> Duration {
        match self {
            // It looks at two seconds of a stream before it shows it.
            Self::MediaMtx => Duration::from_millis(2500),
            _ => Duration::from_millis(300),
        }
    }
}

/// The server runs here, the load elsewhere.
const ONE_CORE: &[usize] = &[0];
/// With the load on the second of them.
const TWO_CORES: &[usize] = &[0, 1];

const fn subject(
    id: &'static str,
    family: Family,
    about: &'static str,
    setting: &'static [&'static str],
) -> Subject {
    Subject { id, family, about, setting, cores: ONE_CORE }
}

/// Everything that can be compared.
pub const SUBJECTS: &[Subject] = &[
    subject("millstream-0", Family::Millstream, "every message at once", &["--latency-budget=0"]),
    subject("millstream", Family::Millstream, "defaults: audio rides, adaptive pacing", &[]),
    subject("millstream-100ms", Family::Millstream, "100 ms", &["--latency-budget=100ms"]),
    subject("millstream-350ms", Family::Millstream, "350 ms", &["--latency-budget=350ms"]),
    Subject {
        cores: TWO_CORES,
        ..subject("millstream-2-shards", Family::Millstream, "defaults, cores 0 and 1", &[])
    },
    subject("bare-0", Family::Bare, "every message at once", &["--policy=at-once"]),
    subject("bare", Family::Bare, "audio rides on video", &["--policy=ride"]),
    subject("bare-100ms", Family::Bare, "100 ms window", &["--policy=window", "--window=100ms"]),
    subject("bare-350ms", Family::Bare, "350 ms window", &["--policy=window", "--window=350ms"]),
    subject(
        "bare-350ms-sendfile",
        Family::Bare,
        "350 ms window, sendfile",
        &["--policy=window", "--window=350ms", "--sendfile"],
    ),
    subject("nginx", Family::Nginx, "defaults", nginx::DEFAULTS),
    subject("nginx-low-delay", Family::Nginx, "low delay", nginx::LOW_DELAY),
    subject("nginx-throughput", Family::Nginx, "high throughput", nginx::THROUGHPUT),
    subject("nms-2", Family::NodeMediaServer2, "defaults; it has no others for this", &[]),
    subject("nms-4", Family::NodeMediaServer4, "defaults; it has no others for this", &[]),
    subject("xiu", Family::Xiu, "defaults; it has no others for this", &[]),
    subject("srs", Family::Srs, "defaults", srs::DEFAULTS),
    subject("srs-low-delay", Family::Srs, "low delay", srs::LOW_DELAY),
    subject("srs-throughput", Family::Srs, "high throughput", srs::THROUGHPUT),
    subject("zlmediakit", Family::ZlMediaKit, "defaults: low delay", zlmediakit::DEFAULTS),
    subject("zlmediakit-merge", Family::ZlMediaKit, "high throughput", zlmediakit::THROUGHPUT),
    subject("mediamtx", Family::MediaMtx, "defaults", mediamtx::DEFAULTS),
    subject("mediamtx-throughput", Family::MediaMtx, "high throughput", mediamtx::THROUGHPUT),
];

/// The subject of this name.
pub fn find(id: &str) -> Option<&'static Subject> {
    SUBJECTS.iter().find(|subject| subject.id == id)
}

/// Where a server is to listen and what it may write.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The address.
    pub address: Ipv4Addr,
    /// The RTMP port.
    pub port: u16,
    /// Another free port, for a status page or what cannot be turned off.
    pub other_port: u16,
    /// An empty folder of its own.
    pub folder: &'a Path,
}

impl Place<'_> {
    /// Writes a file into the folder.
    fn write(&self, name: &str, text: &str) -> Result<PathBuf, Error> {
        let path = self.folder.join(name);
        fs::write(&path, text).map_err(Error::io(format!("write {}", path.display())))?;
        Ok(path)
    }
}

impl Subject {
    /// What starts it there. Its files are written.
    ///
    /// # Errors
    /// If the program is missing or a file cannot be written.
    pub fn command(&self, programs: &Programs, place: Place<'_>) -> Result<Command, Error> {
        let program = programs.of(self.family)?;
        match self.family {
            Family::Millstream => millstream::command(&program, self.setting, self.cores, place),
            Family::Bare => Ok(bare::command(&program, self.setting, self.cores, place)),
            Family::Nginx => nginx::command(&program, self.setting, place),
            Family::NodeMediaServer2 => node_media_server::command(&program, 2, place),
            Family::NodeMediaServer4 => node_media_server::command(&program, 4, place),
            Family::Xiu => Ok(xiu::command(&program, place)),
            Family::Srs => srs::command(&program, self.setting, place),
            Family::ZlMediaKit => zlmediakit::command(&program, self.setting, place),
            Family::MediaMtx => mediamtx::command(&program, self.setting, place),
        }
    }

    /// The setting as it is given to the program, for the report.
    pub fn settings(&self) -> String {
        self.setting.join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_each_family_has_a_subject() {
        for (at, subject) in SUBJECTS.iter().enumerate() {
            assert!(
                SUBJECTS[at + 1..].iter().all(|other| other.id != subject.id),
                "{}",
                subject.id
            );
            assert!(find(subject.id).is_some());
        }
        for family in Family::ALL {
            assert!(SUBJECTS.iter().any(|subject| subject.family == family), "{family:?}");
            assert_eq!(family.is_peer(), !family.remark().is_empty(), "{family:?}");
        }
    }

    #[test]
    fn configurations_name_the_address_and_the_setting() {
        let folder = std::env::temp_dir().join(format!("subjects-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let mut programs = Programs::beside(Path::new("/bin"), Path::new("/nonexistent"));
        programs.srs = Some("/bin/true".into());
        programs.zlmediakit = Some("/bin/true".into());
        programs.mediamtx = Some("/bin/true".into());
        let place = Place {
            address: Ipv4Addr::new(10, 1, 2, 3),
            port: 23456,
            other_port: 23457,
            folder: &folder,
        };
        for (id, file, expected) in [
            ("srs-low-delay", "srs.conf", &["listen 10.1.2.3:23456;", "min_latency on;"][..]),
            ("zlmediakit-merge", "zlmediakit.ini", &["port=23456", "mergeWriteMS=300"]),
            ("mediamtx", "mediamtx.yml", &["rtmpAddress: 10.1.2.3:23456"]),
        ] {
            find(id).unwrap().command(&programs, place).unwrap();
            let text = fs::read_to_string(folder.join(file)).unwrap();
            for expected in expected {
                assert!(text.contains(expected), "{id}: {text}");
            }
        }
        fs::remove_dir_all(&folder).unwrap();
        let missing = find("xiu").unwrap().command(&programs, place);
        assert!(matches!(missing, Err(Error::Missing(_))), "{missing:?}");
    }
}
