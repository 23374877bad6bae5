//! The table of the status page that shows what is fetched from other servers, if anything is.

use std::fmt::Write as _;

use super::Page;
use super::format::{Text, bytes, count, span};
use crate::limits::PAGE_STREAMS_MAX;
use crate::stats::PullSnapshot;

impl Page<'_> {
    pub(super) fn write_pulls(&self, html: &mut String) -> std::fmt::Result {
        if self.pulls.is_empty() {
            return Ok(());
        }
        html.push_str(
            "<h2>Pulled from other servers</h2>\n<div class=\"card\"><table><thead><tr><th>Stream\
             <th>State<th>Origin<th class=\"n\">Received<th class=\"n\">Reconnects<th>Last trouble\
             </tr></thead>\n<tbody>\n",
        );
        for pull in self.pulls.iter().take(PAGE_STREAMS_MAX) {
            self.write_pull(html, pull)?;
        }
        html.push_str("</tbody></table>");
        if self.pulls.len() > PAGE_STREAMS_MAX {
            let more = self.pulls.len() - PAGE_STREAMS_MAX;
            write!(html, "<p class=\"soft\">and {more} more; the JSON has them all.</p>")?;
        }
        html.push_str("</div>\n");
        Ok(())
    }

    fn write_pull(&self, html: &mut String, pull: &PullSnapshot) -> std::fmt::Result {
        let ago = |unix_ms: u64| span(self.now_unix_ms.saturating_sub(unix_ms) / 1000);
        write!(
            html,
            "<tr><th scope=\"row\">{}</th><td><span class=\"state {label}\">{label}</span><br>\
             <span class=\"soft\">{}</span></td><td><code>{}</code></td><td class=\"n\">{}</td>\
             <td class=\"n\">{}</td><td>",
            pull.stream,
            ago(pull.info.since_unix_ms),
            Text(pull.info.origin.as_deref().unwrap_or_default()),
            bytes(pull.bytes_in),
            count(pull.reconnects),
            label = pull.info.state.label(),
        )?;
        if let (Some(text), Some(at)) = (&pull.info.error_text, pull.info.error_unix_ms) {
            write!(html, "{}<br><span class=\"soft\">{} ago</span>", Text(text), ago(at))?;
        }
        html.write_str("</td></tr>\n")
    }
}
