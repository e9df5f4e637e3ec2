//! Pictures of results on their way to the server: files beside a run's events, because an event contains only a
//! picture's id.
//!
//! A picture is written, and sent, before its event. So a reader of the event finds the picture.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use townwatch_agents::normalise::pictures::Picture;
use townwatch_protocol::id::{AgentId, ImageId, RigId};
use townwatch_protocol::image::ImageType;

use crate::notice::say;
use crate::server::{Failure, Server};

/// The bytes of waiting pictures of one run, 64 MiB. Further ones are left out until some are sent.
const BYTES_MAX: u64 = 64 << 20;

/// Writes a picture into the folder of its run. A failure is told to the person.
pub(super) fn keep(run_dir: &Path, picture: &Picture) {
    match write(run_dir, picture) {
        Ok(true) => {}
        Ok(false) => {
            say(&format!("a picture is left out: {} MiB of them wait for the server already", BYTES_MAX >> 20));
        }
        Err(error) => say(&format!("a picture is left out: it cannot be written to {} ({error})", run_dir.display())),
    }
}

fn write(run_dir: &Path, picture: &Picture) -> io::Result<bool> {
    let Some(kind) = ImageType::of_media_type(picture.media_type) else { return Ok(true) };
    let dir = run_dir.join("images");
    DirBuilder::new().recursive(true).mode(0o700).create(&dir)?;
    let mut waiting = 0;
    for entry in fs::read_dir(&dir)? {
        waiting += entry?.metadata().map_or(0, |metadata| metadata.len()); // one that was sent meanwhile is gone
    }
    if waiting + picture.bytes.len() as u64 > BYTES_MAX {
        return Ok(false);
    }
    let kept = dir.join(format!("{}.{}", picture.image_id, kind.extension()));
    let draft = kept.with_extension("new");
    fs::write(&draft, &picture.bytes).and_then(|()| fs::rename(&draft, kept)).map(|()| true).inspect_err(|_| {
        let _ = fs::remove_file(&draft);
    })
}

/// Sends the pictures in a run's folder. One that the server refuses for good is left out; any other failure is
/// returned.
pub(super) fn send(server: &Server, rig: &RigId, agent: &AgentId, run_dir: &Path) -> Result<(), Failure> {
    for (file, image_id, kind) in waiting(run_dir) {
        let Ok(bytes) = fs::read(&file) else { continue };
        let path = format!("/api/rigs/{rig}/agents/{agent}/images/{image_id}");
        match server.put(&path, kind.media_type(), &bytes) {
            Ok(_) => {}
            Err(Failure::Unacceptable(problem) | Failure::TooLargeOnTheWay(problem)) => {
                say(&format!("a picture of {} KiB is left out, which cannot be sent: {problem}", bytes.len() >> 10));
            }
            Err(failure) => return Err(failure),
        }
        // Left behind it would only be sent once more.
        let _ = fs::remove_file(&file);
    }
    Ok(())
}

fn waiting(run_dir: &Path) -> Vec<(PathBuf, ImageId, ImageType)> {
    let Ok(entries) = fs::read_dir(run_dir.join("images")) else { return Vec::new() };
    let read = |file: PathBuf| {
        let image_id = ImageId::parse(file.file_stem()?.to_str()?)?;
        let kind = ImageType::of_extension(file.extension()?.to_str()?)?;
        File::open(&file).ok()?;
        Some((file, image_id, kind))
    };
    entries.flatten().filter_map(|entry| read(entry.path())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_wait_within_their_bound_and_half_a_file_is_none() {
        let dir = std::env::temp_dir().join(format!("townwatch-pictures-{}", std::process::id()));
        let picture = |name: char, bytes: usize| Picture {
            image_id: name.to_string().repeat(32),
            media_type: "image/jpeg",
            bytes: vec![7; bytes],
        };
        assert!(waiting(&dir).is_empty());
        let most = usize::try_from(BYTES_MAX).unwrap();
        assert!(write(&dir, &picture('a', most - 10)).unwrap());
        assert!(!write(&dir, &picture('b', 11)).unwrap());
        assert!(write(&dir, &picture('c', 10)).unwrap());
        fs::write(dir.join("images/dd.new"), b"half").unwrap();
        fs::write(dir.join("images/EE.png"), b"no name of ours").unwrap();
        let mut names: Vec<_> = waiting(&dir).into_iter().map(|(_, id, kind)| (id.to_string(), kind)).collect();
        names.sort_by(|one, other| one.0.cmp(&other.0));
        assert_eq!(names, [("a".repeat(32), ImageType::Jpeg), ("c".repeat(32), ImageType::Jpeg)]);
        fs::remove_dir_all(&dir).unwrap();
    }
}
