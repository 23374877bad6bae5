//! OBS Studio as a publisher, on a virtual display, with a profile and a scene of its own.
//!
//! OBS is not told to quit while it streams (version 29 crashes then); its own output timer,
//! part of the scene collection, stops the stream as the button would.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use serde_json::json;

use crate::error::{Error, Result};
use crate::process::{Invocation, Process};
use crate::scratch::Scratch;

/// How long OBS streams, in seconds.
pub const STREAM_SECONDS: u32 = 10;

/// Start-up on software rendering takes a few seconds, on a busy machine many.
const LIMIT: Duration = Duration::from_secs(90);

/// OBS with the display it draws on. Fields are dropped in order: OBS before its display.
#[derive(Debug)]
pub struct Obs {
    obs: Process,
    _display: Process,
}

impl Obs {
    /// Starts OBS, which by itself starts to stream `clip` to the server at
    /// `application_url` under the name `stream`.
    pub fn start(
        scratch: &Scratch,
        clip: &Path,
        application_url: &str,
        stream: &str,
    ) -> Result<Self> {
        let home = scratch.file("obs-home");
        write_config(&home, clip, application_url, stream)?;
        let (display, display_name) = start_display(scratch)?;
        let home = home.display().to_string();
        let invocation = Invocation::tool("obs")?
            .args(["--multi", "--startstreaming", "--minimize-to-tray"])
            .args(["--profile", "Test", "--collection", "Test"])
            .env("DISPLAY", display_name)
            .env("HOME", home.clone())
            .env("XDG_CONFIG_HOME", format!("{home}/.config"))
            .env("XDG_RUNTIME_DIR", format!("{home}/run"))
            .env("QT_QPA_PLATFORM", "xcb")
            .env("LIBGL_ALWAYS_SOFTWARE", "1")
            // OBS looks for news about streaming services: a proxy that is not there keeps
            // the tests from talking to anyone.
            .env("https_proxy", "http://127.0.0.1:9")
            .env("http_proxy", "http://127.0.0.1:9");
        let obs = Process::start(scratch, "obs", &invocation, LIMIT)?;
        Ok(Self { obs, _display: display })
    }

    /// Waits until the server has accepted the stream.
    pub fn wait_flowing(&mut self) -> Result<()> {
        self.obs.wait_until("streaming to start", |obs| obs.output().contains("Streaming Start"))
    }

    /// Waits until OBS has stopped the stream by itself. It is ended with its guard: whether it can
    /// quit after that (version 29 at times hangs in it) says nothing about a server.
    pub fn finish(&mut self) -> Result<()> {
        self.obs.wait_until("streaming to stop", |obs| obs.output().contains("Streaming Stop"))
    }
}

fn start_display(scratch: &Scratch) -> Result<(Process, String)> {
    // Xvfb chooses a free display and writes its number to the descriptor named.
    let invocation = Invocation::tool("Xvfb")?.args([
        "-displayfd",
        "1",
        "-screen",
        "0",
        "1024x768x24",
        "-nolisten",
        "tcp",
    ]);
    let mut display = Process::start(scratch, "xvfb", &invocation, LIMIT)?;
    let number = |process: &Process| {
        let output = process.output();
        let line = output.lines().find(|line| line.parse::<u32>().is_ok());
        // Only a finished line is the whole number.
        line.filter(|_| output.ends_with('\n')).map(|line| format!(":{line}"))
    };
    display.wait_until("a display number", |process| number(process).is_some())?;
    let name = number(&display).unwrap_or_default();
    Ok((display, name))
}

fn write_config(home: &Path, clip: &Path, application_url: &str, stream: &str) -> Result<()> {
    let config = home.join(".config/obs-studio");
    let profile = config.join("basic/profiles/Test");
    let scenes = config.join("basic/scenes");
    let runtime = home.join("run");
    for directory in [&profile, &scenes, &runtime] {
        fs::create_dir_all(directory)
            .map_err(Error::io(format!("create {}", directory.display())))?;
    }
    // The specification of XDG_RUNTIME_DIR demands that nobody else may enter; Qt checks.
    fs::set_permissions(&runtime, fs::Permissions::from_mode(0o700))
        .map_err(Error::io("chmod the runtime directory"))?;

    let write = |path: &Path, text: &str| {
        fs::write(path, text).map_err(Error::io(format!("write {}", path.display())))
    };
    write(&config.join("global.ini"), GLOBAL)?;
    write(&profile.join("basic.ini"), PROFILE)?;
    let service = json!({
        "type": "rtmp_custom",
        "settings": { "server": application_url, "key": stream, "use_auth": false },
    });
    write(&profile.join("service.json"), &service.to_string())?;
    write(&scenes.join("Test.json"), &scene_collection(clip).to_string())
}

/// One scene with one source: the clip, in a loop. The timer stops the stream.
fn scene_collection(clip: &Path) -> serde_json::Value {
    json!({
        "name": "Test",
        "current_scene": "Scene",
        "current_program_scene": "Scene",
        "scene_order": [{ "name": "Scene" }],
        "sources": [
            {
                "id": "ffmpeg_source",
                "name": "Clip",
                "settings": { "local_file": clip, "looping": true, "hw_decode": false },
                "mixers": 255,
            },
            {
                "id": "scene",
                "name": "Scene",
                "settings": {
                    "id_counter": 1,
                    "items": [{
                        "id": 1,
                        "name": "Clip",
                        "visible": true,
                        "align": 5,
                        "pos": { "x": 0.0, "y": 0.0 },
                        "scale": { "x": 1.0, "y": 1.0 },
                    }],
                },
            },
        ],
        "transitions": [],
        "groups": [],
        "modules": {
            "output-timer": {
                "autoStartStreamTimer": true,
                "streamTimerHours": 0,
                "streamTimerMinutes": 0,
                "streamTimerSeconds": STREAM_SECONDS,
            },
        },
    })
}

/// Settings that keep every dialogue from opening: there is nobody to answer it.
const GLOBAL: &str = "[General]
FirstRun=true
LastVersion=486539266
InfoIncrement=1
ConfirmOnExit=false
EnableAutoUpdates=false
[Basic]
Profile=Test
ProfileDir=Test
SceneCollection=Test
SceneCollectionFile=Test
ConfigOnNewProfile=false
[BasicWindow]
WarnBeforeStartingStream=false
WarnBeforeStoppingStream=false
";

/// Small pictures and software x264 with a key frame every second and B-frames.
const PROFILE: &str = "[General]
Name=Test
[Output]
Mode=Simple
Reconnect=false
[SimpleOutput]
StreamEncoder=x264
VBitrate=800
ABitrate=96
UseAdvanced=true
Preset=veryfast
x264Settings=keyint=30 bframes=2
[Video]
BaseCX=640
BaseCY=360
OutputCX=640
OutputCY=360
FPSType=0
FPSCommon=30
[Audio]
SampleRate=48000
ChannelSetup=Stereo
";
