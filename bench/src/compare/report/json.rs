//! A comparison as JSON, for programs that compare comparisons.

use super::Report;
use serde_json::json;

/// The version of this JSON.
pub const FORMAT: u32 = 1;

/// The whole of it.
pub fn text(report: &Report<'_>) -> String {
    let missing: Vec<_> =
        report.missing.iter().map(|(name, how)| json!({"name": name, "install": how})).collect();
    let json = json!({
        "format": FORMAT,
        "environment": report.environment,
        "noisy": report.noisy,
        "targets": report.lines,
        "figures": report.figures,
        "servers": report.members,
        "missing": missing,
        "runs": report.runs,
    });
    format!("{json:#}\n")
}
