//! The table of targets on the status page: a row for each stream on its way. Without targets there is none.

use std::fmt::Write as _;

use super::Page;
use super::format::{Text, bytes, count, span};
use crate::limits::PAGE_STREAMS_MAX;
use crate::outbound::{PushSnapshot, TargetSnapshot};

impl Page<'_> {
    pub(super) fn write_targets(&self, html: &mut String) -> std::fmt::Result {
        if self.targets.is_empty() {
            return Ok(());
        }
        html.push_str(
            "<h2>Targets</h2>\n<div class=\"card\"><table><thead><tr><th>Target<th>Stream<th>State\
             <th>Last error<th class=\"n\">Sent<th class=\"n\">Dropped<th class=\"n\">Skips\
             <th class=\"n\">Reconnects</tr></thead>\n<tbody>\n",
        );
        let rows = self.targets.iter().flat_map(|target| {
            let none = target.pushes.is_empty().then_some((target, None));
            target.pushes.iter().map(move |push| (target, Some(push))).chain(none)
        });
        let mut more = 0_usize;
        for (index, (target, push)) in rows.enumerate() {
            if index < PAGE_STREAMS_MAX {
                self.write_target(html, target, push)?;
            } else {
                more += 1;
            }
        }
        html.push_str("</tbody></table>");
        if more > 0 {
            write!(html, "<p class=\"soft\">and {more} more; the JSON has them all.</p>")?;
        }
        html.push_str("</div>\n");
        Ok(())
    }

    fn write_target(
        &self,
        html: &mut String,
        target: &TargetSnapshot,
        push: Option<&PushSnapshot>,
    ) -> std::fmt::Result {
        write!(
            html,
            "<tr><th scope=\"row\">{}<br><code class=\"soft\">{}</code></th>",
            Text(&target.name),
            Text(&target.url)
        )?;
        let Some(PushSnapshot { stream, status }) = push else {
            return writeln!(
                html,
                "<td>{}</td><td><span class=\"state idle\">waiting</span></td><td></td>\
                 <td class=\"n soft\">0</td><td></td><td></td><td></td></tr>",
                Text(&target.stream)
            );
        };
        let class = match status.state {
            "publishing" => "live",
            "waiting" | "stopped" => "idle",
            _ => "held",
        };
        let ago = |at: u64| span(self.now_unix_ms.saturating_sub(at) / 1000);
        let error = match (&status.error, &status.error_text, status.error_unix_ms) {
            (Some(error), Some(text), Some(at)) => format!(
                "<span title=\"{}\">{error}</span><br><span class=\"soft\">{} ago</span>",
                Text(text),
                ago(at)
            ),
            _ => String::new(),
        };
        write!(
            html,
            "<td>{stream}</td><td><span class=\"state {class}\">{}</span><br>\
             <span class=\"soft\">{}</span></td><td>{error}</td><td class=\"n\">{}</td>",
            status.state,
            ago(status.since_unix_ms),
            bytes(status.bytes_out),
        )?;
        for value in [status.dropped_frames, status.skips, status.reconnects] {
            let class = if value == 0 { "n soft" } else { "n some" };
            write!(html, "<td class=\"{class}\">{}</td>", count(value))?;
        }
        html.write_str("</tr>\n")
    }
}
