//! Gives every slide the folder that an earlier run made for it, and none that belongs to another.
//!
//! A new slide of an old name must not stop a rerun: the old one keeps its folder, the new one gets its own.

use std::collections::HashSet;
use std::path::Path;

use ftuseg_records::SlideRecord;

use super::deadline::Deadline;
use super::discover::same_id;
use super::folder_names::candidates;
use super::reuse::{FileIdentity, describe_input, record_of};
use super::{Job, Rerun};

/// Assigns the folders of all jobs by what lies in `slides`.
pub(super) fn assign_folders(
    jobs: &mut [Job],
    slides: &Path,
    rerun: Rerun,
    identity: FileIdentity,
    deadline: &Deadline,
) {
    let mut taken: HashSet<String> = HashSet::new();
    let mut open: Vec<usize> = (0..jobs.len()).collect();
    // Those whose path stands in a record first: a copy elsewhere must not take their folder.
    for by_path in [true, false] {
        open.retain(|&index| {
            let job = &jobs[index];
            let mut names: Vec<String> = candidates(job).into();
            names.push(job.folder.clone());
            let own = names.into_iter().find(|name| {
                !taken.contains(&name.to_lowercase())
                    && record_of(&slides.join(name))
                        .is_some_and(|record| is_of(&record, job, by_path, identity, deadline))
            });
            let Some(name) = own else {
                return true;
            };
            taken.insert(name.to_lowercase());
            jobs[index].folder = name;
            false
        });
    }
    for index in open {
        let job = &jobs[index];
        let record = record_of(&slides.join(&job.folder));
        let theirs = record
            .as_ref()
            .map(|record| (record.id.as_str(), record.input.path.as_str()));
        // A slide that is to replace others of its name does; else what is there stays.
        let replaces = matches!(rerun, Rerun::All | Rerun::Changed);
        let is_free = match &theirs {
            None => true,
            Some((id, _)) => replaces && *id == job.id,
        };
        let is_free = is_free && !taken.contains(&job.folder.to_lowercase());
        if !is_free {
            let [_, _, by_path] = candidates(job);
            let other = theirs.filter(|(id, _)| *id == job.id);
            let warning = other.map(|(_, path)| same_id(&format!("{path} of an earlier run has")));
            let job = &mut jobs[index];
            job.folder = by_path;
            job.warnings.extend(warning);
        }
        taken.insert(jobs[index].folder.to_lowercase());
    }
}

/// Whether a record is of a job's slide: its id and, by path or by what the file is, its file.
fn is_of(
    record: &SlideRecord,
    job: &Job,
    by_path: bool,
    identity: FileIdentity,
    deadline: &Deadline,
) -> bool {
    if record.id != job.id {
        return false;
    }
    let theirs = &record.input;
    if by_path {
        return theirs.path == job.path.display().to_string();
    }
    describe_input(job, identity, deadline).is_ok_and(|ours| {
        theirs.bytes == ours.bytes
            && match identity {
                FileIdentity::ByChange => theirs.modified == ours.modified,
                FileIdentity::ByContent => theirs.sha256 == ours.sha256,
            }
    })
}
