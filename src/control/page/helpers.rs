//! The table of helpers on the status page: a row for each stream that one is for. Without helpers there
//! is none.

use std::fmt::Write as _;

use super::Page;
use super::format::{Text, count, span};
use crate::helper::{HelperSnapshot, InstanceSnapshot, State};
use crate::limits::PAGE_STREAMS_MAX;

impl Page<'_> {
    pub(super) fn write_helpers(&self, html: &mut String) -> std::fmt::Result {
        if self.helpers.is_empty() {
            return Ok(());
        }
        html.push_str(
            "<h2>Helpers</h2>\n<div class=\"card\"><table><thead><tr><th>Helper<th>Stream<th>State\
             <th>Last end<th>Last words<th class=\"n\">Starts</tr></thead>\n<tbody>\n",
        );
        let rows = self.helpers.iter().flat_map(|helper| {
            let none = helper.instances.is_empty().then_some((helper, None));
            helper.instances.iter().map(move |one| (helper, Some(one))).chain(none)
        });
        for (helper, instance) in rows.take(PAGE_STREAMS_MAX) {
            self.write_helper(html, helper, instance)?;
        }
        html.write_str("</tbody></table></div>\n")
    }

    fn write_helper(
        &self,
        html: &mut String,
        helper: &HelperSnapshot,
        instance: Option<&InstanceSnapshot>,
    ) -> std::fmt::Result {
        write!(
            html,
            "<tr><th scope=\"row\">{}<br><code class=\"soft\">{}</code></th>",
            Text(&helper.name),
            Text(&helper.program)
        )?;
        let Some(one) = instance else {
            return writeln!(
                html,
                "<td>{}</td><td><span class=\"state idle\">waiting</span></td><td></td><td></td>\
                 <td class=\"n soft\">0</td></tr>",
                Text(&helper.stream)
            );
        };
        let class = match one.state {
            State::Running => "live",
            State::Waiting | State::Stopped => "idle",
            State::Starting | State::Stopping | State::BackingOff | State::Failed => "held",
        };
        writeln!(
            html,
            "<td>{}</td><td><span class=\"state {class}\">{}</span><br><span class=\"soft\">{}\
             </span></td><td>{}</td><td>{}</td><td class=\"n\">{}</td></tr>",
            one.stream,
            one.state.label(),
            span(self.now_unix_ms.saturating_sub(one.since_unix_ms) / 1000),
            Text(one.last_end.as_deref().unwrap_or_default()),
            Text(one.log.last().map_or("", |line| &line.text)),
            count(one.starts),
        )
    }
}
