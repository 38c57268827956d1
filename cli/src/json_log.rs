//! What a batch tells as JSON, one object a line, for programs: `schemas/event.schema.json` describes every event.

use std::collections::HashSet;
use std::path::Path;

use serde_json::{Value, json};

use ftuseg::batch::{Event, Plan, RunSummary, Status};
use ftuseg::slide::warning::Warning;

/// An event that nothing has to be computed for. Tiles are told of by [`tiles`].
pub(super) fn event(event: &Event<'_>, id: &str, out: &Path) -> Option<Value> {
    Some(match event {
        Event::Note(text) => json!({ "event": "note", "text": text }),
        Event::Planned(plan) => begin(plan, out),
        Event::Started { index, total, job } => json!({
            "event": "started",
            "index": index,
            "total": total,
            "id": job.id,
            "path": job.path.display().to_string(),
        }),
        Event::Opened {
            index,
            width,
            height,
        } => json!({
            "event": "opened",
            "index": index,
            "id": id,
            "width": width,
            "height": height,
        }),
        Event::Ended {
            index,
            total,
            status,
        } => json!({
            "event": "ended",
            "index": index,
            "total": total,
            "id": status.id,
            "slide": status,
        }),
        _ => return None,
    })
}

/// The first event: who runs, with what, and what will be done.
fn begin(plan: &Plan<'_>, out: &Path) -> Value {
    let made_by = plan.provenance;
    let [todo, added]: [HashSet<usize>; 2] =
        [plan.todo, plan.added_to].map(|places| places.iter().copied().collect());
    let slides: Vec<Value> = plan
        .jobs
        .iter()
        .enumerate()
        .map(|(index, job)| {
            json!({
                "index": index,
                "id": job.id,
                "path": job.path.display().to_string(),
                "plan": match (todo.contains(&index), added.contains(&index)) {
                    (_, true) => "add",
                    (true, _) => "segment",
                    _ => "keep",
                },
            })
        })
        .collect();
    let outputs = made_by.settings.write.iter().filter(|(_, is)| **is);
    json!({
        "event": "begin",
        "schema": "ftuseg/event/1",
        "versions": { "ftuseg": made_by.version, "runtime": made_by.runtime.version },
        "bundle": made_by.bundle,
        "runtime": made_by.runtime,
        "settings": made_by.settings,
        "outputs": outputs.map(|(name, _)| name).collect::<Vec<_>>(),
        "out": out.display().to_string(),
        "slides": slides,
    })
}

/// How far a slide has come.
pub(super) fn tiles(
    index: usize,
    id: &str,
    (planned, inferred): (u64, u64),
    rate: [f64; 2],
) -> Value {
    json!({
        "event": "tiles",
        "index": index,
        "id": id,
        "planned": planned,
        "inferred": inferred,
        "tiles_per_second": rate[0],
        "mpx_per_second": rate[1],
    })
}

/// A doubt: about a slide, or about the run as a whole.
pub(super) fn warning(slide: Option<(usize, &str)>, warning: &Warning) -> Value {
    match slide {
        Some((index, id)) => json!({
            "event": "warning",
            "index": index,
            "id": id,
            "kind": warning.kind.name(),
            "text": warning.text,
        }),
        None => json!({
            "event": "warning",
            "kind": warning.kind.name(),
            "text": warning.text,
        }),
    }
}

/// The last event.
pub(super) fn finished(summary: &RunSummary) -> Value {
    json!({
        "event": "finished",
        "state": summary.state,
        "done": summary.count(Status::Done),
        "skipped": summary.count(Status::Skipped),
        "failed": summary.count(Status::Failed),
        "pending": summary.count(Status::Pending),
        "warnings": summary.warning_count(),
        "seconds": summary.seconds,
    })
}
