//! Y4M files as cameras: there, readable and of the right kind, before anything runs.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::document::Problems;
use crate::spec::NamedFile;

/// What every Y4M file begins with (yuv4mpeg(5) of the MJPEG tools).
const SIGNATURE: &[u8; 10] = b"YUV4MPEG2 ";

/// The path of a camera, which is relative to `base`. Reports a file that cannot be used.
pub(crate) fn find(camera: &NamedFile, base: &Path, problems: &Problems) -> PathBuf {
    let path = base.join(&camera.file);
    if let Err(reason) = check(&path) {
        let message = format!(
            "{} cannot be the camera: {reason}; write the path of a Y4M file, relative to the \
             scenario",
            path.display()
        );
        problems.add(Some(camera.at), camera.path.clone(), message);
    }
    path
}

fn check(path: &Path) -> Result<(), io::Error> {
    let mut start = [0; SIGNATURE.len()];
    let other = || io::Error::new(io::ErrorKind::InvalidData, "it is not a Y4M file");
    let read = File::open(path)?.read_exact(&mut start);
    match read {
        Ok(()) if start == *SIGNATURE => Ok(()),
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(error),
        _ => Err(other()),
    }
}
