//! The two tables of the status page: streams and shards.

use std::fmt::Write as _;

use super::format::{Text, bitrate, bytes, count, span};
use super::{Page, percent};
use crate::limits::PAGE_STREAMS_MAX;
use crate::role::Role;
use crate::stats::snapshot::{ShardSnapshot, StreamSnapshot};
use crate::stats::{AudioInfo, State, StreamInfo, VideoInfo};

impl Page<'_> {
    pub(super) fn write_streams(&self, html: &mut String) -> std::fmt::Result {
        html.push_str("<h2>Streams</h2>\n<div class=\"card\">");
        if self.streams.is_empty() {
            self.write_invitation(html)?;
        } else {
            html.push_str(
                "<table><thead><tr><th>Stream<th>State<th class=\"n\">Viewers<th>Video<th>Audio\
                 <th class=\"n\">Incoming<th class=\"n\">Sent<th class=\"n\">Dropped\
                 <th class=\"n\">Skips<th class=\"n\">Hung up</tr></thead>\n<tbody>\n",
            );
            for stream in self.streams.iter().take(PAGE_STREAMS_MAX) {
                self.write_stream(html, stream)?;
            }
            html.push_str("</tbody></table>");
            if self.streams.len() > PAGE_STREAMS_MAX {
                let more = self.streams.len() - PAGE_STREAMS_MAX;
                write!(html, "<p class=\"soft\">and {more} more; the JSON has them all.</p>")?;
            }
        }
        html.push_str("</div>\n");
        Ok(())
    }

    fn write_stream(&self, html: &mut String, stream: &StreamSnapshot) -> std::fmt::Result {
        let state = stream.info.state;
        // One that was never published has been in no other state.
        let since = match stream.info.since_unix_ms {
            0 => String::new(),
            since_unix_ms => span(self.now_unix_ms.saturating_sub(since_unix_ms) / 1000),
        };
        let rate = if state == State::Live { bitrate(stream.bitrate) } else { "\u{2013}".into() };
        write!(html, "<tr><th scope=\"row\">{}", stream.name)?;
        if let Some(base) = &self.rtmp_base {
            write!(html, "<br><code class=\"soft\">{}/{}</code>", Text(base), stream.name)?;
        }
        write!(
            html,
            "</th><td title=\"{}\"><span class=\"state {label}\">{label}</span>{}<br>\
             <span class=\"soft\">{}</span></td><td class=\"n\">{}</td><td>{}</td><td>{}</td>\
             <td class=\"n\">{rate}</td><td class=\"n\">{}</td>",
            Text(&publisher(&stream.info)),
            source(stream),
            since,
            count(stream.viewers),
            video(stream.info.video.as_ref()),
            audio(stream.info.audio.as_ref()),
            bytes(stream.bytes_out),
            label = state.label(),
        )?;
        for value in [stream.dropped_frames, stream.skips, stream.hang_ups] {
            write_trouble(html, value)?;
        }
        html.write_str("</tr>\n")
    }

    pub(super) fn write_shards(&self, html: &mut String) -> std::fmt::Result {
        html.push_str(
            "<h2>Shards</h2>\n<div class=\"card\"><table><thead><tr><th>Shard<th class=\"n\">Core\
             <th>Load<th class=\"n\">Pacing window<th class=\"n\">Connections\
             <th class=\"n\">Publishers<th class=\"n\">Players<th class=\"n\">Received\
             <th class=\"n\">Sent<th class=\"n\">Dropped<th class=\"n\">Skips\
             <th class=\"n\">Hung up<th class=\"n\">Refused</tr></thead>\n<tbody>\n",
        );
        for shard in &self.shards {
            write_shard(html, shard)?;
        }
        html.push_str("</tbody></table></div>\n");
        Ok(())
    }
}

/// Who feeds the stream, where it is not the usual one, and how many wait.
fn source(stream: &StreamSnapshot) -> String {
    let mut text = match stream.info.source {
        None | Some(Role::Primary) => String::new(),
        Some(role) => format!(" <strong>{}</strong>", role.label()),
    };
    if stream.waiting_publishers > 0 {
        text += &format!(" <span class=\"soft\">+{} waiting</span>", stream.waiting_publishers);
    }
    text
}

/// Who publishes, for a tooltip.
fn publisher(info: &StreamInfo) -> String {
    match (info.publisher, info.encoder.as_deref()) {
        (Some(addr), Some(encoder)) => format!("from {addr}, {encoder}"),
        (Some(addr), None) => format!("from {addr}"),
        (None, Some(encoder)) => encoder.to_owned(),
        (None, None) => String::new(),
    }
}

fn write_shard(html: &mut String, shard: &ShardSnapshot) -> std::fmt::Result {
    let window = match shard.pacing_window_ms {
        0 => "at once".into(),
        ms => format!("{ms} ms"),
    };
    let busy = shard.busy_permille.min(1000);
    write!(
        html,
        "<tr><th scope=\"row\">{}</th><td class=\"n\">{}</td><td><meter min=\"0\" max=\"1000\" \
         low=\"700\" high=\"900\" optimum=\"0\" value=\"{busy}\" aria-label=\"load\"></meter>{}</td>\
         <td class=\"n\">{window}</td>",
        shard.shard,
        shard.core,
        percent(busy),
    )?;
    for value in [shard.connections, shard.publishers, shard.players] {
        write!(html, "<td class=\"n\">{}</td>", count(value))?;
    }
    for value in [shard.bytes_in, shard.bytes_out] {
        write!(html, "<td class=\"n\">{}</td>", bytes(value))?;
    }
    for value in [shard.dropped_frames, shard.skips, shard.hang_ups] {
        write_trouble(html, value)?;
    }
    let reasons = shard.refused.iter().map(|(reason, count)| format!("{reason} {count}"));
    let reasons = reasons.collect::<Vec<_>>().join(", ");
    let refused = count(shard.refused.values().sum());
    writeln!(html, "<td class=\"n\" title=\"{}\">{refused}</td></tr>", Text(&reasons))
}

/// A count that should be zero.
fn write_trouble(html: &mut String, value: u64) -> std::fmt::Result {
    let class = if value == 0 { "n soft" } else { "n some" };
    write!(html, "<td class=\"{class}\">{}</td>", count(value))
}

fn video(video: Option<&VideoInfo>) -> String {
    match video {
        None => "<span class=\"soft\">\u{2013}</span>".into(),
        Some(VideoInfo { codec, width: 0, .. }) => Text(codec).to_string(),
        Some(VideoInfo { codec, width, height }) => {
            format!("{}<br><span class=\"soft\">{width}\u{d7}{height}</span>", Text(codec))
        }
    }
}

fn audio(audio: Option<&AudioInfo>) -> String {
    match audio {
        None => "<span class=\"soft\">\u{2013}</span>".into(),
        Some(AudioInfo { codec, sample_rate_hz: 0, .. }) => Text(codec).to_string(),
        Some(AudioInfo { codec, sample_rate_hz, channels }) => {
            let (khz, hundreds) = (sample_rate_hz / 1000, sample_rate_hz % 1000 / 100);
            let rate = if hundreds == 0 { khz.to_string() } else { format!("{khz}.{hundreds}") };
            let channels = match channels {
                0 => String::new(),
                1 => " mono".into(),
                2 => " stereo".into(),
                more => format!(" {more} channels"),
            };
            format!("{}<br><span class=\"soft\">{rate} kHz{channels}</span>", Text(codec))
        }
    }
}
